"""Des aides nées des vrais gestes : dispositif publié à deux, enveloppe votée, demande visée, déposée, décidée."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.text import slugify

from agrements.actions import seances
from agrements.choix import Instance
from agrements.demo.dossiers import document
from agrements.models import Passage, Seance
from aides.actions import dispositifs, enveloppes, instruction, redaction, suites
from aides.choix import Etat, SensAvis, SensDecision
from aides.contenu import ContenuDemande
from aides.models import Demande, Dispositif, Enveloppe, VersionDispositif
from aides.sujets import sujet_de
from comptes.choix import Role
from financements.reference import charger_les_prestations
from partenaires.choix import StatutJuridique, TypeStructure
from partenaires.interlocuteurs import charge_de
from partenaires.models import AffectationGestionnaire
from tests.fabriques.comptes import agent
from tests.fabriques.financements import IBAN
from tests.fabriques.partenaires import StructureFactory, affecter, habiliter

D = Decimal
EXERCICE = timezone.localdate().year
REPONSES = {
    "description": "Une cuisine ouverte aux habitants.",
    "objectifs": "Se rencontrer.",
    "public": "Cent familles",
    "debut": (timezone.localdate() + timedelta(days=60)).isoformat(),
    "fin": (timezone.localdate() + timedelta(days=200)).isoformat(),
    "etapes": '[{"etape": "Chantier", "quand": "cet été"}]',
    "deja_commence": "non",
    "indicateurs": '[{"indicateur": "Familles accueillies", "prevu": "100"}]',
    "budget_lignes": '[{"compte": "60", "libelle": "Achats", "montant": "10000"},'
    '{"compte": "70", "libelle": "Ventes", "montant": "10000"}]',
}


class Guichet:
    """Une structure, son équipe, la Caf, et de quoi mener une demande jusqu’à l’état voulu."""

    def __init__(self, statut: str = StatutJuridique.ASSOCIATION) -> None:
        charger_les_prestations()
        self.structure = StructureFactory(gestionnaire__statut=statut, gestionnaire__iban=IBAN)
        self.direction = habiliter(self.structure, Role.DIRECTION)
        self.president = habiliter(self.structure, Role.REPRESENTANT_LEGAL)
        deja = charge_de(self.structure, timezone.localdate())  # une autre scène a pu affecter la commune
        self.charge = deja or agent(Role.CHARGE_CONSEIL)
        if deja is None:
            affecter(self.structure.commune, self.charge)
        self.secretariat = agent(Role.SECRETARIAT)
        self.responsable = agent(Role.RESPONSABLE)
        self.administrateur = agent(Role.ADMINISTRATEUR)
        self.technicien = agent(Role.TECHNICIEN_CONSEIL)
        self.collegue = agent(Role.TECHNICIEN_CONSEIL)
        AffectationGestionnaire.objects.create(
            gestionnaire=self.structure.gestionnaire, agent=self.technicien, debut=date(2020, 1, 1)
        )

    def champs(self, **autres):
        return {
            "forme": "subvention",
            "objet": "investissement",
            "resume": "Équiper et rénover.",
            "exercice_du": EXERCICE,
            "exercice_au": EXERCICE + 1,
            "source": "délibération (valeur de démonstration)",
            "demonstration": True,
            "types": list(TypeStructure.values),
            "statuts": list(StatutJuridique.values),
            "conditions": [],
            "mode": "taux",
            "taux": D(40),
            "plafond": D(30_000),
            "ouvre_le": timezone.localdate() - timedelta(days=30),
            "avec_depenses": True,
            "avec_plan": True,
            **autres,
        }

    def dispositif(self, nom: str = "Investissement", *, publier: bool = True, **autres) -> VersionDispositif:
        champs = self.champs(**autres)
        existant = Dispositif.objects.filter(nom=nom).first()
        if existant:
            version = dispositifs.saisir(existant, par=self.administrateur, **champs)
        else:
            version = dispositifs.creer(nom=nom, code=slugify(nom), par=self.administrateur, **champs)
        return dispositifs.publier(version, par=self.responsable) if publier else version

    def pret(self, **autres) -> VersionDispositif:
        defauts = {"forme": "pret", "pret_echeances": 12, "pret_taux": D(0), "sur_factures": False, "bilan_mois": 0}
        return self.dispositif("Prêt", **{**defauts, **autres})

    def voter(self, version: VersionDispositif, montant: int = 100_000, epci=None) -> Enveloppe:
        return enveloppes.voter(
            dispositif=version.dispositif, exercice=EXERCICE, montant=D(montant), motif="CA du 12 mars", epci=epci,
            par=self.responsable,
        )  # fmt: skip

    def ouvrir(self, version: VersionDispositif, intitule: str = "Une cuisine partagée") -> Demande:
        return redaction.creer(self.structure, version, exercice=EXERCICE, intitule=intitule, par=self.direction)

    def remplir(self, demande: Demande, montant: int = 8_000, cout: int = 20_000) -> None:
        contenu = ContenuDemande(demande)
        for code, champ in contenu.champs.items():
            saisie = REPONSES.get(code) or ("12" if champ.nature in ("entier", "decimal") else "oui")
            redaction.enregistrer_reponse(demande, champ=code, saisie=saisie, version=0, par=self.direction)
        if demande.version.avec_depenses:
            depense = redaction.ecrire_depense(
                demande, par=self.direction, libelle="Travaux", fournisseur="Bâtir", montant_ht=D(cout) / D("1.25"),
                montant_ttc=D(cout),
            )  # fmt: skip
            redaction.joindre_devis(demande, depense_pk=depense.pk, televerse=document("devis"), par=self.direction)
        redaction.demander_montant(demande, montant=D(montant), par=self.direction)
        if demande.version.avec_plan:
            cout_compte = ContenuDemande(Demande.objects.get(pk=demande.pk)).cout
            redaction.ecrire_financement(
                demande, par=self.direction, nature="fonds_propres", financeur="L’association",
                montant=cout_compte - montant, etat="acquis",
            )  # fmt: skip
        for exigence in contenu.exigences:
            redaction.joindre(demande, exigence=exigence.code, televerse=document(exigence.code), par=self.direction)

    def seance(self, instance: str = Instance.CAS) -> Seance:
        jour = timezone.localdate()
        deja = Seance.objects.filter(instance=instance, tenue_le=jour, annulee_le__isnull=True).first()
        return deja or seances.ouvrir_seance(instance=instance, tenue_le=jour, par=self.secretariat)

    def mener(self, version: VersionDispositif, etat: str, *, montant: int = 8_000, cout: int = 20_000) -> Demande:
        demande = self.ouvrir(version)
        return demande if etat == Etat.EN_PREPARATION else self.finir(demande, etat, montant=montant, cout=cout)

    def finir(self, demande: Demande, etat: str, *, montant: int = 8_000, cout: int = 20_000) -> Demande:
        """Mène une demande ouverte jusqu’à cet état."""
        self.remplir(demande, montant, cout)
        demande = redaction.demander_visa(demande, par=self.direction)
        if etat == Etat.A_VISER:
            return demande
        demande = redaction.viser(demande, par=self.president)
        if etat == Etat.VISEE:
            return demande
        demande = redaction.deposer(demande, par=self.direction)
        if etat == Etat.DEPOSEE:
            return demande
        return self.instruire(demande, etat)

    def instruire(self, demande: Demande, etat: str = Etat.ACCORDEE, **decision) -> Demande:
        grille = demande.version.grille_lue
        instruction.proposer(
            demande, sens=SensAvis.FAVORABLE, montant=None, motivation="Conforme au règlement.",
            notes=[c.points for c in grille], par=self.charge,
        )  # fmt: skip
        if etat == Etat.INSTRUITE:
            return Demande.objects.get(pk=demande.pk)
        passage = self.inscrire(demande)
        if etat == Etat.INSCRITE:
            return Demande.objects.get(pk=demande.pk)
        self.decider(passage, **{"sens": etat_vers_sens(etat), **decision})
        return Demande.objects.get(pk=demande.pk)

    def inscrire(self, demande: Demande) -> Passage:
        seance = self.seance(demande.version.instance)
        return seances.inscrire_sujet(seance, sujet_de(demande.pk), par=self.secretariat)

    def decider(self, passage: Passage, *, sens: str = SensDecision.ACCORDE, **autres) -> Passage:
        demande = Demande.objects.get(pk=int(passage.sujet.partition("-")[2]))
        accorde = sens == SensDecision.ACCORDE
        saisie = {
            "sens": sens, "montant": demande.montant_propose if accorde else None,
            "motivation": "" if accorde else "L’enveloppe va aux projets de quartier.", "conditions": "",
        }  # fmt: skip
        return seances.decider_sujet(passage, {**saisie, **autres}, par=self.secretariat)

    def signer(self, demande: Demande) -> None:
        """Les deux parties déposent leur exemplaire ; la production du PDF a ses propres tests."""
        from documents import production

        production.produire(demande.convention.acte_id)
        suites.signer(demande, televerse=document("signe"), par=self.president)
        suites.signer(demande, televerse=document("signe"), par=self.responsable)


def etat_vers_sens(etat: str) -> str:
    return {Etat.ACCORDEE: "accorde", Etat.REFUSEE: "refuse", Etat.AJOURNEE: "ajourne"}[etat]
