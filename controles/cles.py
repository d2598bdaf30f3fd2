"""La clé qui chiffre les visites sur les appareils d’un contrôleur.

Elle se tire de SECRET_KEY et de la personne : rien à garder en base, et la même à chaque connexion, sans quoi une
saisie pas encore envoyée ne se relirait plus. Changer SECRET_KEY rend illisible ce qui attend sur les appareils.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

from django.conf import settings

from comptes.models import Utilisateur


def cle_de(utilisateur: Utilisateur) -> str:
    """Les 32 octets de cette personne (AES-256), en base64."""
    graine = f"cle-de-visite:{utilisateur.pk}:{utilisateur.cree_le.isoformat()}"
    return base64.b64encode(hmac.digest(settings.SECRET_KEY.encode(), graine.encode(), sha256)).decode()
