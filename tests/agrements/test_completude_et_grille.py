"""Ce que l’instruction relève, demande et évalue : complétude, compléments, grille, avis."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from agrements.actions import instruction
from agrements.choix import Etat, EtatPiece, VerdictCritere
from agrements.completude import releve_des_pieces
from agrements.referentiel import ExigencePiece
from socle.erreurs import VersionPerimee
from tests.fabriques.agrements import Theatre

JOUR = date(2026, 11, 24)


def jointe(exigence: str, jusqu_au: date | None = None) -> SimpleNamespace:
    return SimpleNamespace(exigence=exigence, piece=SimpleNamespace(valable_jusqu_au=jusqu_au))


@pytest.mark.parametrize(
    ("jointes", "obligatoire", "etat", "a_demander"),
    [
        ([], True, EtatPiece.MANQUANTE, True),
        ([], False, EtatPiece.NON_JOINTE, False),
        ([jointe("statuts")], True, EtatPiece.JOINTE, False),
        ([jointe("rib")], True, EtatPiece.MANQUANTE, True),
        ([jointe("statuts", JOUR)], True, EtatPiece.JOINTE, False),
        ([jointe("statuts", JOUR - timedelta(days=1))], True, EtatPiece.EXPIREE, True),
        ([jointe("statuts", JOUR - timedelta(days=1)), jointe("statuts", JOUR)], True, EtatPiece.JOINTE, False),
    ],
)
def test_une_piece_est_jointe_expiree_ou_manquante(jointes, obligatoire, etat, a_demander):
    (ligne,) = releve_des_pieces([ExigencePiece("statuts", "Statuts", obligatoire=obligatoire)], jointes, JOUR)
    assert (ligne.etat, ligne.a_demander) == (etat, a_demander)


@pytest.fixture
def theatre(db):
    return Theatre()


def perimer(dossier, combien: int = 1) -> list[str]:
    """Fait expirer hier les premières pièces jointes ; rend le code de leurs exigences."""
    codes = []
    for ligne in list(dossier.pieces_jointes.select_related("piece"))[:combien]:
        ligne.piece.valable_jusqu_au = timezone.localdate() - timedelta(days=1)
        ligne.piece.save(update_fields=["valable_jusqu_au"])
        codes.append(ligne.exigence)
    return codes


def test_le_releve_nomme_la_piece_expiree_et_un_bouton_prepare_sa_demande(theatre, entrer):
    dossier = theatre.mener(Etat.DEPOSE)
    (code,) = perimer(dossier)
    client = entrer(theatre.charge)
    adresse = reverse("agrements:completude", args=[dossier.pk])
    page = client.get(adresse).content.decode()
    assert "1 pièce à demander" in page
    assert "Déclarer complet malgré tout" in page

    reponse = client.post(adresse)
    assert reponse["Location"] == reverse("agrements:complements", args=[dossier.pk])
    (remarque,) = dossier.demandes.get().remarques.all()
    assert remarque.piece == code
    assert "plus valable" in remarque.texte
    assert "Remarque préparée" in client.get(reponse["Location"]).content.decode()


def test_la_demande_des_pieces_se_rejoue_sans_toucher_une_remarque_ecrite(theatre):
    dossier = theatre.mener(Etat.DEPOSE)
    un, deux = perimer(dossier, 2)
    instruction.preparer_remarque(dossier, piece=un, texte="Signée par le trésorier, svp.", par=theatre.charge)
    assert instruction.demander_les_pieces(dossier, par=theatre.charge) == 1
    assert instruction.demander_les_pieces(dossier, par=theatre.charge) == 0
    textes = dict(dossier.demandes.get().remarques.values_list("piece", "texte"))
    assert textes[un] == "Signée par le trésorier, svp."
    assert set(textes) == {un, deux}


def test_un_dossier_entier_se_declare_complet_depuis_le_releve(theatre, entrer):
    dossier = theatre.mener(Etat.DEPOSE)
    client = entrer(theatre.charge)
    geste = reverse("agrements:geste", args=[dossier.pk, "declarer_complet"])
    assert client.get(geste)["Location"] == reverse("agrements:completude", args=[dossier.pk])
    page = client.get(reverse("agrements:completude", args=[dossier.pk])).content.decode()
    assert "Toutes les pièces demandées sont jointes" in page
    client.post(geste)
    dossier.refresh_from_db()
    assert dossier.etat == Etat.EN_INSTRUCTION


def test_la_page_des_complements_compte_ses_remarques_et_rappelle_la_grille(theatre, entrer):
    dossier = theatre.mener(Etat.EN_INSTRUCTION)
    critere = dossier.regime.referentiel.criteres[0]
    instruction.evaluer(
        dossier,
        critere=critere.code,
        verdict=VerdictCritere.A_COMPLETER,
        commentaire="Les usagers ne sont pas cités.",
        version=0,
        par=theatre.charge,
    )
    instruction.preparer_remarque(dossier, champ="synthese", texte="Précisez.", par=theatre.charge)
    page = entrer(theatre.charge).get(reverse("agrements:complements", args=[dossier.pk])).content.decode()
    assert "1 remarque préparée." in page
    assert "Les usagers ne sont pas cités." in page


def poster_critere(client, dossier, code, *, verdict="", commentaire="", version=0, htmx=False):
    return client.post(
        reverse("agrements:grille", args=[dossier.pk]),
        {
            "critere": code,
            f"{code}-verdict": verdict,
            f"{code}-commentaire": commentaire,
            f"{code}-version": version,
        },
        headers={"HX-Request": "true"} if htmx else {},
    )


@pytest.fixture
def a_evaluer(theatre):
    dossier = theatre.mener(Etat.EN_INSTRUCTION)
    return dossier, dossier.regime.referentiel.criteres[0].code


@pytest.mark.parametrize("verdict", [VerdictCritere.A_COMPLETER, VerdictCritere.NON_CONFORME])
def test_un_verdict_reserve_se_commente(theatre, entrer, a_evaluer, verdict):
    dossier, code = a_evaluer
    client = entrer(theatre.charge)
    reponse = poster_critere(client, dossier, code, verdict=verdict, commentaire="  ")
    assert reponse.status_code == 422
    assert "Dites ce qui manque ou ne convient pas" in reponse.content.decode()
    assert not dossier.evaluations.exists()
    assert poster_critere(client, dossier, code, verdict=verdict, commentaire="Pas d’évaluation.").status_code == 302
    assert dossier.evaluations.get().verdict == verdict


def test_un_clic_enregistre_et_rend_le_suivi_avec_sa_version(theatre, entrer, a_evaluer):
    dossier, code = a_evaluer
    reponse = poster_critere(entrer(theatre.charge), dossier, code, verdict="conforme", htmx=True)
    page = reponse.content.decode()
    assert reponse.status_code == 200
    assert "Enregistré le" in page
    assert f'id="version-{code}" value="1" hx-swap-oob="true"' in page
    assert "<html" not in page


def test_une_version_perimee_montre_les_deux_textes_puis_laisse_remplacer(theatre, entrer, a_evaluer):
    dossier, code = a_evaluer
    client = entrer(theatre.charge)
    poster_critere(client, dossier, code, verdict="non_conforme", commentaire="Le premier texte.")
    for htmx in (True, False):
        reponse = poster_critere(client, dossier, code, verdict="conforme", commentaire="Le second.", htmx=htmx)
        page = reponse.content.decode()
        assert reponse.status_code == 422
        assert "Le premier texte." in page
        assert f'id="version-{code}" value="1"' in page
    assert "Le second." in page  # sans JavaScript, la page redonne aussi la saisie
    with pytest.raises(VersionPerimee):
        instruction.evaluer(dossier, critere=code, verdict="conforme", commentaire="", version=0, par=theatre.charge)
    assert (
        poster_critere(client, dossier, code, verdict="conforme", commentaire="Le second.", version=1).status_code
        == 302
    )
    assert dossier.evaluations.get().commentaire == "Le second."


def test_un_critere_inconnu_est_introuvable(theatre, entrer, a_evaluer):
    dossier, _ = a_evaluer
    assert poster_critere(entrer(theatre.charge), dossier, "inconnu", verdict="conforme", htmx=True).status_code == 404


def test_l_avis_rendu_ne_se_ressaisit_pas(theatre, entrer):
    dossier = theatre.mener(Etat.INSTRUIT)
    client = entrer(theatre.charge)
    adresse = reverse("agrements:avis", args=[dossier.pk])
    for reponse in (client.get(adresse, follow=True), client.post(adresse, {}, follow=True)):
        assert reponse.redirect_chain == [(dossier.get_absolute_url(), 302)]
        assert "L’avis ne se rend plus" in reponse.content.decode()
    assert dossier.avis.count() == 1
