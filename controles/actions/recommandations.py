"""Suivre une recommandation : elle survit au contrôle, le chargé de conseil y revient à chaque rendez-vous."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from controles.annonces import suites as annonces
from controles.choix import EtatRecommandation
from controles.droits import peut_suivre
from controles.models import Recommandation, SuiviRecommandation
from socle.droits import exiger
from socle.texte import epurer

TEXTE_MAX = 5000


@transaction.atomic
def suivre(recommandation: Recommandation, *, etat: str, texte: str, par: Utilisateur) -> SuiviRecommandation:
    """Dit où en est une recommandation. Fermée à tort, elle se rouvre : chaque suivi reste."""
    recommandation = Recommandation.objects.verrouiller(recommandation.pk)
    exiger(peut_suivre(par, recommandation))
    if etat not in EtatRecommandation.values:
        raise ValidationError({"etat": "Choisissez un état."})
    texte = epurer(texte).strip()
    if not texte:
        raise ValidationError({"texte": "Dites ce que vous avez constaté."})
    if len(texte) > TEXTE_MAX:
        raise ValidationError({"texte": f"{len(texte)} caractères pour {TEXTE_MAX} au plus : raccourcissez."})
    suivi = SuiviRecommandation.objects.create(recommandation=recommandation, etat=etat, texte=texte, par=par)
    if recommandation.etat != etat:
        recommandation.etat = etat
        recommandation.fermee_le = None if etat == EtatRecommandation.OUVERTE else timezone.now()
        recommandation.full_clean()
        recommandation.save(update_fields=["etat", "fermee_le"])
    annonces.recommandation_suivie(recommandation, suivi.pk)
    return suivi


def rappeler_les_echeances(le: date) -> int:
    """Un mois avant l’échéance, puis l’échéance passée. Rejouable : la clé du rappel empêche le second.

    Rend le nombre de recommandations regardées ; chacune a sa transaction.
    """
    delai = annonces.DELAI_DE_RAPPEL
    proches = Recommandation.objects.ouvertes().filter(echeance_le__range=(le - delai, le + delai))
    regardees = list(proches.select_related("structure__gestionnaire").order_by("pk"))
    for recommandation in regardees:
        with transaction.atomic():
            annonces.rappeler(recommandation, le)
    return len(regardees)
