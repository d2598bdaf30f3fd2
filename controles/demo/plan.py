"""Deux plans de démonstration : celui de l’année, validé, ses contrôles à mener ; le suivant, qui se prépare."""

from __future__ import annotations

from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from controles.actions import plans, tirages
from controles.actions.regles import charger_regles
from controles.choix import Mode, Origine
from controles.models import PlanControle
from financements.choix import NatureDroit
from financements.models import Droit
from partenaires.interlocuteurs import equipe
from partenaires.models import Structure

INSTRUCTIONS = (
    "Regarder la répartition par fonction des charges de pilotage, et l’affichage de la charte de la laïcité "
    "(texte de démonstration)."
)


def annees() -> tuple[int, int]:
    """L’année du plan validé et celle du plan qui se prépare : au second semestre, on prépare l’année qui vient."""
    aujourd_hui = timezone.localdate()
    en_cours = aujourd_hui.year if aujourd_hui.month > 6 else aujourd_hui.year - 1
    return en_cours, en_cours + 1


def a_controler() -> list[Structure]:
    """Celles qui ont une direction et des droits réels : il y a quelque chose à contrôler."""
    reelles = Droit.objects.filter(versions__courante=True, versions__nature=NatureDroit.REEL).values("structure")
    trouvees = Structure.objects.ouvertes().filter(pk__in=reelles).select_related("gestionnaire", "commune")
    return [s for s in trouvees.order_by("pk") if equipe(s.pk, Role.DIRECTION)]


def semer_plan_valide(controleurs: list[Utilisateur], responsable: Utilisateur) -> PlanControle:
    """Le plan de l’année, validé : le premier contrôleur en tient la moitié, ce qui montre sa tablette pleine."""
    charger_regles()
    premier, second, troisieme = controleurs
    annee, _ = annees()
    plan = plans.ouvrir(annee=annee, objectif=12, instructions=INSTRUCTIONS, par=premier)
    for rang, structure in enumerate(a_controler()[:9]):
        ligne = plans.retenir(plan, structure, par=premier)
        plans.regler_ligne(
            plan, ligne.pk, mode=Mode.SUR_PLACE if rang % 4 else Mode.SUR_PIECES, trimestre=1 + rang % 4,
            controleur=premier if rang % 2 or rang == 8 else second, par=premier,
        )  # fmt: skip
    for ligne in tirages.tirer(plan, par=premier):
        plans.regler_ligne(
            plan, ligne.pk, mode=Mode.SUR_PIECES, trimestre=4, controleur=troisieme, par=premier
        )  # fmt: skip
    plans.soumettre(plan, par=premier)
    return plans.valider(plan, par=responsable)


def semer_plan_en_preparation(controleurs: list[Utilisateur]) -> PlanControle:
    """Le plan suivant, à moitié fait : des structures retenues, une instruction, un tirage, une répartition à finir."""
    premier = controleurs[0]
    _, annee = annees()
    plan = plans.ouvrir(annee=annee, objectif=12, instructions=INSTRUCTIONS, par=premier)
    plans.retenir_les_premieres(plan, 6, par=premier)
    tirages.tirer(plan, par=premier)
    plans.repartir(plan, par=premier)
    libre = next(
        (s for s in Structure.objects.ouvertes().order_by("-pk") if not plan.lignes.filter(structure=s).exists()), None
    )
    if libre is not None:
        plans.ajouter(
            plan, libre, origine=Origine.NATIONALE, motif="Plan national, thème « répartition des salaires ».",
            par=premier,
        )  # fmt: skip
    return plan
