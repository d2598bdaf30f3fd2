"""Ce qu’un dossier contient, lu en peu de requêtes : réponses, sections, pièces, versions, différences."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from functools import cached_property
from hashlib import sha256
from typing import Any

from agrements import arbre
from agrements.choix import Objet
from agrements.completude import (
    Avancement,
    Manque,
    ReleveDePiece,
    alertes_equipe,
    avancement,
    ce_qui_manque,
    releve_des_pieces,
)
from agrements.models import DemandeComplements, Dossier, PieceJointe, Remarque, Reponse
from agrements.referentiel import Champ, ExigencePiece, Section
from partenaires.choix import TypeStructure
from partenaires.models import Structure
from socle.texte import en_texte

OBJETS_FAMILLES = frozenset({Objet.FAMILLES.value, Objet.PROJET_SOCIAL.value})


@dataclass
class Contenu:
    """Le contenu de travail d’un dossier. Se lit en trois requêtes : réponses, pièces, demande ouverte."""

    dossier: Dossier

    @cached_property
    def lignes(self) -> dict[str, Reponse]:
        return {r.champ: r for r in self.dossier.reponses.select_related("modifie_par")}

    @cached_property
    def reponses(self) -> dict[str, Any]:
        return {code: reponse.valeur for code, reponse in self.lignes.items()}

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        dossier = self.dossier
        return dossier.regime.referentiel.sections_pour(dossier.type, frozenset(dossier.objets), dossier.structure.type)

    @cached_property
    def champs(self) -> dict[str, Champ]:
        return {champ.code: champ for section in self.sections for champ in section.champs}

    @cached_property
    def exigences(self) -> tuple[ExigencePiece, ...]:
        structure = self.dossier.structure
        return self.dossier.regime.referentiel.pieces_pour(
            self.dossier.type, structure.gestionnaire.statut, structure.type
        )

    @cached_property
    def jointes(self) -> list[PieceJointe]:
        return list(self.dossier.pieces_jointes.select_related("piece__fichier"))

    @cached_property
    def deposees(self) -> Mapping[str, Any] | None:
        version = self.dossier.version_courante
        return version.contenu["reponses"] if version else None

    @cached_property
    def demande_ouverte(self) -> DemandeComplements | None:
        return self.dossier.demandes.filter(repondue_le__isnull=True).prefetch_related("remarques").first()

    @cached_property
    def remarques(self) -> dict[str, Remarque]:
        """Les remarques de la demande envoyée et pas encore répondue, par champ ou pièce visé."""
        demande = self.demande_ouverte
        if demande is None or demande.envoyee_le is None:
            return {}
        return {r.cible: r for r in demande.remarques.all()}

    def section(self, code: str) -> Section | None:
        return next((s for s in self.sections if s.code == code), None)

    def avancements(self) -> list[Avancement]:
        resultats = []
        for section in self.sections:
            suivi = avancement(section, self.reponses, self.deposees)
            if section.code == "moyens_humains":
                suivi = Avancement(
                    section, suivi.etat, suivi.remplis, suivi.a_remplir, (*suivi.avertissements, *self.alertes_equipe())
                )
            resultats.append(suivi)
        return resultats

    def alertes_equipe(self) -> list[str]:
        seuils = self.dossier.regime.referentiel.seuils
        postes = self.reponses.get("postes")
        if not postes:
            return []
        return alertes_equipe(
            postes,
            centre_social=self.dossier.structure.type == TypeStructure.CENTRE_SOCIAL,
            volet_familles=bool(OBJETS_FAMILLES.intersection(self.dossier.objets)),
            seuil_direction=Decimal(seuils["direction_etp"]),
            seuil_referent=Decimal(seuils["referent_familles_etp"]),
        )

    def manques(self) -> list[Manque]:
        return ce_qui_manque(self.sections, self.reponses, self.exigences, [jointe.exigence for jointe in self.jointes])

    def releve_des_pieces(self, le: date) -> list[ReleveDePiece]:
        return releve_des_pieces(self.exigences, self.jointes, le)

    def figer(self) -> dict[str, Any]:
        """Le contenu entier, prêt à être déposé : c’est lui que la Caf lira, et lui seul."""
        structure = self.dossier.structure
        return {
            "reponses": {code: self.reponses.get(code, "") for code in self.champs},
            "pieces": [
                {
                    "exigence": j.exigence,
                    "piece": j.piece_id,
                    "nom": j.piece.nom_classe,
                    "empreinte": j.piece.fichier.empreinte,
                }
                for j in self.jointes
            ],
            "structure": identite(structure),
            "objets": list(self.dossier.objets),
            "debut_souhaite": self.dossier.debut_souhaite.isoformat(),
            "duree_souhaitee": self.dossier.duree_souhaitee,
            "regime": {"code": self.dossier.regime.code, "numero": self.dossier.regime.numero},
        }


def identite(structure: Structure) -> dict[str, Any]:
    """Ce que la Caf savait de la structure au moment du dépôt."""
    gestionnaire = structure.gestionnaire
    return {
        "nom": structure.nom,
        "type": structure.get_type_display(),
        "adresse": f"{structure.adresse}, {structure.code_postal} {structure.commune.nom}",
        "gestionnaire": gestionnaire.nom,
        "statut": gestionnaire.get_statut_display(),
        "siren": gestionnaire.siren,
        "premier_agrement_le": structure.premier_agrement_le.isoformat() if structure.premier_agrement_le else "",
    }


def empreinte(contenu: Mapping[str, Any]) -> str:
    """SHA-256 du contenu écrit dans un ordre fixe : deux contenus égaux ont la même."""
    return sha256(json.dumps(contenu, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def chiffres_du_territoire(structure: Structure, le: date) -> dict[str, Any]:
    """Les données publiques du territoire d’intervention, datées et sourcées ; figées à l’ouverture du dossier."""
    communes = list(structure.communes_intervention.select_related("epci")) or [structure.commune]
    quartiers = list(structure.quartiers_prioritaires.select_related("commune"))
    return {
        "releve_le": le.isoformat(),
        "communes": [
            {
                "nom": c.nom,
                "epci": c.epci.nom if c.epci else "",
                "population": c.population,
                "superficie_km2": str(c.superficie_km2),
                "densite": c.densite,
                "frr": c.classement_frr,
            }
            for c in communes
        ],
        "population": sum(c.population for c in communes),
        "quartiers": [{"nom": q.nom, "code": q.code, "commune": q.commune.nom} for q in quartiers],
        "sources": [
            "Population municipale 2023 : Insee",
            "Zonage France ruralités revitalisation au 10 juillet 2025 : DGCL",
            "Quartiers prioritaires : décret n° 2023-1314",
        ],
    }


def texte_lisible(champ: Champ, valeur: Any) -> str:
    """La valeur d’un champ en texte nu : pour citer, comparer et montrer les deux côtés d’un conflit."""
    if valeur in (None, "", []):
        return ""
    match champ.nature:
        case "riche":
            return en_texte(valeur)
        case "arbre":
            return "\n".join(arbre.en_lignes(valeur))
        case "tableau":
            return "\n".join(
                " ; ".join(f"{c.libelle} : {ligne[c.code]}" for c in champ.colonnes if ligne.get(c.code))
                for ligne in valeur
            )
        case "budget":
            return "\n".join(f"{ligne['compte']} {ligne['libelle']} : {ligne['montant']}" for ligne in valeur)
        case "chiffres":
            return "\n".join(f"{c['nom']} : {c['population']} habitants" for c in valeur["communes"])
        case _:
            return str(valeur)


@dataclass(frozen=True, slots=True)
class Difference:
    """Un champ changé entre deux versions. ``morceaux`` : (« egal », « ajoute » ou « retire », texte)."""

    section: str
    champ: str
    libelle: str
    morceaux: tuple[tuple[str, str], ...]


def differences(sections: tuple[Section, ...], avant: Mapping[str, Any], apres: Mapping[str, Any]) -> list[Difference]:
    """Mot à mot, champ par champ ; un champ inchangé n’apparaît pas."""
    resultat = []
    for section in sections:
        for champ in section.champs:
            if avant.get(champ.code) == apres.get(champ.code):
                continue
            morceaux = _mot_a_mot(
                texte_lisible(champ, avant.get(champ.code)), texte_lisible(champ, apres.get(champ.code))
            )
            resultat.append(Difference(section.titre, champ.code, champ.libelle, morceaux))
    return resultat


def _mot_a_mot(avant: str, apres: str) -> tuple[tuple[str, str], ...]:
    a, b = avant.split(), apres.split()
    morceaux: list[tuple[str, str]] = []
    for geste, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if geste == "equal":
            morceaux.append(("egal", " ".join(a[a1:a2])))
            continue
        if a2 > a1:
            morceaux.append(("retire", " ".join(a[a1:a2])))
        if b2 > b1:
            morceaux.append(("ajoute", " ".join(b[b1:b2])))
    return tuple(morceaux)
