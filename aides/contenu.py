"""Ce qu’une demande contient, lu en peu de requêtes : réponses, dépenses, plan, pièces, éligibilité, montant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils import timezone

from agrements.budget import totaliser
from agrements.choix import EtatSection
from agrements.completude import avancement
from agrements.contenu import empreinte, identite
from agrements.models import Piece
from agrements.referentiel import Champ, ExigencePiece, Section
from agrements.reponses import est_vide, manques
from aides.calculs import Calcul, Donnees, calculer
from aides.choix import Etat
from aides.constats import NATURE_ENGAGEMENT, Cas, Constat, constater, mesurer
from aides.models import ComplementsDemandes, Demande, Depense, Financement, PieceDemande, ReponseAide
from financements.calculs import DonneeRefusee
from socle.montants import ZERO, en_euros
from socle.texte import accorde

__all__ = ["ContenuDemande", "Manque", "Partie", "contenu_lu", "empreinte"]

# La structure a pu réécrire sa demande depuis son dernier dépôt.
REECRITS = (Etat.INCOMPLETE, Etat.IRRECEVABLE, Etat.RETIREE)


@dataclass(frozen=True, slots=True)
class Partie:
    """Une ligne de la liste des tâches : une section, les dépenses, le plan ou les pièces."""

    code: str
    titre: str
    etat: EtatSection
    detail: str
    ouverte: bool


@dataclass(frozen=True, slots=True)
class Manque:
    """Une chose à faire avant le dépôt : dans quelle partie, et quoi."""

    partie: str
    libelle: str
    phrase: str


@dataclass
class ContenuDemande:
    """Le contenu de travail d’une demande ; chaque liste se lit une fois."""

    demande: Demande

    @cached_property
    def lignes(self) -> dict[str, ReponseAide]:
        return {r.champ: r for r in self.demande.reponses.select_related("modifie_par")}

    @cached_property
    def reponses(self) -> dict[str, Any]:
        return {code: reponse.valeur for code, reponse in self.lignes.items()}

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        return self.demande.version.sections

    @cached_property
    def champs(self) -> dict[str, Champ]:
        return {champ.code: champ for section in self.sections for champ in section.champs}

    @cached_property
    def exigences(self) -> tuple[ExigencePiece, ...]:
        return self.demande.version.pieces_pour(self.demande.structure)

    @cached_property
    def jointes(self) -> list[PieceDemande]:
        return list(self.demande.pieces_jointes.select_related("piece__fichier"))

    @cached_property
    def depenses(self) -> list[Depense]:
        return list(self.demande.depenses.select_related("devis__fichier"))

    @cached_property
    def financements(self) -> list[Financement]:
        return list(self.demande.financements.all())

    @cached_property
    def complements(self) -> ComplementsDemandes | None:
        return self.demande.complements.filter(repondue_le__isnull=True).first()

    @cached_property
    def taxe(self) -> str:
        return self.demande.version.taxe_de(self.demande.structure)

    @cached_property
    def cout(self) -> Decimal:
        """Le coût du projet, dans le régime de taxe qui vaut : les dépenses, ou les charges du budget."""
        if self.demande.version.avec_depenses:
            return sum((d.montant_ht if self.taxe == "HT" else d.montant_ttc for d in self.depenses), ZERO)
        if self.demande.version.avec_budget:
            return totaliser(self.reponses.get("budget_lignes") or []).charges
        return ZERO

    @cached_property
    def retenu(self) -> Decimal:
        """Les dépenses éligibles : ce que l’instruction en a retenu, à défaut ce qui est demandé."""
        return sum((self.eligible(d) for d in self.depenses), ZERO)

    def eligible(self, depense: Depense) -> Decimal:
        if depense.retenu is not None:
            return depense.retenu
        return depense.montant_ht if self.taxe == "HT" else depense.montant_ttc

    @property
    def montant(self) -> Decimal | None:
        """Ce qui est demandé à la Caf."""
        return self.demande.montant_demande

    @cached_property
    def autres(self) -> Decimal:
        return sum((f.montant for f in self.financements), ZERO)

    def cas(self, le: date | None = None) -> Cas:
        return Cas(
            structure=self.demande.structure,
            version=self.demande.version,
            exercice=self.demande.exercice,
            le=le or timezone.localdate(),
            demande=self.demande,
            cout=self.cout,
            autres=self.autres,
            deja_commence=str(self.reponses.get("deja_commence") or ""),
            debut=str(self.reponses.get("debut") or ""),
            engagement_joint=any(j.exigence == NATURE_ENGAGEMENT for j in self.jointes),
        )

    @cached_property
    def constats(self) -> list[Constat]:
        return constater(self.cas())

    def calculer(self) -> Calcul:
        """Ce que la règle donnerait. Lève DonneeRefusee s’il manque une donnée."""
        donnees = Donnees(
            depenses=self.retenu,
            cout=self.cout,
            autres=self.autres,
            mesures=mesurer(self.cas(), self.reponses),
        )
        return calculer(self.demande.version.regle_pour(self.demande.structure), donnees)

    @cached_property
    def calcul(self) -> Calcul | None:
        try:
            return self.calculer()
        except DonneeRefusee:
            return None

    def ouverte(self, partie: str) -> bool:
        """En préparation tout est ouvert ; après une demande de compléments, seulement ce qu’elle nomme."""
        if self.demande.etat == Etat.EN_PREPARATION:
            return True
        return self.demande.etat == Etat.INCOMPLETE and bool(self.complements and partie in self.complements.parties)

    @cached_property
    def ecart(self) -> Decimal:
        """Ressources moins coût : zéro quand le plan s’équilibre."""
        return self.autres + (self.montant or ZERO) - self.cout

    @property
    def manque_au_plan(self) -> Decimal:
        return max(-self.ecart, ZERO)

    def parties(self) -> list[Partie]:
        version = self.demande.version
        lignes = []
        for section in self.sections:
            suivi = avancement(section, self.reponses)
            detail = f"{suivi.remplis} réponses sur {suivi.a_remplir}" if suivi.a_remplir else ""
            lignes.append(Partie(section.code, section.titre, suivi.etat, detail, self.ouverte(section.code)))
        if version.avec_depenses:
            lignes.append(
                self._partie("depenses", "Les dépenses et les devis", bool(self.depenses), self._detail_depenses())
            )
        if version.avec_plan:
            lignes.append(self._partie("plan", "Le plan de financement", bool(self.financements), self._detail_plan()))
        elif not version.avec_plan:
            montant = self.demande.montant_demande
            lignes.append(
                self._partie("plan", "Le montant demandé", montant is not None, en_euros(montant) if montant else "")
            )
        if self.exigences:
            jointes = {j.exigence for j in self.jointes}
            obligatoires = [e for e in self.exigences if e.obligatoire]
            faites = len([e for e in obligatoires if e.code in jointes])
            detail = f"{accorde(faites, 'pièce', 'jointe')} sur {len(obligatoires)}" if obligatoires else ""
            lignes.append(self._partie("pieces", "Les pièces", bool(jointes) or not obligatoires, detail))
        return lignes

    def _partie(self, code: str, titre: str, commencee: bool, detail: str) -> Partie:
        etat = EtatSection.A_COMMENCER
        if not any(m.partie == code for m in self.manques):
            etat = EtatSection.COMPLET
        elif commencee:
            etat = EtatSection.EN_COURS
        return Partie(code, titre, etat, detail, self.ouverte(code))

    def _detail_depenses(self) -> str:
        return f"{accorde(len(self.depenses), 'dépense')}, {en_euros(self.cout)} {self.taxe}" if self.depenses else ""

    def _detail_plan(self) -> str:
        if not self.demande.montant_demande:
            return ""
        return "équilibré" if self.ecart == 0 else f"écart de {en_euros(abs(self.ecart))}"

    @cached_property
    def manques(self) -> list[Manque]:
        """Tout ce qui empêche le dépôt, dans l’ordre de la page."""
        trouves = []
        for section in self.sections:
            for champ in section.champs:
                trouves += [
                    Manque(section.code, champ.libelle, phrase)
                    for phrase in manques(champ, self.reponses.get(champ.code))
                ]
        trouves += self._dates()
        if self.demande.version.avec_depenses:
            if not self.depenses:
                trouves.append(Manque("depenses", "Dépenses", "Ajoutez une dépense au moins."))
            trouves += [
                Manque("depenses", d.libelle, "Joignez son devis.") for d in self.depenses if d.devis_id is None
            ]
        trouves += self._plan()
        jointes = {j.exigence for j in self.jointes}
        trouves += [
            Manque("pieces", e.libelle, "À joindre.") for e in self.exigences if e.obligatoire and e.code not in jointes
        ]
        return trouves

    def _dates(self) -> list[Manque]:
        debut, fin = self.reponses.get("debut"), self.reponses.get("fin")
        if est_vide(debut) or est_vide(fin):
            return []
        if str(fin) < str(debut):
            return [Manque("projet", "Fin du projet", "La fin précède le début.")]
        return []

    def _plan(self) -> list[Manque]:
        demande = self.demande.montant_demande
        if demande is None:
            return [Manque("plan", "Montant demandé", "Écrivez le montant que vous demandez à la Caf.")]
        if not self.demande.version.avec_plan:
            return []
        if self.cout and self.ecart != 0:
            sens = "dépassent le coût de" if self.ecart > 0 else "sont inférieures au coût de"
            phrase = f"Les ressources {sens} {en_euros(abs(self.ecart))} : le plan doit s’équilibrer."
            return [Manque("plan", "Plan de financement", phrase)]
        return []

    def figer(self) -> dict[str, Any]:
        """Le contenu entier, prêt à être déposé."""
        demande = self.demande
        return {
            "intitule": demande.intitule,
            "exercice": demande.exercice,
            "dispositif": str(demande.version),
            "reponses": {code: self.reponses.get(code, "") for code in self.champs},
            "depenses": [
                {
                    "libelle": d.libelle,
                    "fournisseur": d.fournisseur,
                    "ht": str(d.montant_ht),
                    "ttc": str(d.montant_ttc),
                    "devis": d.devis.fichier.empreinte if d.devis else "",
                }
                for d in self.depenses
            ],
            "financements": [
                {"nature": f.nature, "financeur": f.financeur, "montant": str(f.montant), "etat": f.etat}
                for f in self.financements
            ],
            "montant_demande": str(demande.montant_demande or ""),
            "pieces": [
                {"exigence": j.exigence, "nom": j.piece.nom_classe, "empreinte": j.piece.fichier.empreinte}
                for j in self.jointes
            ],
            "structure": identite(demande.structure),
        }


class ContenuDepose(ContenuDemande):
    """Ce qui a été déposé, et rien de ce que la structure réécrit depuis."""

    @cached_property
    def fige(self) -> dict[str, Any]:
        assert self.demande.version_deposee is not None
        return self.demande.version_deposee.contenu

    @cached_property
    def reponses(self) -> dict[str, Any]:
        return {code: valeur for code, valeur in self.fige["reponses"].items() if valeur != ""}

    @cached_property
    def _fichiers(self) -> dict[str, Piece]:
        """Les pièces du coffre par empreinte : celles d’alors, même remplacées depuis."""
        pieces = Piece.objects.filter(structure=self.demande.structure_id).select_related("fichier").order_by("-pk")
        return {piece.fichier.empreinte: piece for piece in pieces}

    @cached_property
    def depenses(self) -> list[Depense]:
        return [
            Depense(
                demande=self.demande, libelle=d["libelle"], fournisseur=d["fournisseur"], montant_ht=Decimal(d["ht"]),
                montant_ttc=Decimal(d["ttc"]), devis=self._fichiers.get(d["devis"]),
            )
            for d in self.fige["depenses"]
        ]  # fmt: skip

    @cached_property
    def financements(self) -> list[Financement]:
        return [
            Financement(
                demande=self.demande, nature=f["nature"], financeur=f["financeur"], montant=Decimal(f["montant"]),
                etat=f["etat"],
            )
            for f in self.fige["financements"]
        ]  # fmt: skip

    @cached_property
    def jointes(self) -> list[PieceDemande]:
        return [
            PieceDemande(demande=self.demande, exigence=j["exigence"], piece=self._fichiers[j["empreinte"]])
            for j in self.fige["pieces"]
            if j["empreinte"] in self._fichiers
        ]

    @property
    def montant(self) -> Decimal | None:
        return Decimal(self.fige["montant_demande"]) if self.fige["montant_demande"] else None


def contenu_lu(demande: Demande, *, agent: bool) -> ContenuDemande:
    """Le contenu que cette personne lit : la Caf, jamais que ce qui lui a été déposé."""
    if agent and demande.etat in REECRITS and demande.version_deposee_id is not None:
        return ContenuDepose(demande)
    return ContenuDemande(demande)
