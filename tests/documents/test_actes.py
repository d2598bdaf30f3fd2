"""Les actes : une fois, figés, vérifiables, accessibles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from hashlib import sha256

import pikepdf
import pytest
from celery import Celery
from celery.exceptions import MaxRetriesExceededError
from django.db import ProgrammingError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from documents import production
from documents.actions import demander_acte
from documents.gabarits import GABARITS
from documents.models import ESSAIS_MAX, Acte, NatureActe
from socle.pdf import LecteurStatique, RessourceInterdite

pytestmark = pytest.mark.django_db


def demander(gabarit="accuse_reception", cle="acte-1", **changements):
    contexte = {**GABARITS[gabarit].exemple, **changements}
    with transaction.atomic():
        return demander_acte(
            cle=cle,
            objet="dossier-1",
            nature=NatureActe.NOTIFICATION,
            titre="Un titre",
            gabarit=gabarit,
            contexte=contexte,
        )


@pytest.mark.parametrize("gabarit", GABARITS)
def test_chaque_lettre_est_etiquetee_en_francais_titree_et_ses_polices_embarquees(gabarit):
    acte = demander(gabarit, cle=gabarit)
    production.produire(acte.pk)
    acte.refresh_from_db()

    with acte.pdf.open() as flux, pikepdf.open(flux) as pdf:
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.Root.Lang) == "fr"
        assert str(pdf.docinfo["/Title"]) == "Un titre"
        with pdf.open_metadata() as meta:
            assert meta["pdfuaid:part"] == "1"
        polices = {
            str(police["/BaseFont"]): police["/DescendantFonts"][0]["/FontDescriptor"]
            for page in pdf.pages
            for police in page.Resources.Font.values()
        }
    assert all("Source-Sans-3" in nom and "/FontFile2" in descripteur for nom, descripteur in polices.items())


@pytest.mark.parametrize("gabarit", GABARITS)
def test_chaque_mention_declaree_se_lit_dans_la_lettre_et_dans_l_ordre(gabarit, tmp_path):
    acte = demander(gabarit, cle=gabarit)
    production.produire(acte.pk)
    acte.refresh_from_db()
    fichier = tmp_path / "lettre.pdf"
    fichier.write_bytes(acte.pdf.read())
    acte.pdf.close()
    texte = " ".join(subprocess.check_output(["pdftotext", str(fichier), "-"], text=True).split())

    debut = (
        "Entre la" if gabarit.startswith("convention") else "Madame, Monsieur,"
    )  # une convention n’est pas une lettre
    assert texte.index("Objet") < texte.index(debut)
    assert acte.code_lisible in texte
    for cle in ("numero", "structure", "gestionnaire", "ville", "interlocuteur"):
        assert str(acte.contexte[cle]) in texte


def test_un_texte_piege_est_montre_tel_quel_et_ne_charge_rien():
    acte = demander("notification_refus", motivation='<img src="file:///etc/passwd"><script>x</script>')
    assert production.produire(acte.pk)
    for adresse in ("file:///etc/passwd", "http://127.0.0.1/", "static:../../../etc/passwd", "static:/../manage.py"):
        with pytest.raises(RessourceInterdite):
            LecteurStatique().fetch(adresse)


def test_un_acte_deja_produit_ne_l_est_pas_deux_fois():
    acte = demander()
    assert [production.produire(acte.pk), production.produire(acte.pk)] == [True, False]
    acte.refresh_from_db()
    assert acte.empreinte == sha256(acte.pdf.read()).hexdigest()
    acte.pdf.close()


def test_la_meme_demande_rend_le_meme_acte():
    assert demander().pk == demander().pk
    assert Acte.objects.count() == 1


def test_une_mention_absente_est_refusee_avant_tout():
    with pytest.raises(ValueError, match="numero"), transaction.atomic():
        demander_acte(
            cle="x", objet="x", nature=NatureActe.NOTIFICATION, titre="x", gabarit="accuse_reception", contexte={}
        )


@pytest.mark.django_db(transaction=True)
def test_une_demande_hors_transaction_est_refusee():
    with pytest.raises(RuntimeError, match="dans la transaction"):
        demander_acte(cle="x", objet="x", nature="x", titre="x", gabarit="accuse_reception", contexte={})


@pytest.mark.parametrize("champ", ["empreinte", "contexte", "code", "cle"])
def test_un_acte_produit_ne_se_modifie_plus(champ):
    acte = demander()
    production.produire(acte.pk)
    with pytest.raises(ProgrammingError), transaction.atomic():
        Acte.objects.filter(pk=acte.pk).update(**{champ: "autre"})
    with pytest.raises(ProgrammingError), transaction.atomic():
        Acte.objects.filter(pk=acte.pk).delete()


def test_un_acte_qui_echoue_toujours_s_arrete_apres_cinq_essais(monkeypatch):
    acte = demander()

    def echouer(acte):
        raise MaxRetriesExceededError

    monkeypatch.setattr(production, "rendre", echouer)
    for _ in range(ESSAIS_MAX):
        with pytest.raises(MaxRetriesExceededError):
            production.produire(acte.pk)
    assert production.produire(acte.pk) is False
    Acte.objects.filter(pk=acte.pk).update(demande_le=timezone.now() - timedelta(hours=1))
    assert production.en_attente() == []


@pytest.mark.django_db(transaction=True)
def test_un_courtier_mort_ne_perd_pas_l_acte_et_ne_casse_pas_le_geste(monkeypatch):
    def mort(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr("documents.tasks.produire_acte.apply_async", mort)
    acte = demander()
    assert acte.produit_le is None
    Acte.objects.filter(pk=acte.pk).update(demande_le=timezone.now() - timedelta(minutes=2))
    assert production.en_attente() == [acte.pk]


def test_n_importe_qui_verifie_un_document_sans_rien_apprendre_de_personne(client):
    acte = demander("notification_refus", motivation="Motif confidentiel")
    production.produire(acte.pk)
    page = client.get(reverse("documents:verifier_code", args=[acte.code_lisible.lower()])).content.decode()

    assert "Ce document est authentique" in page
    for secret in ("Motif confidentiel", acte.contexte["gestionnaire"], acte.contexte["interlocuteur"]):
        assert secret not in page


def test_un_code_inconnu_ou_mal_forme_a_sa_phrase(client):
    assert client.get(reverse("documents:verifier_code", args=["AAAABBBBCCCC"])).status_code == 404
    reponse = client.post(reverse("documents:verifier"), {"code": "12"})
    assert reponse.status_code == 422
    assert "trois groupes de quatre signes" in reponse.content.decode()


def test_un_pdf_retouche_ne_passe_pas_pour_l_original(client):
    from django.core.files.uploadedfile import SimpleUploadedFile

    acte = demander()
    production.produire(acte.pk)
    acte.refresh_from_db()
    octets = acte.pdf.read()
    acte.pdf.close()
    for contenu, phrase in ((octets, "octet pour octet"), (octets + b" ", "n’est pas le document d’origine")):
        reponse = client.post(
            reverse("documents:verifier"), {"code": acte.code, "fichier": SimpleUploadedFile("x.pdf", contenu)}
        )
        assert phrase in reponse.content.decode()


def test_trente_essais_par_minute_puis_on_attend(client):
    adresse = reverse("documents:verifier_code", args=["AAAABBBBCCCC"])
    statuts = [client.get(adresse).status_code for _ in range(32)]
    assert statuts[:30] == [404] * 30
    assert statuts[30:] == [429, 429]


LENT = """
import os, time, sys, django
django.setup()
from documents import production, tasks
vrai = production.rendre
def lent(acte):
    open(os.environ["TEMOIN"], "a").write("x")
    time.sleep(float(os.environ["ATTENTE"]))
    return vrai(acte)
