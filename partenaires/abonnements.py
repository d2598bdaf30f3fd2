from __future__ import annotations

from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur, declarer_source_de_roles


@declarer_source_de_roles
def roles_des_habilitations(utilisateur: Utilisateur) -> frozenset[Role]:
    roles = utilisateur.habilitations.en_cours(timezone.localdate()).values_list("role", flat=True)
    return frozenset(Role(role) for role in roles)
