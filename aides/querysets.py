from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, OuterRef, Q, Subquery, When

from aides.choix import ETATS_ACCORDES, ETATS_DECIDES, ETATS_PRIVES, ETATS_PROPOSES, EtatDispositif
from partenaires.querysets import structures_de

if TYPE_CHECKING:
    from aides.models import Demande, Enveloppe, VersionDispositif
    from comptes.models import Utilisateur
    from partenaires.models import Structure


class VersionDispositifQuerySet(models.QuerySet["VersionDispositif"]):
    def publiees(self) -> Self:
        return self.filter(etat=EtatDispositif.PUBLIE)

    def ouvertes_a(self, structure: Structure, le: date) -> Self:
        """Celles que cette structure peut demander ce jour-là : en vigueur, au calendrier, à son type et son statut."""
        return self.publiees().filter(
            Q(ferme_le__isnull=True) | Q(ferme_le__gte=le),
            ouvre_le__lte=le,
            exercice_au__gte=le.year,
            types__contains=[structure.type],
            statuts__contains=[structure.gestionnaire.statut],
        )

    def verrouiller(self, pk: int) -> VersionDispositif:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)


class DemandeQuerySet(models.QuerySet["Demande"]):
    def visibles_par(self, utilisateur: Utilisateur) -> Self:
        """La Caf ne voit une demande qu’une fois déposée ; un partenaire, celles de ses structures."""
        if utilisateur.est_agent:
            return self.exclude(etat__in=ETATS_PRIVES).exclude(depose_le=None)
        return self.filter(structure__in=structures_de(utilisateur))

    def suivies_par(self, agent: Utilisateur, le: date) -> Self:
        absents = agent.suppleances.en_cours(le).values("absent")
        return self.filter(Q(charge=agent) | Q(charge__in=absents))

    def avec_lecture(self) -> Self:
        """Dit, dans la même requête, si la dernière décision attend d’être lue (``decision_a_lire``)."""
        decisions = self.model._meta.get_field("decisions").related_model.objects  # type: ignore[union-attr]
        derniere = decisions.filter(demande=OuterRef("pk")).order_by("-enregistree_le", "-pk")
        non_lue = derniere.annotate(non_lue=ExpressionWrapper(Q(lue_le__isnull=True), BooleanField()))
        return self.annotate(
            decision_a_lire=Case(
                When(etat__in=ETATS_DECIDES, then=Subquery(non_lue.values("non_lue")[:1])),
                default=False,
                output_field=BooleanField(),
            )
        )

    def a_lire(self) -> models.QuerySet[Demande, dict[str, int]]:
        """Les clés de celles dont la décision attend d’être lue."""
        return self.avec_lecture().filter(decision_a_lire=True).values("pk")

    def proposees(self) -> Self:
        return self.filter(etat__in=ETATS_PROPOSES)

    def accordees(self) -> Self:
        return self.filter(etat__in=ETATS_ACCORDES)

    def pour_liste(self) -> Self:
        return self.avec_lecture().select_related("structure__commune", "version__dispositif", "charge")

    def pour_fiche(self) -> Self:
        return self.avec_lecture().select_related(
            "structure__gestionnaire", "structure__commune__epci", "version__dispositif", "charge", "version_deposee",
            "enveloppe",
        )  # fmt: skip

    def verrouiller(self, pk: int) -> Demande:
        return (
            self.select_for_update(of=("self",), no_key=True)
            .select_related("version__dispositif", "structure__gestionnaire")
            .get(pk=pk)
        )


class EnveloppeQuerySet(models.QuerySet["Enveloppe"]):
    def pour(self, dispositif_pk: int, exercice: int, epci_pk: str | None) -> Enveloppe | None:
        """Celle du territoire si elle est votée ; sinon celle du département."""
        possibles = self.filter(dispositif=dispositif_pk, exercice=exercice)
        return (possibles.filter(epci=epci_pk).first() if epci_pk else None) or possibles.filter(
            epci__isnull=True
        ).first()

    def pour_liste(self) -> Self:
        """Ajoute ``propose`` (avis rendus pas encore décidés) et ``demandes`` en cours. Une requête."""
        Demande = self.model._meta.get_field("demandes").related_model
        proposees = Demande.objects.filter(enveloppe=OuterRef("pk"), etat__in=ETATS_PROPOSES).order_by()  # type: ignore[union-attr]
        somme = proposees.values("enveloppe").annotate(somme=models.Sum("montant_propose")).values("somme")
        return self.select_related("dispositif", "epci").annotate(
            propose=models.functions.Coalesce(
                Subquery(somme, output_field=models.DecimalField(max_digits=14, decimal_places=2)),
                models.Value(0, output_field=models.DecimalField(max_digits=14, decimal_places=2)),
            ),
            a_des_mouvements=Exists(Demande.objects.filter(enveloppe=OuterRef("pk"))),  # type: ignore[union-attr]
        )

    def verrouiller(self, pk: int) -> Enveloppe:
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)
