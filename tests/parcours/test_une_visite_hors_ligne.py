"""Une visite dans un sous-sol, dans un vrai navigateur : coupée, tuée, rallumée, renvoyée ; rien ne se perd ni ne double."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from controles.models import OperationVisite, PhotoControle, PointControle, SaisieVisite
from tests.fabriques.controles import image
from tests.parcours.tablette import Tablette, finir_les_sessions

pytestmark = pytest.mark.django_db(transaction=True)


def vingt_saisies(tablette: Tablette, controle) -> dict[str, str]:
    """Ce que fait un contrôleur : l’heure, les pièces, les constats, les montants, un constat ajouté, ses notes, les noms."""
    points = {p.code: str(p.uid) for p in controle.points.all()}
    pieces = list(controle.pieces_demandees.values_list("pk", flat=True))
    salaires = str(controle.points.get(champ="64.pilotage").uid)
    page = tablette.page
    attendues = {
        "visite.arrivee": "2026-12-01T09:05",
        "visite.depart": "2026-12-01T12:30",
        f"piece.{pieces[0]}": "vue",
        f"piece.{pieces[1]}": "absente",
        f"point.{points['neutralite']}.constat": "manquement",
        f"point.{points['neutralite']}.faits": "La charte n’est pas affichée.\nNi à l’accueil, ni à l’étage.",
        f"point.{points['neutralite']}.recommandation": "L’afficher à l’entrée.",
        f"point.{points['pieces']}.constat": "conforme",
        f"point.{salaires}.releve": "81234.50",
        f"point.{salaires}.constat": "ecart",
        f"point.{salaires}.faits": "Un salaire relève des activités.",
        "visite.notes": "Accueil cordial, cave humide.",
        "visite.signataire": "Dominique Exemple, trésorière",
    }
    tablette.ecrire("visite.arrivee", attendues["visite.arrivee"])
    tablette.ecrire("visite.depart", attendues["visite.depart"])
    tablette.cocher(f"piece.{pieces[0]}", "Vue")
    tablette.cocher(f"piece.{pieces[1]}", "Absente")
    tablette.cocher(f"point.{points['neutralite']}.constat", "Manquement")
    tablette.ecrire(f"point.{points['neutralite']}.faits", attendues[f"point.{points['neutralite']}.faits"])
    tablette.ecrire(f"point.{points['neutralite']}.recommandation", "L’afficher à l’entrée.")
    tablette.cocher(f"point.{points['pieces']}.constat", "Conforme")
    tablette.ecrire(f"point.{salaires}.releve", "81 234,5")
    assert "Différence : −10\u202f765,50\u00a0€ (10\u202f765,50\u00a0€ de moins que le déclaré)." in page.inner_text(
        f"#point-{salaires}"
    )
    tablette.cocher(f"point.{salaires}.constat", "Écart")
    tablette.ecrire(f"point.{salaires}.faits", attendues[f"point.{salaires}.faits"])
    page.fill("label:has-text('Ajouter un constat') ~ .heure input", "Extincteur périmé")
    page.click("button:has-text('Ajouter')")
    libre = page.locator("#section-points-5 .point, .section-visite .point").filter(has_text="Extincteur périmé").last
    uid = libre.get_attribute("id").removeprefix("point-")
    attendues[f"libre.{uid}.libelle"] = "Extincteur périmé depuis deux ans"
    tablette.ecrire(f"libre.{uid}.libelle", attendues[f"libre.{uid}.libelle"])
    for attribut, valeur in (
        ("constat", "observation"),
        ("faits", "Date limite : 2024."),
        ("recommandation", "Le remplacer."),
    ):
        attendues[f"point.{uid}.{attribut}"] = valeur
    tablette.cocher(f"point.{uid}.constat", "Observation")
    tablette.ecrire(f"point.{uid}.faits", "Date limite : 2024.")
    tablette.ecrire(f"point.{uid}.recommandation", "Le remplacer.")
    tablette.ecrire("visite.notes", attendues["visite.notes"])
    tablette.ecrire("visite.signataire", attendues["visite.signataire"])
    for partie in ("structure", "controleur"):
        signer(tablette, f"visite.signature_{partie}")
        attendues[f"visite.signature_{partie}"] = ""
    return attendues


def signer(tablette: Tablette, champ: str) -> None:
    dessin = tablette.champ(champ).locator("svg")
    dessin.scroll_into_view_if_needed()
    cadre = dessin.bounding_box()
    souris = tablette.page.mouse
    souris.move(cadre["x"] + 40, cadre["y"] + 60)
    souris.down()
    for pas in range(12):
        souris.move(cadre["x"] + 50 + pas * 12, cadre["y"] + (40 if pas % 2 else 90))
    souris.up()


def verifier_les_saisies(controle, attendues: dict[str, str]) -> None:
    """Chacune arrivée une fois, dans l’ordre, telle que tapée."""
    recues = dict(SaisieVisite.objects.filter(controle=controle).values_list("champ", "valeur"))
    for champ, valeur in attendues.items():
        if "signature" in champ:
            assert len(json.loads(recues[champ])[0]) > 5
        else:
            assert recues[champ] == valeur, champ
    operations = list(OperationVisite.objects.filter(controle=controle).order_by("rang"))
    assert [o.rang for o in operations] == list(range(1, len(operations) + 1))
    assert {o.issue for o in operations} == {"appliquee"}
    assert len({o.appareil for o in operations}) == 1
    assert [o.recu_le for o in operations] == sorted(o.recu_le for o in operations)


def test_vingt_saisies_et_trois_photos_sans_reseau_survivent_a_un_navigateur_tue(bureau, controle, tablette, clicher):
    t = tablette(largeur=768)
    t.prete(bureau.controleur)
    t.visiter(controle)
    t.couper()
    attendues = vingt_saisies(t, controle)
    neutralite = str(bureau.point(controle, "neutralite").uid)
    t.photographier(clicher("mur.jpg", taille=(2400, 1800)), neutralite)
    t.photographier(clicher("cave.jpg", couleur="#14284b"))
    t.photographier(clicher("lieu.jpg", couleur="#1c6b3f"), neutralite, lieu=True)
    t.attendre(lambda: t.page.locator(".cliche-attente").count() == 3)
    t.attendre_la_file(f"{len(attendues)} saisies et 3 photos à envoyer")
    t.regarder("hors-ligne")
    t.ecrire("visite.notes", "Accueil cordial, cave humide. Porte fermée à clé.")
    attendues["visite.notes"] = "Accueil cordial, cave humide. Porte fermée à clé."
    t.attendre_garde()
    assert len(attendues) >= 19
    assert not OperationVisite.objects.exists()
    t.tuer()

    t.allumer(hors_ligne=True)
    t.ouvrir_l_application()
    t.page.wait_for_selector("h1:has-text('Ouvrir mes visites')")
    t.regarder("code")
    t.taper_le_code("pas le bon code")
    t.page.wait_for_selector("text=Ce code n’ouvre rien sur cet appareil.")
    assert "Centre social" not in t.page.content()
    t.taper_le_code()
    t.page.wait_for_selector("h1:has-text('Mes visites de la semaine')")
    t.attendre_la_file(f"{len(attendues)} saisies et 3 photos à envoyer")
    t.visiter(controle)
    assert t.champ("visite.notes").locator("textarea").input_value() == attendues["visite.notes"]
    assert t.champ(f"point.{neutralite}.constat").get_by_label("Manquement").is_checked()
    assert t.page.locator(".cliche-attente").count() == 3
    assert t.page.locator("[data-champ='visite.signature_structure'] polyline").count() == 1
    assert not OperationVisite.objects.exists()

    finir_les_sessions()  # la batterie morte, le navigateur a pu oublier sa session
    t.retablir()
    t.se_reconnecter(bureau.controleur)
    t.tout_envoye(secondes=60)
    verifier_les_saisies(controle, attendues)
    photos = list(PhotoControle.objects.filter(controle=controle))
    assert len(photos) == 3
    assert sorted((p.largeur, p.hauteur) for p in photos) == [(800, 600), (800, 600), (1600, 1200)]
    assert [p.point and str(p.point.uid) for p in photos].count(neutralite) == 2
    libre = PointControle.objects.get(controle=controle, libre=True)
    assert libre.libelle == "Extincteur périmé depuis deux ans"
    combien = OperationVisite.objects.count()
    t.page.reload()
    t.page.wait_for_selector("h2:has-text('Arrivée et départ')")
    t.tout_envoye()
    assert OperationVisite.objects.count() == combien
    assert PhotoControle.objects.count() == 3


def test_deux_appareils_sur_une_visite_montrent_leurs_deux_textes_cote_a_cote(bureau, controle, tablette):
    a, b = tablette("a", largeur=1280), tablette("b", largeur=375)
    for une in (a, b):
        une.prete(bureau.controleur)
        une.visiter(controle)
    a.couper()
    a.ecrire("visite.notes", "Le texte de la tablette")
    a.cocher(f"piece.{controle.pieces_demandees.first().pk}", "Vue")
    a.ecrire("visite.signataire", "Camille, directrice")
    b.ecrire("visite.notes", "Le texte du téléphone")
    b.ecrire("visite.signataire", "Dominique, présidente")
    b.tout_envoye()
    a.retablir()
    conflit = a.champ("visite.notes").locator(".conflit")
    conflit.wait_for()
    assert "Le texte de la tablette" in conflit.inner_text()
    assert "Le texte du téléphone" in conflit.inner_text()
    assert "Votre saisie" in conflit.inner_text()
    a.regarder("conflit")
    assert dict(SaisieVisite.objects.values_list("champ", "valeur"))["visite.notes"] == "Le texte du téléphone"
    a.ecrire("visite.notes", "Le texte de la tablette, repris")
    a.attendre_garde()
    conflit.get_by_role("button", name="Garder le mien").click()
    a.champ("visite.signataire").get_by_role("button", name="Prendre l’autre").click()
    a.tout_envoye()
    recues = dict(SaisieVisite.objects.values_list("champ", "valeur"))
    assert recues["visite.notes"] == "Le texte de la tablette, repris"
    assert recues["visite.signataire"] == "Dominique, présidente"
    assert a.champ("visite.signataire").locator("input").input_value() == "Dominique, présidente"
    assert a.page.locator(".conflit").count() == 0
    # sur le téléphone, le champ suit dès que le portail le redit ; ce qui y est écrit ensuite ne l’écrase pas en silence
    b.ecrire("visite.notes", "Le téléphone n’a pas relu")
    b.champ("visite.notes").locator(".conflit").wait_for()
    b.regarder("conflit")
    assert SaisieVisite.objects.get(champ="visite.notes").valeur == "Le texte de la tablette, repris"


def test_une_session_finie_pendant_la_coupure_ne_perd_rien(bureau, controle, tablette):
    t = tablette(largeur=375)
    t.prete(bureau.controleur)
    t.visiter(controle)
    t.couper()
    t.ecrire("visite.notes", "Tapé dans la cave")
    t.attendre_garde()
    finir_les_sessions()
    t.retablir()
    t.page.wait_for_selector("text=Votre session est finie. Rien n’est perdu")
    t.regarder("session")
    t.ecrire("visite.signataire", "Tapé après la fin")
    t.attendre_la_file("2 saisies à envoyer")
    assert not SaisieVisite.objects.exists()
    t.se_reconnecter(bureau.controleur)
    t.tout_envoye(secondes=30)
    recues = dict(SaisieVisite.objects.values_list("champ", "valeur"))
    assert recues == {"visite.notes": "Tapé dans la cave", "visite.signataire": "Tapé après la fin"}
    assert OperationVisite.objects.count() == 2
    t.page.wait_for_selector("text=Votre session est finie", state="detached")


def test_un_appareil_plein_le_dit_et_envoie_sans_garder(bureau, controle, tablette):
    t = tablette(largeur=768)
    t.prete(bureau.controleur)
    t.visiter(controle)
    outils = t.contexte.new_cdp_session(t.page)
    outils.send("Storage.overrideQuotaForOrigin", {"origin": t.racine + "/", "quotaSize": 1})
    t.couper()
    bandeau = t.page.locator("[data-cle=plein]")
    essais = iter(range(100))

    def refuse() -> bool:
        t.ecrire("visite.notes", f"Trop long pour cet appareil, {next(essais)}")
        t.attendre_garde()
        return bandeau.count() > 0

    t.attendre(refuse, secondes=60)  # Chromium ne remesure la place que toutes les trente secondes
    ecrit = f"Trop long pour cet appareil, {next(essais) - 1}"
    assert "Cet appareil n’a plus de place" in bandeau.inner_text()
    assert "« Notes générales »" in bandeau.inner_text()
    assert t.champ("visite.notes").locator("textarea").input_value() == ecrit
    t.regarder("plein")
    t.retablir()
    t.tout_envoye()
    assert SaisieVisite.objects.get(champ="visite.notes").valeur == ecrit
    t.ecrire("visite.notes", "Et une suite")
    t.tout_envoye()
    bandeau.wait_for(state="detached")
    outils.send("Storage.overrideQuotaForOrigin", {"origin": t.racine + "/"})
    t.ecrire("visite.notes", "Et la place revenue")
    t.page.wait_for_timeout(2500)
    t.tout_envoye()
    assert SaisieVisite.objects.get(champ="visite.notes").valeur == "Et la place revenue"
    assert {o.issue for o in OperationVisite.objects.all()} == {"appliquee"}


def test_une_photo_abimee_heic_ou_trop_lourde_se_dit_et_n_attend_pas(bureau, controle, tablette, clicher):
    t = tablette(largeur=375)
    t.prete(bureau.controleur)
    t.visiter(controle)
    erreur = t.page.locator("#section-notes .bloc-photos .erreur[role=alert]")
    vraie = image(taille=(200, 200))
    cas = [
        (clicher("photo.heic", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 400), False, "Cette photo est au format HEIC"),
        (clicher("casse.jpg", vraie[: len(vraie) // 8]), False, "Cette photo est abîmée"),
        (clicher("texte.jpg", b"ceci n'est pas une image"), False, "Ce fichier n’est pas une photo"),
        (clicher("vide.jpg", b""), False, "Cette photo est vide"),
        (clicher("lourde.jpg", vraie + b"\x00" * (21 * 1024 * 1024)), True, "la limite est 20 Mo"),
    ]
    for fichier, lieu, phrase in cas:
        t.photographier(fichier, lieu=lieu)
        t.attendre(lambda attendue=phrase: attendue in erreur.inner_text())
    t.regarder("photo-refusee")
    assert t.page.locator(".cliche").count() == 0
    assert t.file() == "Tout est envoyé"
    t.photographier(clicher("bonne.png", image(format_="PNG")))
    t.page.locator(".cliche-recue").wait_for(timeout=20_000)
    assert erreur.inner_text() == ""
    assert PhotoControle.objects.count() == 1


def test_un_enregistrement_altere_se_met_de_cote_et_se_dit(bureau, controle, tablette):
    t = tablette(largeur=375)
    t.prete(bureau.controleur)
    t.visiter(controle)
    t.couper()
    t.ecrire("visite.notes", "Ces notes seront altérées")
    t.ecrire("visite.signataire", "Ce nom reste")
    t.attendre_garde()
    lisible = t.page.evaluate(ALTERER, [f"visites-{bureau.controleur.pk}", "visite.notes"])
    assert "Ces notes" not in lisible
    assert "Ce nom" not in lisible
    assert controle.structure.nom not in lisible
    t.page.reload()
    t.taper_le_code()
    t.page.wait_for_selector("text=2 enregistrements de cet appareil sont abîmés et mis de côté")
    t.regarder("altere")
    assert t.champ("visite.signataire").locator("input").input_value() == "Ce nom reste"
    assert t.champ("visite.notes").locator("textarea").input_value() == ""
    t.retablir()
    t.tout_envoye()
    assert dict(SaisieVisite.objects.values_list("champ", "valeur")) == {"visite.signataire": "Ce nom reste"}


# Change un octet de la saisie et de l’opération d’un champ ; rend tout ce que le disque montre en clair.
ALTERER = """async ([base, champ]) => {
  const ouvrir = indexedDB.open(base);
  const db = await new Promise((r) => (ouvrir.onsuccess = () => r(ouvrir.result)));
  const tout = {};
  const latin = (v) => (v instanceof ArrayBuffer ? String.fromCharCode(...new Uint8Array(v)) : v);
  const t = db.transaction([...db.objectStoreNames], "readwrite");
  for (const nom of db.objectStoreNames) {
    const demande = t.objectStore(nom).getAll();
    tout[nom] = await new Promise((r) => (demande.onsuccess = () => r(demande.result)));
    for (const e of tout[nom]) {
      if (!(e.champ === champ || String(e.cle).endsWith("/" + champ))) continue;
      new Uint8Array(e.donnees)[3] ^= 1;
      t.objectStore(nom).put(e);
    }
  }
  await new Promise((r) => (t.oncomplete = r));
  db.close();
  return JSON.stringify(tout, (_, v) => latin(v));
}"""


def test_une_horloge_fausse_d_un_jour_se_dit_et_l_heure_notee_est_celle_du_portail(bureau, controle, tablette):
    t = tablette(largeur=375)
    t.page.clock.set_system_time(timezone.now() + timedelta(days=1))
    t.prete(bureau.controleur)
    t.visiter(controle)
    assert "L’horloge de cet appareil avance de 1 jour ; heure du portail :" in t.page.inner_text("#section-heures")
    t.regarder("horloge")
    t.champ("visite.arrivee").get_by_role("button", name="Noter l’heure").click()
    t.tout_envoye()
    notee = SaisieVisite.objects.get(champ="visite.arrivee").valeur
    assert notee[:10] == timezone.localdate().isoformat()
    assert abs(OperationVisite.objects.get().decalage - 86_400) < 120
