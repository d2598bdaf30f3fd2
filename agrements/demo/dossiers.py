"""Des dossiers de démonstration dans tous les états, menés par les vrais gestes, puis replacés dans le temps."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random

import pgtrigger
from dateutil.relativedelta import relativedelta
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone
from PIL import Image, ImageDraw

from agrements.actions import agrements as vie
from agrements.actions import instruction, redaction, seances
from agrements.choix import (
    GESTE_DE_DECISION,
    SENS_QUI_AGREENT,
    Geste,
    Instance,
    SensAvis,
    SensDecision,
    TypeDossier,
    VerdictCritere,
)
from agrements.contenu import Contenu
from agrements.demo.textes import REMARQUES, reponses
from agrements.models import (
    Dossier,
    EvenementAgrement,
    EvenementDossier,
    Passage,
    Piece,
    PieceJointe,
    Seance,
    VersionDossier,
)
from comptes.choix import Role
from comptes.models import Utilisateur
from courriers.models import Notification
from documents.models import Acte, NatureActe
from partenaires.choix import TypeStructure
from partenaires.models import Structure
from socle.dates import dernier_jour, en_jour


class Scene:
    """Les personnes et les séances dont les récits ont besoin."""

    def __init__(self, secretariat: Utilisateur) -> None:
        self.secretariat = secretariat
        aujourd_hui = timezone.localdate()
        self.passees: dict[str, Seance] = {}
        self.a_venir: dict[str, Seance] = {}
        self.anciennes: dict[tuple[str, int], Seance] = {}
        for instance, decalage in ((Instance.CAS, 0), (Instance.CA, 14)):
            for mois in range(-3, 7):
                jour = _ouvre(aujourd_hui + relativedelta(months=mois) + timedelta(days=decalage + 5))
                seance = seances.ouvrir_seance(
                    instance=instance, tenue_le=jour, par=secretariat, lieu="Siège de la Caf, salle du conseil"
                )
                if jour < aujourd_hui:
                    self.passees[instance] = seance
            # Celle qu’on peut enregistrer aujourd’hui même : la commission vient de se tenir, le conseil se tient.
            self.a_venir[instance] = seances.ouvrir_seance(
                instance=instance, tenue_le=aujourd_hui - timedelta(days=1 if instance == Instance.CAS else 0),
                par=secretariat, lieu="Siège de la Caf, salle du conseil",
            )  # fmt: skip
            for annee in (aujourd_hui.year - 4, aujourd_hui.year - 2):
                jour = _ouvre(date(annee, 11, 10) + timedelta(days=decalage))
                seance = seances.ouvrir_seance(instance=instance, tenue_le=jour, par=secretariat)
                self.anciennes[instance, annee + 1] = seance


def _ouvre(jour: date) -> date:
    return jour + timedelta(days=(7 - jour.weekday()) if jour.weekday() > 4 else 0)


def document(titre: str) -> SimpleUploadedFile:
    """Une page d’image, faute de vrai document : on y lit qu’elle est fictive."""
    image = Image.new("RGB", (620, 300), "white")
    ImageDraw.Draw(image).multiline_text((40, 60), f"{titre}\n\nPièce de démonstration, sans valeur.", fill="black")
    flux = io.BytesIO()
    image.save(flux, "PDF")
    return SimpleUploadedFile(f"{titre}.pdf", flux.getvalue(), content_type="application/pdf")


class Recit:
    """Un dossier, mené pas à pas jusqu’à l’état voulu par les gestes de production."""

    def __init__(self, scene: Scene, structure: Structure, hasard: Random, debut: date, duree: int = 0) -> None:
        self.scene, self.structure, self.hasard, self.debut, self.duree = scene, structure, hasard, debut, duree
        habilites = structure.habilitations.select_related("utilisateur")
        self.direction = next(h.utilisateur for h in habilites if h.role == Role.DIRECTION)
        self.president = next(h.utilisateur for h in habilites if h.role == Role.REPRESENTANT_LEGAL)
        self.dossier: Dossier

    def ouvrir(self, type_dossier: str, duree: int = 0) -> Recit:
        nouveau = self.debut >= date(2027, 1, 1)
        objets = ["projet_social"] if nouveau else ["animation_globale", "animation_collective_familles"]
        if self.structure.type == TypeStructure.EVS:
            objets = ["animation_locale"]
            if not self.structure.dossiers.exists():  # un espace de vie sociale naissant
                type_dossier = TypeDossier.PREMIER
        self.dossier = redaction.creer(
            self.structure, type_dossier=type_dossier, objets=objets, debut_souhaite=self.debut,
            duree_souhaitee=duree or self.duree or self.hasard.choice([36, 48, 48]), par=self.direction,
        )  # fmt: skip
        return self

    def rediger(self, part: float = 1.0) -> Recit:
        contenu = Contenu(self.dossier)
        textes = reponses(self.structure, self.hasard, self.debut.year)
        codes = [code for code, champ in contenu.champs.items() if champ.nature != "chiffres"]
        for code in codes[: int(len(codes) * part)]:
            valeur = textes[code]
            saisie = (
                valeur if isinstance(valeur, str) else str(valeur) if isinstance(valeur, int) else json.dumps(valeur)
            )
            ligne = contenu.lignes.get(code)
            redaction.enregistrer_reponse(
                self.dossier, champ=code, saisie=saisie, version=ligne.version if ligne else 0, par=self.direction
            )
        return self

    def joindre(self) -> Recit:
        for exigence in Contenu(self.dossier).exigences:
            if exigence.obligatoire:
                redaction.joindre(
                    self.dossier, exigence=exigence.code, televerse=document(exigence.libelle), par=self.direction
                )
        return self

    def viser(self) -> Recit:
        redaction.demander_visa(self.dossier, par=self.direction)
        redaction.viser(self.dossier, par=self.president)
        return self

    def deposer(self) -> Recit:
        self.dossier = redaction.deposer(self.dossier, par=self.direction)
        return self

    @property
    def charge(self) -> Utilisateur:
        assert self.dossier.charge is not None
        return self.dossier.charge

    def completer(self, *, repondre: bool) -> Recit:
        for champ, texte in self.hasard.sample(sorted(REMARQUES.items()), 2):
            instruction.preparer_remarque(self.dossier, champ=champ, texte=texte, par=self.charge)
        instruction.demander_complements(
            self.dossier,
            message="Votre projet est bien engagé ; deux points restent à préciser.",
            echeance_le=timezone.localdate() + timedelta(days=self.hasard.randrange(8, 30)),
            par=self.charge,
        )
        if repondre:
            contenu = Contenu(Dossier.objects.get(pk=self.dossier.pk))
            for code in contenu.remarques:
                ligne = contenu.lignes[code]
                redaction.enregistrer_reponse(
                    self.dossier,
                    champ=code,
                    saisie=f"{ligne.valeur}<p>À la demande de la Caf, nous précisons ce point avec le comité de pilotage.</p>",
                    version=ligne.version,
                    par=self.direction,
                )
            redaction.renvoyer(self.dossier, par=self.direction)
        return self

    def declarer_complet(self) -> Recit:
        self.dossier = instruction.declarer_complet(self.dossier, par=self.charge)
        return self

    def evaluer(self, combien: int | None = None) -> Recit:
        criteres = self.dossier.regime.referentiel.criteres
        for critere in criteres[: combien if combien is not None else len(criteres)]:
            instruction.evaluer(
                self.dossier, critere=critere.code, verdict=self.hasard.choice([VerdictCritere.CONFORME] * 4 + [VerdictCritere.A_COMPLETER]),
                commentaire="Lu dans le projet déposé ; échangé avec l’équipe lors de la visite.", version=0, par=self.charge,
            )  # fmt: skip
        return self

    def rendre_avis(self, sens: str = SensAvis.FAVORABLE) -> Recit:
        instruction.rendre_avis(
            self.dossier, sens=sens, duree_mois=48 if sens == SensAvis.FAVORABLE else 24,
            motivation="La démarche participative est réelle, le diagnostic est partagé et les axes en découlent clairement.",
            reserves="Recruter le référent familles avant la fin de la première année." if sens == SensAvis.FAVORABLE_RESERVES else "",
            par=self.charge,
        )  # fmt: skip
        return self

    def passer(self, instance: Instance, *, passee: bool) -> Passage:
        ancienne = self.scene.anciennes.get((instance, self.debut.year))
        seance = ancienne or (self.scene.passees if passee else self.scene.a_venir)[instance]
        return seances.inscrire(seance, self.dossier, par=self.scene.secretariat)

    def avis_cas(self) -> Recit:
        seances.enregistrer_avis_cas(
            self.passer(Instance.CAS, passee=True), avis=SensAvis.FAVORABLE,
            motivation="La commission suit l’avis de l’instruction.", par=self.scene.secretariat,
        )  # fmt: skip
        return self

    def decider(self, sens: str, *, lue: bool = False) -> Recit:
        agree = sens in SENS_QUI_AGREENT
        duree = 24 if sens == SensDecision.AGREE_RESERVES else self.dossier.duree_souhaitee
        seances.decider(
            self.passer(Instance.CA, passee=True), sens=sens, par=self.scene.secretariat,
            debut=self.debut if agree else None,
            fin=dernier_jour(self.debut, duree) if agree else None,
            motivation="" if agree else "Le conseil demande que la participation des habitants au pilotage soit mieux établie.",
            reserves="Recruter le référent familles avant la fin de la première année." if sens == SensDecision.AGREE_RESERVES else "",
        )  # fmt: skip
        if lue:
            redaction.lire_notification(self.dossier, par=self.direction)
        return self


def semer_dossiers(structures: list[Structure], secretariat: Utilisateur, graine: int = 49) -> int:
    """Mène un récit par structure, en faisant le tour de tous les états. Rend le nombre de dossiers."""
    scene = Scene(secretariat)
    annee = timezone.localdate().year
    ancien, nouveau = date(annee - 1, 1, 1), date(max(annee + 1, 2027), 1, 1)
    instruit = lambda r: r.ouvrir(TypeDossier.RENOUVELLEMENT).rediger().joindre().viser().deposer()  # noqa: E731
    avant_cas = lambda r: instruit(r).declarer_complet().evaluer().rendre_avis()  # noqa: E731
    avant_ca = lambda r: avant_cas(r).avis_cas()  # noqa: E731
    bientot_echu = lambda r: (  # noqa: E731
        r.ouvrir(TypeDossier.RENOUVELLEMENT, 24)
        .rediger()
        .joindre()
        .viser()
        .deposer()
        .declarer_complet()
        .evaluer()
        .rendre_avis()
        .avis_cas()
    )
    recits: list[tuple[date, int, Callable[[Recit], object]]] = [
        (nouveau, 40, lambda r: r.ouvrir(TypeDossier.RENOUVELLEMENT).rediger(0.55)),
        (nouveau, 50, lambda r: (r.ouvrir(TypeDossier.RENOUVELLEMENT).rediger().joindre(), redaction.demander_visa(r.dossier, par=r.direction))),
        (nouveau, 45, lambda r: r.ouvrir(TypeDossier.RENOUVELLEMENT).rediger().joindre().viser()),
        (nouveau, 12, instruit),
        (nouveau, 40, lambda r: instruit(r).completer(repondre=False)),
        (nouveau, 60, lambda r: instruit(r).declarer_complet().evaluer(4)),
        (nouveau, 80, avant_cas),
        (nouveau, 90, lambda r: avant_cas(r).passer(Instance.CAS, passee=False)),
        (nouveau, 110, avant_ca),
        (nouveau, 120, lambda r: avant_ca(r).passer(Instance.CA, passee=False)),
        (ancien, 300, lambda r: avant_ca(r).decider(SensDecision.AGREE, lue=True)),
        (ancien, 280, lambda r: (instruit(r).declarer_complet().evaluer().rendre_avis(SensAvis.FAVORABLE_RESERVES).avis_cas().decider(SensDecision.AGREE_RESERVES, lue=True))),
        (nouveau, 130, lambda r: avant_ca(r).decider(SensDecision.AJOURNE)),
        (nouveau, 140, lambda r: avant_ca(r).decider(SensDecision.REFUSE)),
        (nouveau, 60, lambda r: (instruit(r), instruction.declarer_irrecevable(r.dossier, par=r.charge, motif="La demande ne porte pas sur un territoire d’intervention identifié."))),
        (nouveau, 70, lambda r: (instruit(r), redaction.retirer(r.dossier, par=r.direction, motif="Nous déposerons un projet commun avec le centre voisin."))),
        (nouveau, 30, lambda r: instruit(r).completer(repondre=True)),
        (ancien, 320, lambda r: avant_ca(r).decider(SensDecision.AGREE, lue=True)),
        (ancien, 310, lambda r: bientot_echu(r).decider(SensDecision.AGREE, lue=True)),
    ]  # fmt: skip
    for rang, structure in enumerate(structures):
        debut, age, mener = recits[rang % len(recits)]
        with transaction.atomic():
            if debut == nouveau and (rang < 3 or rang % 4 == 0):  # ceux-là renouvellent un agrément qui finit
                precedent = Recit(scene, structure, Random(graine * 2000 + rang), date(annee - 3, 1, 1), duree=48)
                avant_ca(precedent).decider(SensDecision.AGREE, lue=True)
                _replacer_dans_le_temps(precedent.dossier, jusqu_au=date(annee - 4, 12, 10))
            recit = Recit(scene, structure, Random(graine * 1000 + rang), debut)
            mener(recit)
            _replacer_dans_le_temps(recit.dossier, age, jusqu_au=date(annee - 2, 12, 10) if debut == ancien else None)
            if debut == ancien and rang % 2 == 0:  # le projet évolue en cours de route
                avenant = Recit(scene, structure, Random(graine * 3000 + rang), nouveau)
                avenant.ouvrir(TypeDossier.AVENANT).rediger(0.3)
                _replacer_dans_le_temps(avenant.dossier, 15)
    for seance in Seance.objects.filter(tenue_le__lt=timezone.localdate()):
        a_faire = {"avis": ""} if seance.instance == Instance.CAS else {"decision__isnull": True}
        if seance.passages.exists() and not seance.passages.filter(**a_faire).exists():
            seances.clore_seance(seance, par=secretariat)
    vie.faire_vivre(timezone.localdate())
    return Dossier.objects.count()


def _replacer_dans_le_temps(dossier: Dossier, age: int = 210, *, jusqu_au: date | None = None) -> None:
    """Étale le récit sur les ``age`` jours d’avant hier, ou d’avant ``jusqu_au``. Seul endroit où un journal bouge.

    Un dossier ancien a ses nouvelles lues depuis longtemps.
    """
    evenements = list(dossier.evenements.order_by("le", "pk"))
    fin = timezone.now() - timedelta(days=1)
    if jusqu_au is not None:
        fin -= timezone.localdate() - timedelta(days=1) - jusqu_au
        age = 210
        Notification.objects.filter(lien=dossier.get_absolute_url()).update(cree_le=fin, lue_le=fin)
    depart = fin - timedelta(days=age - 1)
    pas = timedelta(days=age - 1) / max(len(evenements) - 1, 1)
    quand = {}
    with pgtrigger.ignore():
        for rang, evenement in enumerate(evenements):
            quand[evenement.geste] = _aux_heures_de_bureau(depart + pas * rang)
            EvenementDossier.objects.filter(pk=evenement.pk).update(le=quand[evenement.geste])
        _dater(dossier, quand)
    dossier.refresh_from_db()
    champs = {"cree_le": depart, "modifie_le": quand[evenements[-1].geste]}
    if dossier.depose_le:
        champs["depose_le"] = quand[Geste.DEPOSER]
    Dossier.objects.filter(pk=dossier.pk).update(**champs)
    Piece.objects.filter(structure=dossier.structure_id).update(deposee_le=depart)
    PieceJointe.objects.filter(dossier=dossier).update(jointe_le=quand.get(Geste.JOINDRE, depart))


def _aux_heures_de_bureau(instant: datetime) -> datetime:
    """Le même jour, entre 9 h et 17 h : personne n’instruit la nuit ; l’ordre des instants est gardé."""
    local = timezone.localtime(instant)
    minuit = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return minuit + timedelta(hours=9) + (local - minuit) / 3


def _dater(dossier: Dossier, quand: dict[str, datetime]) -> None:
    """Les versions, avis, décisions et lettres portent la date de l’étape qui les a faits."""
    if Geste.DEPOSER in quand:
        VersionDossier.objects.filter(dossier=dossier, numero=1).update(deposee_le=quand[Geste.DEPOSER])
    if Geste.RENDRE_AVIS in quand:
        dossier.avis.update(le=quand[Geste.RENDRE_AVIS])
        dossier.evaluations.update(le=quand[Geste.RENDRE_AVIS])
    decision = dossier.decisions.first()
    geste = GESTE_DE_DECISION[decision.sens] if decision else ""
    if decision and geste in quand:
        lue = quand.get(Geste.LIRE_NOTIFICATION) if decision.lue_le else None
        dossier.decisions.update(enregistree_le=quand[geste], lue_le=lue)
        EvenementAgrement.objects.filter(agrement__decision=decision).update(le=quand[geste])
    etapes = {
        NatureActe.DEMANDE_COMPLEMENTS: Geste.DEMANDER_COMPLEMENTS,
        NatureActe.NOTIFICATION: geste,
    }
    if Geste.RENVOYER in quand:
        VersionDossier.objects.filter(dossier=dossier, numero=2).update(deposee_le=quand[Geste.RENVOYER])
    accuses = 0
    for acte in Acte.objects.filter(objet=f"dossier-{dossier.pk}").order_by("pk"):
        etape = etapes.get(NatureActe(acte.nature), "")
        if acte.nature == NatureActe.ACCUSE_RECEPTION:
            etape, accuses = (Geste.RENVOYER if accuses else Geste.DEPOSER), accuses + 1
        if instant := quand.get(etape):
            ecrits = {cle: en_jour(instant.date()) for cle in ("date", "depose_le") if cle in acte.contexte}
            Acte.objects.filter(pk=acte.pk).update(demande_le=instant, contexte=acte.contexte | ecrits)
