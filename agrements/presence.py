"""Qui écrit dans quelle section en ce moment : une trace courte dans le cache, aucune table.

Prévenir avant le conflit vaut mieux que montrer deux textes après. Une trace perdue ne coûte qu’un avertissement.
"""

from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone

from agrements.models import Dossier
from comptes.models import Utilisateur
from partenaires.models import Habilitation

DUREE = 55  # secondes : deux battements de l’écran manqués, et la trace s’efface


def _cle(dossier: Dossier, section: str, personne_pk: int) -> str:
    return f"presence:{dossier.pk}:{section}:{personne_pk}"


def battre(dossier: Dossier, section: str, *, par: Utilisateur) -> None:
    cache.set(_cle(dossier, section, par.pk), True, DUREE)


def partir(dossier: Dossier, section: str, *, par: Utilisateur) -> None:
    cache.delete(_cle(dossier, section, par.pk))


def autres(dossier: Dossier, section: str, *, que: Utilisateur) -> list[str]:
    """Les collègues présents, par nom ; une requête et un aller au cache, quelle que soit la taille de l’équipe."""
    equipe = (
        Habilitation.objects.en_cours(timezone.localdate())
        .filter(structure=dossier.structure_id, utilisateur__is_active=True)
        .exclude(utilisateur=que)
        .select_related("utilisateur")
    )
    noms = {_cle(dossier, section, h.utilisateur_id): h.utilisateur.get_full_name() for h in equipe}
    return sorted(noms[cle] for cle in cache.get_many(noms))


def phrase(noms: list[str]) -> str:
    if not noms:
        return ""
    liste = noms[0] if len(noms) == 1 else f"{', '.join(noms[:-1])} et {noms[-1]}"
    return f"{liste} {'écrit' if len(noms) == 1 else 'écrivent'} aussi dans cette section."
