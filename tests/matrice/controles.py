"""Les adresses des contrôles dans la matrice, et de quoi les appeler."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from controles.actions import contradictoire, preparation, visite
from controles.choix import Etat
from tests.fabriques.controles import Bureau, photo
from tests.fabriques.partenaires import habiliter

TOUS = frozenset(Role)
EQUIPE = frozenset(ROLES_PARTENAIRE)
CAF = frozenset(ROLES_CAF)
CONTROLE = frozenset({Role.CONTROLEUR})
REPOND = frozenset({Role.RESPONSABLE})

MATRICE_CONTROLES: dict[str, tuple[object, tuple[str, ...]]] = {
    "controles:liste": (TOUS, ()),
    **dict.fromkeys(
        ["controles:controle", "controles:lire_rapport", "controles:pieces", "controles:rapport"], (TOUS, ("controle",))
    ),
    "controles:geste": (TOUS, ("controle", "geste_controle")),
    "controles:acte": (TOUS, ("controle", "acte_controle_pk")),
    **dict.fromkeys(["controles:preparer", "controles:reporter", "controles:prolonger"], (CONTROLE, ("controle",))),
    "controles:dossier": (CONTROLE | REPOND, ("controle",)),
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
    "controles:photo": (TOUS, ("controle", "photo_pk")),
    "controles:retirer_photo": (CONTROLE, ("controle", "photo_pk")),
}
NOMS_CONTROLES = {
    "controle": "pk", "geste_controle": "nom", "acte_controle_pk": "acte_pk", "piece_demandee_pk": "piece_pk",
    "numero_de_constat": "numero", "champ_de_reponse": "champ", "piece_de_reponse_pk": "piece_pk",
}  # fmt: skip
PAR_OBJET_CONTROLES = ("controle",)


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
    }
