from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models
from django.db.models import CharField, F, Func, Q, Value
from django.utils import timezone

from comptes.querysets import en_cours_le
from socle.texte import cle_de_tri

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from partenaires.models import Commune, Gestionnaire, Habilitation, Structure  # noqa: F401


_ABREGES = {"st": "saint", "ste": "sainte"}


def ecritures(saisie: str) -> set[str]:
    """Les façons d’écrire ce qu’on cherche, sans accents ni casse : « St » et « Saint » se valent."""
    cle = cle_de_tri(saisie)
    courts = {long: abrege for abrege, long in _ABREGES.items()}
    return {" ".join(noms.get(mot, mot) for mot in cle.split()) for noms in ({}, _ABREGES, courts)} - {""}


def structure_nommee(saisie: str, chemin: str = "") -> Q:
    """Le filtre d’une recherche : chaque mot est dans le nom de la structure ou dans celui de sa commune.

    ``chemin`` mène à la structure. « MJC saumur » trouve la MJC de Saumur ; « quartney » trouve Le Quart’Ney.
    """
    tous = Q()
    for mot in cle_de_tri(saisie).split():
        trouve = Q()
        for ecriture in ecritures(mot):
            trouve |= Q(**{f"{chemin}nom_tri__contains": ecriture})
            trouve |= Q(**{f"{chemin}commune__nom_tri__contains": ecriture})
        tous &= trouve
    return tous


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
        trouvees = Q()
        for ecriture in ecritures(saisie):
            for nom in ("nom_tri", "deleguees__nom_tri"):
                trouvees |= Q(**{f"{nom}__startswith": ecriture}) | Q(**{f"{nom}__contains": f" {ecriture}"})
        return self.filter(trouvees).distinct()


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

    def du_secteur(self, agent: Utilisateur, le: date) -> Self:
        """Celles dont un chargé de conseil suit la commune ce jour-là, lui ou celui qu’il supplée."""
        tenues = apps.get_model("partenaires", "AffectationCommune").objects.tenues_par(agent, le)
        return self.filter(commune__in=tenues.values("commune"))

    def du_portefeuille(self, agent: Utilisateur, le: date) -> Self:
        """Celles dont un technicien conseil suit le gestionnaire ce jour-là, lui ou celui qu’il supplée."""
        tenues = apps.get_model("partenaires", "AffectationGestionnaire").objects.tenues_par(agent, le)
        return self.filter(gestionnaire__in=tenues.values("gestionnaire"))

    def suivies_par(self, agent: Utilisateur, le: date) -> Self:
        """Celles que l’agent suit lui-même ce jour-là, par son secteur ou par son portefeuille."""
        en_cours = {"affectations__agent": agent, "affectations__debut__lte": le}
        sans_fin = Q(affectations__fin__isnull=True) | Q(affectations__fin__gte=le)
        communes = apps.get_model("partenaires", "Commune").objects.filter(sans_fin, **en_cours)
        gestionnaires = apps.get_model("partenaires", "Gestionnaire").objects.filter(sans_fin, **en_cours)
        return self.filter(Q(commune__in=communes) | Q(gestionnaire__in=gestionnaires))

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
