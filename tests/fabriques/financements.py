"""De l’argent né des vrais gestes : barèmes publiés à deux, déclarations visées, déposées, validées."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from agrements.choix import Etat
from agrements.models import Agrement
from comptes.choix import Role
from documents.models import Acte
from financements.actions import baremes, declarations
from financements.choix import EtatDeclaration, TypeDeclaration
from financements.demo.comptes import remplir, repartition
from financements.formulaire import plan
from financements.models import Campagne, Declaration, Prestation
from financements.reference import charger_les_prestations
from partenaires.models import AffectationGestionnaire
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent

D = Decimal
EXERCICE = 2027
EXPLICATIONS = {f"explication.{compte}": "Expliqué." for compte in plan().comptes}
IBAN = "FR7630006000011234567890189"


class Caisse(Theatre):
    """Une structure agréée de 2027 à 2030, ses barèmes 2027 et son équipe de la Caf."""

    def __init__(self) -> None:
        super().__init__()
        charger_les_prestations()
        self.mener(Etat.AGREE)
        self.administrateur = agent(Role.ADMINISTRATEUR)
        self.technicien = agent(Role.TECHNICIEN_CONSEIL)
        self.collegue = agent(Role.TECHNICIEN_CONSEIL)
        self.gestionnaire = self.structure.gestionnaire
        type(self.gestionnaire).objects.filter(pk=self.gestionnaire.pk).update(iban=IBAN, statut="commune")
        self.structure.refresh_from_db()
        AffectationGestionnaire.objects.create(
            gestionnaire=self.gestionnaire, agent=self.technicien, debut=date(2020, 1, 1)
        )
        self.agrement = Agrement.objects.get(structure=self.structure)

    def bareme(self, prestation: str = "agc", *, exercice: int = EXERCICE, publier: bool = True, **champs):
        defauts = {
            "taux": D("42.4") if prestation == "agc" else D("63.6"),
            "prix_plafond": D(180_000) if prestation == "agc" else D(40_000),
            "postes": ["pilotage"] if prestation == "agc" else ["referent"],
            "quote_part": True,
            "effet_le": date(exercice, 1, 1),
            "source": "délibération de démonstration",
            "demonstration": True,
        }
        bareme = baremes.saisir(
            prestation=Prestation.objects.get(pk=prestation),
            exercice=exercice,
            par=self.administrateur,
            **{**defauts, **champs},
        )
        return baremes.publier(bareme, par=self.responsable) if publier else bareme

    def baremes(self) -> None:
        self.bareme("agc")
        self.bareme("acf")

    def campagne(self, type_: str = TypeDeclaration.PREVISIONNEL, exercice: int = EXERCICE) -> Campagne:
        jour = timezone.localdate()
        return Campagne.objects.get_or_create(
            exercice=exercice,
            type=type_,
            defaults={"ouverture": jour - timedelta(days=5), "limite": jour + timedelta(days=20)},
        )[0]

    def declarer(
        self, type_: str = TypeDeclaration.PREVISIONNEL, etat: str = EtatDeclaration.VALIDEE, *, echelle: str = "1"
    ) -> Declaration:
        """Mène une déclaration équilibrée jusqu’à l’état voulu ; ``echelle`` multiplie tous ses montants."""
        declaration = declarations.ouvrir(self.campagne(type_), self.structure, par=self.direction)
        self.remplir_declaration(declaration, D(echelle))
        if etat == EtatDeclaration.EN_PREPARATION:
            return declaration
        declaration = declarations.demander_visa(declaration, par=self.direction)
        if etat == EtatDeclaration.A_VISER:
            return declaration
        declaration = declarations.viser(declaration, par=self.president)
        if etat == EtatDeclaration.VISEE:
            return declaration
        declaration = declarations.deposer(declaration, par=self.direction)
        if etat == EtatDeclaration.DEPOSEE:
            return declaration
        if etat == EtatDeclaration.A_CORRIGER:
            declarations.preparer_remarque(declaration, ligne="64", texte="Vérifiez.", par=self.technicien)
            return declarations.demander_correction(declaration, par=self.technicien)
        return declarations.valider(declaration, par=self.technicien)[0]

    def remplir_declaration(self, declaration: Declaration, echelle: Decimal = Decimal(1)) -> None:
        """Pilotage 120 000, activités 180 000 dont référent 30 000, logistique 60 000 : assiette AGC 144 000."""
        remplir(declaration, {**EXPLICATIONS, **repartition(echelle)}, par=self.direction)

    def droit(self, prestation: str = "agc", exercice: int = EXERCICE):
        return self.structure.droits.get(prestation=prestation, exercice=exercice)

    def courante(self, prestation: str = "agc"):
        return self.droit(prestation).versions.get(courante=True)

    def actes(self, nature: str) -> list[Acte]:
        return list(Acte.objects.filter(objet=f"argent-{self.structure.pk}", nature=nature))
