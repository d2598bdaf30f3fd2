from __future__ import annotations

from comptes.choix import Role
from comptes.models import Utilisateur, declarer_source_de_roles
from partenaires.models import habilitations_du_jour


@declarer_source_de_roles
def roles_des_habilitations(utilisateur: Utilisateur) -> frozenset[Role]:
    return frozenset(Role(h.role) for h in habilitations_du_jour(utilisateur))
