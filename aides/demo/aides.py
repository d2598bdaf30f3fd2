"""Les aides de démonstration : dispositifs publiés, enveloppes, demandes dans tous les états, un prêt en remboursement."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from agrements.actions import seances
from agrements.choix import Instance
from agrements.demo.dossiers import document
from agrements.models import Agrement, Seance
from aides import livres
from aides.actions import dispositifs, enveloppes, instruction, prets, redaction, suites, versements
from aides.choix import SensAvis, SensDecision
from aides.contenu import ContenuDemande
from aides.models import Demande, Dispositif, Enveloppe, VersionDispositif
from aides.sujets import sujet_de
from comptes.choix import Role
from comptes.models import Utilisateur
from financements.actions import paiements
from financements.donneur import donneur
from financements.models import Paiement
from financements.sepa import Retour
from partenaires.interlocuteurs import charge_de, equipe, technicien_de
from partenaires.models import Epci, Structure
from senacs import actions as senacs
from senacs.models import Contribution

# Par dispositif : le nom du projet, ce qu’il est, son coût, ses deux dépenses.
PROJETS = {
    "fla-avs": (
        ("Aller vers les habitants des nouveaux immeubles", "Un triporteur, des cafés de pied d’immeuble.", 24_000, ()),
        ("Le comité d’habitants monte la fête du quartier", "Trois jours préparés par les habitants.", 17_300, ()),
        ("Une année de rencontres entre villages", "Une soirée par mois, chaque fois dans un autre bourg.", 14_800, ()),
        ("Former et fidéliser les bénévoles", "Un parcours d’accueil, quatre temps forts dans l’année.", 9_600, ()),
        ("Un conseil de maison ouvert à tous", "Décider ensemble du programme, chaque trimestre.", 12_400, ()),
    ),
    "investissement-subvention": (
        ("Rénover la salle des familles", "Isoler, repeindre, refaire le sol d’une salle utilisée chaque jour.", 61_500,
         ("Isolation et sol", "Mobilier")),
        ("Une cuisine partagée au pied des tours", "Les habitants cuisinent ensemble le mercredi.", 24_000,
         ("Travaux de cuisine", "Four, frigo, plan de travail")),
        ("Rendre l’accueil accessible", "Une rampe, une porte automatique, une boucle magnétique.", 38_200,
         ("Rampe et porte", "Boucle magnétique")),
        ("Aménager le jardin du centre", "Un potager, des bancs, un abri, avec les voisins.", 14_800,
         ("Terrassement et abri", "Bancs et outils")),
        ("Équiper la ludothèque", "Des étagères à hauteur d’enfant, un coin pour les tout-petits.", 17_300,
         ("Agencement", "Jeux et mobilier")),
    ),
    "fonctionnement": (
        ("Des sorties pour les familles sans voiture", "Six sorties, avec dix communes voisines.", 21_600,
         ("Location de minibus", "Entrées et repas")),
        ("Une aide aux démarches, deux jours par semaine", "Un accueil sans rendez-vous.", 24_000,
         ("Intervenants", "Fournitures")),
        ("Démarrer un espace de vie sociale itinérant", "Un camion s’arrête dans huit bourgs.", 19_500,
         ("Carburant et entretien", "Matériel d’animation")),
        ("Un atelier de réparation ouvert à tous", "Réparer ensemble un samedi sur deux.", 9_600,
         ("Outillage courant", "Intervenant")),
        ("Des vacances préparées avec les parents", "Douze familles, une semaine à la mer.", 17_300,
         ("Séjour", "Transport")),
    ),
    "investissement-pret": (
        ("Acheter un minibus", "Emmener chacun, avec les dix communes voisines.", 38_200,
         ("Minibus de neuf places", "Aménagement pour fauteuil")),
        ("Reprendre le local voisin", "Une grande salle de plus, de plain-pied.", 61_500,
         ("Travaux d’ouverture", "Chauffage")),
        ("Changer la chaudière", "Passer au bois, avec la commune.", 24_000, ("Chaudière", "Pose")),
        ("Huit postes pour l’accès aux droits", "Des ordinateurs, et deux heures d’aide par semaine.", 9_600,
         ("Ordinateurs", "Câblage")),
        ("Un four pour la cuisine du centre", "Cuisiner sur place plutôt que faire livrer.", 14_800,
         ("Four et hotte", "Pose")),
    ),
}  # fmt: skip


class Recit:
    """Mène une demande par les vrais gestes, avec les vraies personnes de la structure."""

    def __init__(self, structure: Structure, version: VersionDispositif, rang: int, secretariat: Utilisateur) -> None:
        self.structure, self.version, self.secretariat = structure, version, secretariat
        siens = PROJETS[version.dispositif.code]
        self.nom, self.texte, self.cout, self.achats = siens[rang // len(PROJETS) % len(siens)]
        self.direction = equipe(structure.pk, Role.DIRECTION)[0]
        presidents = equipe(structure.pk, Role.REPRESENTANT_LEGAL)
        self.president = presidents[0] if presidents else self.direction
        self.charge = charge_de(structure, timezone.localdate())
        self.technicien = technicien_de(structure.gestionnaire, timezone.localdate())
        self.demande = redaction.creer(
            structure, version, exercice=version.exercice_du, intitule=self.nom, par=self.direction
        )

    def remplir(self) -> Recit:
        aujourd_hui = timezone.localdate()
        reponses = {
            "description": self.texte, "objectifs": "Se rencontrer, s’entraider, faire avec les habitants.",
            "public": "Les familles du quartier, environ cent vingt personnes", "deja_commence": "non",
            "debut": (aujourd_hui + timedelta(days=60)).isoformat(),
            "fin": (aujourd_hui + timedelta(days=240)).isoformat(),
            "indicateurs": '[{"indicateur": "Personnes accueillies", "prevu": "120"},'
            '{"indicateur": "Rendez-vous dans l’année", "prevu": "40"}]',
            "etapes": '[{"etape": "Choix des entreprises, achats", "quand": "dans les deux mois"},'
            '{"etape": "Ouverture aux habitants", "quand": "à la rentrée"}]',
            "question_1": "45",
            "budget_lignes": f'[{{"compte": "60", "libelle": "Achats", "montant": "{self.cout}"}},'
            f'{{"compte": "744", "libelle": "Commune et Caf", "montant": "{self.cout}"}}]',
        }  # fmt: skip
        for code in ContenuDemande(self.demande).champs:
            if code in reponses:
                redaction.enregistrer_reponse(
                    self.demande, champ=code, saisie=reponses[code], version=0, par=self.direction
                )
        if self.version.avec_depenses:
            self._depenses()
        montant = self._montant()
        redaction.demander_montant(self.demande, montant=montant, par=self.direction)
        if self.version.avec_plan:
            cout = ContenuDemande(Demande.objects.pour_fiche().get(pk=self.demande.pk)).cout
            for nature, financeur, part in (("cofinanceur", "La commune", 2), ("fonds_propres", "Fonds propres", 1)):
                reste = cout - montant
                ligne = (reste * part / 3).quantize(Decimal("0.01"))
                if part == 1:
                    ligne = reste - (reste * 2 / 3).quantize(Decimal("0.01"))
                redaction.ecrire_financement(
                    self.demande, par=self.direction, nature=nature, financeur=financeur, montant=ligne, etat="acquis"
                )
        for exigence in ContenuDemande(self.demande).exigences:
            redaction.joindre(
                self.demande, exigence=exigence.code, televerse=document(exigence.libelle), par=self.direction
            )
        return self

    def _depenses(self) -> None:
        gros = Decimal(self.cout) * 3 / 4
        for libelle, ttc in zip(self.achats, (gros, Decimal(self.cout) - gros), strict=True):
            depense = redaction.ecrire_depense(
                self.demande, par=self.direction, libelle=libelle, fournisseur="Entreprise d’exemple",
                montant_ht=(ttc / Decimal("1.2")).quantize(Decimal("0.01")), montant_ttc=ttc,
            )  # fmt: skip
            redaction.joindre_devis(
                self.demande, depense_pk=depense.pk, televerse=document(f"Devis, {libelle}"), par=self.direction
            )

    def _montant(self) -> Decimal:
        demande = Demande.objects.pour_fiche().get(pk=self.demande.pk)
        return ContenuDemande(demande).calculer().montant.quantize(Decimal(1))

    def deposer(self) -> Recit:
        redaction.demander_visa(self.demande, par=self.direction)
        redaction.viser(self.demande, par=self.president)
        self.demande = redaction.deposer(self.demande, par=self.direction)
        return self

    def instruire(self) -> Recit:
        assert self.charge is not None
        grille = self.version.grille_lue
        manque = any(
            not c.remplie for c in ContenuDemande(Demande.objects.pour_fiche().get(pk=self.demande.pk)).constats
        )
        instruction.proposer(
            self.demande,
            sens=SensAvis.DEFAVORABLE if manque else SensAvis.FAVORABLE,
            montant=None,
            motivation="Le projet répond au diagnostic et associe les habitants."
            if not manque
            else "Une condition manque.",
            notes=[max(c.points - 2, 0) for c in grille],
            par=self.charge,
        )
        return self

    def passer(self, seance: Seance, sens: str = SensDecision.ACCORDE) -> Recit:
        passage = seances.inscrire_sujet(seance, sujet_de(self.demande.pk), par=self.secretariat)
        self.demande.refresh_from_db()
        accorde = sens == SensDecision.ACCORDE and bool(self.demande.montant_propose)
        seances.decider_sujet(
            passage,
            {
                "sens": sens if accorde or sens != SensDecision.ACCORDE else SensDecision.REFUSE,
                "montant": self.demande.montant_propose if accorde else None,
                "motivation": "" if accorde else "Une condition du dispositif n’est pas remplie à ce jour.",
                "conditions": "",
            },
            par=self.secretariat,
        )
        self.demande = Demande.objects.pour_fiche().get(pk=self.demande.pk)
        return self

    def lire(self) -> Recit:
        suites.lire_notification(self.demande, par=self.direction)
        return self


@transaction.atomic
def semer_aides(agents: dict[str, list[Utilisateur]]) -> int:
    """Publie les dispositifs livrés, vote leurs enveloppes, fait vivre une vingtaine de demandes. Rend leur nombre."""
    aujourd_hui = timezone.localdate()
    annee = aujourd_hui.year
    administrateur, responsable = agents["administrateur"][0], agents["responsable"][0]
    secretariat = agents["secretariat"][0]
    structures = list(
        Structure.objects.filter(pk__in=Agrement.objects.en_vigueur(aujourd_hui).values("structure"))
        .select_related("gestionnaire", "commune__epci")
        .order_by("pk")
    )
    _senacs(annee, responsable)
    versions = {v.dispositif.code: v for v in livres.charger_les_dispositifs(annee, par=administrateur)}
    for version in versions.values():
        dispositifs.publier(version, par=responsable)
    _enveloppes(annee, responsable)
    cas, ca = (
        _seance(instance, aujourd_hui - timedelta(days=21), secretariat) for instance in (Instance.CAS, Instance.CA)
    )
    suivies = [s for s in structures if equipe(s.pk, Role.DIRECTION) and charge_de(s, aujourd_hui)]
    for rang, structure in enumerate(suivies[:20]):
        version = versions[tuple(PROJETS)[rang % len(PROJETS)]]
        recit = Recit(structure, version, rang, secretariat)
        if rang in (12, 13):
            continue
        recit.remplir()
        if rang in (10,):
            continue
        recit.deposer()
        if rang in (6, 9, 14, 18):
            continue
        recit.instruire()
        if rang in (5, 8, 15, 16, 17, 19):
            continue
        recit.passer(cas if version.instance == Instance.CAS else ca)
        if rang != 0:
            recit.lire()
        if rang in (3, 7):
            _preter(recit, responsable)
        elif rang == 1:
            _facturer(recit, responsable)
    for seance in (cas, ca):
        if seance.passages.exists():
            seances.clore_seance(seance, par=secretariat)
    _repartir("investissement-subvention", annee, responsable)
    return Demande.objects.count()


def _seance(instance: str, jour: date, par: Utilisateur) -> Seance:
    while (
        Seance.objects.filter(instance=instance, tenue_le=jour, annulee_le__isnull=True).exists() or jour.weekday() > 4
    ):
        jour -= timedelta(days=1)
    return seances.ouvrir_seance(instance=instance, tenue_le=jour, par=par)


def _enveloppes(annee: int, par: Utilisateur) -> None:
    montants = {
        "fla-avs": 90_000,
        "investissement-subvention": 240_000,
        "investissement-pret": 150_000,
        "fonctionnement": 60_000,
    }
    for dispositif in Dispositif.objects.filter(code__in=montants):
        enveloppes.voter(
            dispositif=dispositif, exercice=annee, montant=Decimal(montants[dispositif.code]),
            motif="Montant fictif, pour la démonstration", par=par,
        )  # fmt: skip
    epci = Epci.objects.order_by("nom").first()
    if epci is not None:
        enveloppes.voter(
            dispositif=Dispositif.objects.get(code="fonctionnement"), exercice=annee, epci=epci,
            montant=Decimal(15_000), motif="Montant fictif, pour la démonstration", par=par,
        )  # fmt: skip


def _repartir(code: str, annee: int, par: Utilisateur) -> None:
    """Un scénario à comparer aux avis : chaque demande y est servie aux trois quarts."""
    enveloppe = Enveloppe.objects.get(dispositif__code=code, exercice=annee, epci=None)
    scenario = enveloppes.essayer(enveloppe, nom="Aux trois quarts", par=par)
    for ligne in scenario.lignes.all():
        montant = (ligne.montant * 3 / 4).quantize(Decimal(1))
        enveloppes.repartir(scenario, demande_pk=ligne.demande_id, montant=montant, par=par)


def _payer(paiement: Paiement, technicien: Utilisateur, responsable: Utilisateur) -> None:
    paiements.valider(paiement, par=responsable)
    lot = paiements.ordonnancer([paiement.pk], execution_le=timezone.localdate(), donneur=donneur(), par=technicien)
    paiements.lire_retours((Retour(lot.paiements.get().reference, True, "", None),), par=technicien)


def _signer(recit: Recit, responsable: Utilisateur) -> None:
    """L’exemplaire signé de démonstration ; son document, lui, se produit dans la file comme les autres."""
    convention = recit.demande.convention
    suites.deposer_exemplaire(convention, televerse=document("Exemplaire signé"), par=recit.president, caf=False)
    suites.deposer_exemplaire(convention, televerse=document("Exemplaire signé"), par=responsable, caf=True)


def _preter(recit: Recit, responsable: Utilisateur) -> None:
    assert recit.technicien is not None
    _signer(recit, responsable)
    aujourd_hui = timezone.localdate()
    premiere = (aujourd_hui.replace(day=1) + timedelta(days=40)).replace(day=5)
    prets.enregistrer_mandat(
        recit.demande.pret, mandat=f"RUM-DEMO-{recit.demande.pk}", signe_le=aujourd_hui, premiere_echeance=premiere,
        par=recit.technicien,
    )  # fmt: skip
    paiement = versements.proposer(recit.demande, nature="pret", par=recit.technicien)
    _payer(paiement, recit.technicien, responsable)


def _facturer(recit: Recit, responsable: Utilisateur) -> None:
    assert recit.technicien is not None
    _signer(recit, responsable)
    _payer(versements.proposer(recit.demande, nature="avance", par=recit.technicien), recit.technicien, responsable)
    depense = recit.demande.depenses.first()
    assert depense is not None
    versements.joindre_facture(
        recit.demande, depense_pk=depense.pk, numero="2026-118", datee_le=timezone.localdate(),
        montant_ht=depense.montant_ht, montant_ttc=depense.montant_ttc, televerse=document("Facture"),
        par=recit.direction,
    )  # fmt: skip


def _senacs(annee: int, par: Utilisateur) -> None:
    """L’enquête de l’année, au printemps : la plupart ont contribué, quelques-unes sont en retard."""
    aujourd_hui = timezone.localdate()  # en hiver, l’enquête de l’année n’est pas ouverte : on l’avance
    ouverture = min(date(annee, 3, 1), aujourd_hui - timedelta(days=60))
    campagne = senacs.regler(
        annee=annee, ouverture=ouverture, limite=date(annee, 6, 30),
        source="dates fictives, pour la démonstration", par=par,
    )  # fmt: skip
    for rang, contribution in enumerate(Contribution.objects.filter(campagne=campagne).select_related("structure")):
        directions = equipe(contribution.structure_id, Role.DIRECTION)
        if not directions or rang % 7 == 5:
            continue
        if rang % 3 == 0:
            senacs.repondre(contribution, champ="benevoles", saisie=str(20 + rang), version=0, par=directions[0])
        if rang % 5 != 4:
            senacs.contribuer(
                contribution, le=min(date(annee, 5, 4 + rang % 20), aujourd_hui), reference=f"SENACS-{annee}-{1000 + rang}",
                televerse=None, par=directions[0],
            )  # fmt: skip
