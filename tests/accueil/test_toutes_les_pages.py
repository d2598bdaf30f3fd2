"""Chaque page, une fois, dans un vrai navigateur : ce qu’axe-core ne voit pas se mesure ici (RGAA 8, 10, 12).

La liste vient de la matrice des droits : une page nouvelle est regardée sans qu’on l’ajoute.
"""

from __future__ import annotations

from copy import copy

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from agrements.choix import Etat
from agrements.models import Dossier
from comptes.actions import jeton_d_invitation
from comptes.choix import Role
from comptes.models import Utilisateur
from partenaires.actions import ecrire_realisation
from partenaires.models import Realisation
from tests.conftest import violations
from tests.fabriques.comptes import MOT_DE_PASSE, agent
from tests.fabriques.partenaires import StructureFactory, habiliter
from tests.test_matrice_des_droits import MATRICE, METHODES, PUBLIC, adresse, scene

__all__ = ["scene"]  # la scène de la matrice : un dossier instruit, une personne par rôle

# Ce qui n’est pas une page (redirections, téléchargements, états de santé), ou dont l’écran ne s’ouvre qu’à une étape
# du dossier : ``etapes`` ouvre celles-là sur un dossier qui y est.
SANS_PAGE = frozenset({
    "accueil:securite", "accueil:icone", "accueil:sante", "accueil:vivant", "mfa_download_recovery_codes",
    "agrements:acte", "agrements:telecharger_piece", "agrements:visa", "agrements:section", "agrements:pieces",
    "agrements:complements", "mfa_authenticate", "agrements:agrement", "agrements:geste_agrement",
    "partenaires:modifier_contact", "financements:acte", "financements:geste", "financements:telecharger_scan",
    "financements:ordre_xml", "financements:ordre_csv", "financements:exporter_droits", "financements:rembourser",
    "financements:avenant", "agrements:enregistrer", "agrements:inscrire_un_dossier", "aides:copier", "aides:acte",
    "aides:piece", "aides:exemplaire", "aides:ordre", "aides:geste", "aides:rendre", "senacs:accueil", "senacs:contribuer",
    "senacs:preuve", "senacs:exporter", "controles:exporter_statistiques", "controles:donnees_visites", "controles:acte",
    "controles:photo", "controles:piece_remise", "controles:piece_de_reponse", "controles:service_worker",
    "controles:manifeste", "controles:rejouer_tirage", "controles:modifier_regles", "controles:appliquer_suite",
    "controles:ecarter_suite", "controles:suspendre_versements", "controles:reprendre_versements",
    "controles:decider_sanction", "agrements:clore_procedure", "agrements:ouvrir_procedure", "agrements:observer_procedure",
    "controles:geste", "controles:sanction", "controles:observer_sanction", "controles:saisir_agrement",
})  # fmt: skip
PREFERENCE = (Role.DIRECTION, Role.CHARGE_CONSEIL, Role.SECRETARIAT, Role.RESPONSABLE, Role.REPRESENTANT_LEGAL)
# Le rôle qui lit vraiment la page, quand ce n’est pas le premier que la matrice laisse entrer.
LECTEURS = {
    "partenaires:passation": Role.REPRESENTANT_LEGAL,
    "aides:signer": Role.REPRESENTANT_LEGAL,
    **dict.fromkeys(["partenaires:territoire", "partenaires:fermer"], Role.RESPONSABLE),
    **dict.fromkeys(
        ["mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_reauthenticate"],
        Role.RESPONSABLE,  # la seule qui porte un second facteur
    ),
}
MESURES = """() => {
  const ici = document.documentElement;
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  const renvois = [...document.querySelectorAll("[aria-describedby],[aria-labelledby],[aria-controls],label[for]")].flatMap((e) =>
    ["aria-describedby", "aria-labelledby", "aria-controls", "for"].flatMap((a) => (e.getAttribute(a) ?? "").split(/\\s+/).filter(Boolean)));
  return {
    langue: ici.lang,
    titre: document.title,
    h1: document.querySelectorAll("h1").length,
    doublons: ids.filter((id, rang) => ids.indexOf(id) !== rang),
    perdus: renvois.filter((id) => !document.getElementById(id)),
    ancres: [...document.querySelectorAll('a[href^="#"]')].map((a) => a.hash.slice(1)).filter((id) => id && !document.getElementById(decodeURIComponent(id))),
    niveaux: [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter((t) => t.checkVisibility()).map((t) => Number(t.tagName[1])),
  };
}"""
ESPACER = """() => {
  for (const e of document.querySelectorAll("body *")) {
    e.style.setProperty("line-height", "1.5", "important");
    e.style.setProperty("letter-spacing", "0.12em", "important");
    e.style.setProperty("word-spacing", "0.16em", "important");
  }
  const coupes = [...document.querySelectorAll("main *, header *, footer *")].filter((e) => {
    const s = getComputedStyle(e);
    return e.checkVisibility() && e.textContent.trim() && !e.closest(".visually-hidden, .leaflet-container") && !e.matches("textarea, select, input, option") &&
      s.overflowX === "hidden" && e.scrollWidth > e.clientWidth + 1;
  });
  return coupes.map((e) => e.outerHTML.slice(0, 120));
}"""


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    """Aucune page ne montre le PDF lui-même : le composer coûterait la moitié du temps."""
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


