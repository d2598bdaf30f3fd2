"""L’argent d’un exercice, dans un vrai navigateur : du barème publié à deux à la lettre dont les lignes font le montant."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.utils import timezone

from financements import revision
from financements.actions import paiements
from financements.choix import EtatDeclaration, EtatRecalcul, TypeDeclaration
from financements.etude import etudier
from financements.models import Bareme, Declaration, LigneRecalcul, Paiement, Recalcul
from tests.fabriques.financements import EXERCICE, Caisse
from tests.parcours.personne import Personne, produire_les_lettres

pytestmark = pytest.mark.django_db(transaction=True)

ENTETE = (
    "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\t"
    "PieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise"
)


def fec(*ecritures: tuple[str, str, str, str]) -> bytes:
    """Des écritures de l’exercice : compte, libellé, débit, crédit."""
    jour = f"{EXERCICE}0331"
    lignes = [
        f"OD\tDivers\t1\t{jour}\t{compte}\t{libelle}\t\t\tP1\t{jour}\tEcriture\t{debit}\t{credit}\t\t\t{jour}\t\t"
        for compte, libelle, debit, credit in ecritures
    ]
    return "\r\n".join([ENTETE, *lignes]).encode("cp1252")


COMPTES = fec(
    ("606000", "Achats", "60000,00", "0,00"),
    ("641000", "Salaires", "240000,00", "0,00"),
    ("744000", "Subvention communale", "0,00", "300000,00"),
)


@pytest.fixture
def caisse():
    return Caisse()


@pytest.mark.parametrize("largeur", [1280, 375], ids=["bureau", "telephone"])
def test_un_exercice_du_bareme_a_la_lettre_expliquee(caisse, ouvrir, live_server, tmp_path, largeur):
    def entrer(compte):
        return Personne(ouvrir(largeur=largeur), live_server.url, compte)

    administrateur, responsable = entrer(caisse.administrateur), entrer(caisse.responsable)
    publier_a_deux(administrateur, responsable)
    caisse.bareme("acf")
    caisse.campagne()

    directrice = entrer(caisse.direction)
    importer_les_comptes(directrice, tmp_path)
    declaration = Declaration.objects.get()
    assert declaration.saisies.get(champ="64.pilotage").nombre == Decimal("96000.00")
    completer(directrice, declaration)

    president = entrer(caisse.president)
    president.cliquer("Lire et viser la déclaration")
    president.cliquer("Lire et viser")
    president.cliquer("Je vise cette déclaration")
    directrice.aller("/espace/")
    directrice.cliquer("Déposer la déclaration visée")
    directrice.page.click("main a:has-text('Déposer')")
    directrice.page.wait_for_load_state()
    directrice.cliquer("Déposer la déclaration")

    technicien = entrer(caisse.technicien)
    corriger_puis_valider(technicien, directrice, declaration)
    # pilotage 120 000 + logistique 30 000 × 120 000 ÷ 270 000, à 42,4 %
    assert caisse.courante().montant == Decimal("56533.33")

    payer_l_acompte(technicien, entrer(caisse.collegue), caisse, tmp_path)
    alerter_avant_l_indu(directrice, caisse)
    solder(technicien, caisse)
    recalculer(responsable, caisse)
    lire_la_lettre(directrice, caisse)

    for personne in (administrateur, responsable, directrice, president, technicien):
        assert personne.fautes == []


def publier_a_deux(administrateur, responsable):
    """Qui saisit le barème ne le publie pas : le bouton n’est pas là, la raison l’est."""
    administrateur.aller(f"/baremes/nouveau/?prestation=agc&exercice={EXERCICE}")
    page = administrateur.page
    page.fill("[name=taux]", "42,4")
    page.fill("[name=prix_plafond]", "-5")
    page.check("[name=postes][value=pilotage]")
    page.check("[name=quote_part]")
    page.fill("[name=effet_le]", timezone.localdate().isoformat())
    page.fill("[name=source]", "Délibération de démonstration")
    administrateur.cliquer("Garder le brouillon")
    assert "Écrivez un montant positif." in administrateur.lire()
    page.fill("[name=prix_plafond]", "180 000,00")
    administrateur.cliquer("Garder le brouillon")
    assert "Vous avez saisi ce barème" in administrateur.lire()
    assert page.locator("button:has-text('Publier')").count() == 0
    responsable.aller(f"/baremes/{Bareme.objects.get().pk}/")
    responsable.cliquer("Publier ce barème")
    assert "Publié" in responsable.lire()


def importer_les_comptes(directrice, dossier):
    """Un fichier déséquilibré se dit et ne perd rien ; le bon se rattache, se montre, puis s’applique."""
    directrice.aller("/mes-financements/")
    directrice.cliquer("Commencer")
    directrice.cliquer("Importer mes comptes")
    page = directrice.page
    faux = dossier / "faux.txt"
    faux.write_bytes(fec(("606000", "Achats", "10,00", "0,00"), ("744000", "Subvention", "0,00", "9,00")))
    page.set_input_files("[name=fichier]", str(faux))
    directrice.cliquer("Lire le fichier")
    assert "à corriger dans le fichier" in directrice.lire()
    bon = dossier / f"123456789FEC{EXERCICE}1231.txt"
    bon.write_bytes(COMPTES)
    page.set_input_files("[name=fichier]", str(bon))
    directrice.cliquer("Envoyer un autre fichier")
    assert "606000 Achats" in directrice.lire()
    for rang in (0, 1):
        for fonction, part in (("pilotage", "40"), ("activites", "50"), ("logistique", "5" if rang else "10")):
            page.fill(f"[name=r{rang}-{fonction}]", part)
    directrice.cliquer("Garder cette clé")
    assert "95 %" in directrice.lire()  # la seconde ligne ne fait pas 100 %, la première est gardée
    page.fill("[name=r1-logistique]", "10")
    directrice.cliquer("Garder cette clé")
    directrice.cliquer("Remplir la déclaration")


def completer(directrice, declaration):
    """Au clavier : chaque case se garde seule, les totaux suivent, l’écart se dit."""
    page = directrice.page

    def saisir(champ, valeur):
        page.fill(f"[id='c-{champ}']", valeur)
        page.press(f"[id='c-{champ}']", "Tab")
        page.wait_for_selector(f"[id='s-{champ}'][data-statut=enregistre]", state="attached")

    saisir("64.referent", "30 000")
    saisir("activite.etp_direction", "1")
    saisir("activite.etp_referent", "0,6")
    saisir("70", "100")
    assert "les produits dépassent les charges de 100,00" in page.inner_text("[data-phrase]").replace("\u202f", " ")
    directrice.aller(f"/declarations/{declaration.pk}/verifier/")
    assert "n’est pas équilibré" in directrice.lire()
    directrice.aller(f"/declarations/{declaration.pk}/")
    saisir("70", "")
    directrice.cliquer("Vérifier et faire viser")
    directrice.cliquer("Demander le visa")


def corriger_puis_valider(technicien, directrice, declaration):
    technicien.cliquer("Contrôler la déclaration")
    technicien.cliquer("Contrôler ligne par ligne")
    technicien.page.fill("[name=remarque-60]", "Joignez le détail des achats.")
    technicien.cliquer("Demander ces corrections")
    directrice.aller(f"/declarations/{declaration.pk}/")
    assert "Joignez le détail" in directrice.lire()
    assert directrice.page.locator("[id='c-64.pilotage']").count() == 0
    assert directrice.page.locator("[id='c-60.pilotage']").count() == 1
    directrice.cliquer("Vérifier et renvoyer")
    directrice.cliquer("Renvoyer mes corrections")
    technicien.aller(f"/declarations/{declaration.pk}/")
    technicien.cliquer("Valider et calculer le droit")
    technicien.cliquer("Valider et calculer le droit")
    declaration.refresh_from_db()
    assert declaration.etat == EtatDeclaration.VALIDEE


def payer_l_acompte(technicien, collegue, caisse, dossier):
    technicien.aller(f"/droits/{caisse.droit().pk}/")
    technicien.cliquer("Proposer")
    technicien.aller("/paiements/")
    assert technicien.page.locator("[name=paiement]").count() == 0  # qui propose ne valide pas
    collegue.aller("/paiements/")
    collegue.page.check("[name=paiement]")
    collegue.cliquer("Valider les paiements cochés")
    technicien.aller("/lots/nouveau/")
    technicien.page.fill("[name=execution_le]", timezone.localdate().isoformat())
    technicien.cliquer("Ordonnancer les paiements cochés")
    assert "Télécharger l’ordre" in technicien.lire()
    paiement = Paiement.objects.get()
    retour = dossier / "retour.csv"
    retour.write_text(f"reference;etat;motif;date\n{paiement.reference};paye;;{timezone.localdate()}\n")
    technicien.aller("/lots/")
    technicien.page.set_input_files("[name=fichier]", str(retour))
    technicien.cliquer("Lire le retour")
    assert "1 payé," in technicien.lire()
    assert collegue.fautes == []


def alerter_avant_l_indu(directrice, caisse):
    second = paiements.proposer(caisse.droit(), nature="acompte_2", par=caisse.technicien)
    assert second.montant == Decimal("19786.66")
    caisse.declarer(TypeDeclaration.ACTUALISE_JUIN, echelle="0.3")
    directrice.aller(f"/mes-financements/?exercice={EXERCICE}")
    texte = directrice.lire()
    assert "de plus que votre droit estimé" in texte
    assert "fraude" not in texte.lower()


def solder(technicien, caisse):
    caisse.declarer(TypeDeclaration.REEL, echelle="1.2")
    technicien.aller(f"/droits/{caisse.droit().pk}/")
    assert "Solde" in technicien.lire()
    technicien.cliquer("Proposer")
    assert etudier(caisse.droit()).suite.propositions == ()


def recalculer(responsable, caisse):
    """Le barème remplacé ouvre une simulation ; la barre avance ; le responsable approuve."""
    caisse.bareme("agc", prix_plafond=Decimal(200_000), motif="Rectificatif.", effet_le=timezone.localdate())
    recalcul = Recalcul.objects.get()
    LigneRecalcul.objects.all().delete()
    Recalcul.objects.update(etat=EtatRecalcul.EN_SIMULATION, fait=1, total=2)
    responsable.aller(f"/recalculs/{recalcul.pk}/")
    assert responsable.page.get_attribute("#barre-recalcul", "value") == "50"
    revision.avancer(recalcul.pk)
    responsable.page.wait_for_selector("main a:has-text('Lire le rapport')")
    responsable.cliquer("Lire le rapport")
    responsable.cliquer("Approuver et appliquer")
    assert "Appliqué" in responsable.lire()


def montants(texte: str) -> list[Decimal]:
    return [
        Decimal(re.sub(r"[\s\u202f\u00a0€]", "", m).replace(",", ".").replace("−", "-"))
        for m in re.findall(r"−?[\d\u202f]+,\d\d\u00a0€", texte)
    ]


def lire_la_lettre(directrice, caisse):
    produire_les_lettres()
    directrice.aller(f"/mes-financements/?exercice={EXERCICE}")
    assert "Révision de votre prestation" in directrice.lire()
    with directrice.page.expect_request(re.compile("/actes/")) as demande:
        directrice.page.evaluate(
            "fetch([...document.querySelectorAll('a')].find(a => a.textContent.includes('Révision')).href)"
        )
    assert demande.value.response().headers["content-type"] == "application/pdf"
    directrice.aller(f"/droits/{caisse.droit().pk}/")
    lignes = directrice.page.locator("table.explication tbody td.nombre").all_inner_texts()
    total = directrice.page.inner_text("table.explication tfoot td.nombre")
    assert sum(m for ligne in lignes for m in montants(ligne)) == montants(total)[0] == caisse.courante().montant
