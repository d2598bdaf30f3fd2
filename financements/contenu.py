"""Ce qu’une déclaration contient, lu une fois : cases, version déposée, déclaration à laquelle on la compare."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cached_property
from hashlib import sha256

from agrements.choix import Objet
from agrements.models import Agrement
from financements.choix import ETATS_PRIVES_DECLARATION, RANG_DECLARATION, EtatDeclaration, TypeDeclaration
from financements.couverture import regles_de_paiement
from financements.formulaire import Manque, Totaux, Valeur, depuis_json, ligne_de, manques, plan, totaliser
from financements.models import Campagne, Declaration, RemarqueDeclaration, Saisie, VersionDeclaration

OBJETS_A_REFERENT = {Objet.FAMILLES, Objet.PROJET_SOCIAL}


def en_json(contenu: dict[str, Valeur]) -> dict[str, str]:
    return {champ: f"{v:.2f}" if isinstance(v, Decimal) else v for champ, v in sorted(contenu.items())}


def empreinte(contenu: dict[str, str]) -> str:
    return sha256(json.dumps(contenu, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _rang(campagne: Campagne) -> tuple[int, int]:
    return campagne.exercice, RANG_DECLARATION[campagne.type]


class Contenu:
    """Une déclaration et tout ce que ses écrans montrent ; chaque propriété coûte une requête au plus, une fois."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration

    @cached_property
    def saisies(self) -> dict[str, Saisie]:
        return {s.champ: s for s in self.declaration.saisies.select_related("modifie_par")}

    @cached_property
    def valeurs(self) -> dict[str, Valeur]:
        """Les cases remplies, telles que la structure les voit."""
        gardees: dict[str, Valeur] = {}
        for champ, saisie in self.saisies.items():
            if saisie.nombre is not None:
                gardees[champ] = saisie.nombre
            elif saisie.texte:
                gardees[champ] = saisie.texte
        return gardees

    @cached_property
    def deposees(self) -> dict[str, Valeur] | None:
        version = self.declaration.version_courante
        return depuis_json(version.contenu) if version else None

    def vues_par(self, *, agent: bool) -> dict[str, Valeur]:
        """La Caf ne lit que ce qui est déposé ; une correction en cours reste à la structure jusqu’au renvoi."""
        if agent or self.declaration.etat == EtatDeclaration.VALIDEE:
            return self.deposees or {}
        return self.valeurs

    @cached_property
    def remarques(self) -> dict[str, RemarqueDeclaration]:
        """Les corrections attendues de la structure, par ligne."""
        ouvertes = self.declaration.remarques.filter(levee_le__isnull=True, envoyee_le__isnull=False)
        return {r.ligne: r for r in ouvertes}

    @cached_property
    def constate(self) -> bool:
        return self.declaration.campagne.type == TypeDeclaration.REEL

    @cached_property
    def precedente(self) -> VersionDeclaration | None:
        """La dernière version déposée avant celle-ci : même exercice d’abord, sinon l’exercice d’avant."""
        campagne = self.declaration.campagne
        deposees = (
            Declaration.objects.filter(structure=self.declaration.structure_id, version_courante__isnull=False)
            .exclude(pk=self.declaration.pk)
            .exclude(etat__in=ETATS_PRIVES_DECLARATION)
            .filter(campagne__exercice__lte=campagne.exercice)
            .select_related("version_courante__declaration__campagne", "campagne")
        )
        avant = [d for d in deposees if _rang(d.campagne) < _rang(campagne)]
        return max(avant, key=lambda d: _rang(d.campagne)).version_courante if avant else None

    @cached_property
    def avant(self) -> dict[str, Valeur] | None:
        return depuis_json(self.precedente.contenu) if self.precedente else None

    @cached_property
    def seuil(self) -> Decimal:
        return regles_de_paiement(self.declaration.campagne.exercice).seuil_variation

    @cached_property
    def obligatoires(self) -> frozenset[str]:
        """L’ETP du référent n’est demandé que si un agrément de l’exercice porte un volet familles."""
        exercice = self.declaration.campagne.exercice
        objets = set(
            Agrement.objects.filter(
                structure=self.declaration.structure_id, debut__year__lte=exercice, fin__year__gte=exercice
            ).values_list("objet", flat=True)
        )
        avec_referent = bool(objets & OBJETS_A_REFERENT)
        return frozenset(
            a.champ for a in plan().activite if a.obligatoire and (avec_referent or a.code != "etp_referent")
        )

    @property
    def totaux(self) -> Totaux:
        return totaliser(self.valeurs)

    @property
    def manques(self) -> list[Manque]:
        return manques(
            self.valeurs, constate=self.constate, avant=self.avant, seuil=self.seuil, obligatoires=self.obligatoires
        )

    def ouvert(self, champ: str) -> bool:
        """En préparation tout est ouvert ; après une demande de correction, seules les lignes commentées."""
        if self.declaration.etat == EtatDeclaration.EN_PREPARATION:
            return True
        return self.declaration.etat == EtatDeclaration.A_CORRIGER and ligne_de(champ) in self.remarques