def premier_lecteur(nom: str, admis: object) -> Role | None:
    if admis == PUBLIC:
        return None
    return LECTEURS.get(nom) or next((r for r in PREFERENCE if r in admis), None)


def pages(objets, role) -> list[tuple[str, str]]:
    """Les pages de la matrice que ce rôle est le premier à pouvoir lire ; ``None`` pour le public."""
    return [
        (nom, adresse(nom, cles, objets))
        for nom, (admis, cles) in MATRICE.items()
        if nom not in SANS_PAGE
        and METHODES[nom] == "get"
        and (admis == PUBLIC) == (role is None)
        and premier_lecteur(nom, admis) == role
    ]


def mener(theatre, etat: Etat):
    """Un second dossier, chez une structure neuve de la même équipe, mené jusqu’à cette étape."""
    autre = copy(theatre)
    autre.structure = StructureFactory()
    habiliter(autre.structure, Role.DIRECTION, utilisateur=theatre.direction)
    habiliter(autre.structure, Role.REPRESENTANT_LEGAL, utilisateur=theatre.president)
    autre.direction, autre.president = (
        Utilisateur.objects.get(pk=p.pk) for p in (theatre.direction, theatre.president)
    )  # relus : les habilitations d’une personne sont gardées en mémoire
    return autre.mener(etat)


def preparer(scene_, role) -> list[tuple[str, str]]:
    """Pose ce que les pages de ce rôle montrent, et rend celles qui dépendent de l’étape d’un dossier."""
    theatre, personnes, objets = scene_
    if role is None:
        objets["slug"] = _article(theatre, publier=True).slug
        invitee = Utilisateur.objects.creer("neuve@exemple.invalid", prenom="Ana", nom="Roy")
        objets["jeton"] = jeton_d_invitation(invitee)
    elif role == Role.DIRECTION:
        brouillon = f"/dossiers/{mener(theatre, Etat.EN_PREPARATION).pk}/"
        sections = ("identification", "diagnostic", "projet", "moyens_humains", "budget")
        suites = ("", "pieces/", "verifier/", *(f"sections/{section}/" for section in sections))
        return [(f"brouillon/{suite}", brouillon + suite) for suite in suites]
    elif role == Role.CHARGE_CONSEIL:
        objets["article"] = _article(theatre, publier=False).pk
        return [("complements", f"/dossiers/{mener(theatre, Etat.DEPOSE).pk}/complements/")]
    elif role == Role.SECRETARIAT:
        passage = mener(theatre, Etat.INSCRIT_CAS).passages.get()
        objets |= {"seance": passage.seance_id, "passage_pk": passage.pk}
        return [("inscrire", f"/dossiers/{mener(theatre, Etat.INSTRUIT).pk}/inscrire/")]
    elif role == Role.RESPONSABLE:
        TOTP.activate(personnes[role], "JBSWY3DPEHPK3PXP")
        RecoveryCodes.activate(personnes[role])
    elif role == Role.REPRESENTANT_LEGAL:
        return [("visa", f"/dossiers/{mener(theatre, Etat.A_VISER).pk}/visa/")]
    return []


def _article(theatre, *, publier: bool) -> Realisation:
    return ecrire_realisation(
        par=theatre.responsable, titre="Un potager au pied des tours", chapeau="Les habitants cultivent ensemble.",
        texte="<p>Ils s’y retrouvent le samedi.</p>", structure=theatre.structure, publier=publier,
    )  # fmt: skip


def entree_recente(client) -> str:
    """Le témoin d’une session où l’on vient de donner son mot de passe : les pages sensibles s’ouvrent."""
    client.post("/confirmation/", {"password": MOT_DE_PASSE, "next": "/compte/"})
    return client.cookies["sessionid"].value


