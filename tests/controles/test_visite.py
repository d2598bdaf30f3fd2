"""Ce que l’appareil envoie : une fois, dans l’ordre, sans rien écraser ; ce qui est faux se refuse d’une phrase."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InternalError, ProgrammingError, transaction
from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from controles.actions import preparation, visite
from controles.actions.visite import FileTroublee
from controles.choix import Etat, IssueOperation
from controles.contenu import Fiche
from controles.models import Controle, OperationVisite, PointControle, SaisieVisite
from controles.saisies import SaisieRefusee, analyser, lire
from socle.erreurs import Refus, VersionPerimee
from tests.fabriques.comptes import agent
from tests.fabriques.controles import Bureau
from tests.fabriques.courses import ensemble


def envoyer(bureau, controle, *operations, appareil=None, envoye_le=None):
    return visite.recevoir_operations(
        controle,
        operations,
        appareil=appareil or APPAREIL,
        envoye_le=envoye_le or timezone.now(),
        par=bureau.controleur,
    )


APPAREIL = uuid4()


# --- La grammaire -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nom",
    [
        "", "visite", "visite.inconnu", "piece.x", "piece.-1", "piece.1234567890", "point.x.faits",
        "point.6f9619ff-8b86-d011-b42d-00cf4fc964ff.mot", "libre.6f9619ff-8b86-d011-b42d-00cf4fc964ff.faits",
        "point.6F9619FF-8B86-D011-B42D-00CF4FC964FF.faits", "point..faits", "visite.notes.x", "__proto__.x",
    ],
)  # fmt: skip
def test_un_champ_inconnu_se_refuse(nom):
    with pytest.raises(SaisieRefusee, match="n’existe pas"):
        analyser(nom)


@pytest.mark.parametrize(
    ("nom", "saisie", "lue"),
    [
        ("visite.arrivee", "2027-03-04T09:05:33", "2027-03-04T09:05"),
        ("visite.arrivee", "2027-03-04T09:05+01:00", "2027-03-04T09:05"),
        ("visite.notes", "  un texte\x00 ", "un texte"),
        ("point.6f9619ff-8b86-d011-b42d-00cf4fc964ff.releve", "1 234,5 €", "1234.50"),
        ("point.6f9619ff-8b86-d011-b42d-00cf4fc964ff.constat", "ecart", "ecart"),
        ("piece.12", "vue", "vue"),
        ("visite.signature_structure", "[[[1,2],[3,4]]]", "[[[1,2],[3,4]]]"),
        ("visite.signature_structure", " ", ""),
    ],
)
def test_une_valeur_se_met_au_propre(nom, saisie, lue):
    assert lire(analyser(nom), saisie) == lue


@pytest.mark.parametrize(
    ("nom", "saisie", "phrase"),
    [
        ("visite.arrivee", "ce matin", "jour et une heure"),
        ("point.6f9619ff-8b86-d011-b42d-00cf4fc964ff.releve", "-3", "positif"),
        ("point.6f9619ff-8b86-d011-b42d-00cf4fc964ff.releve", "1e9", "montant"),
        ("point.6f9619ff-8b86-d011-b42d-00cf4fc964ff.constat", "grave", "nature"),
        ("piece.12", "perdue", "vue ou absente"),
        ("visite.notes", "x" * 5001, "5001 caractères"),
        ("visite.signature_structure", "[[[1,2],[3,4000]]]", "illisible"),
        ("visite.signature_structure", "[[[true,2]]]", "illisible"),
        ("visite.signature_structure", "{", "illisible"),
        ("visite.signature_structure", "[" * 5000, "illisible"),
        ("visite.signature_structure", "[" + "[[1,2]]," * 9000 + "[[1,2]]]", "trop longue"),
    ],
)
def test_une_valeur_sans_sens_se_refuse_d_une_phrase(nom, saisie, phrase):
    with pytest.raises(SaisieRefusee, match=phrase):
        lire(analyser(nom), saisie)


# --- La file de l’appareil --------------------------------------------------------------------------------------------


def test_la_premiere_saisie_commence_le_controle(bureau):
    controle = bureau.mener(Etat.NOTIFIE)
    envoyer(bureau, controle, bureau.operation("visite.arrivee", "2027-03-04T09:00", 1))
    controle.refresh_from_db()
    assert (controle.etat, controle.commence_le is not None) == (Etat.EN_COURS, True)
    assert controle.evenements.filter(geste="commencer", par=bureau.controleur).count() == 1


def test_une_file_rejouee_ne_s_applique_qu_une_fois(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    file = [bureau.operation("visite.notes", f"version {n}", n, version=n - 1) for n in range(1, 4)]
    premiere = envoyer(bureau, controle, *file)
    seconde = envoyer(bureau, controle, *file)
    assert [o.pk for o in premiere.issues] == [o.pk for o in seconde.issues]
    assert OperationVisite.objects.filter(controle=controle).count() == 3
    saisie = SaisieVisite.objects.get(controle=controle, champ="visite.notes")
    assert (saisie.valeur, saisie.version) == ("version 3", 3)


def test_une_file_dans_le_desordre_s_applique_dans_l_ordre_des_rangs(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    un, deux = bureau.operation("visite.notes", "un", 1), bureau.operation("visite.notes", "deux", 2, version=1)
    envoyer(bureau, controle, deux, un)
    assert SaisieVisite.objects.get(champ="visite.notes").valeur == "deux"


def test_un_rang_qui_manque_arrete_la_file_et_dit_lequel(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    recu = envoyer(
        bureau, controle, bureau.operation("visite.notes", "un", 1), bureau.operation("visite.notes", "trois", 3)
    )
    assert (recu.attendu, len(recu.issues)) == (2, 1)
    assert SaisieVisite.objects.get(champ="visite.notes").valeur == "un"


def test_une_cle_reprise_avec_un_autre_contenu_se_refuse_en_entier(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    vraie = bureau.operation("visite.notes", "vrai", 1)
    envoyer(bureau, controle, vraie)
    fausse = bureau.operation("visite.notes", "changé", 1, id=vraie.id)
    with pytest.raises(FileTroublee, match="autre contenu"):
        envoyer(bureau, controle, fausse, bureau.operation("visite.signataire", "X", 2))
    with pytest.raises(FileTroublee, match="sous une autre clé"):
        envoyer(bureau, controle, bureau.operation("visite.notes", "changé", 1))
    assert [s.valeur for s in controle.saisies.all()] == ["vrai"]


def test_une_cle_d_un_autre_controle_ne_se_rejoue_pas_ici(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    operation = bureau.operation("visite.notes", "ici", 1)
    envoyer(bureau, controle, operation)
    autre = Bureau(argent=False)
    autre.controleur = bureau.controleur
    ailleurs = autre.mener(Etat.EN_COURS)
    with pytest.raises(FileTroublee):
        envoyer(bureau, ailleurs, operation)


def test_deux_appareils_sur_un_champ_se_voient_et_rien_n_est_ecrase(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    tablette, telephone = uuid4(), uuid4()
    envoyer(bureau, controle, bureau.operation("visite.notes", "sur la tablette", 1), appareil=tablette)
    recu = envoyer(bureau, controle, bureau.operation("visite.notes", "au téléphone", 1), appareil=telephone)
    (detail,) = visite.details_de_file(recu.issues)
    assert (detail["issue"], detail["valeur"], detail["version"]) == ("conflit", "sur la tablette", 1)
    envoyer(bureau, controle, bureau.operation("visite.notes", "au téléphone", 2, version=1), appareil=telephone)
    saisie = SaisieVisite.objects.get(champ="visite.notes")
    assert (saisie.valeur, saisie.version) == ("au téléphone", 2)


def test_deux_appareils_qui_ecrivent_la_meme_chose_ne_se_contredisent_pas(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    for appareil in (uuid4(), uuid4()):
        recu = envoyer(bureau, controle, bureau.operation("visite.notes", "pareil", 1), appareil=appareil)
        assert recu.issues[0].issue == IssueOperation.APPLIQUEE


def test_une_saisie_refusee_n_arrete_pas_les_suivantes(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    recu = envoyer(
        bureau, controle, bureau.operation("point.x.faits", "?", 1), bureau.operation("visite.arrivee", "tôt", 2),
        bureau.operation("visite.notes", "gardé", 3),
    )  # fmt: skip
    assert [o.issue for o in recu.issues] == ["refusee", "refusee", "appliquee"]
    assert "jour et une heure" in recu.issues[1].phrase


def test_un_point_ou_une_piece_d_un_autre_controle_se_refuse(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    autre = Bureau(argent=False)
    ailleurs = autre.mener(Etat.EN_COURS)
    uid, piece = ailleurs.points.first().uid, ailleurs.pieces_demandees.first().pk
    recu = envoyer(
        bureau, controle, bureau.operation(f"point.{uid}.faits", "x", 1), bureau.operation(f"piece.{piece}", "vue", 2),
        bureau.operation(f"libre.{uid}.libelle", "volé", 3),
    )  # fmt: skip
    assert [o.issue for o in recu.issues] == ["refusee"] * 3
    assert not controle.saisies.exists()


def test_un_constat_ajoute_sur_place_devient_un_point(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    uid = uuid4()
    envoyer(
        bureau, controle, bureau.operation(f"libre.{uid}.libelle", "Caisse non tenue", 1),
        bureau.operation(f"point.{uid}.constat", "manquement", 2), bureau.operation(f"point.{uid}.faits", "Vu.", 3),
    )  # fmt: skip
    point = PointControle.objects.get(uid=uid)
    ligne = next(li for li in Fiche(controle).lignes if li.point.pk == point.pk)
    assert (point.libelle, point.libre, ligne.nature, ligne.faits) == ("Caisse non tenue", True, "manquement", "Vu.")


def test_un_autre_controleur_n_ecrit_pas_dans_la_fiche(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    bureau.controleur = agent(Role.CONTROLEUR)
    with pytest.raises(PermissionDenied, match="confié à"):
        envoyer(bureau, controle, bureau.operation("visite.notes", "x", 1))


def test_apres_le_rapport_une_file_neuve_se_refuse_et_une_file_rejouee_redit_ses_issues(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    ancienne = bureau.operation("visite.notes", "avant", 1)
    envoyer(bureau, controle, ancienne)
    from controles.actions import contradictoire

    controle = contradictoire.emettre(bureau.visiter(controle), par=bureau.controleur)
    assert envoyer(bureau, controle, ancienne).issues[0].issue == IssueOperation.APPLIQUEE
    with pytest.raises(Refus, match="Contradictoire"):
        envoyer(bureau, controle, bureau.operation("visite.notes", "après", 2))


def test_l_horloge_fausse_d_un_appareil_se_voit_a_cote_de_celle_du_portail(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    demain = timezone.now() + timedelta(days=1)
    recu = envoyer(bureau, controle, bureau.operation("visite.notes", "x", 1, saisi_le=demain), envoye_le=demain)
    operation = recu.issues[0]
    assert abs(operation.decalage - 86_400) < 5
    assert operation.recu_le < operation.saisi_le


def test_le_journal_de_visite_ne_se_reecrit_pas(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    envoyer(bureau, controle, bureau.operation("visite.notes", "x", 1))
    for geste in (lambda: OperationVisite.objects.update(valeur="y"), lambda: OperationVisite.objects.all().delete()):
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            geste()


@pytest.mark.django_db(transaction=True)
def test_la_meme_file_envoyee_deux_fois_au_meme_instant_ne_fait_qu_une_saisie():
    bureau = Bureau()
    controle = bureau.mener(Etat.EN_COURS)
    file = [bureau.operation("visite.notes", f"texte {n}", n, version=n - 1) for n in range(1, 6)]
    resultats = ensemble(*[lambda: envoyer(bureau, controle, *file)] * 4)
    assert not [r for r in resultats if isinstance(r, Exception)]
    assert OperationVisite.objects.filter(controle=controle).count() == 5
    assert SaisieVisite.objects.get(controle=controle).version == 5


# --- L’interface de l’appareil ----------------------------------------------------------------------------------------


def corps(*operations, **autres):
    return {
        "appareil": str(APPAREIL),
        "envoye_le": timezone.now().isoformat(),
        "operations": [
            {
                "id": str(o.id), "rang": o.rang, "champ": o.champ, "valeur": o.valeur, "version": o.version,
                "saisi_le": o.saisi_le.isoformat(),
            }
            for o in operations
        ],
        **autres,
    }  # fmt: skip


def poster(client, controle, donnees):
    return client.post(
        reverse("controles:operations", args=[controle.pk]), json.dumps(donnees), content_type="application/json"
    )


def test_l_appareil_lit_ses_visites_de_la_semaine_et_elles_seules(bureau, entrer):
    proche = bureau.mener(Etat.EN_COURS)
    loin = Bureau(argent=False)
    loin.controleur = bureau.controleur
    loin.mener(Etat.NOTIFIE)
    donnees = entrer(bureau.controleur).get(reverse("controles:donnees_visites")).json()
    assert [v["pk"] for v in donnees["visites"]] == [proche.pk]
    assert len(donnees["cle"]) == 44
    points = donnees["visites"][0]["points"]
    assert "110000.00" in {p["declare"] for p in points} or any(p["declare"] for p in points)
    assert entrer(agent(Role.CONTROLEUR)).get(reverse("controles:donnees_visites")).json()["visites"] == []


def test_la_cle_de_l_appareil_est_stable_et_propre_a_chacun(bureau, entrer):
    adresse = reverse("controles:donnees_visites")
    cles = [
        entrer(p).get(adresse).json()["cle"] for p in (bureau.controleur, bureau.controleur, agent(Role.CONTROLEUR))
    ]
    assert cles[0] == cles[1] != cles[2]


def test_l_envoi_rend_chaque_issue_puis_409_et_le_rang_attendu(bureau, entrer):
    controle, client = bureau.mener(Etat.EN_COURS), entrer(bureau.controleur)
    reponse = poster(client, controle, corps(bureau.operation("visite.notes", "x", 1)))
    assert (reponse.status_code, reponse.json()["issues"][0]["version"]) == (200, 1)
    trou = poster(client, controle, corps(bureau.operation("visite.notes", "z", 3, version=1)))
    assert (trou.status_code, trou.json()["attendu"]) == (409, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"appareil": "x"}, {"envoye_le": "hier"}, {"envoye_le": "2027-01-01T10:00"}, {"operations": "x"},
        {"operations": [1]}, {"operations": [{}]}, {"operations": None},
    ],
)  # fmt: skip
def test_un_envoi_difforme_est_un_422_et_une_phrase(bureau, entrer, change):
    controle = bureau.mener(Etat.EN_COURS)
    reponse = poster(entrer(bureau.controleur), controle, corps(**change))
    assert (reponse.status_code, reponse.json()["erreur"]) == (422, "Cet envoi est illisible : rien n’en est gardé.")


@pytest.mark.parametrize("brut", [b"", b"{", b"[]", b"null", b"[" * 3000, b"\xff\xfe"])
def test_un_corps_qui_n_est_pas_du_json_est_un_422(bureau, entrer, brut):
    controle = bureau.mener(Etat.EN_COURS)
    adresse = reverse("controles:operations", args=[controle.pk])
    assert entrer(bureau.controleur).post(adresse, brut, content_type="application/json").status_code == 422


@pytest.mark.parametrize(
    ("cle", "valeur"), [("rang", 0), ("rang", True), ("rang", 2**40), ("version", -1), ("champ", 3), ("saisi_le", "x")]
)
def test_une_operation_hors_bornes_est_un_422(bureau, entrer, cle, valeur):
    controle = bureau.mener(Etat.EN_COURS)
    donnees = corps(bureau.operation("visite.notes", "x", 1))
    donnees["operations"][0][cle] = valeur
    assert poster(entrer(bureau.controleur), controle, donnees).status_code == 422


def test_sans_session_l_envoi_recoit_401_et_rien_n_est_perdu(client, bureau):
    controle = bureau.mener(Etat.EN_COURS)
    adresse = reverse("controles:operations", args=[controle.pk])
    reponse = client.post(adresse, b"{}", content_type="application/json", headers={"accept": "application/json"})
    assert (reponse.status_code, "rien n’est perdu" in reponse.json()["erreur"]) == (401, True)


# --- La fiche en ligne, sans JavaScript -------------------------------------------------------------------------------


def test_la_fiche_se_remplit_sans_javascript_et_garde_ce_qui_est_refuse(bureau, entrer):
    controle, client = bureau.mener(Etat.EN_COURS), entrer(bureau.controleur)
    uid = controle.points.get(code="neutralite").uid
    adresse = reverse("controles:visite", args=[controle.pk])
    champs = {
        "visite.notes": "Accueil cordial.", f"point.{uid}.constat": "conforme", "visite.arrivee": "tôt",
        f"libre.{uuid4()}.libelle": "Caisse",
    }  # fmt: skip
    reponse = client.post(adresse, champs)
    page = reponse.content.decode()
    assert reponse.status_code == 422
    assert "Écrivez un jour et une heure" in page
    assert 'value="tôt"' in page
    assert {s.valeur for s in controle.saisies.all()} == {"Accueil cordial.", "conforme", "Caisse"}
    champs["visite.arrivee"] = "2027-03-04T09:00"
    versions = {f"version:{s.champ}": s.version for s in controle.saisies.all()}
    assert client.post(adresse, {**champs, **versions}).status_code == 302


def test_la_fiche_en_ligne_n_ecrase_pas_ce_qu_un_appareil_a_envoye(bureau):
    controle = bureau.mener(Etat.EN_COURS)
    envoyer(bureau, controle, bureau.operation("visite.notes", "de l’appareil", 1))
    with pytest.raises(VersionPerimee):
        bureau.saisir(controle, "visite.notes", "en ligne", version=0)


def test_une_visite_inopinee_ne_commence_que_preparee_et_autorisee(bureau):
    controle = bureau.programmer()
    with pytest.raises(Refus, match="ni notifié ni autorisé"):
        visite.commencer(controle, par=bureau.controleur)
    controle = preparation.autoriser_inopine(controle, motif="Soupçon de fraude.", par=bureau.responsable)
    with pytest.raises(Refus, match="Préparez"):
        visite.commencer(controle, par=bureau.controleur)
    bureau.preparer(controle, dans=1)
    envoyer(bureau, controle, bureau.operation("visite.notes", "arrivé", 1))
    assert Controle.objects.get(pk=controle.pk).etat == Etat.EN_COURS
