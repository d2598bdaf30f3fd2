"""Ce que la première page de chacun dit de faire pour les aides : le bon geste, à la bonne personne, sans rien trahir."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accueil import aides
from agrements.demo.dossiers import document
from agrements.models import Seance
from aides.actions import instruction, prets, suites, versements
from aides.choix import Etat
from aides.models import BilanAide, Demande
from comptes.choix import Role
from documents import production
from tests.aides.test_parcours_d_une_demande import payer
from tests.aides.test_prets_vivants import echoir
from tests.fabriques.aides import Guichet

pytestmark = pytest.mark.django_db
AUJOURD_HUI = timezone.localdate()
PRESIDENT = frozenset({Role.REPRESENTANT_LEGAL})
DIRECTION = frozenset({Role.DIRECTION})


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def guichet():
    return Guichet()


def structure(guichet, roles=DIRECTION) -> list[str]:
    return [t.libelle for t in aides.pour_la_structure(guichet.structure, roles, AUJOURD_HUI)]


def caf(personne) -> list[str]:
    return [t.libelle for t in aides.pour_la_caf(personne, AUJOURD_HUI)]


def produire(demande: Demande) -> None:
    production.produire(demande.decisions.first().acte_id)
    production.produire(demande.convention.acte_id)


def test_rien_ne_laisse_deviner_un_accord_avant_sa_lettre_meme_apres_un_ajournement_lu(guichet):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    guichet.instruire(demande, Etat.AJOURNEE)
    suites.lire_notification(Demande.objects.get(pk=demande.pk), par=guichet.direction)
    assert "Reprendre l’instruction de l’aide" in caf(guichet.charge)
    Seance.objects.update(tenue_le=AUJOURD_HUI - timedelta(days=9))  # celle d’avant : la suivante se tient aujourd’hui
    instruction.reprendre_instruction(Demande.objects.get(pk=demande.pk), par=guichet.charge, motif="Devis reçu.")
    guichet.instruire(Demande.objects.get(pk=demande.pk))
    demande = Demande.objects.get(pk=demande.pk)
    produire(demande)
    BilanAide.objects.update(attendu_le=AUJOURD_HUI)
    assert structure(guichet, PRESIDENT) == ["Lire la décision"]
    suites.lire_notification(demande, par=guichet.president)
    assert structure(guichet, PRESIDENT) == ["Signer et déposer la convention", "Rendre un bilan"]
    assert structure(guichet) == ["Rendre un bilan"]


def test_une_somme_a_rendre_et_une_attestation_se_disent_a_qui_dirige(guichet):
    version = guichet.dispositif(
        sur_factures=True, avance_part=D(30), bilan_mois=0, destination_ans=10, convention_exigee=False
    )
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    suites.lire_notification(demande, par=guichet.direction)
    payer(guichet, versements.proposer(demande, nature="avance", par=guichet.technicien))
    facture = versements.joindre_facture(
        demande, depense_pk=demande.depenses.get().pk, numero="F1", datee_le=AUJOURD_HUI, montant_ht=D(2_000),
        montant_ttc=D(2_000), televerse=document("facture"), par=guichet.direction,
    )  # fmt: skip
    assert caf(guichet.technicien) == ["Vérifier une facture"]
    versements.verifier_facture(facture, retenu=D(2_000), motif="", par=guichet.technicien)
    versements.solder(demande, par=guichet.technicien)
    debut, _ = suites.engagement(demande)
    for annee in (debut.year + 1, debut.year + 2):
        assert suites.demander_attestation(demande, annee, AUJOURD_HUI)
    attendu = [f"Attester la destination sociale {a}" for a in (debut.year + 1, debut.year + 2)]
    assert structure(guichet) == [*attendu, "Rendre une somme à la Caf"]
    suites.attester(
        demande, annee=debut.year + 1, maintenue=False, commentaire="Le local est loué.", par=guichet.direction
    )
    assert f"Destination sociale {debut.year + 1} démentie" in caf(guichet.responsable)


def test_une_echeance_due_se_preleve(guichet):
    version = guichet.pret()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    guichet.signer(demande)
    assert caf(guichet.technicien) == ["Enregistrer le mandat d’un prêt"]
    prets.enregistrer_mandat(
        demande.pret, mandat="RUM-1", signe_le=AUJOURD_HUI, premiere_echeance=AUJOURD_HUI + timedelta(days=1),
        par=guichet.technicien,
    )  # fmt: skip
    payer(guichet, versements.proposer(demande, nature="pret", par=guichet.technicien))
    assert caf(guichet.technicien) == []
    echoir(demande.pret, 1)
    assert caf(guichet.technicien) == ["Prélever les échéances dues"]


def test_la_liste_coute_le_meme_nombre_de_requetes_a_une_et_six_aides(guichet):
    version = guichet.dispositif()
    guichet.voter(version)

    def cout() -> list[int]:
        comptes = []
        for lire in (
            lambda: structure(guichet, PRESIDENT), lambda: caf(guichet.responsable), lambda: caf(guichet.technicien),
        ):  # fmt: skip
            with CaptureQueriesContext(connection) as capture:
                lire()
            comptes.append(len(capture))
        return comptes

    def une_aide() -> None:
        demande = guichet.mener(version, Etat.ACCORDEE)
        produire(demande)
        suites.lire_notification(demande, par=guichet.direction)
        BilanAide.objects.update(attendu_le=AUJOURD_HUI)

    une_aide()
    cout()
    avant = cout()
    for _ in range(5):
        une_aide()
    assert len(structure(guichet, PRESIDENT)) > 6
    assert cout() == avant
