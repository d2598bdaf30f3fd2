"""Les sanctions : fermées par défaut, proposées par qui contrôle, discutées, décidées par un autre."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from html import unescape

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accueil import controles as a_faire
from comptes.choix import Role
from comptes.models import Fonction
from controles.actions import contradictoire, sanctions, suites
from controles.choix import Conclusion, Etat, EtatSanction, Geste, NatureConstat
from controles.models import Controle, Sanction
from controles.referentiel import Degre
from courriers.models import Envoi
from documents.models import Acte
from partenaires.fiche import onglets
from socle.erreurs import Refus
from tests.fabriques.comptes import agent
from tests.fabriques.controles import Bureau
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.financements import EXERCICE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def bureau(db):
    return Bureau(sanctions=True)


def manquement(controle: Controle):
    return controle.constats.get(nature=NatureConstat.MANQUEMENT)


def proposer(bureau: Bureau, controle: Controle, **changements) -> Sanction:
    champs = {
        "constat": manquement(controle), "degre": "lourd", "exercice": EXERCICE, "motivation": "Refus répété.",
        "par": bureau.controleur, **changements,
    }  # fmt: skip
    return sanctions.proposer(controle, **champs)


def lire(reponse) -> str:
    return unescape(reponse.content.decode()).replace("\u202f", " ").replace("\u00a0", " ")


def adresse(nom: str, *args: int) -> str:
    return reverse(f"controles:{nom}", args=args)


def test_c18_quinze_pour_cent_de_63_600_font_9_540():
    """Domaine K.2, C18."""
    assert sanctions.montant_de(D("63600.00"), Degre("lourd", "Manquement lourd", D("0.15"))) == D("9540.00")


def test_fermees_par_les_regles_les_sanctions_n_existent_ni_en_action_ni_en_page(entrer):
    bureau = Bureau()
    controle = bureau.mener(Etat.SUITES)
    with pytest.raises(Refus, match="n’ouvrent pas de sanction"):
        proposer(bureau, controle)
    client = entrer(bureau.controleur)
    assert client.get(adresse("proposer_sanction", controle.pk)).status_code == 404
    assert client.get(adresse("sanction", controle.pk, 1)).status_code == 404
    assert "Sanctions" not in lire(client.get(adresse("suites", controle.pk)))


def test_proposer_calcule_le_montant_ecrit_a_la_structure_et_ouvre_le_delai(bureau):
    controle = bureau.mener(Etat.SUITES)
    base = bureau.caisse.courante().montant + bureau.caisse.courante("acf").montant

    sanction = proposer(bureau, controle)

    assert (sanction.base, sanction.taux) == (base, D("0.15"))
    assert sanction.montant == (base * D("0.15")).quantize(D("0.01"))
    assert "AGC" in sanction.base_dite
    assert sanction.observations_avant_le > timezone.localdate() + timedelta(days=20)
    lettre = sanction.acte_projet
    releve = {ligne["nom"]: ligne["valeur"] for ligne in lettre.contexte["releve"]}
    assert releve["Degré"] == "Manquement lourd"
    assert "15" in releve["Calcul"]
    assert lettre.contexte["motivation"] == "Refus répété."
    assert bureau.direction.notifications.filter(texte__contains="observations sont attendues").exists()
    assert not Envoi.objects.filter(texte__contains="anction", adresse=bureau.direction.courriel).exists()
    assert controle.evenements.filter(geste=Geste.PROPOSER_SANCTION).count() == 1


@pytest.mark.parametrize(
    ("changements", "phrase"),
    [
        ({"degre": "inconnu"}, "degré de l’échelle"),
        ({"exercice": 1999}, "Choisissez l’exercice"),
        ({"motivation": "  "}, "appelle une sanction"),
    ],
)
def test_une_mauvaise_proposition_se_dit_pres_de_son_champ(bureau, changements, phrase):
    controle = bureau.mener(Etat.SUITES)
    with pytest.raises(ValidationError, match=phrase):
        proposer(bureau, controle, **changements)
    assert not Sanction.objects.exists()


def test_seul_un_manquement_retenu_se_sanctionne_et_une_fois(bureau):
    controle = bureau.mener(Etat.SUITES)
    ecart = controle.constats.get(nature=NatureConstat.ECART)
    with pytest.raises(ValidationError, match="manquement retenu"):
        proposer(bureau, controle, constat=ecart)
    proposer(bureau, controle)
    with pytest.raises(ValidationError, match="pas encore sanctionné"):
        proposer(bureau, controle)


def test_un_manquement_leve_ne_se_sanctionne_pas(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    bureau.conclure(controle, Conclusion.LEVE)
    controle = contradictoire.signer(Controle.objects.get(pk=controle.pk), par=bureau.controleur)
    with pytest.raises(ValidationError, match="manquement retenu"):
        proposer(bureau, controle)


def test_une_sanction_demande_une_base(bureau):
    controle = bureau.mener(Etat.SUITES)
    for prestation in ("agc", "acf"):
        bureau.caisse.droit(prestation).versions.update(courante=False)
    with pytest.raises(ValidationError, match="n’a pas de base"):
        proposer(bureau, controle)


def test_rien_ne_se_decide_avant_les_observations_ou_la_fin_du_delai(bureau):
    sanction = proposer(bureau, bureau.mener(Etat.SUITES))
    with pytest.raises(Refus, match="peut répondre jusqu’au"):
        sanctions.decider(sanction, prononcer=True, motif="x", par=bureau.responsable)
    with time_machine.travel(timezone.now() + timedelta(days=60)):
        sanction = sanctions.decider(sanction, prononcer=True, motif="Fait grave.", par=bureau.responsable)
    assert (sanction.etat, sanction.observations) == (EtatSanction.PRONONCEE, "")


def test_la_structure_repond_une_fois_puis_un_autre_que_le_controleur_decide(bureau):
    controle = bureau.mener(Etat.SUITES)
    sanction = proposer(bureau, controle)
    with pytest.raises(PermissionDenied):
        sanctions.observer(sanction, observations="x", par=bureau.caisse.saisie)
    sanction = sanctions.observer(sanction, observations="La charte est affichée.", par=bureau.direction)
    with pytest.raises(Refus, match="déjà envoyées"):
        sanctions.observer(sanction, observations="Encore.", par=bureau.president)

    Fonction.objects.create(utilisateur=bureau.controleur, role=Role.RESPONSABLE, debut=date(2020, 1, 1))
    for personne in (bureau.controleur, agent(Role.RESPONSABLE, Role.CONTROLEUR), bureau.technicien):
        with pytest.raises(PermissionDenied):
            sanctions.decider(sanction, prononcer=True, motif="x", par=personne)
    with pytest.raises(ValidationError, match="dit ses raisons"):
        sanctions.decider(sanction, prononcer=True, motif=" ", par=bureau.responsable)

    sanction = sanctions.decider(sanction, prononcer=True, motif="Trop tard.", par=bureau.responsable)

    lettre = sanction.acte_decision
    releve = {ligne["nom"]: ligne["valeur"] for ligne in lettre.contexte["releve"]}
    assert "Montant dû" in releve
    assert lettre.contexte["recours_mois"] == 2
    assert lettre.contexte["signataire"] == bureau.responsable.get_full_name()
    with pytest.raises(Refus, match="déjà « prononcée »"):
        sanctions.decider(sanction, prononcer=False, motif="x", par=bureau.responsable)


def test_ecartee_elle_ne_demande_rien_et_peut_se_proposer_a_nouveau(bureau):
    controle = bureau.mener(Etat.SUITES)
    sanction = sanctions.observer(proposer(bureau, controle), observations="Non.", par=bureau.president)
    sanction = sanctions.decider(sanction, prononcer=False, motif="Corrigé.", par=bureau.responsable)
    assert sanction.etat == EtatSanction.ECARTEE
    assert "recours_mois" not in sanction.acte_decision.contexte
    assert proposer(bureau, controle).acte_projet_id != sanction.acte_projet_id
    with pytest.raises(Refus, match="sanction reste à décider"):
        for suite in controle.suites.all():
            suites.ecarter(suite, motif="x", par=bureau.technicien)
        contradictoire.clore(Controle.objects.get(pk=controle.pk), par=bureau.controleur)


@pytest.mark.parametrize(
    "ordre",
    [
        "UPDATE controles_sanction SET etat = 'prononcee', decidee_par_id = proposee_par_id, decidee_le = now(),"
        " motif_decision = 'x', acte_decision_id = acte_projet_id",
        "UPDATE controles_sanction SET etat = 'prononcee'",
        "UPDATE controles_sanction SET montant = base + 1",
        "UPDATE controles_sanction SET observations = 'x'",
        "UPDATE controles_sanction SET motivation = ''",
        "DELETE FROM controles_sanction",
    ],
)
def test_la_base_refuse_une_sanction_sans_second_regard(bureau, ordre):
    proposer(bureau, bureau.mener(Etat.SUITES))
    with pytest.raises(DatabaseError, match="sanction_"), transaction.atomic(), connection.cursor() as curseur:
        curseur.execute(ordre)


def test_une_sanction_decidee_est_figee(bureau):
    sanction = sanctions.observer(
        proposer(bureau, bureau.mener(Etat.SUITES)), observations="Non.", par=bureau.direction
    )
    sanctions.decider(sanction, prononcer=True, motif="Grave.", par=bureau.responsable)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Sanction.objects.update(montant=D(1))


@pytest.mark.django_db(transaction=True)
def test_deux_responsables_a_la_fois_ne_decident_qu_une_fois():
    bureau = Bureau(sanctions=True)
    sanction = sanctions.observer(
        proposer(bureau, bureau.mener(Etat.SUITES)), observations="Non.", par=bureau.direction
    )
    collegue = agent(Role.RESPONSABLE)
    faits, refuses = reussites_et_refus(
        lambda: sanctions.decider(sanction, prononcer=True, motif="Oui.", par=bureau.responsable),
        lambda: sanctions.decider(sanction, prononcer=False, motif="Non.", par=collegue),
    )
    assert (len(faits), len(refuses)) == (1, 1)
    assert Acte.objects.filter(cle__endswith="-decision").count() == 1


def test_le_parcours_par_les_pages(bureau, entrer):
    controle = bureau.mener(Etat.SUITES)
    contradictoire.lire_le_rapport(controle, par=bureau.direction)
    proposer_lien = adresse("proposer_sanction", controle.pk)
    client = entrer(bureau.controleur)
    assert proposer_lien in lire(client.get(adresse("suites", controle.pk)))
    assert "Ce que vaudrait chaque degré" in lire(client.get(proposer_lien))
    reponse = client.post(proposer_lien, {"constat": "x", "degre": "zéro", "exercice": "quatre", "motivation": ""})
    assert reponse.status_code == 422
    page = lire(
        client.post(
            proposer_lien,
            {
                "constat": manquement(controle).pk, "degre": "simple", "exercice": EXERCICE,
                "motivation": "La charte manque depuis 2024.",
            },
            follow=True,
        )
    )  # fmt: skip
    sanction = Sanction.objects.get()
    lien = adresse("sanction", controle.pk, sanction.pk)
    assert lien in page
    assert proposer_lien not in page

    observer, decider = (adresse(nom, controle.pk, sanction.pk) for nom in ("observer_sanction", "decider_sanction"))
    client = entrer(bureau.direction)
    page = lire(client.get(lien))
    assert observer in page
    assert decider not in page
    assert client.post(observer, {"observations": " "}).status_code == 422
    client.post(observer, {"observations": "Affichée le 3 mars."})
    client = entrer(bureau.responsable)
    assert "Affichée le 3 mars." in lire(client.get(lien))
    assert client.post(decider, {"prononcer": "peut-être", "motif": ""}).status_code == 422
    page = lire(client.post(decider, {"prononcer": "oui", "motif": "Manquement ancien."}, follow=True))
    assert "Montant dû" in page
    assert "Cette sanction est déjà décidée." in lire(client.get(decider, follow=True))
    fiche = lire(client.get(f"{bureau.structure.get_absolute_url()}?onglet=controles"))
    assert "Sanctions prononcées" in fiche
    assert any(o.code == "controles" for o in onglets())


def test_decider_trop_tot_par_la_page_dit_jusqu_a_quand(bureau, entrer):
    controle = bureau.mener(Etat.SUITES)
    sanction = proposer(bureau, controle)
    page = lire(entrer(bureau.responsable).get(adresse("decider_sanction", controle.pk, sanction.pk), follow=True))
    assert "peut répondre jusqu’au" in page


def test_a_faire_la_structure_repond_puis_le_responsable_decide(bureau):
    controle = bureau.mener(Etat.SUITES)
    sanction = proposer(bureau, controle)
    le = timezone.localdate()
    libelles = [t.libelle for t in a_faire.pour_la_structure(bureau.structure, frozenset({Role.DIRECTION}), le)]
    assert "Répondre à un projet de sanction" in libelles
    assert "Décider d’une sanction" not in [t.libelle for t in a_faire.pour_la_caf(bureau.responsable, le)]
    sanctions.observer(sanction, observations="Non.", par=bureau.direction)
    assert "Décider d’une sanction" in [t.libelle for t in a_faire.pour_la_caf(bureau.responsable, le)]
    assert "Décider d’une suite de contrôle" in [t.libelle for t in a_faire.pour_la_caf(bureau.technicien, le)]
    assert a_faire.pour_la_structure(bureau.structure, frozenset({Role.SAISIE}), le) == []


def test_la_page_des_suites_coute_autant_a_une_et_a_quatre_sanctions(bureau, entrer):
    controle = bureau.mener(Etat.SUITES)
    client = entrer(bureau.responsable)
    couts = []
    for rang in range(4):
        sanction = proposer(bureau, controle)
        client.get(adresse("suites", controle.pk))
        with CaptureQueriesContext(connection) as capture:
            client.get(adresse("suites", controle.pk))
        couts.append(len(capture))
        if rang < 3:
            sanction = sanctions.observer(sanction, observations="Non.", par=bureau.direction)
            sanctions.decider(sanction, prononcer=False, motif="Non.", par=bureau.responsable)
    assert set(couts) == {couts[0]}
