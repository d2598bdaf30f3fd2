"""Les vues qu’un agent garde de la liste des dossiers ; elles ne concernent que lui."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import transaction

from agrements.models import VueEnregistree
from comptes.models import Utilisateur
from socle.erreurs import Refus
from socle.texte import epurer

VUES_MAX = 20


@transaction.atomic
def enregistrer_vue(*, nom: str, filtre: str, par: Utilisateur) -> VueEnregistree:
    """Garde un filtre sous un nom. Lève Refus s’il y en a trop, ValidationError si le nom est déjà pris."""
    if not par.est_agent:
        raise PermissionDenied("Les vues enregistrées sont réservées aux agents de la Caf.")
    if not filtre:
        raise Refus("Choisissez d’abord un filtre : cette vue montrerait tous les dossiers.")
    Utilisateur.objects.select_for_update(of=("self",), no_key=True).get(pk=par.pk)  # deux onglets, un seul nom
    if par.vues_enregistrees.count() >= VUES_MAX:
        raise Refus(f"Vous avez déjà {VUES_MAX} vues : supprimez-en une avant d’en ajouter.")
    vue = VueEnregistree(utilisateur=par, nom=" ".join(epurer(nom).split()), filtre=filtre)
    vue.full_clean()
    vue.save()
    return vue


@transaction.atomic
def supprimer_vue(vue: VueEnregistree, *, par: Utilisateur) -> None:
    if vue.utilisateur_id != par.pk:
        raise PermissionDenied("Cette vue est à un collègue.")
    vue.delete()
