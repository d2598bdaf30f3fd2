"""Des dossiers menés par les vrais gestes jusqu’à l’état voulu : aucun état n’est posé à la main."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from django.utils import timezone

from agrements.actions import agrements as vie
from agrements.actions import instruction, redaction, seances
from agrements.choix import SENS_QUI_AGREENT, Etat, Instance, SensAvis, SensDecision, TypeDossier, VerdictCritere
from agrements.contenu import Contenu
from agrements.demo.dossiers import document
from agrements.demo.textes import reponses
from agrements.models import Agrement, Dossier, ProcedureAgrement, Reponse, Seance
from agrements.regimes import publier_les_regimes
from comptes.choix import Role
from partenaires.interlocuteurs import charge_de
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import StructureFactory, affecter, habiliter

DEBUT, FIN = date(2027, 1, 1), date(2030, 12, 31)


class Theatre:
    """Une structure, son équipe et la Caf ; ``mener(etat)`` conduit un dossier jusqu’à cet état."""

    def __init__(self) -> None:
        publier_les_regimes()
        self.structure = StructureFactory()
        self.direction = habiliter(self.structure, Role.DIRECTION)
        self.president = habiliter(self.structure, Role.REPRESENTANT_LEGAL)
        self.saisie = habiliter(self.structure, Role.SAISIE)
        deja = charge_de(self.structure, timezone.localdate())  # une autre scène a pu affecter la commune
        self.charge = deja or agent(Role.CHARGE_CONSEIL)
        if deja is None:
            affecter(self.structure.commune, self.charge)
        self.secretariat = agent(Role.SECRETARIAT)
        self.responsable = agent(Role.RESPONSABLE)
        self.jour = timezone.localdate() + timedelta(days=3)

    def ouvrir(self, type_dossier: TypeDossier = TypeDossier.PREMIER) -> Dossier:
        return redaction.creer(
            self.structure,
            type_dossier=type_dossier,
            objets=["projet_social"],
            debut_souhaite=DEBUT,
            duree_souhaitee=48,
            par=self.direction,
        )

    def remplir(self, dossier: Dossier) -> None:
        """Toutes les réponses d’un coup, en base : les champs ont leurs propres tests."""
        textes = reponses(dossier.structure, Random(1), 2027)
        deja = set(dossier.reponses.values_list("champ", flat=True))
        Reponse.objects.bulk_create(
            Reponse(dossier=dossier, champ=c, valeur=textes[c], modifie_par=self.direction, modifie_le=timezone.now())
            for c, champ in Contenu(dossier).champs.items()
            if champ.nature != "chiffres" and c not in deja
        )
        for exigence in Contenu(dossier).exigences:
            if exigence.obligatoire:
                redaction.joindre(
                    dossier, exigence=exigence.code, televerse=document(exigence.code), par=self.direction
                )

    def evaluer_tout(self, dossier: Dossier) -> None:
        for critere in dossier.regime.referentiel.criteres:
            instruction.evaluer(
                dossier,
                critere=critere.code,
                verdict=VerdictCritere.CONFORME,
                commentaire="",
                version=0,
                par=self.charge,
            )

    def seance(self, instance: Instance, dans: int = 0):
        jour = timezone.localdate() - timedelta(days=dans)  # elle s’est tenue : on y enregistre
        deja = Seance.objects.filter(instance=instance, tenue_le=jour).first()  # celle d’une autre scène
        return deja or seances.ouvrir_seance(instance=instance, tenue_le=jour, par=self.secretariat)

    def mener(self, etat: Etat) -> Dossier:
        dossier = self.ouvrir()
        if etat == Etat.EN_PREPARATION:
            return dossier
        self.remplir(dossier)
        dossier = redaction.demander_visa(dossier, par=self.direction)
        if etat == Etat.A_VISER:
            return dossier
        dossier = redaction.viser(dossier, par=self.president)
        if etat == Etat.VISE:
            return dossier
        dossier = redaction.deposer(dossier, par=self.direction)
        if etat == Etat.RETIRE:
            return redaction.retirer(dossier, par=self.direction, motif="Autre projet.")
        if etat == Etat.IRRECEVABLE:
            return instruction.declarer_irrecevable(dossier, par=self.charge, motif="Hors territoire.")
        if etat == Etat.INCOMPLET:
            instruction.preparer_remarque(dossier, champ="synthese", texte="Précisez.", par=self.charge)
            instruction.demander_complements(dossier, message="", echeance_le=self.jour, par=self.charge)
            return Dossier.objects.get(pk=dossier.pk)
        if etat == Etat.DEPOSE:
            return dossier
        dossier = instruction.declarer_complet(dossier, par=self.charge)
        if etat == Etat.EN_INSTRUCTION:
            return dossier
        self.evaluer_tout(dossier)
        instruction.rendre_avis(
            dossier, sens=SensAvis.FAVORABLE, motivation="Conforme.", reserves="", duree_mois=48, par=self.charge
        )
        if etat == Etat.INSTRUIT:
            return Dossier.objects.get(pk=dossier.pk)
        passage = seances.inscrire(self.seance(Instance.CAS), dossier, par=self.secretariat)
        if etat == Etat.INSCRIT_CAS:
            return Dossier.objects.get(pk=dossier.pk)
        seances.enregistrer_avis_cas(passage, avis=SensAvis.FAVORABLE, motivation="", par=self.secretariat)
        if etat == Etat.AVIS_CAS:
            return Dossier.objects.get(pk=dossier.pk)
        passage = seances.inscrire(self.seance(Instance.CA, 7), dossier, par=self.secretariat)
        if etat == Etat.INSCRIT_CA:
            return Dossier.objects.get(pk=dossier.pk)
        sens = SensDecision(etat)
        agree = sens in SENS_QUI_AGREENT
        seances.decider(
            passage,
            sens=sens,
            debut=DEBUT if agree else None,
            fin=FIN if agree else None,
            motivation="" if agree else "Participation insuffisante.",
            reserves="Recruter." if sens == SensDecision.AGREE_RESERVES else "",
            par=self.secretariat,
        )
        return Dossier.objects.get(pk=dossier.pk)

    def entendre(self, agrement: Agrement) -> ProcedureAgrement:
        """La procédure contradictoire sans laquelle rien ne se retire : ouverte par le chargé, la structure a répondu."""
        procedure = vie.ouvrir_procedure(agrement, motif="Direction vacante.", par=self.charge)
        return vie.observer(procedure, observations="Nous recrutons.", par=self.direction)
