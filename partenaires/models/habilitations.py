from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from comptes.choix import ROLES_PARTENAIRE, Role
from comptes.models import PERIODE, Utilisateur
from partenaires.models.structures import Structure
from partenaires.querysets import HabilitationQuerySet


def habilitations_du_jour(utilisateur: Utilisateur) -> list[Habilitation]:
    """Celles qui valent aujourd’hui, par nom de structure ; lues une fois par personne et par requête HTTP."""
    gardees: list[Habilitation] | None = getattr(utilisateur, "_habilitations_du_jour", None)
    if gardees is None:
        gardees = list(
            Habilitation.objects.en_cours(timezone.localdate())
            .filter(utilisateur=utilisateur)
            .select_related("structure__gestionnaire", "structure__commune")
            .order_by("structure__nom_tri", "pk")
        )
        utilisateur._habilitations_du_jour = gardees  # type: ignore[attr-defined]
    return gardees


def roles_dans_la_structure(utilisateur: Utilisateur, structure_pk: int) -> frozenset[Role]:
    """Les rôles tenus aujourd’hui dans cette structure ; sans requête si les habilitations sont déjà lues."""
    return frozenset(Role(h.role) for h in habilitations_du_jour(utilisateur) if h.structure_id == structure_pk)


class Habilitation(models.Model):
    """Le droit d’une personne d’agir pour une structure, avec un rôle, pendant une période."""

    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="habilitations", on_delete=models.PROTECT)
    structure = models.ForeignKey(Structure, related_name="habilitations", on_delete=models.PROTECT)
    role = models.CharField("rôle", max_length=30, choices=[(r.value, r.label) for r in Role if r in ROLES_PARTENAIRE])
    debut = models.DateField("début")
    fin = models.DateField("fin (comprise)", null=True, blank=True)
    ouverte_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )

    objects = HabilitationQuerySet.as_manager()

    class Meta:
        verbose_name = "habilitation"
        constraints = [
            models.CheckConstraint(
                name="habilitation_role_de_partenaire",
                condition=Q(role__in=sorted(r.value for r in ROLES_PARTENAIRE)),
            ),
            models.CheckConstraint(
                name="habilitation_periode_a_l_endroit",
                condition=Q(fin__isnull=True) | Q(fin__gte=F("debut")),
                violation_error_message="La fin de l’accès précède son début.",
            ),
            ExclusionConstraint(
                name="habilitation_sans_doublon",
                expressions=[
                    (PERIODE, RangeOperators.OVERLAPS),
                    ("utilisateur", RangeOperators.EQUAL),
                    ("structure", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                ],
                violation_error_message="Cette personne tient déjà ce rôle dans la structure sur cette période.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.utilisateur}, {self.get_role_display()} de {self.structure}"
