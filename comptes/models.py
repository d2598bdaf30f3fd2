from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import pgtrigger
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower
from django.utils import timezone

from comptes.choix import ROLES_CAF, GesteCompte, Role
from comptes.querysets import FonctionQuerySet, UtilisateurManager

# daterange(debut, fin), bornes comprises ; une fin vide est une période ouverte
PERIODE = Func("debut", "fin", RangeBoundary(inclusive_upper=True), function="DATERANGE", output_field=DateRangeField())

type SourceDeRoles = Callable[[Utilisateur], frozenset[Role]]
_sources_de_roles: list[SourceDeRoles] = []


def declarer_source_de_roles(source: SourceDeRoles) -> SourceDeRoles:
    """Les apps au-dessus disent ici quels rôles elles donnent (les habilitations vivent dans ``partenaires``)."""
    if source not in _sources_de_roles:
        _sources_de_roles.append(source)
    return source


class Utilisateur(AbstractBaseUser):
    """Une personne, d’un partenaire ou de la Caf ; ses droits viennent de ses fonctions et de ses habilitations."""

    courriel = models.EmailField("adresse électronique", unique=True)
    prenom = models.CharField("prénom", max_length=100)
    nom = models.CharField("nom", max_length=100)
    telephone = models.CharField("téléphone", max_length=20, blank=True)
    is_active = models.BooleanField("compte ouvert", default=True)
    cree_le = models.DateTimeField("créé le", auto_now_add=True)

    objects = UtilisateurManager()

    USERNAME_FIELD = "courriel"
    EMAIL_FIELD = "courriel"
    REQUIRED_FIELDS = ["prenom", "nom"]

    class Meta:
        verbose_name = "personne"
        ordering = ["nom", "prenom", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("courriel"), name="utilisateur_courriel_unique_sans_casse"),
        ]

    def __str__(self) -> str:
        return self.get_full_name()

    def get_full_name(self) -> str:
        return f"{self.prenom} {self.nom}"

    @cached_property
    def roles(self) -> frozenset[Role]:
        """Les rôles tenus aujourd’hui. Coûte une requête par source, une fois par requête HTTP."""
        if not self.is_active:
            return frozenset()
        aujourd_hui = timezone.localdate()
        fonctions = self.fonctions.en_cours(aujourd_hui).values_list("role", flat=True)
        roles = {Role(role) for role in fonctions}
        for source in _sources_de_roles:
            roles |= source(self)
        return frozenset(roles)

    def tient(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    @property
    def est_agent(self) -> bool:
        """Vrai pour une personne de la Caf."""
        return not self.roles.isdisjoint(ROLES_CAF)


class Fonction(models.Model):
    """Le rôle d’un agent de la Caf, pendant une période."""

    utilisateur = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="fonctions", on_delete=models.PROTECT)
    role = models.CharField("rôle", max_length=30, choices=[(r.value, r.label) for r in Role if r in ROLES_CAF])
    debut = models.DateField("début")
    fin = models.DateField("fin (comprise)", null=True, blank=True)

    objects = FonctionQuerySet.as_manager()

    class Meta:
        verbose_name = "fonction"
        constraints = [
            models.CheckConstraint(
                name="fonction_role_de_la_caf", condition=Q(role__in=sorted(r.value for r in ROLES_CAF))
            ),
            models.CheckConstraint(
                name="fonction_periode_a_l_endroit",
                condition=Q(fin__isnull=True) | Q(fin__gte=F("debut")),
                violation_error_message="La fin de la fonction précède son début.",
            ),
            ExclusionConstraint(
                name="fonction_sans_doublon",
                expressions=[
                    (PERIODE, RangeOperators.OVERLAPS),
                    ("utilisateur", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                ],
                violation_error_message="Cette personne tient déjà ce rôle sur cette période.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.utilisateur}, {self.get_role_display()}"


class EvenementCompte(models.Model):
    """Qui a ouvert, changé ou fermé l’accès d’un agent de la Caf ; ``par`` vide : à l’installation. On y ajoute."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="evenements_de_compte", on_delete=models.PROTECT)
    geste = models.CharField("geste", max_length=30, choices=GesteCompte)
    details = models.CharField("détails", max_length=200, blank=True)
    motif = models.CharField("motif", max_length=300, blank=True)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT)
    le = models.DateTimeField("le", auto_now_add=True)

    class Meta:
        verbose_name = "événement de compte"
        verbose_name_plural = "événements de compte"
        ordering = ["-le", "-pk"]
        constraints = [models.CheckConstraint(name="geste_de_compte_connu", condition=Q(geste__in=GesteCompte.values))]
        triggers = [pgtrigger.Protect(name="journal_comptes_ajout_seul", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.get_geste_display()} ({self.agent_id})"
