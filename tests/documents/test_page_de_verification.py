"""La page publique qui dit si un document est authentique : claire, sans donnée personnelle, jamais en panne."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from documents import production
from documents.actions import demander_acte
from documents.gabarits import GABARITS
from documents.models import ALPHABET, LONGUEUR_CODE, Acte, NatureActe, nouveau_code

pytestmark = pytest.mark.django_db

VERIFIER = reverse("documents:verifier")
PERSONNELLES = {
    "structure": "Centre social de la Rivière Cachée",
    "gestionnaire": "Association Gestionnaire Discrète",
    "adresse": "17 impasse du Secret",
    "interlocuteur": "Apolline Destinataire",
    "motivation": "Une motivation qui ne regarde que la structure.",
    "numero": "AVS-2026-09876",
}


def demander(cle: str = "lettre") -> Acte:
    gabarit = GABARITS["notification_refus"]
    with transaction.atomic():
        return demander_acte(
            cle=cle,
            objet="dossier-1",
            nature=NatureActe.NOTIFICATION,
            titre="Décision du 12 novembre 2026, dossier AVS-2026-09876",
            gabarit=gabarit.nom,
            contexte={**gabarit.exemple, **PERSONNELLES},
        )


def emettre(cle: str = "lettre") -> Acte:
    acte = demander(cle)
    assert production.produire(acte.pk)
    acte.refresh_from_db()
    return acte


def adresse(code: str) -> str:
    return reverse("documents:verifier_code", args=[code])


def test_le_code_imprime_dit_le_document_authentique_sans_rien_dire_de_personne(client):
    acte = emettre()
    reponse = client.get(adresse(acte.code_lisible))
    page = reponse.content.decode()

    assert reponse.status_code == 200
    assert "Ce document est authentique" in page
    assert "notification de décision" in page.lower()
    assert acte.empreinte in page
    for valeur in (*PERSONNELLES.values(), acte.titre):
        assert valeur not in page


@pytest.mark.parametrize("ecrire", [str.lower, lambda c: c.replace("-", ""), lambda c: f"  {c.replace('-', ' ')} "])
def test_le_code_se_recopie_comme_on_veut(client, ecrire):
    acte = emettre()
    reponse = client.post(VERIFIER, {"code": ecrire(acte.code_lisible)}, follow=True)
    assert reponse.status_code == 200
    assert "authentique" in reponse.content.decode()


def test_un_acte_demande_mais_pas_produit_n_existe_pas_pour_le_public(client):
    reponse = client.get(adresse(demander().code))
    assert reponse.status_code == 404
    assert "Aucun document ne porte ce code" in reponse.content.decode()


def test_un_document_remplace_le_dit_et_ne_passe_plus_pour_valable(client):
    ancien, nouveau = emettre("ancien"), emettre("nouveau")
    Acte.objects.filter(pk=ancien.pk).update(remplace_par=nouveau.pk)
    page = client.get(adresse(ancien.code)).content.decode()
    assert "remplacé" in page
    assert "Ce document est authentique</" not in page
    assert "Ce document est authentique" in client.get(adresse(nouveau.code)).content.decode()


@pytest.mark.parametrize(
    ("changer", "attendu"), [(lambda pdf: pdf, "identique"), (lambda pdf: pdf[:-1] + b"?", "n’est pas le document")]
)
def test_le_pdf_recu_se_compare_octet_a_octet_sans_etre_garde(client, settings, changer, attendu):
    acte = emettre()
    with acte.pdf.open() as flux:
        contenu = changer(flux.read())
    gardes = sorted(settings.MEDIA_ROOT.rglob("*.*"))

    recu = SimpleUploadedFile("recu.pdf", contenu, content_type="application/pdf")
    page = client.post(VERIFIER, {"code": acte.code, "fichier": recu}).content.decode()

    assert attendu in page
    assert sorted(settings.MEDIA_ROOT.rglob("*.*")) == gardes


@pytest.mark.parametrize(
    "code", ["ABCD", "0O1I-0O1I-0O1I", "ABCD-EFGH-JKM€", "🙂" * 12, "مرحبا", "A" * 41, "' OR 1=1 --"]
)
def test_un_code_mal_recopie_garde_la_saisie_et_dit_quoi_faire(client, code):
    reponse = client.post(VERIFIER, {"code": code})
    assert reponse.status_code == 422
    assert reponse.context["form"].errors["code"]
    assert reponse.context["form"]["code"].value() == code


@pytest.mark.parametrize("code", ["🙂", "A" * 5000, "ABCD-EFGH-JKMN", "%2e%2e", "é", "<script>"])
def test_une_adresse_fantaisiste_rend_une_page_et_non_une_panne(client, code):
    reponse = client.get(adresse(code))
    assert reponse.status_code == 404
    assert "Aucun document ne porte ce code" in reponse.content.decode()


def test_une_adresse_se_lit_sans_rien_ecrire_et_en_peu_de_requetes():
    acte = emettre()
    with CaptureQueriesContext(connection) as requetes:
        assert Client().get(adresse(acte.code)).status_code == 200
    ecritures = [r["sql"] for r in requetes if r["sql"].split(" ", 1)[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert ecritures == []
    assert len(requetes) <= 3


def test_le_debit_se_compte_par_adresse_et_la_reponse_le_dit(client):
    statuts = [client.get(adresse("ABCD-EFGH-JKMN")).status_code for _ in range(62)]  # deux minutes entamées au plus
    assert set(statuts[:30]) == {404}
    assert 429 in statuts
    assert client.get(adresse("ABCD-EFGH-JKMN"), REMOTE_ADDR="203.0.113.7").status_code == 404


def test_les_codes_ne_se_ressemblent_pas_et_se_recopient_sans_confusion():
    codes = {nouveau_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(len(code) == LONGUEUR_CODE and set(code) <= set(ALPHABET) for code in codes)
    assert not set("IOL01") & set(ALPHABET)
