"""Une aide, dans un vrai navigateur : du dispositif décrit sans code à la lettre lue, au prêt remboursé."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from agrements.demo.dossiers import document
from aides import livres
from aides.actions import dispositifs, prets, versements
from aides.choix import Etat
from aides.models import AvisAide, DecisionAide, Demande, Dispositif, Pret, VersionDispositif
from senacs import actions as senacs
from senacs.models import Contribution
from tests.aides.test_parcours_d_une_demande import payer
from tests.aides.test_prets_vivants import echoir
from tests.fabriques.agrements import Theatre
from tests.fabriques.aides import EXERCICE, Guichet
from tests.parcours.personne import Personne, produire_les_lettres

pytestmark = pytest.mark.django_db(transaction=True)
AUJOURD_HUI = timezone.localdate()


@pytest.fixture
def devis(tmp_path):
    chemin = tmp_path / "devis.pdf"
    chemin.write_bytes(document("devis").read())
    return str(chemin)


def test_un_dispositif_neuf_decrit_sans_une_ligne_de_code_et_obtenu_par_un_centre(ouvrir, live_server, devis):
    guichet = Guichet()
    gens: list[Personne] = []

    def entrer(compte, largeur=1280):
        gens.append(Personne(ouvrir(largeur=largeur), live_server.url, compte))
        return gens[-1]

    decrire(entrer(guichet.administrateur))
    version = VersionDispositif.objects.get()
    responsable = entrer(guichet.responsable)
    responsable.aller(version.get_absolute_url())
    essayer(responsable, guichet)
    responsable.cliquer("Publier")
    voter(responsable)

    directrice = entrer(guichet.direction, 375)
    demander(directrice, devis)
    demande = Demande.objects.get()

    president = entrer(guichet.president)
    president.cliquer("Lire et viser la demande d’aide")
    president.cliquer("Viser la demande")
    directrice.aller(demande.get_absolute_url())
    directrice.cliquer("Déposer la demande")
    directrice.cliquer("Déposer la demande")
    assert "Déposée, la Caf l’instruit" in directrice.lire()

    instruire(entrer(guichet.charge))
    secretariat = entrer(guichet.secretariat)
    decider(secretariat, guichet, demande)
    produire_les_lettres()
    directrice.aller(demande.get_absolute_url())
    assert "accordé" not in directrice.lire().lower()  # la décision ne se devine pas avant sa lettre
    assert "onvention" not in directrice.lire()
    lire_la_lettre(directrice)
    directrice.aller(demande.get_absolute_url())
    assert "Aide accordée : 4\u202f750,00\u00a0€" in directrice.lire()
    assert sum(D(ligne["montant"]) for ligne in DecisionAide.objects.get().explication) == D(4_750)
    for personne in gens:
        assert personne.fautes == []


def decrire(administrateur):
    """Un seul écran ; ce qui ne peut pas s’appliquer se dit près de son champ, et rien ne se perd."""
    page = administrateur.page
    administrateur.aller("/aides/dispositifs/nouveau/")
    page.fill("[name=nom]", "Cuisines partagées")
    page.fill("[name=resume]", "Ouvrir une cuisine aux habitants.")
    page.fill("[name=source]", "Délibération de démonstration")
    page.check("[name=types][value=centre_social]")
    page.check("[name=statuts][value=association]")
    page.uncheck("[name=condition_agrement]")
    page.uncheck("[name=condition_engagement_republicain]")
    page.check("[name=condition_non_commence]")
    page.select_option("[name=mode]", "parts")
    page.fill("[name=plafond]", "5 000")
    page.fill("[name=parts-0-libelle]", "Socle")
    page.select_option("[name=parts-0-critere]", "fixe")
    page.fill("[name=parts-0-montant]", "4000")
    page.fill("[name=parts-1-libelle]", "Familles")
    page.select_option("[name=parts-1-critere]", "question")
    page.fill("[name=parts-1-montant]", "50")
    page.fill("[name=parts-1-tranche]", "0")
    page.select_option("[name=parts-1-question]", "question_1")
    page.fill("[name=questions-0-libelle]", "Combien de familles ?")
    page.select_option("[name=questions-0-nature]", "entier")
    page.fill("[name=grille-0-libelle]", "Participation")
    page.fill("[name=grille-0-points]", "10")
    page.click("#liste-grille button:has-text('Ajouter une ligne')")
    page.fill("[name=grille-2-libelle]", "Maturité")
    page.fill("[name=grille-2-points]", "5")
    administrateur.cliquer("Garder le brouillon")
    assert "« Familles » divise par zéro" in administrateur.lire()
    assert page.input_value("[name=parts-0-libelle]") == "Socle"
    page.fill("[name=parts-1-tranche]", "2")
    administrateur.cliquer("Garder le brouillon")
    assert "un collègue le vérifie et le publie" in administrateur.lire()
    assert page.locator("button:has-text('Publier')").count() == 0


def essayer(responsable, guichet):
    page = responsable.page
    page.select_option("[name=structure]", str(guichet.structure.pk))
    responsable.cliquer("Calculer")
    assert "la donnée qui la calcule n’est pas connue" in responsable.lire()


def voter(responsable):
    page = responsable.page
    responsable.aller("/aides/enveloppes/nouvelle/")
    page.select_option("[name=dispositif]", str(Dispositif.objects.get().pk))
    page.fill("[name=exercice]", str(EXERCICE))
    page.fill("[name=montant]", "20 000")
    page.fill("[name=motif]", "CA du 12 mars")
    responsable.cliquer("Ouvrir")
    assert "20\u202f000,00" in responsable.lire()


def demander(directrice, devis):
    page = directrice.page
    directrice.aller("/aides/")
    directrice.cliquer("Voir et demander")
    page.fill("[name=intitule]", "La cuisine du Lac")
    directrice.cliquer("Ouvrir la demande")
    remplir_le_projet(directrice)
    page.fill("[name=question_1]", "30")
    directrice.cliquer("Enregistrer et continuer")
    remplir_les_resultats(directrice)
    page.fill("[name=dnouvelle-libelle]", "Four et frigo")
    page.fill("[name=dnouvelle-montant_ht]", "9000")
    page.fill("[name=dnouvelle-montant_ttc]", "8000")
    directrice.cliquer("Ajouter la dépense")
    assert "plus petit que le montant HT" in directrice.lire()
    assert page.input_value("[name=dnouvelle-libelle]") == "Four et frigo"
    page.fill("[name=dnouvelle-montant_ttc]", "10800")
    directrice.cliquer("Ajouter la dépense")
    page.set_input_files("input[type=file]", devis)
    page.wait_for_selector("main a:has-text('devis.pdf')")
    directrice.regarder()
    directrice.cliquer("Continuer")
    page.fill("[name=montant]", "4750")
    page.click("main button:has-text('Enregistrer') >> nth=0")
    page.wait_for_load_state()
    assert "4\u202f750,00" in directrice.lire()
    page.fill("[name=fnouvelle-financeur]", "Fonds propres")
    page.fill("[name=fnouvelle-montant]", "6050")
    directrice.cliquer("Ajouter au plan")
    assert "Le plan est équilibré." in directrice.lire()
    directrice.cliquer("Continuer")
    directrice.cliquer("Demander le visa")
    assert "En attente du visa" in directrice.lire()


def remplir_le_projet(directrice):
    page = directrice.page
    page.click("main ul.taches a:has-text('Le projet')")
    page.wait_for_load_state()
    for champ in ("description", "objectifs"):
        page.locator(f"#champ-{champ}-riche").click()
        page.keyboard.type("Une cuisine ouverte aux habitants.")
    page.fill("[name=public]", "Trente familles")
    page.fill("[name=debut]", (AUJOURD_HUI + timedelta(days=60)).isoformat())
    page.fill("[name=fin]", (AUJOURD_HUI + timedelta(days=90)).isoformat())
    page.select_option("[name=deja_commence]", "non")
    page.wait_for_selector("[data-barre-sauvegarde][data-statut=enregistre]")
    directrice.regarder()
    directrice.cliquer("Enregistrer et continuer")


def remplir_les_resultats(directrice):
    page = directrice.page
    page.click("main button:has-text('Ajouter une ligne')")
    cases = page.locator("main table input")
    cases.nth(0).fill("Familles accueillies")
    cases.nth(1).fill("30")
    page.wait_for_selector("[data-barre-sauvegarde][data-statut=enregistre]")
    directrice.cliquer("Enregistrer et continuer")


def instruire(charge):
    page = charge.page
    charge.cliquer("Instruire la demande d’aide")
    assert "Déclaré non commencé" in charge.lire()
    page.check("[name=sens][value=favorable]")
    page.fill("[name=note_0]", "11")
    page.fill("[name=note_1]", "4")
    page.fill("[name=motivation]", "Le projet répond au diagnostic.")
    charge.cliquer("Rendre l’avis")
    assert page.input_value("[name=motivation]") == "Le projet répond au diagnostic."
    page.fill("[name=note_0]", "8")
    page.fill("[name=note_1]", "4")
    charge.cliquer("Rendre l’avis")
    assert "Votre avis est rendu" in charge.lire()
    avis = AvisAide.objects.get()
    assert (avis.montant, avis.points) == (D(4_750), (12, 15))


def test_un_scenario_se_modifie_sur_place_et_le_reste_bouge_sans_recharger(ouvrir, live_server):
    guichet = Guichet()
    version = guichet.dispositif(avec_depenses=False, avec_plan=False, mode="forfait", forfait=D(1_000), bilan_mois=0)
    enveloppe = guichet.voter(version, 1_500)
    une, deux = (guichet.mener(version, Etat.INSTRUITE, montant=1_000) for _ in range(2))
    responsable = Personne(ouvrir(), live_server.url, guichet.responsable)
    page = responsable.page
    responsable.aller(enveloppe.get_absolute_url())
    responsable.cliquer("Essayer une répartition")
    page.fill("[name=nom]", "Sept cents")
    responsable.cliquer("Ouvrir le scénario")
    assert "500,00\u00a0€ de trop" in responsable.lire()
    assert page.locator("button:has-text('Retenir ce scénario')").count() == 0
    adresse = page.url
    for demande, montant, reste in ((une, "700", "200,00"), (deux, "800", "il reste 0,00")):
        page.fill(f"[name=montant-{demande.pk}]", montant)
        page.locator(f"[name=montant-{demande.pk}]").blur()
        page.wait_for_selector(f"#repartition [role=status]:has-text('{reste}')")
    page.fill(f"[name=montant-{une.pk}]", "701")
    page.locator(f"[name=montant-{une.pk}]").blur()
    page.wait_for_selector("p.erreur:has-text('Il ne reste que')")
    assert page.url == adresse
    responsable.regarder()
    page.fill(f"[name=montant-{une.pk}]", "600")
    page.locator(f"[name=montant-{une.pk}]").blur()
    page.wait_for_selector("#repartition [role=status]:has-text('il reste 100,00')")
    responsable.cliquer("Retenir ce scénario")
    une.refresh_from_db()
    assert une.montant_propose == D(600)
    assert responsable.fautes == []


def decider(secretariat, guichet, demande):
    """Sur la page de séance commune : l’aide est un point comme un autre."""
    page = secretariat.page
    seance = guichet.seance()
    secretariat.aller(seance.get_absolute_url())
    page.check(f"[name=sujets][value=aide-{demande.pk}]")
    secretariat.cliquer("Inscrire à l’ordre du jour")
    passage = seance.passages.get()
    page.select_option(f"[name=p{passage.pk}-sens]", "refuse")
    secretariat.cliquer("Relire la décision")
    assert "Un refus ou un ajournement est motivé" in secretariat.lire()
    page.select_option(f"[name=p{passage.pk}-sens]", "accorde")
    secretariat.cliquer("Relire la décision")
    assert "Relire avant de notifier" in secretariat.lire()
    secretariat.cliquer("Confirmer et notifier")
    assert "La décision est enregistrée" in secretariat.lire()
    secretariat.cliquer("Clore la séance")
    assert "close le" in secretariat.lire()


def test_le_fla_refuse_faute_de_senacs_puis_accorde_apres_la_contribution(ouvrir, live_server):
    guichet = Guichet()
    theatre = Theatre()
    theatre.structure, theatre.direction, theatre.president = guichet.structure, guichet.direction, guichet.president
    version = next(
        v
        for v in livres.charger_les_dispositifs(EXERCICE, par=guichet.administrateur)
        if v.dispositif.code == "fla-avs"
    )
    conditions = [c for c in version.conditions if c["nature"] != "agrement"]
    dispositifs.corriger(version, par=guichet.administrateur, conditions=conditions)
    dispositifs.publier(version, par=guichet.responsable)
    guichet.voter(version)
    senacs.regler(
        annee=EXERCICE, ouverture=AUJOURD_HUI - timedelta(days=20), limite=AUJOURD_HUI + timedelta(days=20),
        source="courrier", par=guichet.responsable,
    )  # fmt: skip
    directrice = Personne(ouvrir(), live_server.url, guichet.direction)
    directrice.aller("/aides/")
    directrice.cliquer("Voir et demander")
    assert f"Aucune contribution à Senacs {EXERCICE} n’est enregistrée" in directrice.lire()
    assert directrice.page.locator("main a:has-text('dites-le dans votre relevé Senacs')").count() == 1

    demande = guichet.mener(version, Etat.DEPOSEE, montant=4_400)
    charge = Personne(ouvrir(), live_server.url, guichet.charge)
    charge.aller(f"/aides/{demande.pk}/instruire/")
    rendre_l_avis(charge, "favorable")
    assert "Un avis favorable demande toutes les conditions" in charge.lire()
    rendre_l_avis(charge, "defavorable")
    guichet.decider(guichet.inscrire(demande), sens="refuse", motivation="Senacs n’est pas contribué.")
    produire_les_lettres()
    directrice.aller(f"/aides/{demande.pk}/")
    lire_la_lettre(directrice)

    contribution = Contribution.objects.get(structure=guichet.structure)
    directrice.aller(contribution.get_absolute_url())
    directrice.page.fill("[name=benevoles]", "40")
    directrice.cliquer("Garder mes réponses")
    directrice.cliquer("Dire que l’enquête est répondue")
    directrice.page.fill("[name=le]", AUJOURD_HUI.isoformat())
    directrice.cliquer("Enregistrer")
    assert "Joignez l’accusé de senacs.fr" in directrice.lire()
    directrice.page.fill("[name=reference]", "SENACS-118")
    directrice.cliquer("Enregistrer")
    assert "Contribuée" in directrice.lire()

    directrice.aller(f"/aides/{demande.pk}/")
    directrice.cliquer("Reprendre cette demande pour une nouvelle")
    directrice.page.fill("[name=intitule]", "FLA, seconde demande")
    directrice.cliquer("Ouvrir la demande")
    accordee = guichet.finir(Demande.objects.get(precedente=demande), Etat.ACCORDEE, montant=4_400)
    assert (accordee.montant_accorde, DecisionAide.objects.first().sens) == (D(4_120), "accorde")
    for personne in (directrice, charge):
        assert personne.fautes == []


def lire_la_lettre(personne):
    with personne.page.expect_response(lambda r: "/actes/" in r.url) as reponse:
        personne.page.click("main button:has-text('Lire la décision')")
    assert reponse.value.headers["content-type"] == "application/pdf"


def rendre_l_avis(charge, sens):
    page = charge.page
    page.check(f"[name=sens][value={sens}]")
    for note in page.locator("[name^=note_]").all():
        note.fill("5")
    page.fill("[name=motivation]", "Au vu des pièces.")
    charge.cliquer("Rendre l’avis")


def test_un_pret_de_la_demande_a_la_troisieme_echeance_puis_rembourse(ouvrir, live_server, devis):
    guichet = Guichet()
    version = guichet.pret(pret_taux=D("1.2"))
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    produire_les_lettres()
    president = Personne(ouvrir(), live_server.url, guichet.president)
    president.aller(f"/aides/{demande.pk}/")
    lire_la_lettre(president)
    responsable = Personne(ouvrir(), live_server.url, guichet.responsable)
    for signataire in (president, responsable):
        signataire.aller(f"/aides/{demande.pk}/argent/")
        signataire.cliquer("Déposer l’exemplaire signé")
        signataire.page.set_input_files("[name=fichier]", devis)
        signataire.cliquer("Déposer")
    technicien = Personne(ouvrir(), live_server.url, guichet.technicien)
    technicien.cliquer("Enregistrer le mandat d’un prêt")
    page = technicien.page
    page.fill("[name=mandat]", "RUM-2026-1")
    page.fill("[name=signe_le]", AUJOURD_HUI.isoformat())
    page.fill("[name=premiere_echeance]", AUJOURD_HUI.isoformat())
    technicien.cliquer("Enregistrer")
    assert "La première échéance est à venir." in technicien.lire()
    page.fill("[name=premiere_echeance]", (AUJOURD_HUI + timedelta(days=1)).isoformat())
    technicien.cliquer("Enregistrer")
    technicien.aller(f"/aides/{demande.pk}/argent/")
    technicien.cliquer("Proposer ce versement")
    payer(guichet, demande.structure.paiements.get())

    pret = Pret.objects.get()
    for rang in (1, 2, 3):
        echoir(pret, rang)
        technicien.aller("/aides/prets/")
        technicien.cliquer("Prélever les échéances dues")
        technicien.cliquer("Faire partir l’ordre")
        technicien.aller(f"/aides/{demande.pk}/pret/")
        technicien.cliquer("Constater")
        technicien.cliquer("Constater")
    president.aller(f"/aides/{demande.pk}/pret/")
    assert president.page.locator(".etat:has-text('Payée')").count() == 3

    technicien.cliquer("Enregistrer un remboursement anticipé")
    page.fill("[name=capital]", "99 999")
    technicien.cliquer("Enregistrer")
    assert "de capital : écrivez un montant jusque-là." in technicien.lire()
    reste = prets.capital_restant(pret)
    page.fill("[name=capital]", str(reste).replace(".", ","))
    technicien.cliquer("Enregistrer")
    pret.refresh_from_db()
    assert (pret.etat, prets.capital_restant(pret)) == ("solde", 0)
    assert versements.etudier(Demande.objects.pour_fiche().get()).paye == D(8_000)
    for personne in (president, responsable, technicien):
        assert personne.fautes == []
