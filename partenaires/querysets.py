from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import CharField, F, Func, Q, Value
from django.utils import timezone

from comptes.querysets import en_cours_le
from socle.texte import cle_de_tri

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from partenaires.models import Commune, Gestionnaire, Habilitation, Structure  # noqa: F401


_ABREGES = {"st": "saint", "ste": "sainte"}


class CommuneQuerySet(models.QuerySet["Commune"]):
    def cherchees_par(self, saisie: str) -> Self:
        """Par nom, code postal ou nom d’ancienne commune ; sans accents ni casse."""
        cle = cle_de_tri(saisie)
        if not cle:
            return self.none()
        if cle.isdigit():
            codes = Func(F("codes_postaux"), Value("|"), function="array_to_string", output_field=CharField())
            par_code = self.annotate(codes=codes)
            return par_code.filter(Q(codes__startswith=cle) | Q(codes__contains=f"|{cle}") | Q(code_insee=cle))
        cle = " ".join(_ABREGES.get(mot, mot) for mot in cle.split())
        return self.filter(
            Q(nom_tri__startswith=cle)
            | Q(nom_tri__contains=f" {cle}")
            | Q(deleguees__nom_tri__startswith=cle)
            | Q(deleguees__nom_tri__contains=f" {cle}")
        ).distinct()


def structures_de(utilisateur: Utilisateur) -> models.QuerySet:
    """Les structures où un partenaire est habilité aujourd’hui, en sous-requête."""
    return utilisateur.habilitations.en_cours(timezone.localdate()).values("structure")


class StructureQuerySet(models.QuerySet["Structure"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        """Un agent de la Caf voit toutes les structures ; un partenaire, celles où il est habilité aujourd’hui."""
        if utilisateur.est_agent:
            return self
        return self.filter(pk__in=structures_de(utilisateur))

    def ouvertes(self) -> Self:
        return self.filter(fermee_le__isnull=True)

    def verrouiller(self, pk: int) -> Structure:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)


class GestionnaireQuerySet(models.QuerySet["Gestionnaire"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        if utilisateur.est_agent:
            return self
        return self.filter(structures__in=structures_de(utilisateur)).distinct()

    def verrouiller(self, pk: int) -> Gestionnaire:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)


class HabilitationQuerySet(models.QuerySet["Habilitation"]):
    def en_cours(self, le: date) -> Self:
        return self.filter(en_cours_le(le))


class SuppleanceQuerySet(models.QuerySet):
    def en_cours(self, le: date) -> Self:
        return self.filter(en_cours_le(le))


class AffectationQuerySet(models.QuerySet):
    def en_cours(self, le: date) -> Self:
        return self.filter(en_cours_le(le))

    def tenues_par(self, agent: Utilisateur, le: date) -> Self:
        """Les siennes ce jour-là, et celles des collègues qu’il supplée."""
        absents = agent.suppleances.en_cours(le).values("absent")
        return self.en_cours(le).filter(Q(agent=agent) | Q(agent__in=absents))
