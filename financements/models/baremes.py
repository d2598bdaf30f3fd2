"""Les prestations et leurs règles : des données datées. Rien dans le code ne dit lesquelles existent."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from agrements.choix import Objet
from financements.calculs import Poste, Regle
from financements.calculs import Prorata as ProrataPur
from financements.choix import EtatBareme, PosteAssiette, Prorata
from financements.querysets import BaremeQuerySet, PrestationQuerySet
from socle.dates import jour_et_mois

EXERCICE_MIN, EXERCICE_MAX = 2000, 2099


def exercice_connu(nom: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=nom,
        condition=Q(exercice__gte=EXERCICE_MIN, exercice__lte=EXERCICE_MAX),
        violation_error_message="Écrivez une année, par exemple 2026.",
    )


class Prestation(models.Model):
    """Une prestation de service, pour les exercices où elle existe ; le jour d’une fusion, elle dit qui lui succède.

    ``objets`` : les objets d’agrément qui y ouvrent droit.
    """

    code = models.CharField("code", max_length=20, primary_key=True)
    sigle = models.CharField("sigle", max_length=20)
    libelle = models.CharField("libellé", max_length=120)
    objets = ArrayField(models.CharField(max_length=40, choices=Objet), verbose_name="objets d’agrément")
    premier_exercice = models.PositiveSmallIntegerField("premier exercice")
    dernier_exercice = models.PositiveSmallIntegerField("dernier exercice", null=True, blank=True)
    successeur = models.ForeignKey(
        "self", verbose_name="prestation qui lui succède", related_name="remplacees", null=True, blank=True,
        on_delete=models.PROTECT,
    )  # fmt: skip
    source = models.CharField("source", max_length=300)
    ordre = models.PositiveSmallIntegerField("ordre", default=0)

    objects = PrestationQuerySet.as_manager()

    class Meta:
        verbose_name = "prestation"
        ordering = ["ordre", "code"]
        constraints = [
            models.CheckConstraint(name="prestation_ouverte_par_un_objet", condition=Q(objets__len__gt=0)),
            models.CheckConstraint(name="prestation_objets_connus", condition=Q(objets__contained_by=Objet.values)),
            models.CheckConstraint(
                name="prestation_a_l_endroit",
                condition=Q(dernier_exercice__isnull=True) | Q(dernier_exercice__gte=F("premier_exercice")),
                violation_error_message="Le dernier exercice précède le premier.",
            ),
            models.CheckConstraint(
                name="prestation_ne_se_succede_pas",
                condition=Q(successeur__isnull=True) | ~Q(successeur=F("code")),
                violation_error_message="Une prestation ne se succède pas à elle-même.",
            ),
        ]

    def __str__(self) -> str:
        return self.sigle


class Bareme(models.Model):
    """La règle d’une prestation pour un exercice. Publiée, elle ne se modifie plus : une nouvelle version la remplace.

    Taux et prix plafond sont deux données ; le montant maximal est leur produit, jamais saisi (domaine C.2).
    Invariants : un seul barème publié par prestation et exercice ; qui saisit ne publie pas.
    """

    prestation = models.ForeignKey(
        Prestation, verbose_name="prestation", related_name="baremes", on_delete=models.PROTECT
    )
    exercice = models.PositiveSmallIntegerField("exercice")
    numero = models.PositiveSmallIntegerField("version", default=1)
    taux = models.DecimalField("taux (%)", max_digits=7, decimal_places=4)
    prix_plafond = models.DecimalField("prix plafond annuel (€)", max_digits=12, decimal_places=2)
    postes = ArrayField(
        models.CharField(max_length=20, choices=PosteAssiette),
        verbose_name="postes de l’assiette",
        default=list,
        blank=True,  # la contrainte le dit mieux
    )
    quote_part = models.BooleanField("ajouter la quote-part de logistique", default=True)
    avec_contributions_volontaires = models.BooleanField("compter les contributions volontaires (86)", default=False)
    prorata = models.CharField("prorata du plafond", max_length=10, choices=Prorata, default=Prorata.AUCUN)
    prorata_etp = models.BooleanField("plafond au prorata de l’ETP", default=False)
    etp_minimum = models.DecimalField("ETP minimum", max_digits=5, decimal_places=2, null=True, blank=True)
    effet_le = models.DateField("date d’effet")
    source = models.CharField("source", max_length=300)
    demonstration = models.BooleanField("valeur de démonstration", default=False)
    etat = models.CharField("état", max_length=20, choices=EtatBareme, default=EtatBareme.BROUILLON)
    motif = models.TextField("raison du remplacement", blank=True)
    saisi_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    saisi_le = models.DateTimeField("saisi le", auto_now_add=True)
    publie_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    publie_le = models.DateTimeField("publié le", null=True, blank=True)
    remplace = models.OneToOneField(
        "self", verbose_name="remplace", related_name="remplacant", null=True, blank=True, on_delete=models.PROTECT
    )

    objects = BaremeQuerySet.as_manager()

    class Meta:
        verbose_name = "barème"
        ordering = ["-exercice", "prestation__ordre", "-numero"]
        constraints = [
            exercice_connu("bareme_exercice_connu"),
            models.UniqueConstraint(fields=["prestation", "exercice", "numero"], name="bareme_version_unique"),
            models.UniqueConstraint(
                fields=["prestation", "exercice"],
                condition=Q(etat=EtatBareme.PUBLIE),
                name="bareme_un_seul_publie",
                violation_error_message="Un barème est déjà publié pour cette prestation et cet exercice.",
            ),
            models.UniqueConstraint(
                fields=["prestation", "exercice"],
                condition=Q(etat=EtatBareme.BROUILLON),
                name="bareme_un_seul_brouillon",
                violation_error_message="Un brouillon existe déjà pour cette prestation et cet exercice.",
            ),
            models.CheckConstraint(name="bareme_etat_connu", condition=Q(etat__in=EtatBareme.values)),
            models.CheckConstraint(name="bareme_prorata_connu", condition=Q(prorata__in=Prorata.values)),
            models.CheckConstraint(
                name="bareme_taux_en_pour_cent",
                condition=Q(taux__gt=0, taux__lte=100),
                violation_error_message="Le taux s’écrit en pour cent, entre 0 et 100.",
            ),
            models.CheckConstraint(
                name="bareme_plafond_positif",
                condition=Q(prix_plafond__gt=0),
                violation_error_message="Le prix plafond est supérieur à zéro.",
            ),
            models.CheckConstraint(
                name="bareme_postes_presents",
                condition=Q(postes__len__gt=0),
                violation_error_message="Choisissez un poste au moins : c’est lui qui fait l’assiette.",
            ),
            models.CheckConstraint(name="bareme_postes_connus", condition=Q(postes__contained_by=PosteAssiette.values)),
            models.CheckConstraint(
                name="bareme_etp_minimum_positif",
                condition=Q(etp_minimum__isnull=True) | Q(etp_minimum__gt=0),
                violation_error_message="L’ETP minimum est supérieur à zéro, ou vide.",
            ),
            models.CheckConstraint(
                name="bareme_publie_a_deux",
                condition=Q(etat__in=[EtatBareme.BROUILLON, EtatBareme.ABANDONNE], publie_par__isnull=True)
                | (Q(publie_par__isnull=False, publie_le__isnull=False) & ~Q(publie_par=F("saisi_par"))),
                violation_error_message="Qui saisit un barème ne le publie pas : demandez à un collègue.",
            ),
            models.CheckConstraint(
                name="bareme_remplacement_motive",
                condition=Q(remplace__isnull=True) | ~Q(motif=""),
                violation_error_message="Dites pourquoi ce barème remplace le précédent.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="bareme_publie_ineffacable", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="bareme_publie_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__publie_le__isnull=False)
                & (
                    pgtrigger.Q(old__taux__df=pgtrigger.F("new__taux"))
                    | pgtrigger.Q(old__prix_plafond__df=pgtrigger.F("new__prix_plafond"))
                    | pgtrigger.Q(old__postes__df=pgtrigger.F("new__postes"))
                    | pgtrigger.Q(old__quote_part__df=pgtrigger.F("new__quote_part"))
                    | pgtrigger.Q(
                        old__avec_contributions_volontaires__df=pgtrigger.F("new__avec_contributions_volontaires")
                    )
                    | pgtrigger.Q(old__prorata__df=pgtrigger.F("new__prorata"))
                    | pgtrigger.Q(old__prorata_etp__df=pgtrigger.F("new__prorata_etp"))
                    | pgtrigger.Q(old__etp_minimum__df=pgtrigger.F("new__etp_minimum"))
                    | pgtrigger.Q(old__effet_le__df=pgtrigger.F("new__effet_le"))
                    | pgtrigger.Q(old__exercice__df=pgtrigger.F("new__exercice"))
                    | pgtrigger.Q(old__prestation__df=pgtrigger.F("new__prestation"))
                    | pgtrigger.Q(old__source__df=pgtrigger.F("new__source"))
                    | pgtrigger.Q(old__publie_le__df=pgtrigger.F("new__publie_le"))
                    | pgtrigger.Q(old__publie_par__df=pgtrigger.F("new__publie_par"))
                    | pgtrigger.Q(old__saisi_par__df=pgtrigger.F("new__saisi_par"))
                    | pgtrigger.Q(old__demonstration__df=pgtrigger.F("new__demonstration"))
                ),
            ),
        ]

    def __str__(self) -> str:
        version = f", version {self.numero}" if self.numero > 1 else ""
        return f"{self.prestation} {self.exercice}{version}"

    def get_absolute_url(self) -> str:
        return reverse("financements:bareme", args=[self.pk])

    @property
    def montant_maximal(self) -> Decimal:
        return self.taux * self.prix_plafond / 100

    @property
    def regle(self) -> Regle:
        """Le barème tel que le calcul le lit."""
        mention = " (valeur de démonstration)" if self.demonstration else ""
        return Regle(
            prestation=self.prestation_id,
            exercice=self.exercice,
            taux=self.taux,
            prix_plafond=self.prix_plafond,
            postes=tuple(Poste(poste) for poste in self.postes),
            quote_part=self.quote_part,
            avec_contributions_volontaires=self.avec_contributions_volontaires,
            prorata=ProrataPur(self.prorata),
            prorata_etp=self.prorata_etp,
            etp_minimum=self.etp_minimum,
            libelle=f"barème {self}",
            source=f"{self.source}{mention}",
        )


class ReglesDePaiement(models.Model):
    """Ce qui gouverne acomptes, seuils et alertes d’un exercice ; à défaut, les plus récentes s’appliquent.

    Source des valeurs par défaut : pratique publiée de la Caf de la Somme (35 % + 35 %) et convention de la Charente
    (70 %), domaine C.4 ; loi 2000-321, article 10, pour les 23 000 €. À confirmer par la Caf.
    """

    exercice = models.PositiveSmallIntegerField("à partir de l’exercice", unique=True)
    acompte_1 = models.DecimalField("premier acompte (%)", max_digits=5, decimal_places=2, default=Decimal(35))
    acompte_2 = models.DecimalField("second acompte (%)", max_digits=5, decimal_places=2, default=Decimal(35))
    plafond_acomptes = models.DecimalField(
        "total des acomptes (%)", max_digits=5, decimal_places=2, default=Decimal(70)
    )
    acompte_1_mois = models.PositiveSmallIntegerField("mois du premier acompte", default=3)
    acompte_1_jour = models.PositiveSmallIntegerField("jour du premier acompte", default=1)
    acompte_2_mois = models.PositiveSmallIntegerField("mois du second acompte", default=10)
    acompte_2_jour = models.PositiveSmallIntegerField("jour du second acompte", default=2)
    seuil_double_regard = models.DecimalField(
        "double regard au-dessus de (€)", max_digits=12, decimal_places=2, default=Decimal(10000)
    )
    seuil_convention = models.DecimalField(
        "convention signée au-dessus de (€)", max_digits=12, decimal_places=2, default=Decimal(23000)
    )
    seuil_variation = models.DecimalField(
        "variation à expliquer (%)", max_digits=5, decimal_places=2, default=Decimal(20)
    )
    marge_estimation = models.DecimalField(
        "écart envisagé d’ici au réel (%)", max_digits=5, decimal_places=2, default=Decimal(10)
    )
    exige_dernier_reel = models.BooleanField("acomptes : dernier réel liquidé exigé", default=True)
    source = models.CharField("source", max_length=300)

    class Meta:
        verbose_name = "règles de paiement"
        verbose_name_plural = "règles de paiement"
        ordering = ["-exercice"]
        constraints = [
            exercice_connu("regles_exercice_connu"),
            models.CheckConstraint(
                name="regles_acomptes_sous_le_plafond",
                condition=Q(acompte_1__gte=0, acompte_2__gte=0, plafond_acomptes__lte=100)
                & Q(plafond_acomptes__gte=F("acompte_1") + F("acompte_2")),
                violation_error_message="Les acomptes dépassent leur plafond.",
            ),
            models.CheckConstraint(
                name="regles_dates_possibles",
                condition=Q(acompte_1_mois__range=(1, 12), acompte_2_mois__range=(1, 12))
                & Q(acompte_1_jour__range=(1, 28), acompte_2_jour__range=(1, 28)),
                violation_error_message="Un acompte se date du 1er au 28 d’un mois.",
            ),
            models.CheckConstraint(
                name="regles_seuils_possibles",
                condition=Q(seuil_double_regard__gte=0, seuil_convention__gte=0)
                & Q(seuil_variation__gt=0, marge_estimation__range=(0, 100)),
                violation_error_message="Les seuils sont positifs, et l’écart envisagé va de 0 à 100 pour cent.",
            ),
        ]

    def __str__(self) -> str:
        return f"à partir de {self.exercice}"

    @property
    def jour_1(self) -> str:
        return jour_et_mois(self.acompte_1_jour, self.acompte_1_mois)

    @property
    def jour_2(self) -> str:
        return jour_et_mois(self.acompte_2_jour, self.acompte_2_mois)
