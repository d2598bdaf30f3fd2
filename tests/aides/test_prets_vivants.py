"""Un prêt, de la signature au remboursement : mandat, prélèvements, impayé, anticipé, solde."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from xml.etree import ElementTree

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import ProgrammingError, transaction
from django.db.utils import InternalError
from django.urls import reverse
from django.utils import timezone

from aides.actions import prets, versements
from aides.actions.calendrier import suivre_le_calendrier
from aides.choix import Etat, EtatEcheance, EtatPret, ModeAnticipe
from aides.models import Demande, EcheancePret, LotPrelevement, Pret
from courriers.models import Notification
from documents.models import Acte
from financements.donneur import creancier
from financements.sepa import Retour
from socle.erreurs import Refus
from tests.aides.test_parcours_d_une_demande import payer
from tests.fabriques.aides import Guichet

pytestmark = pytest.mark.django_db
AUJOURD_HUI = timezone.localdate()


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def guichet():
    return Guichet()


def preter(guichet, **regle) -> Pret:
    version = guichet.pret(**regle)
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    guichet.signer(demande)
    return demande.pret


def en_cours(guichet, **regle) -> Pret:
    pret = preter(guichet, **regle)
    prets.enregistrer_mandat(
        pret, mandat="RUM-1", signe_le=AUJOURD_HUI, premiere_echeance=AUJOURD_HUI + timedelta(days=1),
        par=guichet.technicien,
    )  # fmt: skip
    payer(guichet, versements.proposer(pret.demande, nature="pret", par=guichet.technicien))
    return Pret.objects.get(pk=pret.pk)


def echoir(pret: Pret, *rangs: int) -> list[int]:
    """Le temps passe : ces échéances deviennent dues aujourd’hui (la base fige leur date, on passe outre ici)."""
    import pgtrigger

    with pgtrigger.ignore("aides.EcheancePret:echeance_pret_figee"):
        pret.echeances.filter(tableau=pret.tableau, rang__in=rangs).update(le=AUJOURD_HUI)
    return list(pret.echeances.filter(tableau=pret.tableau, rang__in=rangs).values_list("pk", flat=True))


def prelever(guichet, cles) -> LotPrelevement:
    return prets.prelever(cles, execution_le=AUJOURD_HUI, creancier=creancier(), par=guichet.technicien)


def test_le_mandat_attend_la_signature_et_ecrit_le_tableau(guichet):
    version = guichet.pret()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    saisie = {"mandat": "RUM-1", "signe_le": AUJOURD_HUI, "premiere_echeance": AUJOURD_HUI + timedelta(days=30)}
    with pytest.raises(Refus, match="pas encore signé"):
        prets.enregistrer_mandat(demande.pret, par=guichet.technicien, **saisie)
    guichet.signer(demande)
    with pytest.raises(PermissionDenied):
        prets.enregistrer_mandat(demande.pret, par=guichet.charge, **saisie)
    with pytest.raises(ValidationError, match="à venir"):
        prets.enregistrer_mandat(demande.pret, par=guichet.technicien, **{**saisie, "premiere_echeance": AUJOURD_HUI})
    pret = prets.enregistrer_mandat(demande.pret, par=guichet.technicien, **saisie)
    assert (pret.etat, pret.echeances.count()) == (EtatPret.SIGNE, 12)
    assert sum(e.capital for e in pret.echeances.all()) == pret.montant
    assert Acte.objects.filter(objet=f"aide-{demande.pk}", cle__contains="echeancier").count() == 1


def test_rien_ne_se_preleve_avant_la_mise_a_disposition(guichet):
    pret = preter(guichet)
    prets.enregistrer_mandat(
        pret, mandat="RUM-1", signe_le=AUJOURD_HUI, premiere_echeance=AUJOURD_HUI + timedelta(days=1),
        par=guichet.technicien,
    )  # fmt: skip
    cles = echoir(pret, 1)
    assert prets.a_prelever(AUJOURD_HUI) == []
    with pytest.raises(Refus, match="Retirez-la"):
        prelever(guichet, cles)


def test_trois_echeances_prelevees_une_impayee_representee(guichet):
    pret = en_cours(guichet)
    cles = echoir(pret, 1, 2)
    lot = prelever(guichet, cles)
    with lot.fichier.open() as flux:
        xml = ElementTree.fromstring(flux.read())
    espace = "{urn:iso:std:iso:20022:tech:xsd:pain.008.001.08}"
    assert [e.text for e in xml.iter(f"{espace}SeqTp")] == ["FRST", "RCUR"]
    assert lot.total == sum(EcheancePret.objects.get(pk=c).total for c in cles)
    with pytest.raises(Refus, match="prélèvement émis"):
        prelever(guichet, cles)
    une, deux = EcheancePret.objects.filter(pk__in=cles).order_by("rang")
    prets.constater(une, payee=True, le=AUJOURD_HUI, motif="", par=guichet.technicien)
    with pytest.raises(ValidationError, match="répondu"):
        prets.constater(deux, payee=False, le=AUJOURD_HUI, motif=" ", par=guichet.technicien)
    prets.constater(deux, payee=False, le=AUJOURD_HUI, motif="Provision insuffisante", par=guichet.technicien)
    deux.refresh_from_db()
    assert deux.etat == EtatEcheance.IMPAYEE
    with pytest.raises(Refus, match="réglez-la d’abord"):
        prets.rembourser(pret, le=AUJOURD_HUI, capital=D(100), mode=ModeAnticipe.DUREE, par=guichet.technicien)
    assert [e.pk for e in prets.a_prelever(AUJOURD_HUI)] == [deux.pk]
    prelever(guichet, [deux.pk])
    deux.refresh_from_db()
    prets.constater(deux, payee=True, le=AUJOURD_HUI, motif="", par=guichet.technicien)
    assert prets.capital_restant(pret) == pret.montant - sum(e.capital for e in (une, deux))


def test_apres_un_differe_le_premier_prelevement_se_dit_premier(guichet):
    pret = en_cours(guichet, pret_differe=3)
    lot = prelever(guichet, echoir(pret, 4))
    with lot.fichier.open() as flux:
        assert b"<SeqTp>FRST</SeqTp>" in flux.read()
    suivant = prelever(guichet, echoir(pret, 5))
    with suivant.fichier.open() as flux:
        assert b"<SeqTp>RCUR</SeqTp>" in flux.read()


def test_un_remboursement_partiel_fait_naitre_un_tableau_un_total_solde(guichet):
    pret = en_cours(guichet, pret_taux=D("1.5"))
    avant = prets.capital_restant(pret)
    prets.rembourser(pret, le=AUJOURD_HUI, capital=D(2_000), mode=ModeAnticipe.ECHEANCE, par=guichet.technicien)
    pret.refresh_from_db()
    assert (pret.tableau, prets.capital_restant(pret)) == (2, avant - 2_000)
    assert len([e for e in prets.en_vigueur(pret) if e.tableau == 2]) == 12
    with pytest.raises(ValidationError, match="Il reste"):
        prets.rembourser(pret, le=AUJOURD_HUI, capital=avant, mode=ModeAnticipe.DUREE, par=guichet.technicien)
    prets.rembourser(pret, le=AUJOURD_HUI, capital=avant - 2_000, mode="", par=guichet.technicien)
    pret.refresh_from_db()
    assert (pret.etat, prets.capital_restant(pret)) == (EtatPret.SOLDE, 0)
    with pytest.raises(Refus, match="pas en remboursement"):
        prets.rembourser(pret, le=AUJOURD_HUI, capital=D(1), mode="", par=guichet.technicien)


def test_la_derniere_echeance_payee_solde_le_pret(guichet):
    pret = en_cours(guichet, pret_echeances=2)
    for rang in (1, 2):
        cles = echoir(pret, rang)
        prelever(guichet, cles)
        prets.constater(
            EcheancePret.objects.get(pk=cles[0]), payee=True, le=AUJOURD_HUI, motif="", par=guichet.technicien
        )
    pret.refresh_from_db()
    assert pret.etat == EtatPret.SOLDE


def test_la_base_fige_le_tableau_et_les_conditions(guichet):
    pret = preter(guichet)
    prets.enregistrer_mandat(
        pret, mandat="RUM-1", signe_le=AUJOURD_HUI, premiere_echeance=AUJOURD_HUI + timedelta(days=9),
        par=guichet.technicien,
    )  # fmt: skip
    for geste in (
        lambda: EcheancePret.objects.update(capital=1, total=1),
        lambda: EcheancePret.objects.all().delete(),
        lambda: Pret.objects.update(taux=3),
    ):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            geste()


def test_le_retour_de_la_banque_se_lit_en_serie_et_se_relit_sans_effet(guichet, entrer):
    pret = en_cours(guichet)
    cles = echoir(pret, 1, 2)
    prelever(guichet, cles)
    une, deux = EcheancePret.objects.filter(pk__in=cles).order_by("rang")
    lignes = f"reference;etat;motif;date\n{une.reference};payé;;\n{deux.reference};rejeté;AM04;\nPRET-x;payé;;\n"
    client = entrer(guichet.technicien)
    for _ in range(2):
        retour = SimpleUploadedFile("retour.csv", lignes.encode())
        assert client.post(reverse("aides:retour"), {"fichier": retour}).status_code == 302
    une.refresh_from_db()
    deux.refresh_from_db()
    assert (une.etat, deux.etat) == (EtatEcheance.PAYEE, EtatEcheance.IMPAYEE)
    assert "provision" in deux.motif
    page = client.get(reverse("aides:prets")).content.decode()
    assert "Références inconnues : PRET-x" in page
    assert "1 impayée" in page


def test_le_retour_d_un_prelevement_passe_ne_touche_pas_celui_qui_l_a_remplace(guichet):
    pret = en_cours(guichet)
    (cle,) = echoir(pret, 1)
    prelever(guichet, [cle])
    ancienne = EcheancePret.objects.get(pk=cle).reference
    rejet = (Retour(ancienne, False, "AM04", AUJOURD_HUI),)
    assert prets.lire_retours(rejet, par=guichet.technicien) == (0, 1, [])
    prelever(guichet, [cle])
    assert prets.lire_retours(rejet, par=guichet.technicien) == (0, 0, [])
    echeance = EcheancePret.objects.get(pk=cle)
    assert (echeance.etat, echeance.reference != ancienne) == (EtatEcheance.EMISE, True)


def test_un_pret_en_remboursement_n_est_ni_caduc_ni_averti_ni_solde_avant_la_fin(guichet):
    pret = en_cours(guichet)
    demande = pret.demande
    for reste in (20, -1):
        Demande.objects.filter(pk=demande.pk).update(limite_le=AUJOURD_HUI + timedelta(days=reste))
        suivre_le_calendrier(AUJOURD_HUI)
    demande.refresh_from_db()
    assert demande.etat == Etat.ACCORDEE
    assert not Notification.objects.filter(texte__contains="à réaliser avant le").exists()
    with pytest.raises(Refus, match="pas encore remboursé"):
        versements.solder(demande, par=guichet.technicien)
    prets.rembourser(pret, le=AUJOURD_HUI, capital=pret.montant, mode="", par=guichet.technicien)
    assert versements.solder(demande, par=guichet.technicien).etat == Etat.SOLDEE
