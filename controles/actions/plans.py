"""Le plan de l’année : l’ouvrir, y retenir des structures, le soumettre, le valider ; il naît alors des contrôles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from controles import repartition
from controles.actions.franchir import consigner
from controles.annonces import plans as annonces
from controles.choix import ORIGINES_MOTIVEES, Etat, EtatPlan, Geste, Mode, Origine
from controles.classement import Place, classer, en_lignes, lignes_du_plan, manques
from controles.cycle import CYCLE_PLAN
from controles.droits import peut_preparer_le_plan, peut_valider_le_plan, tranche
from controles.models import Controle, LignePlan, PlanControle, ReglesControle
from controles.risque import evaluer
from controles.situations import controles_en_route, situations
from partenaires.interlocuteurs import agents
from partenaires.models import Structure
from socle.droits import exiger
from socle.erreurs import Refus
from socle.etats import TransitionInterdite, arrivee, trop_tard
from socle.texte import epurer


class PlanIncomplet(Refus):
    """Ce qui manque au plan pour être soumis ou validé ; ``manques`` : une phrase par chose."""

    def __init__(self, manques: Sequence[str]) -> None:
        super().__init__(" ".join(manques))
        self.manques = list(manques)


def regles_du(annee: int) -> ReglesControle:
    """Celles en vigueur le jour où le plan commence, ou aujourd’hui s’il a commencé. Lève Refus s’il n’y en a pas."""
    le = max(timezone.localdate(), date(annee, 1, 1))
    regles = ReglesControle.objects.en_vigueur(le)
    if regles is None:
        raise Refus("Aucune règle du contrôle n’est en vigueur : l’administrateur les écrit, un collègue les publie.")
    return regles


@transaction.atomic
def ouvrir(*, annee: int, objectif: int, instructions: str = "", par: Utilisateur) -> PlanControle:
    """Ouvre le plan d’une année. Lève ValidationError si elle en a déjà un, Refus sans règles en vigueur."""
    exiger(peut_preparer_le_plan(par))
    plan = PlanControle(
        annee=annee,
        objectif=objectif,
        instructions=epurer(instructions).strip(),
        regles=regles_du(annee),
        prepare_par=par,
    )
    deja = ValidationError({"annee": f"Le plan {annee} est déjà ouvert : reprenez-le."})
    if PlanControle.objects.filter(annee=annee).exists():
        raise deja
    plan.full_clean()
    try:
        with transaction.atomic():
            plan.save()
    except IntegrityError as erreur:  # un collègue l’a ouvert au même instant
        raise deja from erreur
    return plan


def en_preparation(plan: PlanControle, par: Utilisateur) -> PlanControle:
    """Verrouille le plan pour y écrire ; lève si ce n’est pas un contrôleur, ou si le plan est parti."""
    exiger(peut_preparer_le_plan(par))
    plan = PlanControle.objects.verrouiller(plan.pk)
    if plan.etat != EtatPlan.EN_PREPARATION:
        raise trop_tard("le plan", plan.get_etat_display())
    return plan


@transaction.atomic
def modifier(plan: PlanControle, *, objectif: int, instructions: str, par: Utilisateur) -> PlanControle:
    plan = en_preparation(plan, par)
    plan.objectif, plan.instructions = objectif, epurer(instructions).strip()
    plan.full_clean()
    plan.save(update_fields=["objectif", "instructions"])
    return plan


def ecrire_ligne(plan: PlanControle, structure: Structure, origine: Origine, *, motif: str = "") -> LignePlan:
    """Met une structure au plan, avec son score du jour. À appeler sous le verrou du plan."""
    score = evaluer(situations([structure.pk], timezone.localdate())[structure.pk], plan.regles.poids_lus)
    ligne = LignePlan(
        plan=plan, structure=structure, origine=origine, score=score.points, raisons=en_lignes(score), motif=motif
    )
    ligne.full_clean()
    ligne.save()
    return ligne


def _controlable(structure: Structure) -> None:
    """Lève Refus : une structure fermée ne se contrôle plus, une structure en contrôle n’en reçoit pas un second."""
    if structure.fermee_le is not None:
        raise Refus(f"{structure} est fermée : elle ne se contrôle plus.")
    deja = controles_en_route([structure.pk]).get(structure.pk)
    if deja is not None:
        raise Refus(f"{structure} a déjà un contrôle en cours, {deja.numero} : menez-le à son terme.")


@transaction.atomic
def retenir(plan: PlanControle, structure: Structure, *, par: Utilisateur) -> LignePlan:
    """Retient une structure pour son risque ; déjà au plan, elle y reste telle quelle."""
    plan = en_preparation(plan, par)
    deja = plan.lignes.filter(structure=structure).first()
    if deja is not None:
        return deja
    _controlable(structure)
    return ecrire_ligne(plan, structure, Origine.RISQUE)


@transaction.atomic
def retenir_les_premieres(plan: PlanControle, combien: int, *, par: Utilisateur) -> list[LignePlan]:
    """Retient les plus exposées de celles qui ne sont ni au plan ni en contrôle ; jamais une structure sans point."""
    plan = en_preparation(plan, par)
    candidates: list[Place] = [p for p in classer(plan) if p.libre and p.points > 0]
    return [
        LignePlan.objects.create(
            plan=plan, structure=p.structure, origine=Origine.RISQUE, score=p.points, raisons=p.raisons
        )
        for p in candidates[: max(0, combien)]
    ]


@transaction.atomic
def ajouter(plan: PlanControle, structure: Structure, *, origine: str, motif: str, par: Utilisateur) -> LignePlan:
    """Ajoute une structure qu’une instruction nationale ou un signalement désigne, avec la raison.

    Lève ValidationError si elle est déjà au plan, Refus si elle est fermée ou déjà en contrôle.
    """
    plan = en_preparation(plan, par)
    if origine not in ORIGINES_MOTIVEES:
        raise ValidationError({"origine": "Choisissez une instruction nationale ou un signalement."})
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites l’instruction ou le signalement."})
    if plan.lignes.filter(structure=structure).exists():
        raise ValidationError({"structure": "Cette structure est déjà au plan."})
    _controlable(structure)
    return ecrire_ligne(plan, structure, Origine(origine), motif=motif)


@transaction.atomic
def retirer(plan: PlanControle, structure_pk: int, *, par: Utilisateur) -> None:
    """Retire une structure du plan. Tirée au sort, elle y reste, sauf fermée ou déjà en contrôle : le sort décide.

    Elle quitte alors la population, pour que le tirage se rejoue toujours à l’identique.
    """
    plan = en_preparation(plan, par)
    ligne = plan.lignes.select_related("structure").filter(structure=structure_pk).first()
    if ligne is None:
        return
    if ligne.origine == Origine.TIRAGE:
        if ligne.structure.fermee_le is None and not controles_en_route([structure_pk]):
            raise Refus(f"{ligne.structure} est tirée au sort : la retirer ôterait son sens au tirage.")
        plan.population = [cle for cle in plan.population if cle != structure_pk]
        plan.save(update_fields=["population"])
    ligne.delete()


@transaction.atomic
def regler_ligne(
    plan: PlanControle, ligne_pk: int, *, mode: str, trimestre: int | None, controleur: Utilisateur | None,
    par: Utilisateur,
) -> LignePlan:  # fmt: skip
    """Dit comment, quand et par qui. Lève Refus si un collègue vient de la retirer, ValidationError près du champ."""
    plan = en_preparation(plan, par)
    ligne = plan.lignes.select_related("structure").filter(pk=ligne_pk).first()
    if ligne is None:
        raise Refus("Un collègue vient de retirer cette structure du plan.")
    if controleur is not None and not controleur.tient(Role.CONTROLEUR):
        raise ValidationError({"controleur": f"{controleur} n’est pas contrôleur."})
    ligne.mode, ligne.trimestre, ligne.controleur = mode, trimestre, controleur
    ligne.full_clean()
    ligne.save(update_fields=["mode", "trimestre", "controleur"])
    return ligne


def trimestres_a_venir(annee: int) -> list[int]:
    """Les trimestres du plan qui ne sont pas passés ; tous, pour une autre année."""
    aujourd_hui = timezone.localdate()
    premier = (aujourd_hui.month + 2) // 3 if aujourd_hui.year == annee else 1
    return list(range(premier, 5))


@transaction.atomic
def repartir(plan: PlanControle, *, par: Utilisateur) -> int:
    """Confie à parts égales ce qui n’a ni contrôleur ni trimestre ; ne touche pas au reste. Rend combien de lignes."""
    plan = en_preparation(plan, par)
    controleurs = {a.pk: a for a in sorted(agents(Role.CONTROLEUR), key=lambda a: (a.nom, a.prenom, a.pk))}
    if not controleurs:
        raise Refus("Aucun agent n’est contrôleur aujourd’hui : l’administrateur fonctionnel leur donne ce rôle.")
    lignes = list(plan.lignes.all())
    taches = [repartition.Tache(li.pk, li.mode, li.controleur_id, li.trimestre) for li in lignes]
    partage = repartition.repartir(
        taches, controleurs=list(controleurs), trimestres=trimestres_a_venir(plan.annee)
    )  # fmt: skip
    changees = []
    for ligne in lignes:
        controleur, trimestre = partage[ligne.pk]
        if (ligne.controleur_id, ligne.trimestre) != (controleur, trimestre):
            ligne.controleur_id, ligne.trimestre = controleur, trimestre
            changees.append(ligne)
    LignePlan.objects.bulk_update(changees, ["controleur", "trimestre"])
    return len(changees)


def _manques(plan: PlanControle) -> list[str]:
    return manques(plan, classer(plan), {a.pk for a in agents(Role.CONTROLEUR)})


def _franchir(plan: PlanControle, geste: str, motif: str = "") -> str:
    try:
        return arrivee(CYCLE_PLAN, geste, plan.etat, motif)
    except TransitionInterdite as erreur:
        raise trop_tard("le plan", plan.get_etat_display()) from erreur


@transaction.atomic
def soumettre(plan: PlanControle, *, par: Utilisateur) -> PlanControle:
    """Soumet le plan au responsable. Lève PlanIncomplet tant qu’il y manque quelque chose."""
    exiger(peut_preparer_le_plan(par))
    plan = PlanControle.objects.verrouiller(plan.pk)
    etat = _franchir(plan, "soumettre")
    if trouves := _manques(plan):
        raise PlanIncomplet(trouves)
    plan.etat, plan.motif_reprise = etat, ""
    plan.save(update_fields=["etat", "motif_reprise"])
    annonces.soumis(plan, par=par)
    return plan


@transaction.atomic
def reprendre(plan: PlanControle, *, motif: str, par: Utilisateur) -> PlanControle:
    """Le responsable renvoie le plan aux contrôleurs, avec ses raisons. Lève MotifManquant sans elles."""
    exiger(tranche(par))
    plan = PlanControle.objects.verrouiller(plan.pk)
    motif = epurer(motif).strip()
    plan.etat = _franchir(plan, "reprendre", motif)
    plan.motif_reprise = motif
    plan.save(update_fields=["etat", "motif_reprise"])
    annonces.renvoye(plan, par=par)
    return plan


@transaction.atomic
def valider(plan: PlanControle, *, par: Utilisateur) -> PlanControle:
    """Valide : chaque ligne devient un contrôle, tout ou rien ; le plan se fige. Deux à la fois : le second est refusé.

    Lève PermissionDenied, TransitionInterdite, PlanIncomplet ou Refus.
    """
    plan = PlanControle.objects.verrouiller(plan.pk)
    exiger(peut_valider_le_plan(par, plan))
    etat = _franchir(plan, "valider")
    if trouves := _manques(plan):
        raise PlanIncomplet(trouves)
    lignes = sorted(lignes_du_plan(plan), key=lambda ligne: ligne.structure_id)  # toujours le même ordre de verrous
    for ligne in lignes:
        assert ligne.controleur is not None
        programmer(
            ligne.structure, annee=plan.annee, mode=ligne.mode, origine=ligne.origine, motif=ligne.motif,
            controleur=ligne.controleur, ligne=ligne, par=par,
        )  # fmt: skip
    plan.etat, plan.valide_par, plan.valide_le = etat, par, timezone.now()
    plan.full_clean()
    plan.save(update_fields=["etat", "valide_par", "valide_le"])
    annonces.valide(plan, lignes, par=par)
    return plan


@transaction.atomic
def programmer(
    structure: Structure, *, annee: int, mode: str, origine: str, motif: str, controleur: Utilisateur,
    ligne: LignePlan | None = None, par: Utilisateur,
) -> Controle:  # fmt: skip
    """Fait naître un contrôle, d’une ligne du plan ou hors du plan (un signalement, avec sa raison).

    Lève PermissionDenied si ce n’est pas un responsable qui ne contrôle pas ; Refus si la structure est fermée ou déjà
    en contrôle ; ValidationError près du champ.
    """
    exiger(tranche(par))
    structure = Structure.objects.verrouiller(structure.pk)
    _controlable(structure)
    if not controleur.tient(Role.CONTROLEUR):
        raise ValidationError({"controleur": f"{controleur} n’est pas contrôleur."})
    motif = epurer(motif).strip()
    if ligne is None and (origine not in ORIGINES_MOTIVEES or not motif):
        raise ValidationError({"motif": "Hors du plan, dites le signalement ou l’instruction qui fait contrôler."})
    controle = Controle(
        structure=structure, ligne=ligne, regles=ligne.plan.regles if ligne else regles_du(annee), annee=annee,
        mode=mode, origine=origine, motif_origine=motif, controleur=controleur,
    )  # fmt: skip
    controle.full_clean()
    controle.save()
    consigner(
        controle, Geste.PROGRAMMER, par=par, vers=Etat.PROGRAMME, motif=motif,
        details={"mode": Mode(mode).value, "origine": Origine(origine).value, "controleur": controleur.pk},
    )  # fmt: skip
    if ligne is None:
        annonces.programme(controle, par=par)
    return controle
