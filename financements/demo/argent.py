"""L’argent de démonstration : barèmes fictifs, déclarations dans tous les états, paiements, un recalcul à approuver."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.db import transaction
from django.utils import timezone
from schwifty import IBAN

from agrements.demo.dossiers import document
from agrements.models import Agrement
from comptes.choix import Role
from comptes.models import Utilisateur
from documents.actions import recevoir
from financements.actions import baremes, conventions, declarations, paiements, scenarios
from financements.choix import EtatConvention, EtatPaiement, TypeDeclaration
from financements.couverture import ouvertures
from financements.demo.comptes import remplir, repartition
from financements.etude import etudier
from financements.formulaire import plan
from financements.models import Campagne, Convention, Declaration, Paiement, Prestation, Scenario
from financements.reference import charger_les_prestations, creer_les_campagnes, taux_atteste
from financements.sepa import Donneur, Retour
from partenaires.interlocuteurs import technicien_de
from partenaires.models import Gestionnaire, Structure

BANQUE_D_EXEMPLE = ("30006", "00001")  # celle des exemples publics : aucun de ces comptes n’existe
SOURCE = "valeurs fictives, pour la démonstration"
PLAFONDS = {"agc": Decimal(180_000), "acf": Decimal(40_000), "al": Decimal(40_000)}
T = TypeDeclaration


def semer_argent(agents: dict[str, list[Utilisateur]], donneur: Donneur, graine: int = 49) -> int:
    """Fait vivre l’argent des structures agréées cette année. Rend le nombre de déclarations."""
    annee = timezone.localdate().year
    charger_les_prestations()
    for exercice in (annee - 1, annee, annee + 1):
        creer_les_campagnes(exercice)
    administrateur, responsable = agents["administrateur"][0], agents["responsable"][0]
    _baremes(annee, administrateur, responsable)
    for rang, gestionnaire in enumerate(Gestionnaire.objects.filter(iban="").order_by("pk"), start=1):
        Gestionnaire.objects.filter(pk=gestionnaire.pk).update(iban=_iban_fictif(rang))
    agreees = Structure.objects.filter(agrements__debut__year__lte=annee, agrements__fin__year__gte=annee)
    for rang, structure in enumerate(agreees.distinct().order_by("pk")):
        with transaction.atomic():
            Compte(structure, Random(graine * 100 + rang), agents["techniciens"], responsable, donneur).vivre(
                rang, annee
            )
    with transaction.atomic():
        _baremes_revises(annee, administrateur, responsable)
        for nom, champs in (
            ("Enveloppe en baisse de 2 %", {"variation_enveloppe": Decimal(-2)}),
            ("Plafonds relevés de 3 %", {"variation_plafond": Decimal(3)}),
            ("Fusion AGC et ACF (hypothèse)", {"fusion": True}),
        ):
            scenarios.creer(Scenario(exercice=annee, nom=nom, **champs), par=responsable)
    return Declaration.objects.count()


def _iban_fictif(rang: int) -> str:
    """Un IBAN bien formé, clés comprises, propre à chaque gestionnaire : on voit à qui part un virement."""
    banque, guichet = BANQUE_D_EXEMPLE
    compte = f"{99_000_000_000 + rang:011d}"
    cle = 97 - (89 * int(banque) + 15 * int(guichet) + 3 * int(compte)) % 97
    return str(IBAN.from_bban("FR", f"{banque}{guichet}{compte}{cle:02d}", validate_bban=True))


def _saisir(prestation: str, exercice: int, plafond: Decimal, par: Utilisateur, motif: str = "") -> object:
    taux = taux_atteste(prestation, exercice) or taux_atteste(prestation, 2026) or taux_atteste("agc", 2026)
    assert taux is not None
    return baremes.saisir(
        prestation=Prestation.objects.get(pk=prestation),
        exercice=exercice,
        par=par,
        motif=motif,
        taux=taux,
        prix_plafond=plafond,
        postes={
            "agc": ["pilotage"],
            "acf": ["referent"],
            "al": ["pilotage", "activites", "logistique"],
            "unique": ["pilotage", "referent"],
        }[prestation],
        quote_part=prestation != "al",
        etp_minimum=Decimal("0.5") if prestation == "acf" else None,
        prorata="mois",
        effet_le=date(exercice, 1, 1),
        source=SOURCE,
        demonstration=True,
    )


@transaction.atomic
def _baremes(annee: int, administrateur: Utilisateur, responsable: Utilisateur) -> None:
    for exercice, part in ((annee - 1, Decimal("0.98")), (annee, Decimal(1))):
        for prestation, plafond in PLAFONDS.items():
            baremes.publier(_saisir(prestation, exercice, plafond * part, administrateur), par=responsable)  # type: ignore[arg-type]
    _saisir("agc", annee + 1, PLAFONDS["agc"] * Decimal("1.02"), administrateur)
    fusion = Prestation.objects.get(pk="unique").premier_exercice  # hypothèse : ni taux ni plafond ne sont publiés
    baremes.publier(_saisir("unique", fusion, Decimal(210_000), administrateur), par=responsable)  # type: ignore[arg-type]


def _baremes_revises(annee: int, administrateur: Utilisateur, responsable: Utilisateur) -> None:
    """Un barème remplacé : le recalcul qu’il ouvre attend le responsable."""
    plafond = PLAFONDS["agc"] * Decimal("0.75")
    revise = _saisir("agc", annee, plafond, administrateur, "Plafond rectifié en cours d’année (démonstration).")
    baremes.publier(revise, par=responsable)  # type: ignore[arg-type]


class Compte:
    """Une structure, ses comptes fictifs et ses gestes."""

    def __init__(
        self,
        structure: Structure,
        hasard: Random,
        techniciens: list[Utilisateur],
        responsable: Utilisateur,
        donneur: Donneur,
    ) -> None:
        self.structure, self.hasard, self.responsable, self.donneur = structure, hasard, responsable, donneur
        habilites = structure.habilitations.select_related("utilisateur")
        self.direction = next(h.utilisateur for h in habilites if h.role == Role.DIRECTION)
        self.president = next(h.utilisateur for h in habilites if h.role == Role.REPRESENTANT_LEGAL)
        titulaire = technicien_de(structure.gestionnaire, timezone.localdate())
        self.technicien = titulaire or responsable
        self.collegue = next(t for t in techniciens if t != titulaire)
        self.taille = Decimal(hasard.randrange(70, 130)) / 100

    def vivre(self, rang: int, annee: int) -> None:
        """Six histoires, à tour de rôle : du brouillon au trop-versé."""
        self.convention()
        histoire = rang % 6
        if ouvertures(self.structure, annee - 1):
            self.annee_passee(annee - 1, trop_verse=histoire in (0, 1))
        if histoire == 2:
            self.deposer(T.PREVISIONNEL, annee, Decimal(1))
            return
        if histoire == 3:
            self.ouvrir(T.PREVISIONNEL, annee, Decimal(1))
            return
        self.valider(self.deposer(T.PREVISIONNEL, annee, Decimal(1)))
        self.payer(annee, "acompte_1")
        if histoire == 0:
            self.proposer(annee, "acompte_2")
            self.ouvrir(T.ACTUALISE_SEPTEMBRE, annee, Decimal("1.04"))
        elif histoire == 1:
            self.payer(annee, "acompte_2")
            self.valider(self.deposer(T.ACTUALISE_SEPTEMBRE, annee, Decimal("0.55")))
        elif histoire == 4:
            declaration = self.deposer(T.ACTUALISE_JUIN, annee, Decimal("1.1"))
            texte = "Le total du compte 64 dépasse la paie annoncée : joignez le détail ou corrigez."
            declarations.preparer_remarque(declaration, ligne="64", texte=texte, par=self.technicien)
            declarations.demander_correction(declaration, par=self.technicien)
        else:
            self.valider_paiement(annee, "acompte_2")
            declarations.demander_visa(self.ouvrir(T.ACTUALISE_SEPTEMBRE, annee, Decimal("1.02")), par=self.direction)

    def annee_passee(self, exercice: int, *, trop_verse: bool) -> None:
        """L’an dernier, fini : un solde versé ; ou, si les charges ont fondu après deux acomptes, un indu notifié."""
        if trop_verse and not ouvertures(self.structure, exercice - 1):  # le réel d’avant manquerait à l’acompte
            self.valider(self.deposer(T.PREVISIONNEL, exercice, Decimal(1)))
            self.payer(exercice, "acompte_1")
            self.payer(exercice, "acompte_2")
            self.valider(self.deposer(T.REEL, exercice, Decimal("0.45")))
            for droit in self.structure.droits.filter(exercice=exercice):
                if etudier(droit).suite.trop_verse:
                    paiements.notifier_indu(
                        droit,
                        premiere_echeance=timezone.localdate() + timedelta(days=45),
                        echeances=3,
                        par=self.technicien,
                        motif="Charges réelles inférieures au prévisionnel (démonstration).",
                    )
            return
        self.valider(self.deposer(T.REEL, exercice, Decimal(1)))
        self.payer(exercice, "solde")

    def ouvrir(self, type_: str, exercice: int, echelle: Decimal) -> Declaration:
        declaration = declarations.ouvrir(
            Campagne.objects.get(exercice=exercice, type=type_), self.structure, par=self.direction
        )
        avec_referent = self.structure.type == "centre_social"
        contenu: dict[str, Decimal | str] = {
            f"explication.{c}": "Évolution expliquée par le budget voté (données fictives)." for c in plan().comptes
        }
        contenu |= repartition(self.taille * echelle, avec_referent=avec_referent)
        remplir(declaration, contenu, par=self.direction)
        return declaration

    def deposer(self, type_: str, exercice: int, echelle: Decimal) -> Declaration:
        declaration = declarations.demander_visa(self.ouvrir(type_, exercice, echelle), par=self.direction)
        declaration = declarations.viser(declaration, par=self.president)
        return declarations.deposer(declaration, par=self.direction)

    def valider(self, declaration: Declaration) -> None:
        declarations.valider(declaration, par=self.technicien)

    def convention(self) -> None:
        """La convention de l’agrément en cours, signée des deux côtés."""
        le = timezone.localdate()
        agrements = Agrement.objects.filter(structure=self.structure, debut__lte=le, fin__gte=le)
        for agrement in agrements.order_by("objet"):
            convention = conventions.creer(agrement, dernier_exercice=agrement.fin.year, par=self.technicien)
            Convention.objects.filter(pk=convention.pk).update(
                etat=EtatConvention.SIGNEE,
                scan_partenaire=recevoir(document("Convention signée par le gestionnaire"), par=self.president),
                signee_partenaire_par=self.president,
                signee_partenaire_le=timezone.now() - timedelta(days=200),
                scan_caf=recevoir(document("Convention signée par la Caf"), par=self.responsable),
                signee_par=self.responsable,
                signee_le=timezone.now() - timedelta(days=190),
            )

    def proposer(self, exercice: int, nature: str) -> list[Paiement]:
        droits = self.structure.droits.filter(exercice=exercice)
        return [paiements.proposer(droit, nature=nature, par=self.technicien) for droit in droits]

    def valider_paiement(self, exercice: int, nature: str) -> list[Paiement]:
        return [paiements.valider(p, par=self.collegue) for p in self.proposer(exercice, nature)]

    def payer(self, exercice: int, nature: str) -> None:
        valides = self.valider_paiement(exercice, nature)
        paiements.ordonnancer(
            [p.pk for p in valides], execution_le=timezone.localdate(), donneur=self.donneur, par=self.technicien
        )
        annee, mois = {"acompte_1": (exercice, 3), "acompte_2": (exercice, 10), "solde": (exercice + 1, 7)}[nature]
        paye_le = min(date(annee, mois, 4), timezone.localdate())
        retours = tuple(Retour(p.reference, True, "", paye_le) for p in valides)
        paiements.lire_retours(retours, par=self.technicien)
        # Le passé de la démonstration se joue aujourd’hui : l’échéance se date comme elle l’aurait été.
        Paiement.objects.filter(pk__in=[p.pk for p in valides]).update(prevu_le=date(annee, mois, 1))
        assert not Paiement.objects.filter(pk__in=[p.pk for p in valides]).exclude(etat=EtatPaiement.PAYE).exists()
