"""La file d’un appareil, poussée à bout : réponses perdues, onglets concurrents, rangs manquants, refus, ancienne garde."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.db import connection

from controles.actions import contradictoire
from controles.cles import cle_de
from controles.models import Controle, OperationVisite, SaisieVisite
from tests.parcours.tablette import Tablette

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tablette(chromium, live_server, tmp_path, bureau, controle):
    """Une tablette ouverte sur la fiche."""
    une = Tablette(chromium, live_server.url, tmp_path / "profil", largeur=768, axe=False)
    une.prete(bureau.controleur)
    une.visiter(controle)
    yield une
    une.eteindre()
    assert une.fautes == []


def recues() -> dict[str, str]:
    return dict(SaisieVisite.objects.values_list("champ", "valeur"))


def test_une_reponse_perdue_ne_fait_pas_arriver_deux_fois(tablette, controle):
    """Le portail applique, la réponse se perd : l’appareil renvoie le même lot, et l’apprend sans le doubler."""
    tablette.attendues.append("ERR_FAILED")
    perdues = []

    def perdre(route) -> None:
        if len(perdues) < 2:
            perdues.append(json.loads(route.request.post_data))
            route.fetch()
            route.abort()
        else:
            route.continue_()

    tablette.contexte.route("**/operations/", perdre)
    tablette.ecrire("visite.notes", "Une fois")
    tablette.attendre(lambda: len(perdues) == 1)
    tablette.ecrire("visite.notes", "Une fois, puis la suite")
    tablette.ecrire("visite.signataire", "Camille")
    tablette.tout_envoye(secondes=30)
    assert len(perdues) == 2
    assert (
        perdues[0]["operations"][0] == perdues[1]["operations"][0]
    )  # ni le texte ni le rang d’une saisie partie ne changent
    assert recues() == {"visite.notes": "Une fois, puis la suite", "visite.signataire": "Camille"}
    operations = list(OperationVisite.objects.order_by("rang"))
    assert [o.rang for o in operations] == list(range(1, len(operations) + 1))
    assert {o.issue for o in operations} == {"appliquee"}


def test_ce_qui_se_retape_avant_de_partir_ne_fait_qu_une_operation(tablette):
    tablette.couper()
    for texte in ("A", "Ac", "Acc", "Accueil"):
        tablette.ecrire("visite.notes", texte)
        tablette.attendre_garde()
    tablette.ecrire("visite.signataire", "Camille")
    tablette.ecrire("visite.notes", "Accueil cordial")
    tablette.attendre_la_file("2 saisies à envoyer")
    tablette.attendre_garde()
    tablette.retablir()
    tablette.tout_envoye()
    assert list(OperationVisite.objects.order_by("rang").values_list("champ", "valeur")) == [
        ("visite.notes", "Accueil cordial"), ("visite.signataire", "Camille"),
    ]  # fmt: skip


def test_deux_onglets_du_meme_appareil_n_envoient_qu_une_fois_et_se_suivent(tablette, controle):
    autre = tablette.contexte.new_page()
    tablette.ecouter(autre)
    autre.goto(f"{tablette.racine}/controles/appareil/#visite/{controle.pk}")
    notes = autre.locator("[data-champ='visite.notes'] textarea")
    notes.wait_for()
    tablette.couper()
    tablette.ecrire("visite.notes", "Du premier onglet")
    tablette.attendre(lambda: notes.input_value() == "Du premier onglet")
    autre.fill("[data-champ='visite.signataire'] input", "Du second onglet")
    notes.fill("Du premier onglet, complété au second")
    tablette.attendre_la_file("2 saisies à envoyer")
    tablette.attendre_garde()
    tablette.retablir()
    tablette.tout_envoye()
    assert recues() == {
        "visite.notes": "Du premier onglet, complété au second",
        "visite.signataire": "Du second onglet",
    }
    operations = list(OperationVisite.objects.order_by("rang"))
    assert [o.rang for o in operations] == list(range(1, len(operations) + 1))
    assert len({o.appareil for o in operations}) == 1
    assert autre.locator(".conflit").count() == 0
    tablette.attendre(lambda: "Tout est envoyé" in autre.inner_text(".file-texte"))


def test_cent_vingt_saisies_partent_en_deux_lots_dans_l_ordre(tablette, controle):
    """Plus qu’un envoi n’en admet : le reste suit, et rien ne se mélange."""
    lots: list[int] = []
    tablette.contexte.on(
        "request",
        lambda r: r.url.endswith("/operations/") and lots.append(len(json.loads(r.post_data)["operations"])),
    )
    tablette.couper()
    points = list(controle.points.values_list("uid", flat=True))
    champs = [f"point.{uid}.{attribut}" for uid in points for attribut in ("faits", "recommandation")]
    champs += [f"libre.{uuid4()}.libelle" for _ in range(50)] + [f"point.{uuid4()}.faits" for _ in range(38)]
    tablette.page.evaluate(
        """async ([personne, controle, cle, champs]) => {
          const { Carnet } = await import("/static/js/visite/carnet.js");
          const { depuisBase64, importer } = await import("/static/js/visite/chiffre.js");
          const carnet = await Carnet.ouvrir(personne, await importer(depuisBase64(cle)));
          for (const champ of champs) await carnet.saisir(controle, champ, "x");
        }""",
        [controle.controleur_id, controle.pk, cle_de(controle.controleur), champs],
    )
    tablette.attendre_garde()
    tablette.retablir()
    tablette.attendre(lambda: OperationVisite.objects.count() == len(champs), secondes=30)
    assert lots[:2] == [100, len(champs) - 100]
    operations = list(OperationVisite.objects.order_by("rang"))
    assert [o.rang for o in operations] == list(range(1, len(operations) + 1))
    # celles d’un point inconnu sont refusées une à une ; les autres sont passées
    tablette.attendre(lambda: "38 saisies à envoyer" in tablette.file())
    assert sorted({o.issue for o in operations}) == ["appliquee", "refusee"]


def test_un_rang_que_le_portail_a_perdu_se_renvoie_depuis_l_appareil(tablette, controle):
    """Le portail, restauré d’une sauvegarde, attend une saisie déjà envoyée : l’appareil l’a encore."""
    tablette.attendues.append("status of 409")
    tablette.ecrire("visite.notes", "Première")
    tablette.tout_envoye()
    tablette.ecrire("visite.signataire", "Deuxième")
    tablette.tout_envoye()
    oublier_les_operations()
    tablette.ecrire("visite.refus_signature", "Troisième")
    tablette.tout_envoye()
    assert recues() == {
        "visite.notes": "Première",
        "visite.signataire": "Deuxième",
        "visite.refus_signature": "Troisième",
    }
    assert list(OperationVisite.objects.order_by("rang").values_list("rang", flat=True)) == [1, 2, 3]


def oublier_les_operations() -> None:
    with connection.cursor() as curseur:
        curseur.execute("TRUNCATE controles_operationvisite, controles_saisievisite")


def test_un_rang_perdu_des_deux_cotes_s_explique_et_se_renumerote(tablette, bureau):
    tablette.attendues.append("status of 409")
    tablette.ecrire("visite.notes", "Première")
    tablette.tout_envoye()
    oublier_les_operations()
    tablette.page.evaluate(
        """async (base) => {
          const o = indexedDB.open(base);
          const db = await new Promise((r) => (o.onsuccess = () => r(o.result)));
          const t = db.transaction("operations", "readwrite");
          t.objectStore("operations").clear();
          await new Promise((r) => (t.oncomplete = r));
          db.close();
        }""",
        f"visites-{bureau.controleur.pk}",
    )
    tablette.ecrire("visite.signataire", "Camille")
    tablette.page.wait_for_selector(".file-visites[data-statut=erreur]")
    tablette.page.click(".file-visites summary")
    assert "Il manque la saisie n° 1 de cet appareil" in tablette.page.inner_text(".file-detail")
    tablette.regarder("bloquee")
    tablette.page.click("button:has-text('Renuméroter et envoyer')")
    tablette.page.click("dialog button:has-text('Renuméroter')")
    tablette.tout_envoye()
    assert recues() == {"visite.signataire": "Camille"}


def test_une_saisie_refusee_se_dit_a_cote_de_son_champ_et_les_autres_passent(tablette, controle):
    """Le point a disparu de la fiche pendant la coupure : sa saisie est refusée, la suivante arrive."""
    tablette.couper()
    point = controle.points.get(code="pieces")
    tablette.cocher(f"point.{point.uid}.constat", "Conforme")
    tablette.ecrire("visite.notes", "Celle-ci passe")
    tablette.attendre_garde()
    point.delete()
    tablette.retablir()
    tablette.attendre(lambda: recues() == {"visite.notes": "Celle-ci passe"}, secondes=20)
    champ = tablette.champ(f"point.{point.uid}.constat")
    champ.locator(".erreur[role=alert]:has-text('Ce point n’est pas de ce contrôle.')").wait_for()
    assert champ.get_by_label("Conforme").is_checked()
    assert "1 saisie à envoyer" in tablette.file()


def test_un_controle_passe_au_rapport_refuse_la_file_sans_rien_effacer(tablette, bureau, controle):
    tablette.couper()
    for champ, texte in (
        ("visite.notes", "Trop tard"),
        ("visite.signataire", "Camille"),
        ("visite.refus_signature", "Partie"),
    ):
        tablette.ecrire(champ, texte)
    tablette.attendre_garde()
    contradictoire.emettre(bureau.visiter(Controle.objects.get(pk=controle.pk)), par=bureau.controleur)
    avant = recues()
    tablette.retablir()
    tablette.page.wait_for_selector(".file-visites[data-statut=erreur]")
    tablette.page.click(".file-visites summary")
    tablette.page.wait_for_selector(".file-detail :text('Vos saisies restent sur cet appareil.')")
    assert "3 saisies à envoyer" in tablette.file()
    assert recues() == avant
    tablette.regarder("refusee")


def test_un_jeton_perime_se_remplace_une_fois_et_l_envoi_continue(tablette, controle):
    tablette.attendues.append("status of 403")
    tablette.contexte.clear_cookies(name="csrftoken")
    tablette.ecrire("visite.notes", "Avec un jeton neuf")
    tablette.tout_envoye()
    assert recues() == {"visite.notes": "Avec un jeton neuf"}


def test_passe_le_delai_de_garde_la_visite_s_efface_sauf_ce_qui_n_est_pas_parti(tablette, bureau, controle):
    tablette.ecrire("visite.signataire", "Déjà sur le portail")
    tablette.tout_envoye()
    tablette.couper()
    tablette.ecrire("visite.notes", "Jamais partie")
    tablette.attendre_garde()
    tablette.page.evaluate(
        """async (base) => {
          const o = indexedDB.open(base);
          const db = await new Promise((r) => (o.onsuccess = () => r(o.result)));
          const t = db.transaction("visites", "readwrite");
          const v = await new Promise((r) => (t.objectStore("visites").getAll().onsuccess = (e) => r(e.target.result)));
          for (const une of v) t.objectStore("visites").put({ ...une, recue_le: une.recue_le - 8 * 86400000 });
          await new Promise((r) => (t.oncomplete = r));
          db.close();
        }""",
        f"visites-{bureau.controleur.pk}",
    )
    tablette.ouvrir_l_application()
    tablette.page.reload()
    tablette.taper_le_code()
    tablette.page.wait_for_selector("text=s’est effacée de cet appareil, passé le délai de garde")
    assert controle.structure.nom not in tablette.page.inner_text("main")
    assert "1 saisie à envoyer" in tablette.file()
    tablette.regarder("effacee")
    tablette.retablir()
    tablette.tout_envoye()
    assert recues() == {"visite.signataire": "Déjà sur le portail", "visite.notes": "Jamais partie"}


def test_le_calcul_des_montants_est_exact_dans_le_navigateur(tablette):
    rendus = tablette.page.evaluate(
        """async () => {
          const m = await import("/static/js/visite/montants.js");
          const lire = (t) => { try { return m.enPoint(m.lireMontant(t)); } catch (e) { return e.message; } };
          return [
            lire("1\\u202f234,5"), lire("0,1"), lire("999999999,99"), lire("1234.50 €"), lire("12,345"), lire("-3"), lire("abc"),
            m.enClair(m.lireMontant("1234567,8")), m.enClair(-5n), m.direDifference(30n, 10n, "€"), m.direDifference(10n, 10n, "€"),
            m.direDifference(750n, 800n, "ETP"),
          ];
        }"""
    )
    assert rendus == [
        "1234.50", "0.10", "999999999.99", "1234.50", "Écrivez 2 chiffres au plus après la virgule.",
        "Écrivez un montant positif.", "Écrivez un montant, par exemple 1 234,50.",
        "1\u202f234\u202f567,80", "−0,05", "Différence : 0,20\u00a0€ (0,20\u00a0€ de plus que le déclaré).",
        "Aucune différence avec le déclaré.", "Différence : −0,50\u00a0ETP (0,50\u00a0ETP de moins que le déclaré).",
    ]  # fmt: skip


def test_le_service_ne_garde_ni_donnee_ni_page_du_portail(tablette):
    tablette.page.goto(tablette.racine + "/controles/")
    tablette.ouvrir_l_application()
    tablette.page.wait_for_selector("h1:has-text('Mes visites de la semaine')")
    gardees = tablette.page.evaluate(
        """async () => {
          const rendu = [];
          for (const nom of await caches.keys()) for (const r of await (await caches.open(nom)).keys()) rendu.push(new URL(r.url).pathname);
          return rendu;
        }"""
    )
    assert [a for a in gardees if not a.startswith("/static/")] == ["/controles/appareil/"]
    assert len(gardees) > 25


def test_une_frappe_est_dans_le_coffre_en_moins_d_une_seconde(tablette, bureau):
    """Du premier signe à l’écriture durable, batterie morte comprise : la promesse est une seconde."""
    tablette.couper()
    duree = tablette.page.evaluate(
        """async (base) => {
          const ouvrir = indexedDB.open(base);
          const db = await new Promise((r) => (ouvrir.onsuccess = () => r(ouvrir.result)));
          const compter = () => new Promise((r) => {
            const demande = db.transaction("operations").objectStore("operations").count();
            demande.onsuccess = () => r(demande.result);
          });
          const notes = document.querySelector("[data-champ='visite.notes'] textarea");
          const depart = performance.now();
          notes.value = "x".repeat(4000);
          notes.dispatchEvent(new Event("input"));
          while (!(await compter())) await new Promise((r) => setTimeout(r, 5));
          db.close();
          return performance.now() - depart;
        }""",
        f"visites-{bureau.controleur.pk}",
    )
    assert duree < 1000


def test_sans_reseau_on_verrouille_faute_de_pouvoir_se_deconnecter(tablette, controle):
    tablette.couper()
    tablette.ecrire("visite.notes", "Reste ici")
    tablette.page.click("button:has-text('Se déconnecter')")
    question = tablette.page.locator("dialog.question")
    question.wait_for()
    assert "Le portail ne peut pas vous déconnecter sans réseau." in question.inner_text()
    tablette.regarder("sortie-hors-ligne")
    question.get_by_role("button", name="Verrouiller").click()
    tablette.page.wait_for_selector("h1:has-text('Ouvrir mes visites')")
    assert controle.structure.nom not in tablette.page.content()
    tablette.taper_le_code()
    tablette.champ("visite.notes").wait_for()
    assert tablette.champ("visite.notes").locator("textarea").input_value() == "Reste ici"
