"""Des contrôles menés par les vrais gestes jusqu’à l’état voulu : aucun état n’est posé à la main."""

from __future__ import annotations

import io
from datetime import timedelta
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from comptes.choix import Role
from controles.actions import contradictoire, preparation, visite
from controles.choix import Conclusion, Etat, EtatRegles, Mode, NatureConstat, Origine
from controles.models import Controle, ReglesControle
from financements.choix import TypeDeclaration
from tests.fabriques.agrements import Theatre
from tests.fabriques.comptes import agent
from tests.fabriques.financements import EXERCICE, Caisse

REGLES = {
    "source": "test",
    "part_tirage": 20,
    "preavis_jours": 15,
    "exercices_max": 3,
    "reponse_jours": 20,
    "prolongation_max": 30,
    "conservation_jours": 7,
    "poids": [
        {"critere": "jamais_controlee", "seuil": "0", "points": 3},
        {"critere": "ecart_reel", "seuil": "10", "points": 2},
    ],
    "points": [
        {
            "code": "neutralite",
            "theme": "Accueil",
            "libelle": "La charte de la laïcité est affichée",
            "regle": "charte",
        },
        {"code": "pieces", "theme": "Comptabilité", "libelle": "Les pièces sont gardées dans un lieu unique"},
    ],
    "pieces": [
        {"code": "grand-livre", "libelle": "Grand livre", "par_exercice": True},
        {"code": "contrats", "libelle": "Contrats de travail"},
    ],
    "echelle": [
        {"code": "simple", "libelle": "Manquement simple", "taux": "0.02"},
        {"code": "lourd", "libelle": "Manquement lourd", "taux": "0.15"},
    ],
}


def regles(**autres) -> ReglesControle:
    """Des règles publiées, en vigueur depuis longtemps."""
    champs = {**REGLES, "effet_le": timezone.localdate() - timedelta(days=900), **autres}
    deja = ReglesControle.objects.filter(effet_le=champs["effet_le"], etat=EtatRegles.PUBLIEE).first()
    if deja is not None and not autres:
        return deja
    return ReglesControle.objects.create(etat=EtatRegles.PUBLIEE, publiee_le=timezone.now(), **champs)


def image(couleur="#8a4b12", taille=(800, 600), format_="JPEG", exif=None) -> bytes:
    flux = io.BytesIO()
    Image.new("RGB", taille, couleur).save(flux, format_, **({"exif": exif} if exif else {}))
    return flux.getvalue()


