"""Les dispositifs d’aide : des règles datées, publiées à deux, jamais modifiées une fois publiées."""

from __future__ import annotations

from functools import cached_property

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, IntegerRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.urls import reverse

from agrements.choix import Instance
from agrements.referentiel import ExigencePiece, Section
from aides import definition
from aides.calculs import Regle
from aides.choix import EtatDispositif, FormeAide, ObjetAide, RegimeTaxe
from aides.definition import Condition, CritereDeGrille, Mode, Part, Question
from aides.querysets import VersionDispositifQuerySet
from partenaires.choix import STATUTS_PUBLICS, StatutJuridique, TypeStructure
from partenaires.models import Structure
from socle.montants import ZERO

EXERCICE_MIN, EXERCICE_MAX = 2000, 2099


class Dispositif(models.Model):
    """Un dispositif d’aide, au fil de ses versions : « FLA AVS », « Investissement, subvention »."""

    code = models.SlugField("code", max_length=40, unique=True)
    nom = models.CharField("nom", max_length=120)
    ordre = models.PositiveSmallIntegerField("ordre", default=0)

    class Meta:
        verbose_name = "dispositif"
        ordering = ["ordre", "nom", "pk"]

    def __str__(self) -> str:
        return self.nom


class VersionDispositif(models.Model):
    """La règle d’un dispositif pour des exercices. Publiée, elle ne change plus : une nouvelle version la remplace.

    Invariants : une seule version publiée par dispositif et exercice ; qui saisit ne publie pas ; une règle publiée se
    calcule. ``conditions``, ``parts``, ``questions``, ``pieces``, ``grille`` : listes lues par ``aides.definition``.
    """

    dispositif = models.ForeignKey(
        Dispositif, verbose_name="dispositif", related_name="versions", on_delete=models.PROTECT
    )
    numero = models.PositiveSmallIntegerField("version", default=1)
    forme = models.CharField("forme de l’aide", max_length=20, choices=FormeAide, default=FormeAide.SUBVENTION)
    objet = models.CharField("ce qu’elle finance", max_length=20, choices=ObjetAide)
    resume = models.TextField("à quoi elle sert")
    exercice_du = models.PositiveSmallIntegerField("premier exercice")
    exercice_au = models.PositiveSmallIntegerField("dernier exercice")
    article = models.CharField("article du règlement intérieur (Rias)", max_length=120, blank=True)
    source = models.CharField("source", max_length=300)
    demonstration = models.BooleanField("valeur de démonstration", default=False)

    une_par_exercice = models.BooleanField("une seule demande par structure et par exercice", default=False)
    types = ArrayField(
        models.CharField(max_length=20, choices=TypeStructure), verbose_name="structures", default=list, blank=True
    )
    statuts = ArrayField(
        models.CharField(max_length=20, choices=StatutJuridique), verbose_name="statuts", default=list, blank=True
    )
    conditions = models.JSONField("conditions", default=list, blank=True)

    mode = models.CharField("l’aide est", max_length=10, choices=[(m.value, m.value) for m in Mode])
    forfait = models.DecimalField("forfait (€)", max_digits=12, decimal_places=2, null=True, blank=True)
    taux = models.DecimalField("taux (%)", max_digits=5, decimal_places=2, null=True, blank=True)
    parts = models.JSONField("parts", default=list, blank=True)
    plafond = models.DecimalField("plafond (€)", max_digits=12, decimal_places=2, null=True, blank=True)
    plafond_part = models.DecimalField(
        "plafond, en part du coût du projet (%)", max_digits=5, decimal_places=2, null=True, blank=True
    )
    minimum = models.DecimalField("minimum versé (€)", max_digits=12, decimal_places=2, null=True, blank=True)
    borne_au_besoin = models.BooleanField("sans dépasser le besoin de financement", default=True)
    regime_taxe = models.CharField(
        "dépenses comptées", max_length=20, choices=RegimeTaxe, default=RegimeTaxe.SELON_STATUT
    )
    avec_depenses = models.BooleanField("demander les dépenses et les devis", default=True)
    avec_plan = models.BooleanField("demander le plan de financement", default=True)
    avec_budget = models.BooleanField("demander le budget (Cerfa 12156)", default=False)
    questions = models.JSONField("questions", default=list, blank=True)
    pieces = models.JSONField("pièces", default=list, blank=True)
    grille = models.JSONField("grille d’instruction", default=list, blank=True)

    instance = models.CharField("instance qui décide", max_length=5, choices=Instance, default=Instance.CAS)
    ouvre_le = models.DateField("demandes ouvertes le")
    ferme_le = models.DateField("et jusqu’au", null=True, blank=True)

    convention_exigee = models.BooleanField("convention signée avant tout versement", default=True)
    avance_part = models.DecimalField("avance (%)", max_digits=5, decimal_places=2, default=0)
    sur_factures = models.BooleanField("le reste se verse sur factures", default=False)
    delai_mois = models.PositiveSmallIntegerField("délai de réalisation (mois)", default=12)
    bilan_mois = models.PositiveSmallIntegerField("bilan attendu après la fin du projet (mois, 0 : aucun)", default=6)
    destination_ans = models.PositiveSmallIntegerField("destination sociale à garder (années, 0 : aucune)", default=0)
    pret_taux = models.DecimalField("taux du prêt (%)", max_digits=5, decimal_places=2, default=0)
    pret_echeances = models.PositiveSmallIntegerField("nombre d’échéances", null=True, blank=True)
    pret_periodicite = models.PositiveSmallIntegerField("une échéance tous les (mois)", default=1)
    pret_differe = models.PositiveSmallIntegerField("différé (échéances)", default=0)

    lettre_accord = models.TextField("paragraphe ajouté à la lettre d’accord", blank=True)
    lettre_refus = models.TextField("paragraphe ajouté à la lettre de refus", blank=True)

    etat = models.CharField("état", max_length=20, choices=EtatDispositif, default=EtatDispositif.BROUILLON)
    motif = models.TextField("raison du remplacement", blank=True)
    saisi_par = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.PROTECT)
    saisi_le = models.DateTimeField("saisi le", auto_now_add=True)
    publie_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.PROTECT
    )
    publie_le = models.DateTimeField("publié le", null=True, blank=True)

    objects = VersionDispositifQuerySet.as_manager()

    class Meta:
        verbose_name = "version de dispositif"
        verbose_name_plural = "versions de dispositif"
        ordering = ["dispositif__ordre", "dispositif__nom", "-numero"]
        constraints = [
            models.UniqueConstraint(fields=["dispositif", "numero"], name="dispositif_version_unique"),
            models.UniqueConstraint(
                fields=["dispositif"],
                condition=Q(etat=EtatDispositif.BROUILLON),
                name="dispositif_un_seul_brouillon",
                violation_error_message="Un brouillon existe déjà pour ce dispositif : reprenez-le.",
            ),
            ExclusionConstraint(
                name="dispositif_exercices_sans_chevauchement",
                expressions=[
                    ("dispositif", RangeOperators.EQUAL),
                    (
                        Func(
                            F("exercice_du") * 1,
                            F("exercice_au") * 1,
                            RangeBoundary(inclusive_upper=True),
                            function="INT4RANGE",
                            output_field=IntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(etat=EtatDispositif.PUBLIE),
                violation_error_message="Une version publiée de ce dispositif couvre déjà l’un de ces exercices.",
            ),
            models.CheckConstraint(
                name="dispositif_exercices_connus",
                condition=Q(exercice_du__gte=EXERCICE_MIN, exercice_au__lte=EXERCICE_MAX),
                violation_error_message="Écrivez une année, par exemple 2026.",
            ),
            models.CheckConstraint(
                name="dispositif_exercices_a_l_endroit",
                condition=Q(exercice_au__gte=F("exercice_du")),
                violation_error_message="Le dernier exercice précède le premier.",
            ),
            models.CheckConstraint(
                name="dispositif_calendrier_a_l_endroit",
                condition=Q(ferme_le__isnull=True) | Q(ferme_le__gte=F("ouvre_le")),
                violation_error_message="Les demandes ferment avant d’ouvrir.",
            ),
            models.CheckConstraint(name="dispositif_etat_connu", condition=Q(etat__in=EtatDispositif.values)),
            models.CheckConstraint(name="dispositif_forme_connue", condition=Q(forme__in=FormeAide.values)),
            models.CheckConstraint(name="dispositif_mode_connu", condition=Q(mode__in=[m.value for m in Mode])),
            models.CheckConstraint(
                name="dispositif_types_choisis",
                condition=Q(types__len__gt=0, types__contained_by=TypeStructure.values),
                violation_error_message="Choisissez au moins un type de structure.",
            ),
            models.CheckConstraint(
                name="dispositif_statuts_choisis",
                condition=Q(statuts__len__gt=0, statuts__contained_by=StatutJuridique.values),
                violation_error_message="Choisissez au moins un statut de gestionnaire.",
            ),
            models.CheckConstraint(
                name="dispositif_taux_en_pour_cent",
                condition=(Q(taux__isnull=True) | Q(taux__gt=0, taux__lte=100))
                & (Q(plafond_part__isnull=True) | Q(plafond_part__gt=0, plafond_part__lte=100))
                & Q(avance_part__gte=0, avance_part__lte=100, pret_taux__gte=0, pret_taux__lte=20),
                violation_error_message="Les taux s’écrivent en pour cent, entre 0 et 100 (20 au plus pour un prêt).",
            ),
            models.CheckConstraint(
                name="dispositif_montants_positifs",
                condition=(Q(forfait__isnull=True) | Q(forfait__gt=0))
                & (Q(plafond__isnull=True) | Q(plafond__gt=0))
                & (Q(minimum__isnull=True) | Q(minimum__gt=0)),
                violation_error_message="Un montant est supérieur à zéro, ou vide.",
            ),
            models.CheckConstraint(
                name="dispositif_calcul_regle",
                condition=Q(mode=Mode.FORFAIT.value, forfait__isnull=False)
                | Q(mode=Mode.TAUX.value, taux__isnull=False, avec_depenses=True)
                | Q(mode=Mode.PARTS.value),
                violation_error_message="Réglez le calcul : un taux demande les dépenses, un forfait son montant.",
            ),
            models.CheckConstraint(
                name="dispositif_pret_regle",
                condition=Q(forme=FormeAide.SUBVENTION)
                | Q(
                    pret_echeances__isnull=False, pret_echeances__gt=0, pret_echeances__lte=360, convention_exigee=True
                ),
                violation_error_message="Un prêt dit son nombre d’échéances, et se signe avant tout versement.",
            ),
            models.CheckConstraint(
                name="dispositif_periodicite_connue",
                condition=Q(pret_periodicite__in=[1, 3, 6, 12]),
                violation_error_message="Une échéance tous les 1, 3, 6 ou 12 mois.",
            ),
            models.CheckConstraint(
                name="dispositif_delais_possibles",
                condition=Q(delai_mois__gte=1, delai_mois__lte=120, bilan_mois__lte=36, destination_ans__lte=30),
                violation_error_message="Délai : de 1 à 120 mois ; bilan : 36 au plus ; destination : 30 ans au plus.",
            ),
            models.CheckConstraint(
                name="dispositif_factures_avec_depenses",
                condition=Q(sur_factures=False) | Q(avec_depenses=True),
                violation_error_message="Un versement sur factures demande les dépenses et les devis.",
            ),
            models.CheckConstraint(
                name="dispositif_publie_a_deux",
                condition=Q(etat__in=[EtatDispositif.BROUILLON, EtatDispositif.ABANDONNE], publie_par__isnull=True)
                | (Q(publie_par__isnull=False, publie_le__isnull=False) & ~Q(publie_par=F("saisi_par"))),
                violation_error_message="Qui saisit un dispositif ne le publie pas : demandez à un collègue.",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="dispositif_publie_ineffacable",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__publie_le__isnull=False),
            ),
            pgtrigger.Protect(
                name="dispositif_publie_fige",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.publie_le IS NOT NULL AND (to_jsonb(OLD) - 'etat' - 'ferme_le') "
                    "IS DISTINCT FROM (to_jsonb(NEW) - 'etat' - 'ferme_le')"
                ),
            ),
        ]

    def __str__(self) -> str:
        exercices = f"{self.exercice_du}" + (f"-{self.exercice_au}" if self.exercice_au != self.exercice_du else "")
        return f"{self.dispositif.nom} {exercices}" + (f", version {self.numero}" if self.numero > 1 else "")

    def get_absolute_url(self) -> str:
        return reverse("aides:dispositif", args=[self.pk])

    @property
    def source_dite(self) -> str:
        return f"{self.source}{' (valeur de démonstration)' if self.demonstration else ''}"

    @property
    def types_dits(self) -> str:
        return ", ".join(TypeStructure(t).label for t in self.types)

    @property
    def statuts_dits(self) -> str:
        """« tous », ou leurs noms."""
        if set(self.statuts) == set(StatutJuridique.values):
            return "tous"
        return ", ".join(StatutJuridique(s).label for s in self.statuts)

    @property
    def est_un_pret(self) -> bool:
        return self.forme == FormeAide.PRET

    @cached_property
    def conditions_lues(self) -> tuple[Condition, ...]:
        return definition.lire_conditions(self.conditions)

    @cached_property
    def questions_lues(self) -> tuple[Question, ...]:
        return definition.lire_questions(self.questions)

    @cached_property
    def parts_lues(self) -> tuple[Part, ...]:
        return definition.lire_parts(self.parts, self.questions_lues)

    @cached_property
    def grille_lue(self) -> tuple[CritereDeGrille, ...]:
        return definition.lire_grille(self.grille)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return definition.sections(
            self.questions_lues, avec_resultats=bool(self.bilan_mois), avec_budget=self.avec_budget
        )

    def pieces_pour(self, structure: Structure) -> tuple[ExigencePiece, ...]:
        lues = definition.lire_pieces(self.pieces)
        return tuple(p for p in lues if p.concerne("", structure.gestionnaire.statut, structure.type))

    def taxe_de(self, structure: Structure) -> str:
        """« HT » ou « TTC » : ce qui compte comme dépense pour cette structure."""
        if self.regime_taxe == RegimeTaxe.SELON_STATUT:
            return "HT" if structure.gestionnaire.statut in STATUTS_PUBLICS else "TTC"
        return "HT" if self.regime_taxe == RegimeTaxe.HT else "TTC"

    def regle_pour(self, structure: Structure) -> Regle:
        """La règle telle que le calcul la lit, dans le régime de taxe de la structure."""
        return Regle(
            mode=Mode(self.mode),
            forfait=self.forfait or ZERO,
            taux=self.taux or ZERO,
            parts=self.parts_lues if self.mode == Mode.PARTS else (),
            plafond=self.plafond,
            plafond_part=self.plafond_part,
            minimum=self.minimum,
            borne_au_besoin=self.borne_au_besoin and self.avec_plan,
            taxe=self.taxe_de(structure),
            libelle=str(self),
            source=self.source_dite,
        )

    def verifier(self) -> None:
        """Lève DispositifIncoherent : une liste illisible, ou un calcul qui ne peut rien donner."""
        _ = self.conditions_lues, self.grille_lue, definition.lire_pieces(self.pieces)
        definition.verifier_le_calcul(
            mode=self.mode,
            forfait=self.forfait,
            taux=self.taux,
            parts=self.parts_lues,
            plafond=self.plafond,
            plafond_part=self.plafond_part,
            minimum=self.minimum,
        )
