"""L’histoire entière, dans un vrai navigateur : de la première phrase à la notification lue."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from agrements.choix import Etat, Instance
from agrements.models import Agrement, Dossier
from tests.fabriques.agrements import Theatre
from tests.parcours.personne import Personne, produire_les_lettres

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def theatre():
    return Theatre()


def rediger(personne, dossier, texte, *, javascript):
    """Écrit dans deux champs du dossier comme on le fait : au clavier, ou par le formulaire nu."""
    personne.aller(f"/dossiers/{dossier.pk}/sections/identification/")
    page = personne.page
    if javascript:
        zone = page.locator("#champ-presentation-riche")
        zone.click()
        page.keyboard.press("Control+A")
        page.keyboard.type(texte)
        page.wait_for_selector("#statut-presentation[data-statut=enregistre]")
        assert re.search(r"Enregistré à \d+\sh\s\d\d", page.inner_text("[data-barre-sauvegarde]"))
    else:
        page.fill("#champ-presentation", texte)
        page.fill("#champ-territoire", "Le quartier.")
        personne.cliquer("Enregistrer et continuer")
    assert texte in dossier.reponses.get(champ="presentation").valeur


@pytest.mark.parametrize(
    ("largeur", "javascript"),
    [(1280, True), (375, True), (1280, False)],
    ids=["bureau", "telephone", "sans-javascript"],
)
def test_un_projet_de_la_premiere_phrase_a_la_notification(theatre, ouvrir, live_server, tmp_path, largeur, javascript):
    def entrer(compte):
        return Personne(ouvrir(largeur=largeur, javascript=javascript), live_server.url, compte, axe=javascript)

    directrice = entrer(theatre.direction)
    directrice.cliquer("Ouvrir un dossier")
    directrice.page.check("[value=premier]")
    directrice.page.fill("[name=debut_souhaite]", "2027-01-01")
    directrice.page.check("[value=projet_social]")
    directrice.page.click("form button:has-text('Ouvrir le dossier')")
    directrice.page.wait_for_load_state()
    dossier = Dossier.objects.get()
    assert "Volet familles" in directrice.lire()

    rediger(directrice, dossier, "Un lieu ouvert à tous.", javascript=javascript)
    directrice.aller(f"/dossiers/{dossier.pk}/verifier/")
    assert "Il reste" in directrice.lire()
    theatre.remplir(dossier)  # les trente autres champs : chacun a son test

    directrice.aller(f"/dossiers/{dossier.pk}/pieces/")
    piece = tmp_path / "rapport.exe.pdf"
    piece.write_bytes(b"MZ" + b"\0" * 500)
    champ = directrice.page.locator("#fichier-autre")
    champ.set_input_files(str(piece))
    if not javascript:
        champ.locator("xpath=ancestor::form").locator("button").click()
    directrice.page.wait_for_selector(".erreur")
    assert "pas d’un type accepté" in directrice.lire()
    directrice.regarder()

    for section in ("projet", "budget", "moyens_humains", "diagnostic", "gouvernance"):
        directrice.aller(f"/dossiers/{dossier.pk}/sections/{section}/")
    directrice.aller(f"/dossiers/{dossier.pk}/verifier/")
    directrice.cliquer("Demander le visa")

    president = entrer(theatre.president)
    president.cliquer("Lire et viser le projet")
    president.page.check("[value=viser]")
    president.cliquer("Valider ma décision")

    directrice.aller("/espace/")
    directrice.cliquer("Déposer le dossier visé")
    directrice.cliquer("Déposer le dossier")
    directrice.cliquer("Déposer le dossier")
    produire_les_lettres()
    directrice.aller(f"/dossiers/{dossier.pk}/")
    assert "Accusé de réception" in directrice.lire()

    charge = entrer(theatre.charge)
    charge.cliquer("Vérifier que le dossier est complet")
    assert "Toutes les pièces demandées sont jointes" in charge.lire()
    charge.cliquer("Demander d’autres compléments")
    charge.page.locator("details", has=charge.page.locator("[name=champ-synthese]")).locator("summary").click()
    charge.page.fill("[name=champ-synthese]", "Précisez les axes.")
    charge.cliquer("Envoyer la demande")

    directrice.aller("/espace/")
    directrice.cliquer("Répondre à la demande")
    directrice.page.click(".taches a:has-text('Délibération')")
    assert "Précisez les axes." in directrice.lire()
    assert directrice.page.locator("[name=synthese]").count() == 1
    assert directrice.page.locator("[name=deliberation_instance]").count() == 0
    if javascript:
        directrice.page.locator("#champ-synthese-riche").click()
        directrice.page.keyboard.type("Trois axes. ")
        directrice.page.wait_for_selector("#statut-synthese[data-statut=enregistre]")
    else:
        directrice.page.fill("[name=synthese]", "Trois axes.")
        directrice.cliquer("Enregistrer")
    directrice.aller(f"/dossiers/{dossier.pk}/verifier/")
    directrice.cliquer("Renvoyer les compléments")

    charge.aller(f"/dossiers/{dossier.pk}/versions/")
    assert "Trois axes." in charge.lire()
    charge.aller(f"/dossiers/{dossier.pk}/")
    charge.cliquer("Vérifier la complétude")
    charge.cliquer("Déclarer complet")
    charge.cliquer("Évaluer les critères")
    dossier.refresh_from_db()
    theatre.evaluer_tout(dossier)
    charge.aller(f"/dossiers/{dossier.pk}/avis/")
    charge.page.check("[value=favorable]")
    charge.page.fill("[name=motivation]", "Un projet solide, construit avec les habitants.")
    charge.cliquer("Rendre l’avis")

    secretaire = entrer(theatre.secretariat)
    for instance in (Instance.CAS, Instance.CA):
        secretaire.aller("/seances/nouvelle/")
        secretaire.page.select_option("[name=instance]", instance.value)
        secretaire.page.fill("[name=tenue_le]", timezone.localdate().isoformat())
        secretaire.cliquer("Ajouter au calendrier")
        secretaire.page.check("[name=dossiers]")
        secretaire.cliquer("Inscrire à l’ordre du jour")
        if instance == Instance.CAS:
            secretaire.page.select_option("select[name$=avis]", "favorable")
            secretaire.cliquer("Enregistrer l’avis")
        else:
            secretaire.page.select_option("select[name$=sens]", "refuse")
            secretaire.cliquer("Relire la décision")
            assert "Un refus ou un ajournement est motivé" in secretaire.lire()
            secretaire.page.select_option("select[name$=sens]", "agree")
            secretaire.cliquer("Relire la décision")
            assert "Avis d’instruction : favorable" in secretaire.lire()
            secretaire.cliquer("Confirmer et notifier")
        secretaire.cliquer("Clore la séance")

    produire_les_lettres()
    directrice.aller("/espace/")
    directrice.cliquer("Lire la notification de décision")
    assert "s’est prononcé" in directrice.lire()
    assert "Agréé" not in directrice.page.inner_text(".alert")
    with directrice.page.expect_response(lambda r: "/actes/" in r.url) as reponse:
        directrice.page.click("button:has-text('Lire la notification')")
    assert reponse.value.headers["content-type"] == "application/pdf"
    directrice.aller(f"/dossiers/{dossier.pk}/")
    assert "Décision : agréé" in directrice.lire()

    dossier.refresh_from_db()
    assert dossier.etat == Etat.AGREE
    assert dossier.decisions.get().lue_par == theatre.direction
    assert Agrement.objects.get().objet == "projet_social"
    for personne in (directrice, president, charge, secretaire):
        assert personne.fautes == []


def test_une_panne_de_reseau_ne_perd_pas_un_mot_et_repart_seule(theatre, ouvrir, live_server, messages_attendus):
    messages_attendus.append("net::ERR_INTERNET_DISCONNECTED")
    dossier = theatre.ouvrir()
    page = ouvrir()
    directrice = Personne(page, live_server.url, theatre.direction)
    directrice.aller(f"/dossiers/{dossier.pk}/sections/locaux/")
    page.context.set_offline(True)
    page.fill("#champ-horaires", "Du lundi au samedi")
    page.wait_for_selector("#statut-horaires[data-statut=erreur]")
    assert "Pas de connexion" in page.inner_text("[data-barre-sauvegarde] [role=alert]")
    assert page.is_visible("[data-reessayer]")

    page.context.set_offline(False)
    page.wait_for_selector("#statut-horaires[data-statut=enregistre]")
    assert dossier.reponses.get(champ="horaires").valeur == "Du lundi au samedi"


def test_une_session_finie_le_dit_et_le_texte_se_reprend_au_retour(theatre, ouvrir, live_server, messages_attendus):
    messages_attendus.append("status of 401")
    dossier = theatre.ouvrir()
    page = ouvrir()
    directrice = Personne(page, live_server.url, theatre.direction)
    chemin = f"/dossiers/{dossier.pk}/sections/locaux/"
    directrice.aller(chemin)
    temoins = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    page.fill("#champ-horaires", "Texte précieux")
    page.wait_for_selector("#statut-horaires[data-statut=erreur]")
    assert "Votre session est finie. Rien n’est perdu" in page.inner_text("[data-barre-sauvegarde]")

    page.on("dialog", lambda dialogue: dialogue.accept())
    page.context.add_cookies(temoins)
    directrice.aller(chemin)
    page.click("button:has-text('Le reprendre')")
    page.wait_for_selector("#statut-horaires[data-statut=enregistre]")
    assert dossier.reponses.get(champ="horaires").valeur == "Texte précieux"


def test_un_collegue_ecrit_en_meme_temps_les_deux_textes_se_montrent(theatre, ouvrir, live_server, messages_attendus):
    messages_attendus.append("status of 409")
    from agrements.actions import redaction

    dossier = theatre.ouvrir()
    page = ouvrir()
    directrice = Personne(page, live_server.url, theatre.direction)
    directrice.aller(f"/dossiers/{dossier.pk}/sections/locaux/")
    redaction.enregistrer_reponse(
        dossier, champ="horaires", saisie="Le texte de l’autre", version=0, par=theatre.saisie
    )
    page.fill("#champ-horaires", "Mon texte à moi")
    page.wait_for_selector(".conflit")
    boite = page.inner_text(".conflit")
    assert "Mon texte à moi" in boite
    assert "Le texte de l’autre" in boite
    assert str(theatre.saisie) in boite
    assert dossier.reponses.get(champ="horaires").valeur == "Le texte de l’autre"
    page.click("button:has-text('Garder le mien')")
    page.wait_for_selector("#statut-horaires[data-statut=enregistre]")
    assert dossier.reponses.get(champ="horaires").valeur == "Mon texte à moi"


def test_l_arbre_du_projet_se_saisit_au_clavier_seul(theatre, ouvrir, live_server):
    dossier = theatre.ouvrir()
    page = ouvrir()
    Personne(page, live_server.url, theatre.direction).aller(f"/dossiers/{dossier.pk}/sections/projet/")
    page.focus("button:has-text('Ajouter : Constat')")
    page.keyboard.press("Enter")
    for rang, texte in enumerate(("Un constat", "Un enjeu", "Un axe", "Un objectif", "Une action", "Un indicateur")):
        if rang:
            page.keyboard.press("Control+Enter")
        page.keyboard.type(texte)
    page.wait_for_selector("#statut-arbre[data-statut=enregistre]")
    page.wait_for_timeout(1200)
    noeud, vus = dossier.reponses.get(champ="arbre").valeur[0], []
    while noeud:
        vus.append(noeud["texte"])
        noeud = noeud["enfants"][0] if noeud["enfants"] else None
    assert vus == ["Un constat", "Un enjeu", "Un axe", "Un objectif", "Une action", "Un indicateur"]


def test_un_collage_depuis_un_traitement_de_texte_garde_le_texte_et_jette_les_styles(
    theatre, ouvrir, live_server, messages_attendus
):
    messages_attendus.append("Applying inline style")  # les styles du document collé, que la CSP écarte déjà
    dossier = theatre.ouvrir()
    page = ouvrir()
    Personne(page, live_server.url, theatre.direction).aller(f"/dossiers/{dossier.pk}/sections/identification/")
    page.click("#champ-presentation-riche")
    page.evaluate(
        """() => {
          const donnees = new DataTransfer();
          donnees.setData("text/html", `<html><style>p{color:red}</style><body>
            <p class="MsoNormal" style="mso-style:x"><b>Notre projet</b><o:p></o:p></p>
            <ul><li style="x">Un point</li></ul><script>alert(1)</script></body></html>`);
          document.querySelector("#champ-presentation-riche").dispatchEvent(
            new ClipboardEvent("paste", {clipboardData: donnees, bubbles: true, cancelable: true}));
        }"""
    )
    page.wait_for_selector("#statut-presentation[data-statut=enregistre]")
    valeur = dossier.reponses.get(champ="presentation").valeur
    assert "<strong>Notre projet</strong>" in valeur
    assert "<li>Un point</li>" in valeur
    assert not re.search("style|class|script|mso|alert", valeur)