def photo(contenu: bytes | None = None, nom: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(nom, contenu if contenu is not None else image(), "image/jpeg")


class Bureau:
    """Une structure qui déclare et touche ses droits, un contrôleur, un responsable ; ``mener(etat)`` conduit un contrôle."""

    def __init__(self, *, sanctions: bool = False, argent: bool = True) -> None:
        """``argent`` faux : une structure de plus, sans droits ; les barèmes ne se publient qu’une fois."""
        self.caisse = Caisse() if argent else Theatre()
        self.exercice = EXERCICE if argent else timezone.localdate().year
        if argent:
            self.caisse.baremes()
            self.caisse.declarer(TypeDeclaration.REEL)
            self.technicien = self.caisse.technicien
        self.structure = self.caisse.structure
        self.direction, self.president = self.caisse.direction, self.caisse.president
        self.charge = self.caisse.charge
        self.controleur = agent(Role.CONTROLEUR, prenom="Alex", nom="Contrôle")
        self.responsable = agent(Role.RESPONSABLE, prenom="Reine", nom="Responsable")
        hier = timezone.localdate() - timedelta(days=1)
        self.regles = regles(sanctions_actives=True, effet_le=hier) if sanctions else regles()

    def programmer(self, mode: Mode = Mode.SUR_PLACE, structure=None) -> Controle:
        return Controle.objects.create(
            structure=structure or self.structure, regles=self.regles, annee=timezone.localdate().year, mode=mode,
            origine=Origine.RISQUE, controleur=self.controleur,
        )  # fmt: skip

    def preparer(self, controle: Controle, mode: Mode = Mode.SUR_PLACE, dans: int = 20) -> Controle:
        sur_place = mode == Mode.SUR_PLACE
        return preparation.preparer(
            controle, mode=mode, exercices=[self.exercice], objet="Usage des prestations de service",
            visite_le=timezone.localdate() + timedelta(days=dans) if sur_place else None, visite_heure=None, lieu="",
            pieces=["grand-livre", "contrats"], par=self.controleur,
        )  # fmt: skip

    def saisir(self, controle: Controle, champ: str, valeur: str, version: int | None = None) -> None:
        deja = controle.saisies.filter(champ=champ).first()
        version = version if version is not None else (deja.version if deja else 0)
        visite.saisir(controle, champ=champ, saisie=valeur, version=version, par=self.controleur)

    def point(self, controle: Controle, code: str):
        return controle.points.get(code=code)

    def constater(
        self, controle: Controle, code: str, nature: NatureConstat, faits="", releve="", recommandation=""
    ) -> None:
        uid = self.point(controle, code).uid
        for attribut, valeur in (
            ("constat", nature), ("releve", releve), ("faits", faits), ("recommandation", recommandation),
        ):  # fmt: skip
            if valeur:
                self.saisir(controle, f"point.{uid}.{attribut}", str(valeur))

    def visiter(self, controle: Controle) -> Controle:
        """Une visite : un point conforme, un écart chiffré sur les salaires de pilotage, un manquement."""
        jour = timezone.localdate().isoformat()
        if controle.mode == Mode.SUR_PLACE:
            self.saisir(controle, "visite.arrivee", f"{jour}T09:00")
            self.saisir(controle, "visite.depart", f"{jour}T12:30")
        self.constater(controle, "pieces", NatureConstat.CONFORME)
        self.constater(
            controle, "neutralite", NatureConstat.MANQUEMENT, "La charte n’est pas affichée.",
            recommandation="Afficher la charte à l’accueil.",
        )  # fmt: skip
        salaires = controle.points.filter(champ="64.pilotage").first()
        if salaires is not None and salaires.declare:
            self.constater(
                controle, "64.pilotage", NatureConstat.ECART, "Un salaire relève des activités.",
                releve=f"{salaires.declare - 10_000:.2f}",
            )  # fmt: skip
        return Controle.objects.get(pk=controle.pk)

    def conclure(self, controle: Controle, conclusion: Conclusion = Conclusion.MAINTENU) -> None:
        for constat in contradictoire.a_conclure(controle):
            contradictoire.conclure(
                constat, conclusion=conclusion, motif="Les pièces le montrent.", releve_retenu=None, par=self.controleur
            )

    def mener(self, etat: Etat, mode: Mode = Mode.SUR_PLACE, **options) -> Controle:
        controle = self.programmer(mode, **options)
        if etat == Etat.PROGRAMME:
            return controle
        controle = self.preparer(controle, mode)
        if etat == Etat.ANNULE:
            return preparation.annuler(controle, motif="Structure fermée.", par=self.responsable)
        controle = preparation.notifier(controle, par=self.controleur)
        if etat == Etat.NOTIFIE:
            return controle
        controle = visite.commencer(controle, par=self.controleur)
        if etat == Etat.EN_COURS:
            return controle
        controle = contradictoire.emettre(self.visiter(controle), par=self.controleur)
        if etat == Etat.CONTRADICTOIRE:
            return controle
        controle = contradictoire.renvoyer(controle, par=self.direction)
        if etat == Etat.A_CONCLURE:
            return controle
        self.conclure(controle)
        controle = contradictoire.signer(controle, par=self.controleur)
        if etat == Etat.CLOS:
            from controles.actions import suites

            for suite in controle.suites.filter(etat="a_decider"):
                suites.ecarter(suite, motif="Sans incidence.", par=self.technicien)
            controle = contradictoire.clore(controle, par=self.controleur)
        return controle

    def operation(self, champ: str, valeur: str, rang: int, version: int = 0, **autres) -> visite.Operation:
        cle = autres.get("id") or uuid4()
        return visite.Operation(cle, rang, champ, valeur, version, autres.get("saisi_le") or timezone.now())