def defauts(page, nom: str) -> list[str]:
    """Ce qu’une page a de travers : axe-core, structure, débordements, texte espacé (RGAA 8, 9, 10)."""
    fautes = [f"{nom} : {v}" for v in violations(page)]
    vu = page.evaluate(MESURES)
    constats = (("doublons", "identifiants en double"), ("perdus", "renvois perdus"), ("ancres", "ancres perdues"))
    fautes += [f"{nom} : {quoi} {vu[cle]}" for cle, quoi in constats if vu[cle]]
    if vu["langue"] != "fr" or vu["h1"] != 1:
        fautes.append(f"{nom} : langue {vu['langue']}, {vu['h1']} titre(s) de niveau 1")
    sauts = [(a, b) for a, b in zip(vu["niveaux"], vu["niveaux"][1:], strict=False) if b > a + 1]
    if sauts or vu["niveaux"][:1] != [1]:
        fautes.append(f"{nom} : niveaux de titres {vu['niveaux']}")
    for largeur in (320, 1280):
        page.set_viewport_size({"width": largeur, "height": 900})
        if (trop := page.evaluate("document.documentElement.scrollWidth")) > largeur:
            fautes.append(f"{nom} : déborde à {largeur} px ({trop})")
    fautes += [f"{nom} : texte coupé quand on l’espace, {c}" for c in page.evaluate(ESPACER)]
    if (trop := page.evaluate("document.documentElement.scrollWidth")) > 1280:
        fautes.append(f"{nom} : déborde quand le texte est espacé ({trop})")
    return fautes


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", [None, *PREFERENCE], ids=lambda r: r.value.lower() if r else "public")
def test_chaque_page_se_lit_s_entend_et_se_plie(scene, entrer, ouvrir, live_server, role):
    _, personnes, objets = scene
    etapes = preparer(scene, role)
    page = ouvrir()
    fautes: list[str] = []
    titres: dict[str, set[str]] = {}
    if role is not None:
        temoin = entree_recente(entrer(personnes[role]))
        page.context.add_cookies([{"name": "sessionid", "value": temoin, "url": live_server.url}])
    for nom, chemin in pages(objets, role) + etapes:
        reponse = page.goto(live_server.url + chemin)
        if reponse.status != 200 or not page.url.endswith(chemin):
            fautes.append(f"{nom} ({chemin}) répond {reponse.status}, à l’adresse {page.url}")
            continue
        titres.setdefault(page.title(), set()).add(chemin)
        fautes += defauts(page, nom)
    fautes += [f"même titre « {t} » : {sorted(p)}" for t, p in titres.items() if len(p) > 1]
    assert fautes == [], "\n".join(fautes)


@pytest.mark.django_db(transaction=True)
def test_les_pages_de_refus_et_le_second_facteur_a_la_connexion(ouvrir, live_server, messages_attendus):
    """Ce qu’aucune adresse de la matrice ne montre : les pages d’erreur, et la seconde étape d’une connexion."""
    charge = agent(Role.CHARGE_CONSEIL)
    TOTP.activate(charge, "JBSWY3DPEHPK3PXP")
    messages_attendus += ["status of 404", "status of 410"]
    page = ouvrir()
    fautes = []
    for chemin, statut in (("/nulle-part/", 404), ("/verifier/ABCD-EFGH-JKMN/", 404), ("/invitation/x:y:z/", 410)):
        assert page.goto(live_server.url + chemin).status == statut
        fautes += defauts(page, chemin)
    page.goto(f"{live_server.url}/connexion/")
    page.fill("[name=login]", charge.courriel)
    page.fill("[name=password]", MOT_DE_PASSE)
    page.click("main button:has-text('Se connecter')")
    page.wait_for_url("**/connexion/code/")
    fautes += defauts(page, "second facteur")
    assert fautes == [], "\n".join(fautes)


@pytest.mark.django_db(transaction=True)
def test_au_telephone_chaque_case_pleine_dit_son_titre_et_une_vide_se_tait(scene, entrer, ouvrir, live_server):
    theatre, personnes, _ = scene
    Dossier.objects.filter(pk=mener(theatre, Etat.DEPOSE).pk).update(echeance_le=None)
    page = ouvrir(largeur=375)
    temoin = entree_recente(entrer(personnes[Role.CHARGE_CONSEIL]))
    page.context.add_cookies([{"name": "sessionid", "value": temoin, "url": live_server.url}])
    page.goto(f"{live_server.url}/dossiers/")
    cases = page.locator("table.en-cartes tbody td").evaluate_all(
        "cases => cases.map((c) => [c.textContent.trim() !== '', c.dataset.titre ?? ''])"
    )
    assert any(titre == "État" for _, titre in cases)
    assert [titre for pleine, titre in cases if not pleine and titre] == []
    assert page.locator("table.en-cartes thead").bounding_box()["width"] <= 1
