"""Ce que la Caf sait déjà de chaque réponse, et d’où elle le sait ; le reste est un trou, marqué. On ne fait que
lire.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.html import escape

from agrements import arbre
from agrements.choix import Etat
from agrements.contenu import texte_lisible
from agrements.models import Dossier
from agrements.referentiel import Champ
from agrements.reponses import est_vide
from financements.choix import EtatDeclaration, EtatPaiement, TypeDeclaration
from financements.formulaire import depuis_json, totaliser
from financements.models import Declaration, Paiement
from partenaires.choix import STATUTS_PUBLICS, StatutJuridique
from partenaires.models import Structure
from senacs.models import Contribution, ReponseSenacs
from senacs.questionnaire import Rubrique, champs, rubriques
from socle.dates import en_jour
from socle.montants import ZERO, nombre_fr


@dataclass(frozen=True, slots=True)
class Connue:
    """Une valeur que la Caf tient déjà ; ``source`` dit d’où, en une phrase."""

    valeur: Any
    source: str


@dataclass(frozen=True, slots=True)
class LigneReleve:
    champ: Champ
    valeur: Any
    source: str
    propre: ReponseSenacs | None

    @property
    def vide(self) -> bool:
        return est_vide(self.valeur)

    @property
    def typee(self) -> Any:
        """Une date, un nombre ou un texte : ce qu’attend un tableur."""
        if self.vide:
            return ""
        match self.champ.nature:
            case "date":
                return date.fromisoformat(str(self.valeur))
            case "entier":
                return int(self.valeur)
            case "decimal":
                return Decimal(str(self.valeur))
            case _:
                return texte_lisible(self.champ, self.valeur)

    @property
    def dite(self) -> str:
        """Telle qu’on la lit : « 1er octobre 2007 », « 159 022 »."""
        valeur = self.typee
        if isinstance(valeur, date):
            return en_jour(valeur)
        return nombre_fr(Decimal(valeur)) if isinstance(valeur, int | Decimal) else str(valeur)

    @property
    def a_recopier(self) -> str:
        """Telle qu’on la recopie ou la corrige : « 01/10/2007 », « 21600,00 »."""
        valeur = self.typee
        if isinstance(valeur, date):
            return f"{valeur:%d/%m/%Y}"
        return str(valeur).replace(".", ",") if isinstance(valeur, Decimal) else str(valeur)


def connues(structure: Structure, exercice: int) -> dict[str, Connue]:
    """Par champ de l’enquête ; six requêtes, quelle que soit la structure."""
    return _identite(structure) | _territoire(structure) | _projet(structure) | _comptes(structure, exercice)


def _identite(structure: Structure) -> dict[str, Connue]:
    source = "fiche de la structure"
    contacts = [c.courriel or c.telephone for c in structure.contacts.all()]
    valeurs = {
        "nom": structure.nom,
        "adresse": f"{structure.adresse}, {structure.code_postal} {structure.commune.nom}".strip(", "),
        "contact": " ; ".join(filter(None, [*contacts[:2], structure.site_web])),
        "siret": structure.siret or structure.gestionnaire.siret,
        "premier_agrement": structure.premier_agrement_le.isoformat() if structure.premier_agrement_le else "",
        "mode_gestion": _mode(structure.gestionnaire.statut),
    }
    return {code: Connue(valeur, source) for code, valeur in valeurs.items() if valeur}


def _mode(statut: str) -> str:
    if statut == StatutJuridique.ASSOCIATION:
        return "Associatif"
    return "Collectivité locale" if statut in STATUTS_PUBLICS else ""


def _territoire(structure: Structure) -> dict[str, Connue]:
    communes = list(structure.communes_intervention.all()) or [structure.commune]
    quartiers = list(structure.quartiers_prioritaires.all())
    rural = all("rura" in c.densite.lower() for c in communes)
    source = "données publiques du territoire (Insee, ANCT)"
    return {
        "population": Connue(sum(c.population for c in communes), source),
        "type_territoire": Connue(f"Un espace à dominante {'rurale' if rural else 'urbaine'}", source),
        "taille_territoire": Connue("Plusieurs communes" if len(communes) > 1 else "Une commune", source),
        "geographie_prioritaire": Connue(
            "située sur un QPV" if quartiers else "pas concerné par cette question", source
        ),
    }


def _projet(structure: Structure) -> dict[str, Connue]:
    """Les axes et l’équipe du dernier projet agréé, tels qu’ils ont été déposés."""
    dossier = (
        Dossier.objects.filter(structure=structure, etat__in=[Etat.AGREE, Etat.AGREE_RESERVES])
        .select_related("version_courante")
        .order_by("-decide_le")
        .first()
    )
    if dossier is None or dossier.version_courante is None:
        return {}
    assert dossier.decide_le is not None
    source = f"projet social agréé le {en_jour(dossier.decide_le)}"
    reponses = dossier.version_courante.contenu["reponses"]
    trouvees: dict[str, Connue] = {}
    axes = [n["texte"] for n, _ in arbre.parcourir(reponses.get("arbre") or []) if n["nature"] == "axe"]
    if axes:
        trouvees["axes"] = Connue(
            "".join(f"<p>{rang}. {escape(axe)}</p>" for rang, axe in enumerate(axes[:5], 1)), source
        )
    postes = reponses.get("postes") or []
    etp = sum((Decimal(p["etp"]) for p in postes if p.get("etp")), Decimal(0))
    if etp:
        trouvees["etp"] = Connue(str(etp), source)
        trouvees["salaries"] = Connue(len(postes), source)
    return trouvees


def _comptes(structure: Structure, exercice: int) -> dict[str, Connue]:
    """Les comptes réels de l’exercice, validés ; et ce que la Caf a payé."""
    trouvees: dict[str, Connue] = {}
    paye = Paiement.objects.filter(structure=structure, droit__exercice=exercice, etat=EtatPaiement.PAYE)
    verse = sum((p.montant for p in paye), ZERO)
    if verse:
        trouvees["caf_prestations"] = Connue(str(verse), f"paiements de la Caf, exercice {exercice}")
    reelle = (
        Declaration.objects.filter(
            structure=structure, campagne__exercice=exercice, campagne__type=TypeDeclaration.REEL,
            etat=EtatDeclaration.VALIDEE,
        )
        .select_related("campagne", "version_courante")
        .first()
    )  # fmt: skip
    if reelle is None or reelle.version_courante is None:
        return trouvees
    contenu = depuis_json(reelle.version_courante.contenu)
    totaux = totaliser(contenu)
    le = timezone.localtime(reelle.version_courante.deposee_le).date()
    source = f"déclaration {reelle.campagne}, déposée le {en_jour(le)}"
    trouvees |= {
        "charges": Connue(str(totaux.charges), source),
        "produits": Connue(str(totaux.produits), source),
        "benevolat_valorise": Connue(str(totaux.contributions_volontaires), source),
    }
    return trouvees


def releve(contribution: Contribution) -> list[tuple[Rubrique, list[LigneReleve]]]:
    """Toute l’enquête, dans son ordre : la réponse de la structure d’abord, sinon ce que la Caf sait, sinon un trou."""
    propres = {r.champ: r for r in contribution.reponses.select_related("modifie_par")}
    sues = connues(contribution.structure, contribution.campagne.exercice)
    pages = []
    for rubrique in rubriques():
        lignes = []
        for champ in rubrique.champs:
            propre, sue = propres.get(champ.code), sues.get(champ.code)
            if propre is not None and not est_vide(propre.valeur):
                lignes.append(LigneReleve(champ, propre.valeur, f"complété par {propre.modifie_par}", propre))
            elif sue is not None:
                lignes.append(LigneReleve(champ, sue.valeur, sue.source, propre))
            else:
                lignes.append(LigneReleve(champ, "", "", propre))
        pages.append((rubrique, lignes))
    return pages


def avancement(pages: list[tuple[Rubrique, list[LigneReleve]]]) -> tuple[int, int]:
    """Combien de réponses sont là, combien de trous."""
    vides = sum(ligne.vide for _, lignes in pages for ligne in lignes)
    return len(champs()) - vides, vides
