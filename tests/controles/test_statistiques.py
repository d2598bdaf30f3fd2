"""Les statistiques disent vrai à n’importe quel jour : le journal rejoué, jamais l’état d’aujourd’hui."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal as D
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from comptes.choix import Role
from controles.actions import plans, preparation, suites, visite
from controles.actions.franchir import consigner
from controles.choix import Etat, EtatSuite, Geste, Mode, Origine
from controles.models import Controle, SuiteFinanciere
from controles.statistiques import compter
from tests.fabriques.comptes import agent
from tests.fabriques.controles import Bureau, regles
from tests.fabriques.partenaires import StructureFactory

pytestmark = pytest.mark.django_db
ANNEE = 2026


class Horloge:
    """Le jour auquel les gestes se font : le journal s’écrit à l’heure de la base, avancée exprès."""

    def __init__(self, monkeypatch) -> None:
        self.monkeypatch = monkeypatch

    def au(self, jour: date, heure: int = 10) -> None:
        instant = datetime(jour.year, jour.month, jour.day, heure, tzinfo=timezone.get_current_timezone())
        self.monkeypatch.setattr(timezone, "now", lambda: instant)


@pytest.fixture
def horloge(monkeypatch):
    return Horloge(monkeypatch)


@pytest.fixture
def equipe(db):
    regles(effet_le=date(2024, 1, 1))
    return agent(Role.CONTROLEUR, nom="Ancelin"), agent(Role.CONTROLEUR, nom="Bodin"), agent(Role.RESPONSABLE)


def signaler(equipe, mode=Mode.SUR_PLACE, origine=Origine.SIGNALEMENT, qui=0) -> Controle:
    return plans.programmer(
        StructureFactory(), annee=ANNEE, mode=mode, origine=origine, motif="Une alerte.", controleur=equipe[qui],
        par=equipe[2],
    )  # fmt: skip


def avancer(controle: Controle, geste: Geste, de: str, vers: str) -> None:
    consigner(controle, geste, par=None, de=de, vers=vers)


def nombres(le: date, **voulu: int) -> None:
    assert {cle: compter(ANNEE, le).ensemble.nombres[cle] for cle in voulu} == voulu


def test_chaque_geste_compte_a_partir_de_son_jour_et_pas_avant(equipe, horloge):
    horloge.au(date(2026, 2, 1))
    premier, second = signaler(equipe), signaler(equipe, Mode.SUR_PIECES, Origine.NATIONALE, 1)
    horloge.au(date(2026, 3, 10))
    avancer(premier, Geste.NOTIFIER, "programme", "notifie")
    horloge.au(date(2026, 4, 2), 23)
    avancer(premier, Geste.COMMENCER, "notifie", "en_cours")
    horloge.au(date(2026, 5, 1))
    avancer(premier, Geste.EMETTRE, "en_cours", "contradictoire")
    avancer(second, Geste.ANNULER, "programme", "annule")
    horloge.au(date(2026, 9, 1))
    avancer(premier, Geste.SIGNER, "a_conclure", "suites")
    avancer(premier, Geste.CLORE, "suites", "clos")
    nombres(date(2026, 1, 31), programmes=0, menes=0)
    nombres(date(2026, 2, 1), programmes=2, notifies=0)
    nombres(date(2026, 3, 10), programmes=2, notifies=1, menes=0)
    nombres(date(2026, 4, 1), menes=0)
    nombres(date(2026, 4, 2), menes=1, inopines=0)  # 23 h, heure de Paris : encore ce jour-là
    nombres(date(2026, 8, 31), provisoires=1, annules=1, definitifs=0, clos=0)
    nombres(date(2026, 9, 1), programmes=2, definitifs=1, clos=1)
    etats = {libelle: (modes, total) for libelle, modes, total in compter(ANNEE, date(2026, 5, 1)).etats if total}
    assert etats == {
        "Contradictoire ouvert": ({"sur_place": 1, "sur_pieces": 0}, 1),
        "Annulé": ({"sur_place": 0, "sur_pieces": 1}, 1),
    }


def test_une_visite_sans_annonce_est_inopinee(equipe, horloge):
    horloge.au(date(2026, 2, 1))
    controle = signaler(equipe)
    avancer(controle, Geste.COMMENCER, "programme", "en_cours")
    nombres(date(2026, 2, 1), menes=1, inopines=1, notifies=0)


def test_le_mode_et_le_controleur_sont_ceux_du_jour(equipe, horloge):
    horloge.au(date(2026, 2, 1))
    controle = signaler(equipe)
    horloge.au(date(2026, 6, 1))
    preparation.affecter(controle, controleur=equipe[1], par=equipe[2])
    consigner(controle, Geste.PREPARER, par=equipe[1], details={"mode": "sur_pieces"})

    def lire(le):
        lues = compter(ANNEE, le)
        modes = [ligne.nombres["programmes"] for ligne in lues.par_mode]
        return [ligne.libelle for ligne in lues.par_controleur], modes

    assert lire(date(2026, 5, 31)) == ([str(equipe[0])], [1, 0])
    assert lire(date(2026, 6, 1)) == ([str(equipe[1])], [0, 1])


def test_les_tableaux_font_toujours_l_ensemble(equipe, horloge):
    horloge.au(date(2026, 2, 1))
    for rang in range(6):
        signaler(equipe, list(Mode)[rang % 2], [Origine.NATIONALE, Origine.SIGNALEMENT][rang % 2], rang % 2)
    lues = compter(ANNEE, date(2026, 2, 1))
    for _, lignes in lues.tableaux:
        for mesure, total in lues.ensemble.nombres.items():
            assert sum(ligne.nombres[mesure] for ligne in lignes) == total
    assert compter(ANNEE + 1, date(2026, 2, 1)).ensemble.nombres["programmes"] == 0


def test_rappels_et_indus_comptent_du_jour_ou_la_suite_est_appliquee(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")
    bureau = Bureau()
    controle = bureau.mener(Etat.SUITES)
    aujourd_hui = timezone.localdate()
    suite = controle.suites.get(droit__prestation="agc")
    avant = compter(controle.annee, aujourd_hui).ensemble
    assert (avant.indus, avant.nombres["definitifs"]) == (D(0), 1)
    suites.appliquer(suite, par=bureau.technicien)
    suite.refresh_from_db()
    assert suite.etat == EtatSuite.APPLIQUEE
    apres = compter(controle.annee, aujourd_hui).ensemble
    assert apres.indus == suite.avant - suite.apres > 0
    assert apres.rappels == D(0)
    SuiteFinanciere.objects.filter(pk=suite.pk).update(decide_le=timezone.now() + timedelta(days=2))
    assert compter(controle.annee, aujourd_hui).ensemble.indus == D(0)


def test_compter_coute_autant_pour_un_que_pour_quarante_controles(equipe, horloge):
    horloge.au(date(2026, 2, 1))
    couts = []
    for nombre in (1, 39):
        for rang in range(nombre):
            signaler(equipe, qui=rang % 2)
        with CaptureQueriesContext(connection) as capture:
            compter(ANNEE, date(2026, 2, 1))
        couts.append(len(capture))
    assert couts == [6, 6]


# --- la page et son classeur ------------------------------------------------------------------------------------------


def test_l_adresse_dit_l_annee_et_le_jour(equipe, entrer):
    signaler(equipe)
    client = entrer(agent(Role.ADMINISTRATEUR))
    annee, aujourd_hui = timezone.localdate().year, timezone.localdate()
    Controle.objects.update(annee=annee)
    page = client.get(reverse("controles:statistiques")).content.decode()
    assert f"Contrôles {annee}, tels qu’ils étaient le" in page
    assert "0 mené sur 1 programmé" in page
    hier = (aujourd_hui - timedelta(days=1)).isoformat()
    avant = client.get(reverse("controles:statistiques"), {"annee": annee, "le": hier}).content.decode()
    assert "n’était programmé ce jour-là" in avant


@pytest.mark.parametrize(
    ("choix", "phrase"),
    [
        ({"annee": "douze"}, "Écrivez une année"),
        ({"annee": "1789"}, "Écrivez une année"),
        ({"le": "le 30 février"}, "Écrivez un jour"),
        ({"le": "2199-01-01"}, "pas encore venu"),
    ],
)
@pytest.mark.parametrize("nom", ["statistiques", "exporter_statistiques"])
def test_une_annee_ou_un_jour_illisible_se_dit(entrer, choix, phrase, nom):
    reponse = entrer(agent(Role.RESPONSABLE)).get(reverse(f"controles:{nom}"), choix)
    assert reponse.status_code == 422
    assert phrase in reponse.content.decode()


def test_le_classeur_porte_les_memes_chiffres_et_ne_nomme_aucune_structure(equipe, entrer):
    controle = signaler(equipe)
    le = timezone.localdate()
    reponse = entrer(equipe[0]).get(reverse("controles:exporter_statistiques"), {"annee": ANNEE, "le": le.isoformat()})
    octets = b"".join(reponse.streaming_content)
    lignes = CalamineWorkbook.from_filelike(BytesIO(octets)).get_sheet_by_index(0).to_python()
    assert lignes[0][:3] == ["Répartition", "Valeur", "Programmés"]
    assert lignes[1][:3] == ["Ensemble", "Ensemble", 1.0]
    assert [ligne[1] for ligne in lignes if ligne[0] == "Contrôleur"] == [str(equipe[0])]
    assert str(controle.structure) not in str(lignes)
    assert reponse["Content-Disposition"].endswith(f'"controles-{ANNEE}-au-{le.isoformat()}.xlsx"')


def test_commencer_un_controle_pour_de_vrai_se_compte(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")
    bureau = Bureau()
    controle = bureau.mener(Etat.NOTIFIE)
    visite.commencer(controle, par=bureau.controleur)
    lues = compter(controle.annee, timezone.localdate())
    assert {cle: n for cle, n in lues.ensemble.nombres.items() if n} == {"programmes": 1, "notifies": 1, "menes": 1}
