"""L’éligibilité, condition par condition : remplie ou non, sur quelle preuve, et que faire. On ne fait ici que lire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone

from agrements.models import Agrement, Piece
from aides.calculs import Mesure
from aides.choix import EtatBilan
from aides.definition import CONDITIONS, Condition, Critere, NatureCondition
from aides.models import BilanAide, Demande, SommeARendre, VersionDispositif
from financements.choix import ETATS_PRIVES_DECLARATION, TypeDeclaration
from financements.etude import INDUS_OUVERTS
from financements.models import Declaration, Indu
from partenaires.models import Structure
from senacs.models import Contribution
from socle.dates import en_jour
from socle.montants import en_euros, nombre_fr
from socle.texte import accorde

NATURE_ENGAGEMENT = "contrat_engagement_republicain"


@dataclass(frozen=True, slots=True)
class Cas:
    """Ce dont l’éligibilité se juge. ``autres`` et ``cout`` : le plan de financement, s’il est déjà saisi."""

    structure: Structure
    version: VersionDispositif
    exercice: int
    le: date
    demande: Demande | None = None
    cout: Decimal = Decimal(0)
    autres: Decimal = Decimal(0)
    deja_commence: str = ""
    debut: str = ""
    engagement_joint: bool = False


@dataclass(frozen=True, slots=True)
class Constat:
    nature: str
    libelle: str
    remplie: bool
    preuve: str
    que_faire: str = ""
    lien: str = ""

    def en_json(self) -> dict[str, object]:
        return {"nature": self.nature, "libelle": self.libelle, "remplie": self.remplie, "preuve": self.preuve}


def constater(cas: Cas) -> list[Constat]:
    """Un constat par condition du dispositif, dans son ordre ; deux requêtes au plus par condition."""
    return [_EVALUATEURS[condition.nature](cas, condition) for condition in cas.version.conditions_lues]


def _constat(c: Condition, remplie: bool, preuve: str, que_faire: str = "", lien: str = "") -> Constat:
    return Constat(str(c.nature), c.libelle, remplie, preuve, "" if remplie else que_faire, "" if remplie else lien)


def _agrement(cas: Cas, c: Condition) -> Constat:
    en_vigueur = Agrement.objects.en_vigueur(cas.le).filter(structure=cas.structure).order_by("-fin").first()
    if en_vigueur:
        return _constat(c, True, f"{en_vigueur.get_objet_display()}, jusqu’au {en_jour(en_vigueur.fin)}")
    return _constat(
        c, False, "Aucun agrément en vigueur aujourd’hui",
        "Déposez votre projet social : l’aide se demande une fois l’agrément accordé.", reverse("agrements:liste"),
    )  # fmt: skip


def contribution(structure: Structure, annee: int) -> Contribution | None:
    return (
        Contribution.objects.faites()
        .filter(structure=structure, campagne__annee=annee)
        .select_related("campagne")
        .first()
    )


def _senacs(cas: Cas, c: Condition) -> Constat:
    annee = cas.exercice - c.parametre
    faite = contribution(cas.structure, annee)
    libelle = f"A contribué à Senacs {annee}"
    if faite:
        assert faite.contribuee_le is not None
        return Constat(str(c.nature), libelle, True, f"Contribution du {en_jour(faite.contribuee_le)}")
    ouverte = Contribution.objects.filter(structure=cas.structure, campagne__annee=annee).first()
    return Constat(
        str(c.nature), libelle, False, f"Aucune contribution à Senacs {annee} n’est enregistrée",
        "Répondez à l’enquête sur senacs.fr, puis dites-le dans votre relevé Senacs.",
        ouverte.get_absolute_url() if ouverte else reverse("senacs:accueil"),
    )  # fmt: skip


def _reel(cas: Cas, c: Condition) -> Constat:
    exercice = cas.exercice - c.parametre
    reelle = (
        Declaration.objects.filter(
            structure=cas.structure, campagne__exercice=exercice, campagne__type=TypeDeclaration.REEL
        )
        .exclude(etat__in=ETATS_PRIVES_DECLARATION)
        .select_related("campagne")
        .first()
    )
    libelle = f"Déclaration réelle {exercice} déposée"
    if reelle:
        return Constat(str(c.nature), libelle, True, f"{reelle.campagne} : {reelle.get_etat_display().lower()}")
    return Constat(
        str(c.nature), libelle, False, f"La déclaration réelle {exercice} n’est pas déposée",
        "Déposez-la dans « Mes financements ».", reverse("financements:declarations"),
    )  # fmt: skip


def _engagement(cas: Cas, c: Condition) -> Constat:
    valable = Piece.objects.du_coffre(cas.structure.pk, cas.le).filter(nature=NATURE_ENGAGEMENT).first()
    if valable or cas.engagement_joint:
        quand = f", déposé le {en_jour(timezone.localtime(valable.deposee_le).date())}" if valable else ""
        return _constat(c, True, f"Contrat signé au coffre{quand}")
    lien = reverse("aides:pieces", args=[cas.demande.pk]) if cas.demande else ""
    return _constat(
        c, False, "Le contrat signé n’est pas au coffre",
        "Joignez-le dans les pièces de la demande (décret 2021-1947).", lien,
    )  # fmt: skip


def _en_qpv(structure: Structure) -> str:
    noms = [q.nom for q in structure.quartiers_prioritaires.all()]
    return ", ".join(noms)


def _en_frr(structure: Structure) -> str:
    communes = [c for c in [structure.commune, *structure.communes_intervention.all()] if c.en_frr]
    return ", ".join(dict.fromkeys(c.nom for c in communes))


def _territoire(cas: Cas, c: Condition) -> Constat:
    qpv = _en_qpv(cas.structure) if c.nature != NatureCondition.FRR else ""
    frr = _en_frr(cas.structure) if c.nature != NatureCondition.QPV else ""
    if qpv or frr:
        return _constat(c, True, f"quartier prioritaire : {qpv}" if qpv else f"zone FRR : {frr}")
    return _constat(
        c, False, "Le territoire connu de la Caf n’y est pas",
        "Si c’est une erreur, demandez à votre interlocuteur de corriger la fiche de la structure.",
        cas.structure.get_absolute_url(),
    )  # fmt: skip


def _sans_indu(cas: Cas, c: Condition) -> Constat:
    du = Indu.objects.filter(droit__structure=cas.structure, etat__in=INDUS_OUVERTS).select_related("droit__prestation")
    if indu := du.first():
        return _constat(
            c, False, f"Indu {indu.droit.prestation} {indu.droit.exercice} : {en_euros(indu.montant)}",
            "Remboursez-le, ou demandez un échelonnement.", indu.droit.get_absolute_url(),
        )  # fmt: skip
    sommes = SommeARendre.objects.filter(
        demande__structure=cas.structure, rendue_le__isnull=True, montant__gt=0
    ).select_related("demande__structure")
    if trouvee := sommes.first():
        return _constat(
            c, False, f"{trouvee.demande.intitule} : {en_euros(trouvee.montant)} à rendre",
            "Rendez cette somme.", trouvee.demande.get_absolute_url(),
        )  # fmt: skip
    return _constat(c, True, "Rien à rendre aujourd’hui")


def _bilans(cas: Cas, c: Condition) -> Constat:
    retards = BilanAide.objects.filter(
        demande__structure=cas.structure,
        etat__in=[EtatBilan.A_RENDRE, EtatBilan.A_REPRENDRE],
        attendu_le__lt=cas.le,
    ).select_related("demande__structure")
    if bilan := retards.order_by("attendu_le").first():
        return _constat(
            c, False, f"Bilan de « {bilan.demande.intitule} » attendu le {en_jour(bilan.attendu_le)}",
            "Rendez ce bilan : il tient en une page.", reverse("aides:bilan", args=[bilan.demande_id]),
        )  # fmt: skip
    return _constat(c, True, "Aucun bilan en retard")


def _cofinancement(cas: Cas, c: Condition) -> Constat:
    if not cas.cout:
        return _constat(c, False, "Le coût du projet n’est pas encore saisi", "Saisissez les dépenses et le plan.")
    part = cas.autres * 100 / cas.cout
    preuve = f"{en_euros(cas.autres)} d’autres financements, soit {nombre_fr(part.quantize(Decimal('0.1')))} % du coût"
    lien = reverse("aides:plan", args=[cas.demande.pk]) if cas.demande else ""
    return _constat(c, part >= c.parametre, preuve, "Ajoutez un cofinanceur ou des fonds propres au plan.", lien)


def _non_commence(cas: Cas, c: Condition) -> Constat:
    """Ce qui est déclaré, confronté à la date de début : « non » ne vaut plus quand elle est passée."""
    autorise = cas.demande.demarrage_autorise_le if cas.demande else None
    decide = cas.demande.decide_le if cas.demande else None
    debut = date.fromisoformat(cas.debut) if cas.debut else None
    lien = reverse("aides:section", args=[cas.demande.pk, "projet"]) if cas.demande else ""
    if autorise:
        preuve = f"Démarrage autorisé à partir du {en_jour(autorise)}"
        trop_tot = debut is not None and debut < autorise
        if trop_tot and debut:
            preuve += f", début prévu le {en_jour(debut)}"
        return _constat(c, not trop_tot, preuve, "Repoussez le début du projet à la date autorisée.", lien)
    if cas.deja_commence == "oui":
        return _constat(
            c, False, "Vous avez répondu que le projet a commencé",
            "Un projet commencé avant la décision n’est pas aidé, sauf autorisation de la Caf.", lien,
        )  # fmt: skip
    if cas.deja_commence != "non":
        return _constat(c, False, "Pas encore répondu", "Dites si le projet a déjà commencé.", lien)
    if debut and debut <= min(cas.le, decide or cas.le):
        return _constat(
            c, False, f"Déclaré non commencé, mais son début est écrit au {en_jour(debut)}",
            "Repoussez le début du projet, ou dites pourquoi il doit commencer avant la décision : la Caf peut "
            "l’autoriser.", lien,
        )  # fmt: skip
    return _constat(
        c, True, f"Déclaré non commencé, début prévu le {en_jour(debut)}" if debut else "Déclaré non commencé"
    )


_EVALUATEURS: dict[str, Callable[[Cas, Condition], Constat]] = {
    NatureCondition.AGREMENT: _agrement,
    NatureCondition.SENACS: _senacs,
    NatureCondition.REEL: _reel,
    NatureCondition.ENGAGEMENT_REPUBLICAIN: _engagement,
    NatureCondition.QPV: _territoire,
    NatureCondition.FRR: _territoire,
    NatureCondition.QPV_OU_FRR: _territoire,
    NatureCondition.SANS_INDU: _sans_indu,
    NatureCondition.BILANS: _bilans,
    NatureCondition.COFINANCEMENT: _cofinancement,
    NatureCondition.NON_COMMENCE: _non_commence,
}
assert set(_EVALUATEURS) == set(CONDITIONS)


def mesurer(cas: Cas, reponses: dict[str, object]) -> dict[str, Mesure]:
    """Ce que vaut chaque critère de part pour cette structure ; une mesure inconnue n’y est pas."""
    mesures: dict[str, Mesure] = {}
    criteres = {part.critere for part in cas.version.parts_lues}
    if Critere.QPV in criteres:
        noms = _en_qpv(cas.structure)
        mesures[Critere.QPV] = Mesure(Decimal(bool(noms)), noms or "aucun quartier prioritaire")
    if Critere.FRR in criteres:
        noms = _en_frr(cas.structure)
        mesures[Critere.FRR] = Mesure(Decimal(bool(noms)), noms or "aucune commune en zone FRR")
    if Critere.POPULATION in criteres:
        communes = list(cas.structure.communes_intervention.all()) or [cas.structure.commune]
        habitants = sum(c.population for c in communes)
        mesures[Critere.POPULATION] = Mesure(Decimal(habitants), f"{accorde(len(communes), 'commune')} (Insee)")
    if Critere.SENACS in criteres:
        annee = cas.exercice - 1
        faite = contribution(cas.structure, annee)
        mesures[Critere.SENACS] = Mesure(Decimal(bool(faite)), f"Senacs {annee} {'contribué' if faite else 'absent'}")
    for question in cas.version.questions_lues:
        valeur = reponses.get(question.code)
        if question.nature in ("entier", "decimal") and valeur not in (None, ""):
            mesures[f"question:{question.code}"] = Mesure(Decimal(str(valeur)), question.libelle)
    return mesures
