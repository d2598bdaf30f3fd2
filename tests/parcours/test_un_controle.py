"""Un contrôle dans un vrai navigateur : préparé, notifié, mené sans JavaScript, discuté, signé, appliqué par un autre."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from agrements.choix import EtatAgrement
from agrements.models import Agrement, Decision
from comptes.choix import Role
from controles.actions import contradictoire, sanctions, suites
from controles.choix import Etat, NatureConstat
from controles.models import Controle, SuiteFinanciere
from financements.choix import NatureDroit
from tests.fabriques.comptes import agent
from tests.fabriques.controles import Bureau
from tests.parcours.personne import Personne, produire_les_lettres

pytestmark = pytest.mark.django_db(transaction=True)


def entrer(ouvrir, live_server, compte, **options):
    javascript = options.pop("javascript", True)
    return Personne(ouvrir(javascript=javascript, **options), live_server.url, compte, axe=javascript)


def test_un_controle_va_de_la_preparation_au_droit_revu(bureau, ouvrir, live_server):
    controle = bureau.programmer()
    chemin = controle.get_absolute_url()

    # Le contrôleur prépare et notifie : quatre clics depuis sa première page.
    paul = entrer(ouvrir, live_server, bureau.controleur)
    paul.aller("/espace/")
    paul.cliquer("Préparer un contrôle")
    visite_le = (timezone.localdate() + timedelta(days=16)).isoformat()
    paul.page.fill("[name=visite_le]", visite_le)
    paul.page.fill("[name=visite_heure]", "09:30")
    paul.cliquer("Enregistrer et tirer la fiche")
    paul.cliquer("Notifier le contrôle")
    paul.cliquer("Notifier le contrôle")
    assert "La lettre part au représentant légal" in paul.lire()
    produire_les_lettres()

    # La direction lit la lettre et sait ce qui vient.
    directrice = entrer(ouvrir, live_server, bureau.direction, largeur=375)
    directrice.aller("/espace/")
    directrice.cliquer("Préparer la visite de contrôle")
    assert "Grand livre" in directrice.lire()
    assert "Notification de contrôle" in directrice.lire()

    # La visite se saisit en ligne, sans JavaScript, au téléphone.
    mobile = entrer(ouvrir, live_server, bureau.controleur, largeur=375, javascript=False)
    mobile.aller(f"{chemin}visite/")
    page = mobile.page
    jour = timezone.localdate().isoformat()
    page.fill('[name="visite.arrivee"]', f"{jour}T09:35")
    page.fill('[name="visite.depart"]', f"{jour}T12:10")
    point = Controle.objects.get(pk=controle.pk).points.get(champ="64.pilotage")
    page.click(f"#point-{point.uid} summary")
    prefixe = f"point.{point.uid}"
    page.select_option(f'[name="{prefixe}.constat"]', "ecart")
    page.fill(f'[name="{prefixe}.releve"]', "n’importe quoi")
    page.fill(f'[name="{prefixe}.faits"]', "Un salaire relève des activités.")
    mobile.cliquer("Enregistrer la fiche")
    assert "Écrivez un montant en euros" in mobile.lire()
    assert page.input_value(f'[name="{prefixe}.releve"]') == "n’importe quoi"
    page.fill(f'[name="{prefixe}.releve"]', f"{point.declare - 10_000:.2f}".replace(".", ","))
    mobile.cliquer("Enregistrer la fiche")
    assert "La fiche est enregistrée" in mobile.lire()

    # Le rapport provisoire part.
    paul.aller(chemin)
    paul.cliquer("Émettre le rapport provisoire")
    paul.cliquer("Émettre le rapport provisoire")
    assert "Contradictoire ouvert" in paul.lire()
    produire_les_lettres()

    # La direction ouvre le rapport, répond, joint une pièce, envoie.
    directrice.aller("/espace/")
    directrice.cliquer("Répondre au rapport de contrôle")
    assert "Un salaire relève des activités" not in directrice.lire()
    directrice.cliquer("Lire le rapport")
    assert "Un salaire relève des activités" in directrice.lire()
    page = directrice.page
    page.select_option("select[name=position]", "conteste")
    page.fill("textarea[name=texte]", "La clé de répartition est écrite.")
    page.wait_for_selector("[id^=statut-texte][data-statut=enregistre]")
    page.reload()
    assert page.input_value("textarea[name=texte]") == "La clé de répartition est écrite."
    directrice.cliquer("Envoyer nos réponses à la Caf")
    directrice.cliquer("Envoyer nos réponses")
    assert "Vos réponses sont envoyées" in directrice.lire()

    # Le contrôleur conclut et signe.
    paul.aller("/espace/")
    paul.cliquer("Conclure les points")
    assert "La clé de répartition est écrite" in paul.lire()
    paul.page.check("input[value=maintenu]")
    paul.page.fill("textarea[name$=motif]", "La clé jointe n’est pas chiffrée.")
    paul.cliquer("Conclure le point")
    paul.cliquer("Signer le rapport définitif")
    paul.cliquer("Signer le rapport définitif")
    assert "Rapport définitif, suites en cours" in paul.lire()
    paul.aller(f"{chemin}suites/")
    assert paul.page.query_selector("main button:has-text('Appliquer')") is None
    produire_les_lettres()

    # Le technicien conseil, qui n’a pas contrôlé, applique.
    alice = entrer(ouvrir, live_server, bureau.technicien)
    alice.aller("/espace/")
    alice.page.click("main a:has-text('Décider d’une suite de contrôle') >> nth=0")
    alice.regarder()
    while SuiteFinanciere.objects.filter(etat="a_decider").exists():
        alice.aller(f"{chemin}suites/")
        alice.page.click("main a:has-text('Appliquer') >> nth=0")
        alice.page.wait_for_load_state()
        alice.regarder()
        alice.page.click("main button:has-text('Appliquer')")
        alice.page.wait_for_load_state()
        alice.regarder()
    courante = bureau.caisse.courante()
    assert courante.nature == NatureDroit.APRES_CONTROLE
    assert bureau.controleur.pk != courante.par_id
    produire_les_lettres()

    # La structure lit le rapport définitif ; le contrôle se clôt.
    directrice.aller("/espace/")
    directrice.cliquer("Lire le rapport définitif du contrôle")
    directrice.cliquer("Lire le rapport")
    assert "La clé jointe n’est pas chiffrée" in directrice.lire()
    paul.aller("/espace/")
    paul.cliquer("Clore le contrôle")
    paul.cliquer("Clore le contrôle")
    paul.cliquer("Clore le contrôle")
    controle.refresh_from_db()
    assert controle.etat == Etat.CLOS
    assert paul.fautes + directrice.fautes + mobile.fautes + alice.fautes == []


@pytest.mark.parametrize("largeur", [375, 768, 1280])
def test_les_pages_d_un_controle_se_lisent_a_toutes_les_largeurs(bureau, ouvrir, live_server, largeur):
    controle = bureau.visiter(bureau.mener(Etat.EN_COURS))
    chemin = controle.get_absolute_url()
    paul = entrer(ouvrir, live_server, bureau.controleur, largeur=largeur)
    for page in ("/controles/", chemin, f"{chemin}dossier/", f"{chemin}pieces/", f"{chemin}visite/"):
        paul.aller(page)
    responsable = entrer(ouvrir, live_server, agent(Role.RESPONSABLE), largeur=largeur)
    responsable.aller(chemin)
    assert paul.fautes + responsable.fautes == []


def test_les_cibles_de_la_fiche_se_touchent_du_doigt(bureau, ouvrir, live_server):
    """WCAG 2.2, critère 2.5.8 : vingt-quatre points au moins."""
    controle = bureau.mener(Etat.EN_COURS)
    paul = entrer(ouvrir, live_server, bureau.controleur, largeur=375)
    paul.aller(f"{controle.get_absolute_url()}visite/")
    petites = paul.page.evaluate(
        """() => [...document.querySelectorAll("main :is(button, summary, select, input:not([type=hidden]), textarea)")]
            .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, r]) => r.width && Math.min(r.width, r.height) < 24 && !r.checkbox)
            .map(([html]) => html).filter((html) => !html.includes("checkbox"))"""
    )
    assert petites == []


@pytest.mark.parametrize("largeur", [375, 1280])
def test_les_pages_des_suites_se_lisent_et_s_entendent(ouvrir, live_server, largeur):
    """Ce que seule la fin d’un contrôle montre : suites, sanction, procédure sur l’agrément, recommandations."""
    bureau = Bureau(sanctions=True)
    controle = bureau.mener(Etat.SUITES)
    Agrement.objects.update(etat=EtatAgrement.EN_COURS)
    Decision.objects.update(lue_le=timezone.now(), lue_par=bureau.direction)
    manquement = controle.constats.get(nature=NatureConstat.MANQUEMENT)
    sanction = sanctions.proposer(
        controle,
        constat=manquement,
        degre="lourd",
        exercice=bureau.exercice,
        motivation="Manquement répété.",
        par=bureau.controleur,
    )
    contradictoire.lire_le_rapport(controle, par=bureau.direction)
    chemin, suite = controle.get_absolute_url(), controle.suites.first()
    recommandation = controle.structure.recommandations.get().get_absolute_url()
    agrement = Agrement.objects.get(structure=bureau.structure)
    neuve = entrer(ouvrir, live_server, bureau.charge, largeur=largeur)
    neuve.aller(f"{agrement.get_absolute_url()}procedure/ouvrir/")
    suites.saisir_agrement(controle, agrement=agrement, motif="Charte absente.", par=bureau.controleur)
    visites = {
        bureau.controleur: [f"{chemin}suites/", f"{chemin}saisies/", "/controles/recommandations/"],
        bureau.responsable: [f"{chemin}suites/", f"{chemin}suspendre/", f"{chemin}sanctions/{sanction.pk}/", chemin,
                             agrement.get_absolute_url()],
        bureau.technicien: [f"{chemin}suites/{suite.pk}/appliquer/", f"{chemin}suites/{suite.pk}/ecarter/"],
        bureau.charge: [recommandation, agrement.get_absolute_url(), f"{chemin}rapport/"],
        bureau.direction: [
            f"{chemin}suites/", f"{chemin}sanctions/{sanction.pk}/observer/", f"{chemin}rapport/", recommandation,
            f"{agrement.get_absolute_url()}procedure/observer/",
        ],
    }  # fmt: skip
    for personne, pages in visites.items():
        devant = entrer(ouvrir, live_server, personne, largeur=largeur)
        for page in pages:
            devant.aller(page)
            assert devant.page.query_selector("main h1"), page
        assert devant.fautes == []
    assert neuve.fautes == []
