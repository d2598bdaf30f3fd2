"""Le plan de l’année : un classement expliqué, un tirage qui se rejoue, un responsable qui valide, des contrôles d’un coup."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.utils import InternalError, ProgrammingError
from django.utils import timezone

from comptes.choix import Role
from controles import tirage
from controles.actions import plans, tirages
from controles.choix import Etat, EtatPlan, Mode, Origine
from controles.classement import classer
from controles.models import Controle, LignePlan, PlanControle
from courriers.models import Notification
from partenaires.models import Structure
from socle.erreurs import Refus
from socle.etats import MotifManquant
from tests.fabriques.comptes import agent
from tests.fabriques.controles import regles
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.partenaires import StructureFactory

AUJOURD_HUI = timezone.localdate
FIGES = (InternalError, IntegrityError, ProgrammingError)


class Table:
    """Des structures, deux contrôleurs, un responsable, un plan ouvert."""

    def __init__(self, structures: int = 6, annee: int | None = None) -> None:
        self.regles = regles()
        self.controleur = agent(Role.CONTROLEUR, nom="Ancelin")
        self.collegue = agent(Role.CONTROLEUR, nom="Bodin")
        self.responsable = agent(Role.RESPONSABLE)
        self.structures = [StructureFactory(nom=f"Centre {chr(65 + n)}") for n in range(structures)]
        self.plan = plans.ouvrir(annee=annee or AUJOURD_HUI().year, objectif=5, par=self.controleur)

    def retenir(self, *rangs: int) -> list[LignePlan]:
        return [plans.retenir(self.plan, self.structures[n], par=self.controleur) for n in rangs]

    def pret(self) -> PlanControle:
        """Un plan complet : deux retenues, une tirée, toutes confiées."""
        self.retenir(0, 1)
        tirages.tirer(self.plan, par=self.controleur)
        plans.repartir(self.plan, par=self.controleur)
        return self.relu()

    def soumis(self) -> PlanControle:
        self.pret()
        return plans.soumettre(self.plan, par=self.controleur)

    def relu(self) -> PlanControle:
        return PlanControle.objects.select_related("regles").get(pk=self.plan.pk)


@pytest.fixture
def table(db):
    return Table()


def test_un_plan_prend_les_regles_en_vigueur_et_n_existe_qu_une_fois_par_an(table):
    assert (table.plan.regles, table.plan.etat) == (table.regles, EtatPlan.EN_PREPARATION)
    with pytest.raises(ValidationError, match="déjà ouvert"):
        plans.ouvrir(annee=table.plan.annee, objectif=3, par=table.collegue)
    with pytest.raises(PermissionDenied, match="se prépare par un contrôleur"):
        plans.ouvrir(annee=table.plan.annee + 1, objectif=3, par=table.responsable)


@pytest.mark.django_db
def test_sans_regles_en_vigueur_aucun_plan_ne_s_ouvre():
    with pytest.raises(Refus, match="Aucune règle du contrôle n’est en vigueur"):
        plans.ouvrir(annee=2026, objectif=3, par=agent(Role.CONTROLEUR))


def test_retenir_garde_le_score_du_jour_et_ce_qui_est_inconnu(table):
    ligne = table.retenir(0)[0]
    assert (ligne.origine, ligne.score) == (Origine.RISQUE, 3)
    assert ligne.raisons == [
        {"points": 3, "phrase": "jamais contrôlée"},
        {"points": 0, "phrase": "inconnu : écart entre le dernier prévisionnel et son réel"},
    ]
    assert table.retenir(0) == [ligne]
    plans.retirer(table.plan, table.structures[0].pk, par=table.collegue)
    plans.retirer(table.plan, table.structures[0].pk, par=table.collegue)
    assert not table.plan.lignes.exists()


def test_une_structure_fermee_ou_deja_en_controle_ne_se_retient_pas(table):
    fermee, prise = table.structures[:2]
    Structure.objects.filter(pk=fermee.pk).update(fermee_le=date(2026, 1, 1))
    fermee.refresh_from_db()
    controle = plans.programmer(
        prise, annee=2026, mode=Mode.SUR_PLACE, origine=Origine.SIGNALEMENT, motif="Une alerte.",
        controleur=table.controleur, par=table.responsable,
    )  # fmt: skip
    with pytest.raises(Refus, match="est fermée"):
        plans.retenir(table.plan, fermee, par=table.controleur)
    with pytest.raises(Refus, match=controle.numero):
        plans.retenir(table.plan, prise, par=table.controleur)
    assert len(plans.retenir_les_premieres(table.plan, 100, par=table.controleur)) == 4


def test_retenir_les_premieres_suit_le_classement_et_laisse_les_structures_sans_point(table):
    sans_point = regles(
        effet_le=AUJOURD_HUI() - timedelta(days=9), poids=[{"critere": "forcages", "seuil": "1", "points": 2}]
    )
    assert len(plans.retenir_les_premieres(table.plan, 2, par=table.controleur)) == 2
    assert [str(li.structure) for li in table.plan.lignes.all()] == ["Centre A", "Centre B"]
    PlanControle.objects.filter(pk=table.plan.pk).update(regles=sans_point)
    assert plans.retenir_les_premieres(table.plan, 2, par=table.controleur) == []


def test_une_instruction_ou_un_signalement_dit_sa_raison(table):
    ajouter = lambda **autres: plans.ajouter(table.plan, table.structures[0], par=table.controleur, **autres)  # noqa: E731
    with pytest.raises(ValidationError, match="Dites l’instruction"):
        ajouter(origine=Origine.NATIONALE, motif=" ")
    with pytest.raises(ValidationError, match="Choisissez une instruction"):
        ajouter(origine=Origine.RISQUE, motif="x")
    ligne = ajouter(origine=Origine.NATIONALE, motif="Plan national 2026, thème salaires.")
    assert (ligne.origine, ligne.motif) == (Origine.NATIONALE, "Plan national 2026, thème salaires.")
    with pytest.raises(ValidationError, match="déjà au plan"):
        ajouter(origine=Origine.SIGNALEMENT, motif="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        LignePlan.objects.filter(pk=ligne.pk).update(motif="")


# --- tirer au sort ----------------------------------------------------------------------------------------------------


def test_le_tirage_donne_la_part_des_regles_parmi_les_non_retenues_et_se_rejoue(table):
    table.retenir(0, 1)
    tirees = tirages.tirer(table.plan, par=table.controleur)
    plan = table.relu()
    assert len(tirees) == 1  # 20 % de 5
    assert plan.population == sorted(s.pk for s in table.structures[2:])
    assert [li.structure_id for li in tirees] == tirage.tirer(plan.population, graine=plan.graine, combien=1)
    assert len(plan.graine) == 32
    assert tirages.rejouer(plan) == (tirage.tirer(plan.population, graine=plan.graine, combien=4), True)


def test_un_tirage_ne_se_recommence_pas_et_une_structure_tiree_ne_se_retire_pas(table):
    [tiree] = tirages.tirer(table.plan, par=table.controleur)
    graine = table.relu().graine
    with pytest.raises(Refus, match="ne se recommence pas"):
        tirages.tirer(table.plan, par=table.controleur)
    with pytest.raises(Refus, match="ôterait son sens au tirage"):
        plans.retirer(table.plan, tiree.structure_id, par=table.controleur)
    Structure.objects.filter(pk=tiree.structure_id).update(fermee_le=date(2026, 1, 1))
    plans.retirer(table.plan, tiree.structure_id, par=table.controleur)
    [suivante] = tirages.tirer(table.plan, par=table.controleur)
    plan = table.relu()
    assert (plan.graine, tiree.structure_id in plan.population) == (graine, False)
    assert tirages.rejouer(plan) == (tirage.tirer(plan.population, graine=graine, combien=5), True)
    assert suivante.structure_id != tiree.structure_id


def test_si_l_objectif_augmente_le_meme_ordre_se_poursuit_et_se_rejoue_toujours(table):
    [premiere] = tirages.tirer(table.plan, par=table.controleur)
    ordre, _ = tirages.rejouer(table.relu())
    retenue_entre_temps = next(s for s in table.structures if s.pk == ordre[1])
    plans.retenir(table.plan, retenue_entre_temps, par=table.controleur)
    plans.modifier(table.plan, objectif=11, instructions="", par=table.controleur)
    suivantes = tirages.tirer(table.plan, par=table.controleur)
    assert [li.structure_id for li in suivantes] == ordre[2:4]
    assert tirages.rejouer(table.relu())[1]
    plans.retirer(table.plan, retenue_entre_temps.pk, par=table.controleur)
    assert tirages.rejouer(table.relu())[1]
    LignePlan.objects.filter(pk=premiere.pk).delete()  # à la main, hors de toute action : le tirage ne se rejoue plus
    assert not tirages.rejouer(table.relu())[1]


def test_sans_part_au_sort_ou_sans_candidate_le_tirage_le_dit(table):
    for structure in table.structures:
        plans.retenir(table.plan, structure, par=table.controleur)
    with pytest.raises(Refus, match="personne à tirer"):
        tirages.tirer(table.plan, par=table.controleur)
    sans = regles(effet_le=AUJOURD_HUI() - timedelta(days=9), part_tirage=0)
    PlanControle.objects.filter(pk=table.plan.pk).update(regles=sans)
    with pytest.raises(Refus, match="ne demandent aucun tirage"):
        tirages.tirer(table.plan, par=table.controleur)


# --- confier, soumettre, valider --------------------------------------------------------------------------------------


def test_repartir_complete_sans_toucher_a_ce_qui_est_choisi(table):
    une, *_ = table.retenir(0, 1, 2, 3, 4)
    plans.regler_ligne(
        table.plan, une.pk, mode=Mode.SUR_PIECES, trimestre=1, controleur=table.collegue, par=table.controleur
    )
    assert plans.repartir(table.plan, par=table.controleur) == 4
    lignes = list(table.plan.lignes.all())
    assert sorted([li.controleur_id for li in lignes].count(c.pk) for c in (table.controleur, table.collegue)) == [2, 3]
    une.refresh_from_db()
    assert (une.mode, une.trimestre, une.controleur) == ("sur_pieces", 1, table.collegue)
    a_venir = plans.trimestres_a_venir(table.plan.annee)
    assert all(li.trimestre in a_venir for li in lignes if li != une)
    assert plans.repartir(table.plan, par=table.controleur) == 0


def test_on_ne_confie_qu_a_un_controleur(table):
    [ligne] = table.retenir(0)
    with pytest.raises(ValidationError, match="n’est pas contrôleur"):
        plans.regler_ligne(
            table.plan,
            ligne.pk,
            mode=Mode.SUR_PLACE,
            trimestre=None,
            controleur=table.responsable,
            par=table.controleur,
        )
    with pytest.raises(Refus, match="vient de retirer"):
        plans.regler_ligne(table.plan, 0, mode=Mode.SUR_PLACE, trimestre=None, controleur=None, par=table.controleur)


def test_ce_qui_manque_empeche_de_soumettre_et_se_dit_d_un_coup(table):
    with pytest.raises(plans.PlanIncomplet, match="aucune structure"):
        plans.soumettre(table.plan, par=table.controleur)
    table.retenir(0, 1)
    with pytest.raises(plans.PlanIncomplet) as erreur:
        plans.soumettre(table.plan, par=table.controleur)
    assert erreur.value.manques == [
        "Le tirage au sort doit donner encore 1 structure : les règles en demandent 20\u00a0% des contrôles prévus.",
        "Sans contrôleur : Centre A, Centre B.",
    ]
    tirages.tirer(table.plan, par=table.controleur)
    plans.repartir(table.plan, par=table.controleur)
    parti = table.plan.lignes.first().controleur
    parti.fonctions.update(fin=AUJOURD_HUI() - timedelta(days=1))
    with pytest.raises(plans.PlanIncomplet, match="n’est plus contrôleur"):
        plans.soumettre(table.plan, par=table.controleur if parti != table.controleur else table.collegue)


def test_seul_un_responsable_qui_ne_controle_pas_valide_ou_renvoie(table):
    plan = table.soumis()
    deux_casquettes = agent(Role.RESPONSABLE, Role.CONTROLEUR)
    for geste in (plans.valider, lambda p, par: plans.reprendre(p, motif="x", par=par)):
        with pytest.raises(PermissionDenied, match=r"revient au responsable|Vous avez préparé"):
            geste(plan, par=table.controleur)
        with pytest.raises(PermissionDenied, match="aussi contrôleur"):
            geste(plan, par=deux_casquettes)
    with pytest.raises(MotifManquant):
        plans.reprendre(plan, motif="  ", par=table.responsable)
    repris = plans.reprendre(plan, motif="Trop de contrôles au premier trimestre.", par=table.responsable)
    assert (repris.etat, repris.motif_reprise) == ("en_preparation", "Trop de contrôles au premier trimestre.")
    assert plans.soumettre(plan, par=table.collegue).motif_reprise == ""


def test_valider_fait_naitre_chaque_controle_avec_son_journal_et_fige_le_plan(table):
    table.soumis()
    plan = plans.valider(table.plan, par=table.responsable)
    assert (plan.etat, plan.valide_par) == (EtatPlan.VALIDE, table.responsable)
    controles = list(Controle.objects.order_by("pk"))
    lignes = list(plan.lignes.all())
    assert {c.ligne_id for c in controles} == {li.pk for li in lignes}
    for controle in controles:
        [evenement] = controle.evenements.all()
        assert (controle.etat, controle.regles, controle.annee) == (Etat.PROGRAMME, table.regles, plan.annee)
        assert (evenement.geste, evenement.vers, evenement.par) == ("programmer", "programme", table.responsable)
        assert evenement.details["controleur"] == controle.controleur_id == controle.ligne.controleur_id
    for geste in (
        lambda: PlanControle.objects.filter(pk=plan.pk).update(objectif=9),
        lambda: plan.delete(),
        lambda: plan.lignes.update(trimestre=1),
        lambda: plan.lignes.all().delete(),
        lambda: LignePlan.objects.create(plan=plan, structure=StructureFactory(), origine=Origine.RISQUE),
    ):
        with pytest.raises(FIGES), transaction.atomic():
            geste()
    with pytest.raises(Refus, match="le plan est maintenant « Validé »"):
        plans.retenir(plan, table.structures[5], par=table.controleur)
    with pytest.raises(Refus, match="le plan est maintenant « Validé »"):
        plans.valider(plan, par=table.responsable)
    assert [(p.points, p.ligne.pk) for p in classer(plan)] == [(li.score, li.pk) for li in plan.lignes.all()]


def test_un_plan_soumis_ne_se_modifie_plus_et_ne_se_valide_pas_s_il_a_vieilli(table):
    plan = table.soumis()
    with pytest.raises(Refus, match="À valider par le responsable"):
        plans.repartir(plan, par=table.controleur)
    Structure.objects.filter(pk=table.structures[0].pk).update(fermee_le=date(2026, 1, 1))
    plans.programmer(
        table.structures[1], annee=2026, mode=Mode.SUR_PLACE, origine=Origine.SIGNALEMENT, motif="Une alerte.",
        controleur=table.controleur, par=table.responsable,
    )  # fmt: skip
    with pytest.raises(plans.PlanIncomplet) as erreur:
        plans.valider(plan, par=table.responsable)
    assert [m.split(" est ")[0] for m in erreur.value.manques] == ["Centre A", "Centre B"]
    assert Controle.objects.count() == 1


def test_qui_prepare_le_plan_ne_le_valide_pas_meme_devenu_responsable(table):
    plan = table.soumis()
    table.controleur.fonctions.update(role=Role.RESPONSABLE)
    promu = type(table.controleur).objects.get(pk=table.controleur.pk)
    with pytest.raises(PermissionDenied, match="Vous avez préparé ce plan"):
        plans.valider(plan, par=promu)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanControle.objects.filter(pk=plan.pk).update(etat="valide", valide_par=promu, valide_le=timezone.now())


def test_chacun_apprend_ce_qui_l_attend_et_rien_de_plus(table):
    table.soumis()
    nouvelles = lambda qui: list(Notification.objects.filter(destinataire=qui).values_list("texte", flat=True))  # noqa: E731
    assert len(nouvelles(table.responsable)) == 1
    assert "vous soumet le plan de contrôle" in nouvelles(table.responsable)[0]
    plans.valider(table.plan, par=table.responsable)
    for controleur in (table.controleur, table.collegue):
        nombre = table.plan.lignes.filter(controleur=controleur).count()
        assert nouvelles(controleur) == [
            f"Le plan de contrôle {table.plan.annee} est validé : {nombre} contrôle{'s' if nombre > 1 else ''} pour vous."
        ]
    tout = " ".join(Notification.objects.values_list("texte", flat=True))
    assert not any(str(s) in tout for s in table.structures)


# --- hors du plan -----------------------------------------------------------------------------------------------------


def test_un_controle_hors_plan_se_decide_par_le_responsable_avec_sa_raison(table):
    commun = {"annee": 2026, "mode": Mode.SUR_PIECES, "controleur": table.controleur}
    structure = table.structures[0]
    with pytest.raises(PermissionDenied, match="revient au responsable"):
        plans.programmer(structure, origine=Origine.SIGNALEMENT, motif="x", par=table.controleur, **commun)
    for origine, motif in ((Origine.SIGNALEMENT, " "), (Origine.RISQUE, "x")):
        with pytest.raises(ValidationError, match="Hors du plan, dites"):
            plans.programmer(structure, origine=origine, motif=motif, par=table.responsable, **commun)
    with pytest.raises(ValidationError, match="n’est pas contrôleur"):
        plans.programmer(
            structure, origine=Origine.SIGNALEMENT, motif="x", par=table.responsable,
            **{**commun, "controleur": table.responsable},
        )  # fmt: skip
    controle = plans.programmer(
        structure, origine=Origine.SIGNALEMENT, motif="Un usager alerte.", par=table.responsable, **commun
    )
    assert (controle.ligne, controle.motif_origine, controle.evenements.count()) == (None, "Un usager alerte.", 1)
    with pytest.raises(Refus, match="déjà un contrôle en cours"):
        plans.programmer(structure, origine=Origine.SIGNALEMENT, motif="x", par=table.responsable, **commun)


# --- de vraies courses ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_deux_validations_au_meme_instant_programment_les_controles_une_fois():
    table = Table()
    autre = agent(Role.RESPONSABLE)
    table.soumis()
    faits, refus = reussites_et_refus(
        lambda: plans.valider(table.plan, par=table.responsable), lambda: plans.valider(table.plan, par=autre)
    )
    assert (len(faits), len(refus)) == (1, 1)
    assert "le plan est maintenant « Validé »" in str(refus[0])
    assert Controle.objects.count() == table.plan.lignes.count() == 3


@pytest.mark.django_db(transaction=True)
def test_deux_tirages_deux_plans_et_deux_signalements_au_meme_instant_n_en_font_qu_un():
    table = Table()
    faits, refus = reussites_et_refus(
        *[lambda qui=qui: tirages.tirer(table.plan, par=qui) for qui in (table.controleur, table.collegue)]
    )
    assert (len(faits), len(refus), table.plan.lignes.count()) == (1, 1, 1)
    faits, refus = reussites_et_refus(
        *[
            lambda qui=qui: plans.ouvrir(annee=table.plan.annee + 1, objectif=3, par=qui)
            for qui in (table.controleur, table.collegue)
        ]
    )
    assert (len(faits), len(refus), type(refus[0])) == (1, 1, ValidationError)

    def signaler():
        return plans.programmer(
            table.structures[0], annee=2026, mode=Mode.SUR_PLACE, origine=Origine.SIGNALEMENT, motif="x",
            controleur=table.controleur, par=table.responsable,
        )  # fmt: skip

    faits, refus = reussites_et_refus(signaler, signaler, signaler)
    assert (len(faits), len(refus), Controle.objects.count()) == (1, 2, 1)
