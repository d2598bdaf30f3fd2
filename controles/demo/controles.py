"""Les contrôles de démonstration : un à chaque étape, menés par les vrais gestes ; la visite de la semaine est à faire."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from unittest.mock import patch
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image, ImageDraw

from comptes.choix import Role
from comptes.models import Utilisateur
from controles.actions import contradictoire, preparation, suites, visite
from controles.choix import Conclusion, Etat, EtatSuite, Mode, NatureConstat, Origine, Position
from controles.contenu import declarations_retenues
from controles.demo.plan import a_controler
from controles.models import Controle, ReglesControle
from partenaires.interlocuteurs import equipe, technicien_de
from partenaires.models import Structure

OBJET = "Usage des prestations de service : concordance entre ce qui est déclaré, les comptes et l’activité."
ETAPES = (
    Etat.PROGRAMME, Etat.NOTIFIE, Etat.EN_COURS, Etat.CONTRADICTOIRE, Etat.CONTRADICTOIRE, Etat.A_CONCLURE, Etat.SUITES,
    Etat.CLOS,
)  # fmt: skip


def _photo(texte: str) -> SimpleUploadedFile:
    image = Image.new("RGB", (1200, 900), "#efe8db")
    dessin = ImageDraw.Draw(image)
    dessin.rectangle((90, 90, 1110, 810), outline="#14284b", width=10)
    dessin.rectangle((180, 180, 700, 520), fill="#ffffff", outline="#8a4b12", width=6)
    dessin.text((220, 300), texte, fill="#14284b", font_size=44)
    flux = io.BytesIO()
    image.save(flux, "JPEG", quality=80)
    return SimpleUploadedFile("photo.jpg", flux.getvalue(), "image/jpeg")


class Recit:
    """Mène un contrôle par les vrais gestes, avec les vraies personnes de la structure et de la Caf."""

    def __init__(self, structure: Structure, regles: ReglesControle, controleur: Utilisateur, rang: int) -> None:
        self.structure = structure
        self.direction = equipe(structure.pk, Role.DIRECTION)[0]
        self.annee = timezone.localdate().year
        programme = Controle.objects.filter(structure=structure, etat=Etat.PROGRAMME).first()  # né du plan validé
        self.controle = programme or Controle.objects.create(
            structure=structure, regles=regles, annee=self.annee, mode=Mode.SUR_PLACE if rang % 4 else Mode.SUR_PIECES,
            origine=Origine.RISQUE if rang % 3 else Origine.TIRAGE, controleur=controleur,
        )  # fmt: skip
        self.controleur = self.controle.controleur

    def preparer(self, visite_le: date) -> Recit:
        exercices = sorted(declarations_retenues(self.structure.pk, range(self.annee - 2, self.annee + 1)))
        sur_place = self.controle.mode == Mode.SUR_PLACE
        self.controle = preparation.preparer(
            self.controle, mode=self.controle.mode, exercices=exercices[-2:] or [self.annee - 1], objet=OBJET,
            visite_le=visite_le if sur_place else None, visite_heure=time(9, 30) if sur_place else None, lieu="",
            pieces=["grand-livre", "balance-analytique", "contrats-de-travail", "proces-verbaux"],
            par=self.controleur,
        )  # fmt: skip
        return self

    def notifier(self) -> Recit:
        self.controle = preparation.notifier(self.controle, par=self.controleur)
        return self

    def saisir(self, champ: str, valeur: str) -> None:
        visite.saisir(self.controle, champ=champ, saisie=valeur, version=0, par=self.controleur)

    def constater(
        self, code: str, nature: str, faits: str = "", releve: Decimal | None = None, suite: str = ""
    ) -> None:
        point = self.controle.points.filter(code=code).order_by("-exercice").first()
        if point is None:
            return
        self.saisir(f"point.{point.uid}.constat", nature)
        for attribut, valeur in (("faits", faits), ("recommandation", suite)):
            if valeur:
                self.saisir(f"point.{point.uid}.{attribut}", valeur)
        if releve is not None:
            self.saisir(f"point.{point.uid}.releve", f"{releve:.2f}")

    def visiter(self) -> Recit:
        jour = timezone.localdate()
        if self.controle.mode == Mode.SUR_PLACE:
            self.saisir("visite.arrivee", f"{jour.isoformat()}T09:35")
            self.saisir("visite.depart", f"{jour.isoformat()}T12:50")
            self.saisir("visite.signataire", f"{self.direction.get_full_name()}, direction")
            self.saisir("visite.signature_structure", "[[[120,250],[220,120],[300,280],[420,140],[560,260],[760,180]]]")
            self.saisir(
                "visite.signature_controleur", "[[[140,220],[260,150],[330,290],[470,160],[650,250],[820,190]]]"
            )
        self.saisir(
            "visite.notes", "Accueil par la direction. Visite des locaux, puis lecture des comptes et des contrats."
        )
        for code in ("comptes-approuves", "pieces-lieu-unique", "direction-etp", "gouvernance", "actions-menees"):
            self.constater(code, NatureConstat.CONFORME)
        self.constater(
            "neutralite", NatureConstat.OBSERVATION, "La charte de la laïcité n’est affichée que dans le bureau de la "
            "direction.", suite="Afficher la charte à l’accueil, à la vue du public.",
        )  # fmt: skip
        salaires = self.controle.points.filter(champ="64.pilotage").order_by("-exercice").first()
        if salaires is not None and salaires.declare:
            self.constater(
                "64.pilotage", NatureConstat.ECART, "Le salaire de l’animatrice jeunesse est compté en pilotage ; ses "
                "fiches de poste et son planning relèvent des activités.", releve=salaires.declare - Decimal(8_400),
                suite="Écrire la clé de répartition des salaires et la joindre au réel.",
            )  # fmt: skip
        self.constater(
            "comptabilite-analytique", NatureConstat.MANQUEMENT, "La répartition par fonction n’est écrite nulle part : "
            "elle est refaite de mémoire chaque année.", suite="Tenir une comptabilité analytique par fonction.",
        )  # fmt: skip
        point = self.controle.points.filter(code="neutralite").first()
        visite.recevoir_photo(
            self.controle, id=uuid4(), televerse=_photo("Panneau d’accueil"), point=point.uid if point else None,
            legende="Le panneau d’affichage de l’accueil", prise_le=timezone.now(), garder_lieu=False,
            par=self.controleur,
        )  # fmt: skip
        self.controle.refresh_from_db()
        return self

    def repondre(self) -> Recit:
        contradictoire.lire_le_rapport(self.controle, par=self.direction)
        for constat in contradictoire.a_conclure(self.controle):
            accepte = constat.nature == NatureConstat.OBSERVATION
            position = Position.ACCEPTE if accepte else Position.CONTESTE
            texte = "La charte est affichée depuis." if accepte else "La clé existe : elle est jointe au procès-verbal."
            contradictoire.repondre(constat, champ="position", saisie=position, version=0, par=self.direction)
            contradictoire.repondre(constat, champ="texte", saisie=texte, version=1, par=self.direction)
        return self

    def conclure(self) -> Recit:
        for constat in contradictoire.a_conclure(self.controle):
            leve = constat.nature == NatureConstat.OBSERVATION
            contradictoire.conclure(
                constat, conclusion=Conclusion.LEVE if leve else Conclusion.MAINTENU,
                motif="La photo reçue le montre." if leve else "La pièce jointe ne porte pas de clé chiffrée.",
                releve_retenu=None, par=self.controleur,
            )  # fmt: skip
        self.controle = contradictoire.signer(self.controle, par=self.controleur)
        return self

    def clore(self) -> Recit:
        technicien = technicien_de(self.structure.gestionnaire, timezone.localdate())
        for suite in self.controle.suites.filter(etat=EtatSuite.A_DECIDER):
            if technicien is not None:
                suites.ecarter(suite, motif="Écart sans effet au-delà du plafond.", par=technicien)
        if not self.controle.suites.filter(etat=EtatSuite.A_DECIDER).exists():
            self.controle = contradictoire.clore(self.controle, par=self.controleur)
        return self


@contextmanager
def a_la_date(jour: date, heure: int = 10) -> Iterator[None]:
    """Les gestes du bloc se font ce jour-là : lettres, journaux et échéances se tiennent d’un bout à l’autre."""
    instant = timezone.make_aware(datetime.combine(jour, time(heure)))
    with patch.object(timezone, "now", return_value=instant):
        yield


# Le jour de la visite, puis du rapport, de la réponse et de la signature, en jours avant ou après aujourd’hui.
CALENDRIER: dict[str, tuple[int, int, int, int]] = {
    Etat.NOTIFIE: (2, 0, 0, 0),
    Etat.EN_COURS: (0, 0, 0, 0),
    Etat.CONTRADICTOIRE: (-12, -9, 0, 0),
    Etat.A_CONCLURE: (-48, -42, -20, 0),
    Etat.SUITES: (-84, -78, -62, -30),
    Etat.CLOS: (-150, -143, -125, -110),
}


def mener(recit: Recit, etat: Etat, rang: int) -> None:
    if etat == Etat.PROGRAMME:
        return
    aujourd_hui = timezone.localdate()
    visite_le, rapport, reponse, signature = (aujourd_hui + timedelta(days=n) for n in CALENDRIER[etat])
    visite_le += timedelta(days=rang % 3 if etat == Etat.NOTIFIE else 0)
    with a_la_date(visite_le - timedelta(days=20), 9):
        recit.preparer(visite_le).notifier()
    if etat == Etat.NOTIFIE:
        return
    with a_la_date(visite_le, 9):
        recit.controle = visite.commencer(recit.controle, par=recit.controleur)
        if etat == Etat.EN_COURS:
            return
        recit.visiter()
    with a_la_date(rapport):
        recit.controle = contradictoire.emettre(recit.controle, par=recit.controleur)
    if etat == Etat.CONTRADICTOIRE:
        return
    with a_la_date(reponse):
        recit.repondre()
        recit.controle = contradictoire.renvoyer(recit.controle, par=recit.direction)
    if etat == Etat.A_CONCLURE:
        return
    with a_la_date(signature):
        recit.conclure()
        if etat == Etat.CLOS:
            recit.clore()


def semer_controles(controleurs: list[Utilisateur]) -> int:
    """Un contrôle par étape ; le premier contrôleur en tient la moitié. Rend leur nombre."""
    regles = ReglesControle.objects.en_vigueur(timezone.localdate())
    if regles is None:
        return 0
    for rang, (structure, etat) in enumerate(zip(a_controler(), (*ETAPES, Etat.NOTIFIE), strict=False)):
        controleur = controleurs[0] if rang % 2 or etat == Etat.NOTIFIE else controleurs[1 + rang % 2]
        mener(Recit(structure, regles, controleur, rang), etat, rang)
    return Controle.objects.count()
