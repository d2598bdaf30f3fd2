"""« À faire aujourd’hui » : une liste par rôle, comptée, triée par échéance, chaque ligne menant au geste."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Q
from django.urls import reverse

from agrements.choix import ETATS_OUVERTS, ETATS_PRIVES, Etat, EtatAgrement, TypeDossier
from agrements.models import Agrement, Dossier, Seance
from comptes.choix import Role
from comptes.models import Utilisateur
from partenaires.models import Structure
from socle.texte import accorde

BORNE = 50


@dataclass(frozen=True, slots=True)
class Tache:
    libelle: str
    lien: str
    echeance: date | None
    detail: str = ""
    en_retard: bool = False


def _tache(libelle: str, dossier: Dossier, aujourd_hui: date, *, page: str = "agrements:fiche") -> Tache:
    echeance = dossier.echeance_le
    return Tache(
        libelle,
        reverse(page, args=[dossier.pk]),
        echeance,
        f"{dossier.numero}, {dossier.structure}",
        bool(echeance and echeance < aujourd_hui),
    )


_GESTES_DE_LA_STRUCTURE = {
    Etat.EN_PREPARATION: (
        "Continuer le projet",
        "agrements:fiche",
        (Role.DIRECTION, Role.SAISIE, Role.REPRESENTANT_LEGAL),
    ),
    Etat.A_VISER: ("Lire et viser le projet", "agrements:visa", (Role.REPRESENTANT_LEGAL,)),
    Etat.VISE: ("Déposer le dossier visé", "agrements:fiche", (Role.DIRECTION, Role.REPRESENTANT_LEGAL)),
    Etat.INCOMPLET: (
        "Répondre à la demande de compléments",
        "agrements:fiche",
        (Role.DIRECTION, Role.SAISIE, Role.REPRESENTANT_LEGAL),
    ),
}


def pour_la_structure(structure: Structure, roles: frozenset[Role], aujourd_hui: date) -> list[Tache]:
    taches = []
    limite = aujourd_hui + timedelta(days=426)  # 14 mois : début conseillé d’un renouvellement (domaine B.5)
    echeants = structure.agrements.filter(etat=EtatAgrement.EN_COURS, fin__lte=limite, fin__gte=aujourd_hui)
    premier = echeants.order_by("fin").first()
    dossiers = structure.dossiers.select_related("structure").annotate(
        non_lues=Count("decisions", filter=Q(decisions__lue_le=None, decisions__acte__produit_le__isnull=False))
    )
    for dossier in dossiers.order_by("-modifie_le")[:BORNE]:
        if geste := _GESTES_DE_LA_STRUCTURE.get(Etat(dossier.etat)):
            libelle, page, admis = geste
            if roles.intersection(admis):
                tache = _tache(libelle, dossier, aujourd_hui, page=page)
                if premier and dossier.etat in ETATS_PRIVES and dossier.type == TypeDossier.RENOUVELLEMENT:
                    tache = replace(tache, echeance=premier.fin, detail=f"{tache.detail} : fin de l’agrément en cours")
                taches.append(tache)
        if getattr(dossier, "non_lues", 0):
            taches.append(_tache("Lire la notification de décision", dossier, aujourd_hui))
    ouvert = any(d.etat in ETATS_OUVERTS for d in dossiers)
    if not ouvert and premier:
        taches.append(
            Tache("Préparer le renouvellement de l’agrément", "/dossiers/nouveau/", premier.fin, str(premier))
        )
    return trier(taches)


_GESTES_DE_L_INSTRUCTION = {
    Etat.DEPOSE: ("Vérifier que le dossier est complet", "agrements:completude"),
    Etat.EN_INSTRUCTION: ("Instruire et rendre l’avis", "agrements:grille"),
    Etat.AJOURNE: ("Reprendre l’instruction", "agrements:fiche"),
}


def pour_l_instruction(agent: Utilisateur, aujourd_hui: date, *, tous: bool = False) -> list[Tache]:
    """Les dossiers qui attendent un geste de l’agent, ou de toute l’équipe pour le responsable."""
    dossiers = Dossier.objects.visibles_par(agent)
    if not tous:
        dossiers = dossiers.suivis_par(agent, aujourd_hui)
    attendus = dossiers.filter(etat__in=_GESTES_DE_L_INSTRUCTION).select_related("structure")
    taches = []
    for dossier in attendus.order_by("echeance_le", "pk")[:BORNE]:
        libelle, page = _GESTES_DE_L_INSTRUCTION[Etat(dossier.etat)]
        taches.append(_tache(libelle, dossier, aujourd_hui, page=page))
    demandes = agent.demandes_de_contact.filter(traitee_le__isnull=True).select_related("commune")[:BORNE]
    taches += [
        Tache(f"Répondre à {d.nom} ({d.commune})", "#contacts", d.recue_le.date(), d.message[:80]) for d in demandes
    ]
    return trier(taches)


def pour_le_secretariat(agent: Utilisateur, aujourd_hui: date) -> list[Tache]:
    taches = []
    seances = Seance.objects.non_finies().filter(tenue_le__lte=aujourd_hui + timedelta(days=30))
    for seance in seances.annotate(inscrits=Count("passages")).order_by("tenue_le")[:BORNE]:
        passee = seance.tenue_le <= aujourd_hui
        if passee and not seance.inscrits:
            continue
        libelle = "Enregistrer et clore la séance" if passee else "Composer l’ordre du jour"
        detail = f"{seance}, {accorde(seance.inscrits, 'dossier')}"
        en_retard = seance.tenue_le < aujourd_hui
        taches.append(Tache(libelle, seance.get_absolute_url(), seance.tenue_le, detail, en_retard))
    prets = Dossier.objects.filter(etat__in=[Etat.INSTRUIT, Etat.AVIS_CAS]).select_related("structure")
    taches += [
        _tache("À inscrire à une séance", d, aujourd_hui, page="agrements:inscrire_un_dossier")
        for d in prets.order_by("depose_le")[:BORNE]
    ]
    return trier(taches)


@dataclass(frozen=True, slots=True)
class Echeances:
    """Ce qui se termine dans l’année : une ligne par structure et par date, le nombre en tout, et où lire la suite."""

    lignes: list[tuple[Structure, date, list[str]]]
    total: int
    lien: str


LIGNES_MONTREES = 10


def echeances(agent: Utilisateur, aujourd_hui: date) -> Echeances:
    """Les agréments en cours qui échoient sous douze mois ; ceux du secteur pour un chargé de conseil. Une requête."""
    limite = aujourd_hui + relativedelta(months=12)
    agrements = Agrement.objects.filter(etat=EtatAgrement.EN_COURS, fin__range=(aujourd_hui, limite))
    lien = f"{reverse('agrements:agrements')}?etat={EtatAgrement.EN_COURS}&avant=12"
    if agent.tient(Role.CHARGE_CONSEIL):
        agrements = agrements.filter(structure__in=Structure.objects.du_secteur(agent, aujourd_hui))
        lien += f"&charge={agent.pk}"
    par_structure: dict[tuple[Structure, date], list[str]] = {}
    for agrement in agrements.select_related("structure").order_by("fin", "structure__nom_tri", "pk"):
        par_structure.setdefault((agrement.structure, agrement.fin), []).append(agrement.get_objet_display())
    lignes = [(structure, fin, objets) for (structure, fin), objets in par_structure.items()]
    return Echeances(lignes[:LIGNES_MONTREES], len(lignes), lien)


def trier(taches: list[Tache]) -> list[Tache]:
    return sorted(taches, key=lambda t: (t.echeance is None, t.echeance or date.max, t.libelle))