production.rendre = lent
from config.celery import app
app.worker_main(["worker", "-c", "1", "-l", "ERROR", "-P", "solo", "-Q", os.environ["FILE"]])
"""


@pytest.mark.django_db(transaction=True)
def test_un_worker_tue_en_plein_travail_l_acte_est_produit_une_fois_au_redemarrage(settings, tmp_path, monkeypatch):
    """Un vrai worker sur le vrai courtier, tué par kill -9 pendant le rendu, puis relancé."""
    from django.db import connection

    file = f"essai-{os.getpid()}"
    monkeypatch.setattr("documents.tasks.produire_acte.apply_async", lambda **k: None)
    acte = demander()
    base = connection.settings_dict
    environnement = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": os.environ["DATABASE_URL"].replace("/portail?", f"/{base['NAME']}?"),
        "MEDIA_ROOT_TEST": str(settings.MEDIA_ROOT),
        "TEMOIN": str(tmp_path / "temoin"),
        "FILE": file,
        "PYTHONPATH": os.getcwd(),
    }
    monkeypatch.undo()
    messager = Celery(broker=settings.CELERY_BROKER_URL, set_as_current=False)
    messager.send_task("documents.tasks.produire_acte", args=[acte.pk], queue=file)

    def lancer(attente):
        return subprocess.Popen([sys.executable, "-c", LENT], env={**environnement, "ATTENTE": str(attente)})

    def attendre(condition, secondes=40):
        fin = time.monotonic() + secondes
        while not condition():
            assert time.monotonic() < fin, "le worker n’a rien fait"
            time.sleep(0.1)

    premier = lancer(60)
    try:
        attendre((tmp_path / "temoin").exists)
        premier.send_signal(signal.SIGKILL)
        premier.wait()
        acte.refresh_from_db()
        assert acte.produit_le is None
        second = lancer(0)
        try:
            Acte.objects.filter(pk=acte.pk).update(demande_le=timezone.now() - timedelta(minutes=2))
            for cle in production.en_attente():  # le balayage de chaque minute
                messager.send_task("documents.tasks.produire_acte", args=[cle], queue=file)
                messager.send_task("documents.tasks.produire_acte", args=[cle], queue=file)
            attendre(lambda: Acte.objects.get(pk=acte.pk).produit_le)
            time.sleep(1)
        finally:
            second.terminate()
            second.wait()
    finally:
        premier.kill()
    acte.refresh_from_db()
    assert (tmp_path / "temoin").read_text() == "xx"
    assert [f.name for f in settings.MEDIA_ROOT.rglob("*.pdf")] == [f"{acte.code}.pdf"]


EMPREINTES = {
    "accuse_declaration": (2, "c4ba32deb96b"),
    "accuse_reception": (3, "6224cabe2196"),
    "attestation_versements": (2, "e0f8e0cb3115"),
    "convention": (3, "10331f29b56c"),
    "convention_aide": (1, "270bb1b13661"),
    "courrier_aide": (1, "d349456bbd6d"),
    "courrier_controle": (1, "4a34c9b3b350"),
    "decision_agrement": (2, "16a62e1860b8"),
    "demande_complements": (3, "218692262565"),
    "droit_apres_controle": (1, "75cf9ff39260"),
    "notification_agrement": (3, "25cc533cfe65"),
    "notification_ajournement": (3, "36c630c442b7"),
    "notification_droit": (3, "100b398686b0"),
    "notification_indu": (3, "11a91c442438"),
    "notification_refus": (3, "d7410727ea90"),
    "procedure_agrement": (1, "d1605e4a8ebd"),
    "rapport_controle": (1, "264741f48528"),
    "revision_droit": (3, "b6a799a61960"),
}


def test_le_texte_d_une_lettre_ne_change_pas_sans_sa_version():
    """Un acte dit sous quelle version de son modèle il est né : le texte change, la version monte, puis cette table."""
    lues = {}
    for nom, gabarit in GABARITS.items():
        contexte = {
            **gabarit.exemple,
            "titre": "t",
            "code": "c",
            "adresse_verification": "a",
            "qr": "q",
            "version_gabarit": 0,
        }
        texte = " ".join(render_to_string(gabarit.chemin, contexte).split())
        lues[nom] = (gabarit.version, sha256(texte.encode()).hexdigest()[:12])
    assert lues == EMPREINTES
