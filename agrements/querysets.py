from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, OuterRef, Q, Subquery, When

from agrements.choix import ETATS_DECIDES, ETATS_OUVERTS, ETATS_PRIVES, EtatAgrement, Instance
from partenaires.querysets import structures_de

if TYPE_CHECKING:
    from agrements.models import Agrement, Dossier, Passage, Piece, Seance, VersionRegime  # noqa: F401
    from comptes.models import Utilisateur


class DossierQuerySet(models.QuerySet["Dossier"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        """La Caf ne voit un dossier qu’une fois déposé ; un partenaire, ceux de ses structures."""
        if utilisateur.est_agent:
            return self.exclude(etat__in=ETATS_PRIVES).exclude(depose_le=None)
        return self.filter(structure__in=structures_de(utilisateur))

    def ouverts(self) -> Self:
        return self.filter(etat__in=ETATS_OUVERTS)

    def suivis_par(self, agent: Utilisateur, le: date) -> Self:
        """Les dossiers d’un chargé de conseil, et ceux des collègues qu’il supplée ce jour-là."""
        absents = agent.suppleances.en_cours(le).values("absent")
        return self.filter(Q(charge=agent) | Q(charge__in=absents))

    def avec_lecture(self) -> Self:
        """Dit, dans la même requête, si la dernière décision attend d’être lue (``decision_a_lire``)."""
        decisions = self.model._meta.get_field("decisions").related_model.objects  # type: ignore[union-attr]
        derniere = decisions.filter(dossier=OuterRef("pk")).order_by("-enregistree_le", "-pk")
        non_lue = derniere.annotate(non_lue=ExpressionWrapper(Q(lue_le__isnull=True), BooleanField()))
        return self.annotate(
            decision_a_lire=Case(
                When(etat__in=ETATS_DECIDES, then=Subquery(non_lue.values("non_lue")[:1])),
                default=False,
                output_field=BooleanField(),
            )
        )

    def pour_fiche(self) -> Self:
        return self.avec_lecture().select_related(
            "structure__gestionnaire", "structure__commune__epci", "regime", "charge", "version_courante"
        )

    def pour_liste(self) -> Self:
        """Tout ce que la liste affiche, en une requête ; l’ordre vient du filtre."""
        return self.avec_lecture().select_related("structure__commune", "charge")

    def verrouiller(self, pk: int) -> Dossier:
        return self.select_for_update(of=("self",), no_key=True).select_related("regime", "structure").get(pk=pk)


class VersionRegimeQuerySet(models.QuerySet["VersionRegime"]):
    def applicable(self, le: date) -> VersionRegime:
        """Le régime des agréments qui commencent ce jour-là. Lève DoesNotExist si aucun n’est publié."""
        return (
            self.filter(publie_le__isnull=False, effet_du__lte=le)
            .filter(Q(effet_au__isnull=True) | Q(effet_au__gte=le))
            .latest("numero")
        )


class PieceQuerySet(models.QuerySet["Piece"]):
    def du_coffre(self, structure_pk: int, le: date) -> Self:
        """Les pièces encore valables qu’une structure peut joindre sans les redéposer."""
        return (
            self.filter(structure=structure_pk, remplacee_par__isnull=True, retiree_le__isnull=True)
            .filter(Q(valable_jusqu_au__isnull=True) | Q(valable_jusqu_au__gte=le))
            .select_related("fichier")
        )

    def qui_expirent(self, le: date) -> Self:
        """Au coffre, à trente jours de leur échéance avant ou après, et pas encore renouvelées."""
        au_coffre = Q(remplacee_par__isnull=True, retiree_le__isnull=True)
        plus_longue = self.model._default_manager.filter(
            Q(valable_jusqu_au__isnull=True) | Q(valable_jusqu_au__gt=OuterRef("valable_jusqu_au")),
            au_coffre,
            structure=OuterRef("structure"),
            nature=OuterRef("nature"),
        )
        mois = timedelta(days=30)
        return (
            self.filter(au_coffre, valable_jusqu_au__range=(le - mois, le + mois), structure__fermee_le__isnull=True)
            .exclude(Exists(plus_longue))
            .select_related("structure")
        )


class SeanceQuerySet(models.QuerySet["Seance"]):
    def non_finies(self) -> Self:
        return self.filter(close_le__isnull=True, annulee_le__isnull=True)

    def a_venir(self, le: date) -> Self:
        return self.non_finies().filter(tenue_le__gte=le)

    def ouvertes_aux_inscriptions(self, instance: str, le: date) -> Self:
        """Les prochaines séances de cette instance où l’on peut encore inscrire un dossier."""
        limite = Q(limite_inscription_le__isnull=True) | Q(limite_inscription_le__gte=le)
        return self.a_venir(le).filter(limite, instance=instance).order_by("tenue_le")

    def verrouiller(self, pk: int) -> Seance:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)


class PassageQuerySet(models.QuerySet["Passage"]):
    def a_enregistrer(self, instance: str) -> Self:
        """Ceux dont la séance n’a rien enregistré : ni avis en CAS, ni décision en CA, ni décision d’un autre sujet."""
        dossiers = Q(avis="") if instance == Instance.CAS else Q(decision__isnull=True)
        return self.filter(Q(dossier__isnull=False) & dossiers | Q(dossier__isnull=True, saisi_le__isnull=True))


class AgrementQuerySet(models.QuerySet["Agrement"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        """La structure découvre un agrément en ouvrant la lettre dont il est né, pas avant."""
        if utilisateur.est_agent:
            return self
        return self.filter(structure__in=structures_de(utilisateur), decision__lue_le__isnull=False)

    def en_vigueur(self, le: date) -> Self:
        """Ceux qui ouvrent droit ce jour-là : les dates font foi, même si l’horloge n’est pas encore passée."""
        return self.filter(debut__lte=le, fin__gte=le).exclude(etat__in=[EtatAgrement.RETIRE, EtatAgrement.SUSPENDU])

    def verrouiller(self, pk: int) -> Agrement:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)
