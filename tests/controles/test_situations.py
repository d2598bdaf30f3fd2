"""Ce que le portail sait d’une structure le jour où le plan se classe, en un nombre fixe de requêtes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from dateutil.relativedelta import relativedelta
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comptes.choix import Role
from controles.choix import Etat, Mode, Origine
from controles.models import Controle
from controles.situations import situations
from financements.choix import EtatDeclaration
from financements.models import Derogation
from partenaires.models import Habilitation, Structure
from tests.controles.test_plan import AUJOURD_HUI, Table
from tests.fabriques.comptes import UtilisateurFactory
from tests.fabriques.controles import Bureau
from tests.fabriques.financements import EXERCICE, Caisse
from tests.fabriques.partenaires import StructureFactory, habiliter


@pytest.fixture
def table(db):
    return Table()


@pytest.mark.django_db
def test_la_situation_se_lit_des_declarations_des_droits_et_des_controles(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")
    bureau = Bureau()
    bureau.caisse.declarer(etat=EtatDeclaration.DEPOSEE, echelle="0.8")
    bureau.mener(Etat.SUITES)
    situation = situations([bureau.structure.pk], AUJOURD_HUI())[bureau.structure.pk]
    assert (situation.exercice_ecart, situation.ecart_reel) == (EXERCICE, D("25.0"))
    assert situation.dernier_controle == AUJOURD_HUI()
    assert situation.annees_sans_controle == 0
    assert (
        situation.anomalies
        == bureau.structure.controles.get().constats.filter(nature__in=["ecart", "manquement"]).count()
        > 0
    )
    assert situation.exercice_enjeu == EXERCICE
    assert situation.enjeu == sum(d.versions.get(courante=True).montant for d in bureau.structure.droits.all())
    assert (situation.recommandations, situation.forcages, situation.direction_depuis) == (0, 0, None)
    plus_tard = AUJOURD_HUI() + relativedelta(years=3)
    apres = situations([bureau.structure.pk], plus_tard)[bureau.structure.pk]
    assert (apres.annees_sans_controle, apres.recommandations) == (3, bureau.structure.recommandations.count())
    assert apres.recommandations == 1


@pytest.mark.django_db
def test_un_controle_annule_ou_seulement_programme_n_en_est_pas_un(table):
    Controle.objects.create(
        structure=table.structures[0], regles=table.regles, annee=2026, mode=Mode.SUR_PLACE, origine=Origine.RISQUE,
        controleur=table.controleur,
    )  # fmt: skip
    assert situations([table.structures[0].pk], AUJOURD_HUI())[table.structures[0].pk].dernier_controle is None


@pytest.mark.django_db
def test_un_retard_est_une_premiere_version_arrivee_apres_la_limite_de_ces_deux_ans():
    caisse = Caisse()
    caisse.baremes()
    declaration = caisse.declarer()
    cle = caisse.structure.pk
    campagne = type(declaration.campagne).objects.filter(pk=declaration.campagne_id)
    attendus = []
    for jours in (1, 0, -1, -800):
        limite = AUJOURD_HUI() + timedelta(days=jours)
        campagne.update(ouverture=limite - timedelta(days=30), limite=limite)
        attendus.append(situations([cle], AUJOURD_HUI())[cle].retards)
    assert attendus == [0, 0, 1, 0]


@pytest.mark.django_db
def test_un_montant_force_compte_s_il_est_approuve():
    caisse = Caisse()
    caisse.baremes()
    caisse.declarer()
    droit = caisse.droit()
    commun = {
        "droit": droit,
        "montant": 1,
        "motif": "x",
        "demande_par": caisse.technicien,
        "sur_version": caisse.courante(),
    }
    for etat, jours in (("approuvee", 3), ("refusee", 3), ("approuvee", 900)):
        Derogation.objects.create(
            **commun, etat=etat, demande_le=timezone.now(), decide_par=caisse.responsable,
            decide_le=timezone.now() - timedelta(days=jours),
        )  # fmt: skip
    assert situations([caisse.structure.pk], AUJOURD_HUI())[caisse.structure.pk].forcages == 1


@pytest.mark.django_db
def test_une_direction_ne_change_que_si_une_autre_est_partie(table):
    seule, passee, a_deux, rouverte, vide = (s.pk for s in table.structures[:5])
    il_y_a = lambda mois: AUJOURD_HUI() - relativedelta(months=mois)  # noqa: E731

    def diriger(structure: int, debut: int, fin: int | None = None, qui=None):
        return Habilitation.objects.create(
            utilisateur=qui or UtilisateurFactory(), structure_id=structure, role=Role.DIRECTION, debut=il_y_a(debut),
            fin=il_y_a(fin) if fin else None,
        ).utilisateur  # fmt: skip

    diriger(seule, 10)
    diriger(passee, 60, 8)
    diriger(passee, 8)
    diriger(a_deux, 60)
    diriger(a_deux, 5)
    diriger(rouverte, 30, 4, qui=(elle := UtilisateurFactory()))
    diriger(rouverte, 3, qui=elle)
    lues = situations([seule, passee, a_deux, rouverte, vide], AUJOURD_HUI())
    assert {cle: (s.mois_de_direction, s.direction_depuis) for cle, s in lues.items()} == {
        seule: (10, None), passee: (8, il_y_a(8)), a_deux: (5, None), rouverte: (30, None), vide: (None, None),
    }  # fmt: skip


@pytest.mark.django_db
def test_classer_coute_autant_pour_une_que_pour_cinquante_structures(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")
    bureau = Bureau()
    bureau.caisse.declarer(etat=EtatDeclaration.DEPOSEE)
    bureau.mener(Etat.SUITES)
    compte = []
    for nombre in (1, 50):
        for _ in range(nombre - Structure.objects.count()):
            habiliter(StructureFactory(), Role.DIRECTION)
        cles = list(Structure.objects.values_list("pk", flat=True))
        assert len(cles) == nombre
        with CaptureQueriesContext(connection) as capture:
            situations(cles, AUJOURD_HUI())
        compte.append(len(capture))
    assert compte == [9, 9]


# --- préparer ---------------------------------------------------------------------------------------------------------
