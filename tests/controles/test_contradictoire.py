"""Du rapport provisoire au définitif : chaque constat se répond et se conclut ; rien ne change avant la signature."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, InternalError, ProgrammingError, transaction
from django.utils import timezone

from comptes.choix import Role
from controles.actions import contradictoire, preparation, visite
from controles.actions.contradictoire import RapportIncomplet
from controles.actions.preparation import ControleIncomplet
from controles.choix import Conclusion, Etat, Mode, NatureConstat, Position
from controles.delais import echeance, ouvre
from controles.models import Constat, Controle, ReponseConstat
from courriers.models import Envoi, Notification
from documents import production
from documents.models import Acte
from socle.erreurs import Refus, VersionPerimee
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.controles import Bureau, photo
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.financements import EXERCICE

pytestmark = pytest.mark.django_db


def lettres(controle: Controle) -> set[str]:
    return {
        a.cle.removeprefix(f"controle-{controle.pk}-") for a in Acte.objects.filter(objet=f"controle-{controle.pk}")
    }


# --- Préparer et notifier ---------------------------------------------------------------------------------------------


def test_une_visite_ne_se_notifie_pas_sans_son_preavis_entier(bureau):
    controle = bureau.preparer(bureau.programmer(), dans=14)
    with pytest.raises(ControleIncomplet, match="moins de 15\u00a0jours"):
        preparation.notifier(controle, par=bureau.controleur)
    controle = preparation.notifier(bureau.preparer(controle, dans=15), par=bureau.controleur)
    assert (controle.etat, lettres(controle)) == (Etat.NOTIFIE, {"notification"})


def test_un_controle_pas_prepare_ne_se_notifie_pas(bureau):
    with pytest.raises(ControleIncomplet, match="préparez le contrôle"):
        preparation.notifier(bureau.programmer(), par=bureau.controleur)


@pytest.mark.parametrize(
    ("change", "champ"),
    [
        ({"exercices": []}, "exercices"),
        ({"exercices": [2022, 2023, 2024, 2025]}, "exercices"),
        ({"exercices": [2060]}, "exercices"),
        ({"objet": " "}, "objet"),
        ({"visite_le": None}, "visite_le"),
        ({"visite_le": timezone.localdate() - timedelta(days=1)}, "visite_le"),
    ],
)
def test_une_preparation_fausse_se_refuse_pres_du_champ(bureau, change, champ):
    champs = {
        "mode": Mode.SUR_PLACE, "exercices": [2025], "objet": "Objet", "visite_le": timezone.localdate(),
        "visite_heure": None, "lieu": "", "pieces": [], **change,
    }  # fmt: skip
    with pytest.raises(ValidationError) as erreur:
        preparation.preparer(bureau.programmer(), par=bureau.controleur, **champs)
    assert list(erreur.value.message_dict) == [champ]


def test_la_fiche_se_tire_des_obligations_du_regime_et_de_ce_qui_est_declare(bureau):
    controle = bureau.mener(Etat.NOTIFIE)
    themes = list(dict.fromkeys(controle.points.values_list("theme", flat=True)))
    assert themes[:2] == ["Accueil", "Comptabilité"]
    assert "Critères de l’agrément" not in themes  # l’agrément ne court pas encore
    assert f"Charges {EXERCICE}" in themes
    salaires = controle.points.get(champ="64.pilotage")
    assert salaires.declare == D("110000.00") or salaires.declare > 0


def test_preparer_a_nouveau_refait_la_fiche_et_les_pieces(bureau):
    controle = bureau.preparer(bureau.programmer())
    avant = (controle.points.count(), controle.pieces_demandees.count())
    controle = bureau.preparer(controle)
    assert (controle.points.count(), controle.pieces_demandees.count()) == avant


def test_la_lettre_dit_l_objet_la_periode_et_les_pieces(bureau):
    controle = bureau.mener(Etat.NOTIFIE)
    acte = Acte.objects.get(cle=f"controle-{controle.pk}-notification")
    assert acte.contexte["pieces"] == [f"Grand livre {EXERCICE}", "Contrats de travail"]
    assert {"nom": "Exercices", "valeur": str(EXERCICE)} in acte.contexte["releve"]
    assert acte.contexte["attention"].startswith(bureau.president.get_full_name())


def test_une_visite_reportee_s_ecrit_et_garde_son_preavis(bureau):
    controle = bureau.mener(Etat.NOTIFIE)
    with pytest.raises(ValidationError, match="le préavis reste entier"):
        preparation.reporter(
            controle, visite_le=timezone.localdate() + timedelta(days=3), visite_heure=None, motif="Avancer",
            par=bureau.controleur,
        )  # fmt: skip
    tard = timezone.localdate() + timedelta(days=40)
    controle = preparation.reporter(
        controle, visite_le=tard, visite_heure=None, motif="Présidence absente.", par=bureau.controleur
    )
    assert controle.visite_le == tard
    assert any(cle.startswith("report") for cle in lettres(controle))


def test_une_visite_inopinee_s_autorise_par_un_responsable_qui_ne_controle_pas(bureau):
    controle = bureau.programmer()
    double = agent(Role.CONTROLEUR, Role.RESPONSABLE)
    for personne in (bureau.controleur, double, bureau.charge):
        with pytest.raises(PermissionDenied):
            preparation.autoriser_inopine(controle, motif="Soupçon.", par=personne)
    controle = preparation.autoriser_inopine(controle, motif="Soupçon.", par=bureau.responsable)
    with pytest.raises(Refus, match="un autre contrôleur la mène"):
        bureau_responsable = bureau.responsable
        bureau_responsable.fonctions.create(role=Role.CONTROLEUR, debut=timezone.localdate())
        preparation.affecter(controle, controleur=type(bureau_responsable).objects.get(pk=bureau_responsable.pk),
                             par=agent(Role.RESPONSABLE))  # fmt: skip


def test_une_visite_inopinee_ne_se_devine_ni_a_la_caf_ni_dans_la_structure(bureau):
    controle = bureau.preparer(bureau.programmer(), dans=2)
    preparation.autoriser_inopine(controle, motif="Soupçon.", par=bureau.responsable)
    for personne in (bureau.charge, bureau.technicien, agent(Role.ADMINISTRATEUR), bureau.direction, bureau.president):
        assert not Controle.objects.visibles_par(personne).exists(), personne
    assert not Notification.objects.filter(cle__startswith=f"controle-{controle.pk}", destinataire=bureau.direction)
    visite.commencer(controle, par=bureau.controleur)
    assert Controle.objects.visibles_par(bureau.direction).exists()
    assert "sans préavis" in " ".join(
        Acte.objects.get(cle=f"controle-{controle.pk}-notification").contexte["paragraphes"]
    )


def test_les_pieces_demandees_en_ligne_se_rangent_toutes_seules(bureau):
    controle = bureau.mener(Etat.NOTIFIE)
    (piece,) = preparation.demander_pieces(
        controle, libelles=["Bail des locaux", "  "], requise_le=timezone.localdate() + timedelta(days=10),
        par=bureau.controleur,
    )  # fmt: skip
    remises = [preparation.remettre(piece, televerse=photo(), par=bureau.direction) for _ in range(2)]
    assert [r.nom for r in remises] == [f"{controle.numero}_03_bail-des-locaux_{n}.jpg" for n in (1, 2)]
    with pytest.raises(PermissionDenied):
        preparation.remettre(piece, televerse=photo(), par=bureau.controleur)


# --- Le rapport provisoire --------------------------------------------------------------------------------------------


def test_un_rapport_ne_part_pas_avec_un_ecart_sans_faits(bureau):
    controle = bureau.visiter(bureau.mener(Etat.EN_COURS))
    bureau.constater(controle, "neutralite", NatureConstat.ECART)
    point = bureau.point(controle, "neutralite")
    bureau.saisir(controle, f"point.{point.uid}.faits", "")
    with pytest.raises(RapportIncomplet) as erreur:
        contradictoire.emettre(controle, par=bureau.controleur)
    assert erreur.value.manques == ["La charte de la laïcité est affichée : dites les faits constatés."]
    assert not Constat.objects.exists()


def test_un_montant_different_n_est_pas_conforme(bureau):
    controle = bureau.visiter(bureau.mener(Etat.EN_COURS))
    bureau.constater(controle, "64.pilotage", NatureConstat.CONFORME)
    with pytest.raises(RapportIncomplet) as erreur:
        contradictoire.emettre(controle, par=bureau.controleur)
    assert "n’est pas conforme" in erreur.value.manques[0]


def test_le_rapport_provisoire_fige_les_constats_et_ouvre_le_delai(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    natures = list(controle.constats.values_list("nature", flat=True))
    assert sorted(natures) == ["conforme", "ecart", "manquement"]
    assert controle.reponse_avant_le == echeance(timezone.localdate(), 20, ouvres=True)
    assert ouvre(controle.reponse_avant_le)
    for geste in (
        lambda: Constat.objects.update(faits="autre chose"), lambda: Constat.objects.update(releve=1),
        lambda: Constat.objects.all().delete(),
    ):  # fmt: skip
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            geste()


def test_le_rapport_dit_les_faits_l_effet_et_le_silence(bureau, tmp_path):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    contexte = controle.provisoire_acte.contexte
    assert "Le silence ne vaut pas accord" in contexte["silence"]
    (effet,) = [e for e in contexte["effets"] if "globale" in e["droit"].lower() or "agc" in e["droit"].lower()]
    assert effet["ecart"].startswith("−")
    assert production.produire(controle.provisoire_acte_id)


def test_un_charge_de_conseil_ne_lit_le_rapport_qu_une_fois_notifie(bureau, entrer):
    controle = bureau.visiter(bureau.mener(Etat.EN_COURS))
    client = entrer(bureau.charge)
    page = client.get(controle.get_absolute_url())
    assert page.status_code == 200
    assert "La charte n’est pas affichée" not in page.content.decode()
    assert client.get(f"{controle.get_absolute_url()}rapport/").status_code == 403
    contradictoire.emettre(controle, par=bureau.controleur)
    assert "La charte n’est pas affichée" in client.get(f"{controle.get_absolute_url()}rapport/").content.decode()


def test_un_controleur_ne_voit_jamais_un_brouillon(bureau):
    from agrements.models import Dossier
    from financements.choix import EtatDeclaration, TypeDeclaration
    from financements.models import Declaration

    brouillon = Theatre().mener("en_preparation")
    bureau.caisse.declarer(TypeDeclaration.PREVISIONNEL, EtatDeclaration.EN_PREPARATION)
    assert brouillon not in Dossier.objects.visibles_par(bureau.controleur)
    assert set(Declaration.objects.visibles_par(bureau.controleur).values_list("etat", flat=True)) == {"validee"}


# --- Répondre, point par point ----------------------------------------------------------------------------------------


def constat(controle, nature=NatureConstat.ECART):
    return controle.constats.get(nature=nature)


def test_la_structure_ouvre_le_rapport_et_sa_lecture_est_datee(bureau, entrer):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    client = entrer(bureau.direction)
    assert client.get(f"{controle.get_absolute_url()}reponse/").status_code == 403
    assert client.post(f"{controle.get_absolute_url()}lire/").status_code == 302
    controle.refresh_from_db()
    lu = controle.provisoire_lu_le
    assert lu is not None
    contradictoire.lire_le_rapport(controle, par=bureau.president)
    controle.refresh_from_db()
    assert controle.provisoire_lu_le == lu
    assert client.get(f"{controle.get_absolute_url()}reponse/").status_code == 200


def test_chaque_constat_se_repond_avec_ses_pieces(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    ecart = constat(controle)
    contradictoire.repondre(ecart, champ="position", saisie=Position.CONTESTE, version=0, par=bureau.direction)
    contradictoire.repondre(ecart, champ="texte", saisie="La clé est écrite.", version=1, par=bureau.direction)
    piece = contradictoire.joindre(ecart, televerse=photo(), par=bureau.direction)
    assert piece.nom == f"{controle.numero}_constat-{ecart.numero}_1.jpg"
    reponse = ReponseConstat.objects.get()
    assert (reponse.position, reponse.texte, reponse.version) == ("conteste", "La clé est écrite.", 2)
    with pytest.raises(Refus, match="conforme"):
        contradictoire.repondre(
            constat(controle, NatureConstat.CONFORME), champ="texte", saisie="x", version=0, par=bureau.direction
        )


def test_deux_collegues_ne_s_ecrasent_pas(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    ecart = constat(controle)
    contradictoire.repondre(ecart, champ="texte", saisie="de la direction", version=0, par=bureau.direction)
    with pytest.raises(VersionPerimee):
        contradictoire.repondre(ecart, champ="texte", saisie="de la présidence", version=0, par=bureau.president)


def test_une_structure_ne_repond_qu_a_ses_constats(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    ailleurs = Theatre()
    with pytest.raises(PermissionDenied):
        contradictoire.repondre(constat(controle), champ="texte", saisie="x", version=0, par=ailleurs.direction)


def test_la_caf_ne_lit_pas_une_reponse_avant_son_envoi(bureau, entrer):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    contradictoire.lire_le_rapport(controle, par=bureau.direction)
    contradictoire.repondre(
        constat(controle), champ="texte", saisie="Brouillon secret", version=0, par=bureau.direction
    )
    piece = contradictoire.joindre(constat(controle), televerse=photo(), par=bureau.direction)
    adresse = f"{controle.get_absolute_url()}rapport/"
    for personne in (bureau.controleur, bureau.responsable, bureau.charge):
        client = entrer(personne)
        assert "Brouillon secret" not in client.get(adresse).content.decode()
        assert client.get(f"{controle.get_absolute_url()}reponse/pieces/{piece.pk}/").status_code == 404
    contradictoire.renvoyer(controle, par=bureau.direction)
    assert "Brouillon secret" in entrer(bureau.controleur).get(adresse).content.decode()


def test_l_aide_a_la_saisie_repond_mais_n_envoie_pas(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    saisie = bureau.caisse.saisie
    contradictoire.repondre(constat(controle), champ="texte", saisie="Préparé.", version=0, par=saisie)
    with pytest.raises(PermissionDenied, match="direction ou au représentant légal"):
        contradictoire.renvoyer(controle, par=saisie)


def test_une_prolongation_repousse_le_delai_dans_ses_bornes(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    avant = controle.reponse_avant_le
    bon = next(avant + timedelta(days=n) for n in range(5, 12) if ouvre(avant + timedelta(days=n)))
    controle = contradictoire.prolonger(controle, apres=bon, motif="Vacances.", par=bureau.controleur)
    assert (controle.reponse_avant_le, controle.prolongations.get().avant) == (bon, avant)
    samedi = next(bon + timedelta(days=n) for n in range(1, 8) if (bon + timedelta(days=n)).weekday() == 5)
    for mauvais in (bon, avant + timedelta(days=60), samedi):
        with pytest.raises(ValidationError):
            contradictoire.prolonger(controle, apres=mauvais, motif="Encore.", par=bureau.controleur)


def test_le_silence_se_constate_une_fois_le_delai_passe_et_pas_avant(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    assert contradictoire.constater_silence(controle) is None
    Controle.objects.filter(pk=controle.pk).update(reponse_avant_le=timezone.localdate() - timedelta(days=1))
    assert contradictoire.suivre_les_delais(timezone.localdate()) == 1
    assert contradictoire.suivre_les_delais(timezone.localdate()) == 0
    controle.refresh_from_db()
    assert (controle.etat, controle.reponse_le) == (Etat.A_CONCLURE, None)
    bureau.conclure(controle)
    signe = contradictoire.signer(controle, par=bureau.controleur)
    ecart = next(c for c in signe.definitif_acte.contexte["constats"] if c["nature"] == "écart")
    assert ecart["reponse"] == "La structure n’a pas répondu dans le délai."


def test_les_rappels_partent_une_fois_a_sept_et_deux_jours(bureau):
    controle = bureau.mener(Etat.CONTRADICTOIRE)
    for reste, attendus in ((9, 0), (7, 1), (6, 1), (2, 2), (1, 2), (0, 2)):
        for _ in range(2):
            contradictoire.suivre_les_delais(controle.reponse_avant_le - timedelta(days=reste))
        rappels = Notification.objects.filter(destinataire=bureau.direction, cle__contains="-rappel-")
        assert rappels.count() == attendus, reste


# --- Conclure et signer -----------------------------------------------------------------------------------------------


def test_chaque_point_se_conclut_avant_la_signature(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    with pytest.raises(RapportIncomplet) as erreur:
        contradictoire.signer(controle, par=bureau.controleur)
    assert len(erreur.value.manques) == 2
    for champs, champ in (
        ({"conclusion": Conclusion.MAINTENU, "motif": " ", "releve_retenu": None}, "motif"),
        ({"conclusion": Conclusion.MODIFIE, "motif": "Oui.", "releve_retenu": None}, "releve_retenu"),
        (
            {"conclusion": Conclusion.MODIFIE, "motif": "Oui.", "releve_retenu": constat(controle).releve},
            "releve_retenu",
        ),
    ):
        with pytest.raises(ValidationError) as refus:
            contradictoire.conclure(constat(controle), par=bureau.controleur, **champs)
        assert list(refus.value.message_dict) == [champ]


def test_rien_ne_change_a_l_argent_avant_la_signature_ni_sans_liquidateur(bureau):
    avant = bureau.caisse.courante().montant
    controle = bureau.mener(Etat.A_CONCLURE)
    assert bureau.caisse.courante().montant == avant
    assert not controle.suites.exists()
    bureau.conclure(controle)
    controle = contradictoire.signer(controle, par=bureau.controleur)
    assert bureau.caisse.courante().montant == avant
    assert controle.suites.get(droit__prestation="agc").avant == avant
    assert not bureau.caisse.droit().suspendu_le


def test_un_point_leve_ne_laisse_aucune_suite(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    bureau.conclure(controle, Conclusion.LEVE)
    controle = contradictoire.signer(controle, par=bureau.controleur)
    assert not controle.suites.exists()
    assert not controle.structure.recommandations.exists()
    assert controle.definitif_acte.contexte["suites"] == ["Ce contrôle n’entraîne aucune suite."]
    assert contradictoire.clore(controle, par=bureau.controleur).etat == Etat.CLOS


def test_la_lettre_de_cloture_se_compose_des_points(bureau):
    controle = bureau.mener(Etat.A_CONCLURE)
    bureau.conclure(controle)
    contradictoire.signer(controle, par=bureau.controleur)
    lettre = Acte.objects.get(cle=f"controle-{controle.pk}-cloture")
    assert [(p["nature"], p["suite"]) for p in lettre.contexte["points"]] == [
        ("manquement", "maintenu"), ("écart", "maintenu"),
    ]  # fmt: skip
    assert production.produire(lettre.pk)


def test_un_controle_ne_se_clot_pas_avec_une_suite_a_decider(bureau):
    with pytest.raises(Refus, match="reste à décider"):
        contradictoire.clore(bureau.mener(Etat.SUITES), par=bureau.controleur)


def test_un_courriel_ne_dit_jamais_un_constat_ni_un_montant(bureau):
    controle = bureau.mener(Etat.SUITES)
    textes = " ".join(Envoi.objects.filter(cle__startswith=f"controle-{controle.pk}").values_list("texte", flat=True))
    assert textes
    for mot in ("€", "charte", "salaire", "manquement"):
        assert mot not in textes.lower()


@pytest.mark.parametrize(
    "change",
    [
        {"etat": Etat.SUITES}, {"etat": Etat.CLOS}, {"definitif_le": timezone.now()}, {"provisoire_le": timezone.now()},
        {"inopine_le": timezone.now()}, {"etat": "inconnu"}, {"reponse_le": timezone.now()},
    ],
)  # fmt: skip
def test_la_base_refuse_un_controle_incoherent(bureau, change):
    controle = bureau.mener(Etat.EN_COURS)
    with pytest.raises(IntegrityError), transaction.atomic():
        Controle.objects.filter(pk=controle.pk).update(**change)


def test_la_base_refuse_une_visite_inopinee_autorisee_par_le_controleur(bureau):
    controle = bureau.programmer()
    with pytest.raises(IntegrityError), transaction.atomic():
        Controle.objects.filter(pk=controle.pk).update(
            inopine_par=bureau.controleur, inopine_le=timezone.now(), inopine_motif="moi"
        )


@pytest.mark.django_db(transaction=True)
def test_deux_signatures_au_meme_instant_n_en_font_qu_une():
    bureau = Bureau()
    controle = bureau.mener(Etat.A_CONCLURE)
    bureau.conclure(controle)
    signer = lambda: contradictoire.signer(controle, par=bureau.controleur)  # noqa: E731
    reussites, refus = reussites_et_refus(signer, signer)
    assert (len(reussites), len(refus)) == (1, 1)
    assert controle.evenements.filter(geste="signer").count() == 1
    assert controle.suites.filter(droit__prestation="agc").count() == 1
