"""Chaque adresse × chaque rôle, et une personne d’une autre structure : on appelle vraiment chaque page.

Une adresse absente de la table fait échouer la suite : aucune page n’échappe à la question « qui entre ? ».
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accueil.management.commands.decrire_droits import QUI, page
from accueil.management.commands.lister_urls import adresses
from agrements.actions import instruction, seances
from agrements.choix import Etat, Geste, Instance
from agrements.droits import REGLES, peut
from agrements.models import Citation
from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from courriers.actions import prevenir
from documents.models import Acte
from financements.actions import conventions, droits, paiements, recalculs, scenarios
from financements.choix import EtatDeclaration
from financements.donneur import donneur
from financements.models import ReglesDePaiement, Scenario
from partenaires.models import DemandeContact
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.financements import EXERCICE, Caisse
from tests.fabriques.partenaires import StructureFactory, habiliter
from tests.matrice import aides, controles
from tests.matrice.aides import MATRICE_AIDES, NOMS, PAR_OBJET_AIDES
from tests.matrice.controles import MATRICE_CONTROLES, NOMS_CONTROLES, PAR_OBJET_CONTROLES

PUBLIC = "public"
TOUS = frozenset(Role)
EQUIPE = frozenset(ROLES_PARTENAIRE)
CAF = frozenset(ROLES_CAF)
DIRIGE = frozenset({Role.DIRECTION, Role.REPRESENTANT_LEGAL})
INSTRUIT = frozenset({Role.CHARGE_CONSEIL, Role.RESPONSABLE})
FICHES = frozenset({Role.CHARGE_CONSEIL, Role.TECHNICIEN_CONSEIL, Role.ADMINISTRATEUR, Role.RESPONSABLE})
AUTEURS = frozenset({Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR})
PILOTE = frozenset({Role.RESPONSABLE, Role.ADMINISTRATEUR})
SECRETARIAT = frozenset({Role.SECRETARIAT})
LIQUIDE = frozenset({Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE})

# nom → (rôles admis par la page, clés de l’objet : « dossier », « structure »… ; vide s’il n’y en a pas)
MATRICE: dict[str, tuple[object, tuple[str, ...]]] = {
    **dict.fromkeys(
        [
            "accueil:accueil", "accueil:creer", "accueil:gerer", "accueil:carte", "accueil:realisations",
            "accueil:questions", "accueil:contact", "accueil:merci", "accueil:accessibilite", "accueil:mentions",
            "accueil:securite", "accueil:icone", "accueil:sante", "accueil:vivant", "account_login", "account_inactive", "account_signup",
            "account_reset_password", "account_reset_password_done", "account_reset_password_from_key_done",
            "mfa_authenticate", "documents:verifier", "partenaires:communes",
        ],
        (PUBLIC, ()),
    ),
    "accueil:realisation": (PUBLIC, ("slug",)),
    "documents:verifier_code": (PUBLIC, ("code",)),
    "comptes:accepter_invitation": (PUBLIC, ("jeton",)),
    "account_reset_password_from_key": (PUBLIC, ("uidb36", "key")),
    **dict.fromkeys(
        [
            "accueil:espace", "comptes:compte", "comptes:prolonger", "account_logout", "account_reauthenticate",
            "account_change_password", "mfa_index", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp",
            "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
            "courriers:notifications", "courriers:tout_lire", "partenaires:liste", "agrements:liste",
            "agrements:agrements",
        ],
        (TOUS, ()),
    ),
    "courriers:lire": (TOUS, ("notification",)),
    "accueil:contact_traite": (frozenset({Role.CHARGE_CONSEIL, *PILOTE}), ("contact",)),
    **dict.fromkeys(["accueil:articles", "accueil:nouvel_article"], (AUTEURS, ())),
    "accueil:ecrire_article": (AUTEURS, ("article",)),
    "partenaires:choisir_structure": (EQUIPE, ()),
    "partenaires:creer": (FICHES, ()),
    "partenaires:secteurs": (PILOTE, ()),
    "partenaires:mon_absence": (CAF, ()),
    "partenaires:creer_gestionnaire": (FICHES, ()),
    **dict.fromkeys(
        ["partenaires:ajouter_contact", "partenaires:territoire", "partenaires:fermer"], (TOUS, ("structure",))
    ),
    **dict.fromkeys(
        ["partenaires:modifier_contact", "partenaires:retirer_contact"], (TOUS, ("structure", "contact_pk"))
    ),
    "partenaires:fiche": (TOUS, ("structure",)),
    "partenaires:modifier": (TOUS, ("structure",)),
    "partenaires:modifier_gestionnaire": (FICHES, ("structure",)),
    "partenaires:acces": (TOUS, ("structure",)),
    "partenaires:passation": (TOUS, ("structure",)),
    "partenaires:fermer_acces": (TOUS, ("structure", "habilitation_pk")),
    "partenaires:renvoyer_invitation": (TOUS, ("structure", "habilitation_pk")),
    "agrements:enregistrer_vue": (CAF, ()),
    "agrements:supprimer_vue": (CAF, ("vue",)),
    "agrements:creer": (DIRIGE, ()),
    "agrements:fiche": (TOUS, ("dossier",)),
    "agrements:projet": (TOUS, ("dossier",)),
    "agrements:versions": (TOUS, ("dossier",)),
    "agrements:journal": (TOUS, ("dossier",)),
    "agrements:fil": (TOUS, ("dossier",)),
    "agrements:geste": (TOUS, ("dossier", "nom")),
    "agrements:lire_notification": (TOUS, ("dossier",)),
    "agrements:acte": (TOUS, ("dossier", "acte_pk")),
    "agrements:telecharger_piece": (TOUS, ("dossier", "jointe_pk")),
    "agrements:section": (EQUIPE, ("dossier", "code_section")),
    "agrements:presence": (EQUIPE, ("dossier", "code_section")),
    "agrements:champ": (EQUIPE, ("dossier", "champ")),
    "agrements:pieces": (EQUIPE, ("dossier",)),
    "agrements:detacher": (EQUIPE, ("dossier", "jointe_pk")),
    "agrements:verifier": (EQUIPE, ("dossier",)),
    "agrements:visa": (frozenset({Role.REPRESENTANT_LEGAL}), ("dossier",)),
    "agrements:completude": (CAF, ("dossier",)),
    "agrements:complements": (INSTRUIT, ("dossier",)),
    "agrements:grille": (CAF, ("dossier",)),
    "agrements:citer": (INSTRUIT, ("dossier",)),
    "agrements:retirer_citation": (INSTRUIT, ("dossier", "citation_pk")),
    "agrements:avis": (INSTRUIT, ("dossier",)),
    "agrements:affecter": (frozenset({Role.RESPONSABLE}), ("dossier",)),
    "partenaires:agents": (PILOTE, ()),
    "partenaires:agent": (PILOTE, ("agent",)),
    "partenaires:inviter_agent": (frozenset({Role.ADMINISTRATEUR}), ()),
    "partenaires:donner_role": (frozenset({Role.ADMINISTRATEUR}), ("agent",)),
    "partenaires:retirer_role": (frozenset({Role.ADMINISTRATEUR}), ("agent", "fonction_pk")),
    "partenaires:geste_agent": (frozenset({Role.ADMINISTRATEUR}), ("agent", "geste_de_compte")),
    "agrements:agrement": (TOUS, ("agrement",)),
    "agrements:geste_agrement": (frozenset({Role.RESPONSABLE}), ("agrement", "nom")),
    "agrements:ouvrir_procedure": (INSTRUIT, ("agrement",)),
    "agrements:observer_procedure": (DIRIGE, ("agrement",)),
    "agrements:clore_procedure": (frozenset({Role.RESPONSABLE}), ("agrement",)),
    "agrements:regime": (CAF, ("code_regime", "numero")),
    "agrements:seances": (CAF, ()),
    "agrements:creer_seance": (SECRETARIAT, ()),
    "agrements:seance": (CAF, ("seance",)),
    "agrements:modifier_seance": (SECRETARIAT, ("seance",)),
    "agrements:annuler_seance": (SECRETARIAT, ("seance",)),
    "agrements:inscrire_un_dossier": (SECRETARIAT, ("dossier",)),
    "agrements:inscrire": (SECRETARIAT, ("seance",)),
    "agrements:clore_seance": (SECRETARIAT, ("seance",)),
    "agrements:enregistrer": (SECRETARIAT, ("seance", "passage_pk")),
    "agrements:deplacer": (SECRETARIAT, ("seance", "passage_pk")),
    "agrements:desinscrire": (SECRETARIAT, ("seance", "passage_pk")),
    "financements:accueil": (EQUIPE, ()),
    "financements:attester": (DIRIGE, ()),
    "financements:simulateur": (TOUS, ()),
    "financements:acte": (TOUS, ("structure_pk", "acte")),
    "financements:declarations": (TOUS, ()),
    "financements:ouvrir": (EQUIPE, ("campagne_pk",)),
    "financements:declaration": (TOUS, ("declaration",)),
    "financements:geste": (TOUS, ("declaration", "geste_declaration")),
    **dict.fromkeys(["financements:verifier", "financements:importer", "financements:cle"], (EQUIPE, ("declaration",))),
    "financements:case": (EQUIPE, ("declaration", "champ")),
    "financements:visa": (frozenset({Role.REPRESENTANT_LEGAL}), ("declaration",)),
    "financements:controle": (LIQUIDE, ("declaration",)),
    **dict.fromkeys(["financements:droits", "financements:exporter_droits", "financements:paiements"], (CAF, ())),
    "financements:droit": (TOUS, ("droit",)),
    **dict.fromkeys(["financements:forcer", "financements:versements", "financements:indu"], (LIQUIDE, ("droit",))),
    "financements:proposer": (LIQUIDE, ("droit", "nature")),
    "financements:decider": (frozenset({Role.RESPONSABLE}), ("derogation",)),
    "financements:rembourser": (LIQUIDE, ("indu",)),
    "financements:valider_paiements": (LIQUIDE, ()),
    "financements:annuler_paiement": (LIQUIDE, ("paiement",)),
    "financements:lots": (CAF, ()),
    **dict.fromkeys(["financements:creer_lot", "financements:retour"], (LIQUIDE, ())),
    "financements:lot": (CAF, ("lot",)),
    **dict.fromkeys(["financements:ordre_xml", "financements:ordre_csv"], (LIQUIDE, ("lot",))),
    **dict.fromkeys(["financements:baremes", "financements:changements", "financements:campagnes"], (CAF, ())),
    **dict.fromkeys(["financements:creer_bareme", "financements:creer_campagnes"], (PILOTE, ())),
    "financements:bareme": (CAF, ("bareme",)),
    **dict.fromkeys(
        ["financements:modifier_bareme", "financements:publier_bareme", "financements:abandonner_bareme"],
        (PILOTE, ("bareme",)),
    ),
    "financements:campagne": (CAF, ("campagne",)),
    "financements:relancer": (PILOTE, ("campagne",)),
    **dict.fromkeys(["financements:regles", "financements:prestations"], (CAF, ())),
    **dict.fromkeys(["financements:fixer_regles", "financements:creer_prestation"], (PILOTE, ())),
    "financements:corriger_regles": (PILOTE, ("regles",)),
    "financements:prestation": (PILOTE, ("code_prestation",)),
    "financements:recalculs": (CAF, ()),
    "financements:lancer_recalcul": (PILOTE, ()),
    "financements:recalcul": (CAF, ("recalcul",)),
    "financements:approuver_recalcul": (frozenset({Role.RESPONSABLE}), ("recalcul",)),
    "financements:annuler_recalcul": (PILOTE, ("recalcul",)),
    **dict.fromkeys(["financements:scenarios", "financements:creer_scenario"], (PILOTE, ())),
    **dict.fromkeys(["financements:scenario", "financements:retenir"], (PILOTE, ("scenario",))),
    "financements:conventions": (TOUS, ()),
    "financements:creer_convention": (LIQUIDE, ("agrement_pk",)),
    **dict.fromkeys(["financements:convention", "financements:deposer_scan"], (TOUS, ("convention",))),
    "financements:telecharger_scan": (TOUS, ("convention", "partie")),
    "financements:avenant": (LIQUIDE, ("convention",)),
    **MATRICE_AIDES,
    **MATRICE_CONTROLES,
}  # fmt: skip
PAR_OBJET = (
    "structure",
    "dossier",
    "structure_pk",
    "declaration",
    "droit",
    "convention",
    *PAR_OBJET_AIDES,
    *PAR_OBJET_CONTROLES,
)  # ce qu’une personne d’une autre structure ne doit même pas savoir exister


@pytest.fixture
def scene(db):
    """Un dossier déposé et tout ce que les adresses peuvent viser ; une personne par rôle ; une d’ailleurs."""
    theatre = Theatre()
    dossier = theatre.mener(Etat.EN_INSTRUCTION)
    texte = dossier.version_courante.contenu["reponses"]["horaires"][:20]
    instruction.citer(dossier, critere="accessibilite", champ="horaires", extrait=texte, par=theatre.charge)
    seance = seances.ouvrir_seance(
        instance=Instance.CAS, tenue_le=theatre.jour + timedelta(days=90), par=theatre.secretariat
    )
    personnes = {
        Role.DIRECTION: theatre.direction,
        Role.REPRESENTANT_LEGAL: theatre.president,
        Role.SAISIE: theatre.saisie,
        Role.CHARGE_CONSEIL: theatre.charge,
        Role.SECRETARIAT: theatre.secretariat,
        Role.RESPONSABLE: theatre.responsable,
    }
    personnes |= {role: agent(role) for role in ROLES_CAF if role not in personnes}
    acte = Acte.objects.get(objet=f"dossier-{dossier.pk}")
    objets = {
        "structure": theatre.structure.pk,
        "dossier": dossier.pk,
        "nom": "retirer",
        "slug": "inconnu",
        "code": acte.code,
        "jeton": "x:y:z",
        "uidb36": "1",
        "key": "set-password",
        "contact_pk": 1,
        "habilitation_pk": theatre.structure.habilitations.first().pk,
        "acte_pk": acte.pk,
        "jointe_pk": dossier.pieces_jointes.first().pk,
        "code_section": "identification",
        "champ": "presentation",
        "citation_pk": Citation.objects.get().pk,
        "seance": seance.pk,
        "passage_pk": 1,
        **argent(personnes),
        **aides.objets(personnes),
        **controles.objets(personnes),
        "agent": theatre.charge.pk,
        "fonction_pk": theatre.charge.fonctions.first().pk,
        "geste_de_compte": "fermer",
        "contact": 1,
        "notification": 1,
        "article": 1,
        "vue": 1,
        "agrement": 1,
        "code_regime": "avs-2025",
        "numero": 1,
    }
    return theatre, personnes, objets


def argent(personnes) -> dict[str, object]:
    """Un objet de chaque sorte dans une seconde structure, où l’équipe est aussi habilitée."""
    caisse = Caisse()
    for role in ROLES_PARTENAIRE:
        habiliter(caisse.structure, role, utilisateur=personnes[role])
    caisse.baremes()
    caisse.declarer()
    droit = caisse.droit()
    paiement = paiements.valider(
        paiements.proposer(droit, nature="acompte_1", par=caisse.technicien), par=caisse.collegue
    )
    lot = paiements.ordonnancer(
        [paiement.pk], execution_le=timezone.localdate(), donneur=donneur(), par=caisse.technicien
    )
    depose = caisse.declarer("reel", EtatDeclaration.DEPOSEE)
    recalcul = recalculs.lancer(EXERCICE, motif="x", par=caisse.administrateur)
    return {
        "declaration": depose.pk,
        "geste_declaration": "valider",
        "droit": droit.pk,
        "nature": "acompte_2",
        "derogation": droits.demander_forcage(droit, montant=1, motif="x", par=caisse.technicien).pk,
        "indu": 1,
        "paiement": paiement.pk,
        "lot": lot.pk,
        "bareme": caisse.bareme("agc", exercice=2028, publier=False).pk,
        "campagne": depose.campagne_id,
        "campagne_pk": depose.campagne_id,
        "recalcul": recalcul.pk,
        "regles": ReglesDePaiement.objects.get().pk,
        "code_prestation": "agc",
        "scenario": scenarios.creer(Scenario(exercice=EXERCICE, nom="x"), par=caisse.responsable).pk,
        "agrement_pk": caisse.agrement.pk,
        "convention": conventions.creer(caisse.agrement, dernier_exercice=2030, par=caisse.technicien).pk,
        "partie": "caf",
        "structure_pk": caisse.structure.pk,
        "acte": caisse.actes("accuse_reception")[0].pk,
    }


def adresse(nom: str, cles: tuple[str, ...], objets: dict[str, object]) -> str:
    noms = {
        "structure": "pk",
        "dossier": "pk",
        "seance": "pk",
        "contact": "pk",
        "notification": "pk",
        "article": "pk",
        "vue": "pk",
        "code_section": "code",
        "geste_declaration": "nom",
        **dict.fromkeys(
            [
                "declaration",
                "droit",
                "derogation",
                "indu",
                "paiement",
                "lot",
                "bareme",
                "campagne",
                "recalcul",
                "regles",
                "scenario",
                "convention",
                "acte",
            ],
            "pk",
        ),
        "code_regime": "code",
        "code_prestation": "code",
        "agrement": "pk",
        "agent": "pk",
        "geste_de_compte": "nom",
        **NOMS,
        **NOMS_CONTROLES,
    }
    return reverse(nom, kwargs={noms.get(cle, cle): objets[cle] for cle in cles})


METHODES = {a["nom"]: "get" if "GET" in a["methodes"] else "post" for a in adresses()}


def methode_de(nom: str) -> str:
    return METHODES[nom]


def test_toute_adresse_est_dans_la_matrice_et_dit_les_memes_roles():
    declarees = {a["nom"]: PUBLIC if a["public"] else frozenset(Role[r] for r in a["roles"]) for a in adresses()}
    assert declarees == {nom: roles for nom, (roles, _) in MATRICE.items()}


def test_chaque_adresse_admet_ses_roles_et_eux_seuls(scene, entrer):
    _, personnes, objets = scene
    ecarts = []
    for role, personne in personnes.items():
        client = entrer(personne)
        for nom, (admis, cles) in MATRICE.items():
            if nom in ("account_logout", "accueil:sante"):
                continue
            reponse = getattr(client, methode_de(nom))(adresse(nom, cles, objets))
            refuse = reponse.status_code == 403 and not reponse.streaming and "réservée" in reponse.content.decode()
            if reponse.streaming:
                for fermer in reponse._resource_closers:
                    fermer()
            entre = admis == PUBLIC or role in admis
            if refuse == entre or reponse.status_code >= 500:
                ecarts.append((nom, role.value, reponse.status_code))
    assert ecarts == []


def test_sans_connexion_seules_les_pages_publiques_repondent(scene, client):
    _, _, objets = scene
    ecarts = []
    for nom, (admis, cles) in MATRICE.items():
        reponse = getattr(client, methode_de(nom))(adresse(nom, cles, objets))
        vers_la_connexion = reponse.status_code == 302 and reponse["Location"].startswith("/connexion/")
        if admis != PUBLIC and not vers_la_connexion:
            ecarts.append((nom, reponse.status_code))
        if admis == PUBLIC and vers_la_connexion and nom != "mfa_authenticate":
            ecarts.append((nom, "fermée"))
    assert ecarts == []


@pytest.mark.parametrize("role", sorted(ROLES_PARTENAIRE))
def test_une_personne_d_une_autre_structure_ne_sait_pas_que_l_objet_existe(scene, entrer, role):
    _, _, objets = scene
    client = entrer(habiliter(StructureFactory(), role))
    ecarts = []
    for nom, (admis, cles) in MATRICE.items():
        if admis == PUBLIC or role not in admis or not set(cles) & set(PAR_OBJET):
            continue
        reponse = getattr(client, methode_de(nom))(adresse(nom, cles, objets))
        if reponse.status_code != 404:
            ecarts.append((nom, reponse.status_code))
    assert ecarts == []


@pytest.mark.parametrize("role", sorted(ROLES_CAF))
def test_la_caf_ne_voit_jamais_un_brouillon(db, entrer, role):
    theatre = Theatre()
    dossier = theatre.ouvrir()
    client = entrer(agent(role))
    assert client.get(reverse("agrements:fiche", args=[dossier.pk])).status_code == 404
    assert dossier.numero not in client.get(reverse("agrements:liste")).content.decode()


def test_un_acces_ferme_ne_voit_plus_rien_des_la_requete_suivante(scene, entrer):
    theatre, _, objets = scene
    client = entrer(theatre.saisie)
    page_du_dossier = reverse("agrements:fiche", args=[objets["dossier"]])
    assert client.get(page_du_dossier).status_code == 200
    theatre.saisie.habilitations.all().delete()
    assert client.get(page_du_dossier).status_code == 404
    assert client.get("/espace/").status_code == 200  # son espace dit qu’aucun accès n’est ouvert


def test_la_page_des_droits_dit_ce_que_le_code_fait(scene):
    _, personnes, objets = scene
    from agrements.models import Dossier

    dossier = Dossier.objects.get(pk=objets["dossier"])
    for geste in REGLES:
        tiennent = {role for role, personne in personnes.items() if peut(geste, personne, dossier)}
        assert tiennent == set(QUI[Geste(geste)]), geste


def test_docs_droits_est_a_jour(settings):
    assert (settings.BASE_DIR / "docs" / "droits.md").read_text(encoding="utf-8") == page()


def test_une_nouvelle_ne_se_lit_que_par_son_destinataire(scene, entrer, django_capture_on_commit_callbacks):
    theatre, personnes, _ = scene
    nouvelle = prevenir(cle="x", destinataire=theatre.charge, texte="Pour Camille", lien="/espace/")
    assert entrer(personnes[Role.CONTROLEUR]).post(reverse("courriers:lire", args=[nouvelle.pk])).status_code == 404
    assert entrer(theatre.charge).post(reverse("courriers:lire", args=[nouvelle.pk]))["Location"] == "/espace/"


def test_une_demande_du_public_ne_se_traite_que_par_son_destinataire(scene, entrer):
    theatre, personnes, _ = scene
    demande = DemandeContact.objects.create(
        commune=theatre.structure.commune, objet="creer", nom="X", courriel="x@y.fr", message="m", agent=theatre.charge
    )
    lien = reverse("accueil:contact_traite", args=[demande.pk])
    assert entrer(personnes[Role.RESPONSABLE]).post(lien).status_code == 404
    assert entrer(theatre.charge).post(lien).status_code == 302
