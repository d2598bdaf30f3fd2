"""Les adresses des contrôles dans la matrice, et de quoi les appeler."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from comptes.choix import ROLES_PARTENAIRE, Role
from controles.actions import contradictoire, preparation, visite
from controles.choix import Etat
from controles.models import PlanControle
from tests.fabriques.controles import Bureau, photo
from tests.fabriques.partenaires import habiliter

TOUS = frozenset(Role)
EQUIPE = frozenset(ROLES_PARTENAIRE)
CONTROLE = frozenset({Role.CONTROLEUR})
REPOND = frozenset({Role.RESPONSABLE})
LIQUIDE = frozenset({Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE})
REGLENT = frozenset({Role.ADMINISTRATEUR, Role.RESPONSABLE})
LISENT = REGLENT | CONTROLE
DIRIGE = frozenset({Role.DIRECTION, Role.REPRESENTANT_LEGAL})
PUBLIC = "public"

MATRICE_CONTROLES: dict[str, tuple[object, tuple[str, ...]]] = {
    "controles:liste": (TOUS, ()),
    **dict.fromkeys(
        ["controles:controle", "controles:lire_rapport", "controles:pieces", "controles:rapport"], (TOUS, ("controle",))
    ),
    "controles:geste": (TOUS, ("controle", "geste_controle")),
    "controles:acte": (TOUS, ("controle", "acte_controle_pk")),
    **dict.fromkeys(["controles:preparer", "controles:reporter", "controles:prolonger"], (CONTROLE, ("controle",))),
    **dict.fromkeys(["controles:dossier", "controles:saisies"], (CONTROLE | REPOND, ("controle",))),
    "controles:affecter": (REPOND, ("controle",)),
    "controles:demander_pieces": (CONTROLE, ("controle",)),
    "controles:remettre": (TOUS, ("controle", "piece_demandee_pk")),
    "controles:piece_remise": (TOUS, ("controle", "remise_pk")),
    "controles:repondre": (EQUIPE, ("controle",)),
    "controles:enregistrer_reponse": (EQUIPE, ("controle", "numero_de_constat", "champ_de_reponse")),
    "controles:garder_reponse": (EQUIPE, ("controle", "numero_de_constat")),
    "controles:piece_de_reponse": (TOUS, ("controle", "piece_de_reponse_pk")),
    "controles:retirer_piece_de_reponse": (EQUIPE, ("controle", "piece_de_reponse_pk")),
    "controles:conclure": (CONTROLE, ("controle",)),
    "controles:donnees_visites": (CONTROLE, ()),
    **dict.fromkeys(
        ["controles:visite", "controles:operations", "controles:recevoir_photo"], (CONTROLE, ("controle",))
    ),
    "controles:appareil": (CONTROLE, ()),
    **dict.fromkeys(["controles:service_worker", "controles:manifeste"], (PUBLIC, ())),
    "controles:plans": (CONTROLE | REPOND, ()),
    "controles:creer_plan": (CONTROLE, ()),
    **dict.fromkeys(["controles:plan", "controles:rejouer_tirage"], (CONTROLE | REPOND, ("annee_du_plan",))),
    **dict.fromkeys(
        [
            "controles:modifier_plan",
            "controles:retenir_les_premieres",
            "controles:tirer",
            "controles:ajouter_au_plan",
            "controles:repartir",
            "controles:soumettre_plan",
        ],
        (CONTROLE, ("annee_du_plan",)),
    ),
    **dict.fromkeys(
        ["controles:retenir", "controles:retirer_du_plan"], (CONTROLE, ("annee_du_plan", "structure_au_plan"))
    ),
    "controles:ligne_plan": (CONTROLE, ("annee_du_plan", "ligne_pk")),
    **dict.fromkeys(["controles:reprendre_plan", "controles:valider_plan"], (REPOND, ("annee_du_plan",))),
    "controles:programmer": (REPOND, ()),
    **dict.fromkeys(
        ["controles:liste_regles", "controles:statistiques", "controles:exporter_statistiques"], (LISENT, ())
    ),
    "controles:regles": (LISENT, ("regles_controle",)),
    "controles:creer_regles": (REGLENT, ()),
    **dict.fromkeys(
        ["controles:modifier_regles", "controles:publier_regles", "controles:abandonner_regles"],
        (REGLENT, ("regles_controle",)),
    ),
    "controles:suites": (TOUS, ("controle_signe",)),
    **dict.fromkeys(
        ["controles:appliquer_suite", "controles:ecarter_suite", "controles:recalculer_suite"],
        (LIQUIDE, ("controle_signe", "suite_pk")),
    ),
    **dict.fromkeys(
        ["controles:suspendre_versements", "controles:reprendre_versements"],
        (REPOND, ("controle_signe",)),
    ),
    **dict.fromkeys(["controles:proposer_sanction", "controles:saisir_agrement"], (CONTROLE, ("controle_signe",))),
    "controles:sanction": (TOUS, ("controle_signe", "sanction_pk")),
    "controles:observer_sanction": (DIRIGE, ("controle_signe", "sanction_pk")),
    "controles:decider_sanction": (REPOND, ("controle_signe", "sanction_pk")),
    "controles:recommandations": (TOUS, ()),
    "controles:recommandation": (TOUS, ("recommandation",)),
    "controles:photo": (TOUS, ("controle", "photo_pk")),
    "controles:retirer_photo": (CONTROLE, ("controle", "photo_pk")),
}
NOMS_CONTROLES = {
    "controle": "pk", "geste_controle": "nom", "acte_controle_pk": "acte_pk", "piece_demandee_pk": "piece_pk",
    "numero_de_constat": "numero", "champ_de_reponse": "champ", "piece_de_reponse_pk": "piece_pk",
    "controle_signe": "pk", "annee_du_plan": "annee", "structure_au_plan": "structure_pk", "regles_controle": "pk",
    "recommandation": "pk",
}  # fmt: skip
PAR_OBJET_CONTROLES = ("controle", "controle_signe", "recommandation")


def _signe(personnes) -> dict[str, object]:
    """Un contrôle signé, avec une sanction et une recommandation, dans la structure de l’équipe."""
    bureau = Bureau(argent=False, sanctions=True)
    for role in ROLES_PARTENAIRE:
        habiliter(bureau.structure, role, utilisateur=personnes[role])
    controle = bureau.mener(Etat.SUITES)
    contradictoire.lire_le_rapport(controle, par=bureau.direction)
    return {
        "controle_signe": controle.pk,
        "suite_pk": 1,
        "sanction_pk": 1,
        "recommandation": controle.structure.recommandations.first().pk,
        "annee_du_plan": _plan(bureau),
        "structure_au_plan": bureau.structure.pk,
        "ligne_pk": 1,
        "regles_controle": bureau.regles.pk,
    }


def _plan(bureau: Bureau) -> int:
    annee = timezone.localdate().year + 1
    PlanControle.objects.create(annee=annee, regles=bureau.regles, objectif=5, prepare_par=bureau.controleur)
    return annee


def objets(personnes) -> dict[str, object]:
    """Un contrôle dont le rapport provisoire est ouvert, dans une structure de plus où l’équipe est aussi habilitée."""
    bureau = Bureau(argent=False)
    for role in ROLES_PARTENAIRE:
        habiliter(bureau.structure, role, utilisateur=personnes[role])
    controle = bureau.mener(Etat.EN_COURS)
    (piece,) = preparation.demander_pieces(
        controle, libelles=["Bail"], requise_le=timezone.localdate() + timedelta(days=9), par=bureau.controleur
    )
    remise = preparation.remettre(piece, televerse=photo(), par=bureau.direction)
    cle = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
    visite.recevoir_photo(
        controle, id=cle, televerse=photo(), point=None, legende="", prise_le=timezone.now(), garder_lieu=False,
        par=bureau.controleur,
    )  # fmt: skip
    controle = contradictoire.emettre(bureau.visiter(controle), par=bureau.controleur)
    contradictoire.lire_le_rapport(controle, par=bureau.direction)
    constat = contradictoire.a_conclure(controle)[0]
    jointe = contradictoire.joindre(constat, televerse=photo(), par=bureau.direction)
    return {
        "controle": controle.pk,
        "geste_controle": "annuler",
        "acte_controle_pk": controle.provisoire_acte_id,
        "piece_demandee_pk": piece.pk,
        "remise_pk": remise.pk,
        "numero_de_constat": constat.numero,
        "champ_de_reponse": "texte",
        "piece_de_reponse_pk": jointe.pk,
        "photo_pk": cle,
        "suite_pk": 1,
        "sanction_pk": 1,
        "recommandation": 1,
        **_signe(personnes),
    }
