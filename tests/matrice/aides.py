"""Les adresses des aides et de Senacs, et un objet de chaque sorte à leur donner."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from agrements.demo.dossiers import document
from aides.actions import enveloppes, prets, suites, versements
from aides.choix import Etat
from aides.models import AttestationDestination, Demande
from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from senacs import actions as senacs
from senacs.models import Contribution
from tests.fabriques.aides import Guichet
from tests.fabriques.partenaires import habiliter

TOUS = frozenset(Role)
EQUIPE = frozenset(ROLES_PARTENAIRE)
CAF = frozenset(ROLES_CAF)
DIRIGE = frozenset({Role.DIRECTION, Role.REPRESENTANT_LEGAL})
INSTRUIT = frozenset({Role.CHARGE_CONSEIL, Role.RESPONSABLE})
PILOTE = frozenset({Role.RESPONSABLE, Role.ADMINISTRATEUR})
LIQUIDE = frozenset({Role.TECHNICIEN_CONSEIL, Role.RESPONSABLE})
RESPONSABLE = frozenset({Role.RESPONSABLE})
SUIVENT = frozenset({Role.CHARGE_CONSEIL, Role.TECHNICIEN_CONSEIL, *PILOTE})

MATRICE_AIDES: dict[str, tuple[object, tuple[str, ...]]] = {
    "aides:liste": (TOUS, ()),
    "aides:creer": (DIRIGE, ("version_pk",)),
    **dict.fromkeys(["aides:dispositifs", "aides:enveloppes", "aides:prets"], (CAF, ())),
    "aides:creer_dispositif": (PILOTE, ()),
    "aides:dispositif": (CAF, ("dispositif",)),
    **dict.fromkeys(
        ["aides:modifier_dispositif", "aides:publier_dispositif", "aides:abandonner_dispositif"],
        (PILOTE, ("dispositif",)),
    ),
    "aides:voter": (PILOTE, ()),
    "aides:enveloppe": (CAF, ("enveloppe",)),
    **dict.fromkeys(["aides:abonder", "aides:transferer"], (PILOTE, ("enveloppe",))),
    "aides:essayer": (RESPONSABLE, ("enveloppe",)),
    **dict.fromkeys(["aides:scenario", "aides:retenir_scenario"], (RESPONSABLE, ("scenario_allocation",))),
    **dict.fromkeys(["aides:prelever", "aides:retour"], (LIQUIDE, ())),
    "aides:ordre": (LIQUIDE, ("lot_pk",)),
    "aides:demande": (TOUS, ("demande",)),
    "aides:copier": (DIRIGE, ("demande",)),
    "aides:section": (EQUIPE, ("brouillon", "section_aide")),
    "aides:champ": (EQUIPE, ("brouillon", "champ_aide")),
    **dict.fromkeys(["aides:depenses", "aides:plan", "aides:pieces", "aides:verifier"], (EQUIPE, ("brouillon",))),
    "aides:retirer_depense": (EQUIPE, ("brouillon", "depense_pk")),
    "aides:retirer_financement": (EQUIPE, ("brouillon", "financement_pk")),
    "aides:detacher": (EQUIPE, ("brouillon", "jointe_pk")),
    "aides:piece": (TOUS, ("demande", "piece_pk")),
    "aides:geste": (TOUS, ("demande", "geste_aide")),
    "aides:lire_notification": (TOUS, ("demande",)),
    "aides:acte": (TOUS, ("demande", "acte_pk")),
    "aides:instruire": (CAF, ("deposee",)),
    **dict.fromkeys(["aides:retenir", "aides:complements"], (INSTRUIT, ("deposee",))),
    "aides:demarrage": (RESPONSABLE, ("deposee",)),
    "aides:inscrire": (frozenset({Role.SECRETARIAT}), ("deposee",)),
    **dict.fromkeys(["aides:argent", "aides:signer", "aides:bilan"], (TOUS, ("demande",))),
    "aides:exemplaire": (TOUS, ("demande", "partie")),
    "aides:facturer": (EQUIPE, ("demande",)),
    "aides:verifier_facture": (LIQUIDE, ("demande", "facture_pk")),
    "aides:rendre": (LIQUIDE, ("demande", "somme_pk")),
    "aides:verser": (LIQUIDE, ("demande", "nature")),
    **dict.fromkeys(["aides:proroger", "aides:rompre"], (RESPONSABLE, ("demande",))),
    "aides:attester": (DIRIGE, ("demande", "annee")),
    "aides:pret": (TOUS, ("demande_pret",)),
    **dict.fromkeys(["aides:mandat", "aides:anticiper"], (LIQUIDE, ("demande_pret",))),
    "aides:constater": (LIQUIDE, ("demande_pret", "echeance_pk")),
    "senacs:accueil": (EQUIPE, ()),
    "senacs:suivi": (CAF, ()),
    "senacs:relancer": (SUIVENT, ()),
    "senacs:regler": (PILOTE, ()),
    **dict.fromkeys(["senacs:releve", "senacs:contribuer", "senacs:preuve"], (TOUS, ("contribution",))),
    "senacs:rouvrir": (SUIVENT, ("contribution",)),
    "senacs:exporter": (TOUS, ("contribution", "forme")),
}
NOMS = dict.fromkeys(
    ["dispositif", "enveloppe", "scenario_allocation", "demande", "brouillon", "deposee", "demande_pret", "contribution"],
    "pk",
) | {"section_aide": "code", "champ_aide": "champ", "geste_aide": "nom"}  # fmt: skip
PAR_OBJET_AIDES = ("demande", "brouillon", "deposee", "demande_pret", "contribution")


def objets(personnes) -> dict[str, object]:
    """Une aide de chaque sorte dans une structure de plus, où l’équipe est aussi habilitée."""
    guichet = Guichet()
    for role in ROLES_PARTENAIRE:
        habiliter(guichet.structure, role, utilisateur=personnes[role])
    version = guichet.dispositif(
        sur_factures=True, destination_ans=10, convention_exigee=True, avec_budget=True,
        conditions=[{"nature": "agrement"}, {"nature": "non_commence"}],
        pieces=[{"libelle": "Statuts", "code": "statuts"}],
    )  # fmt: skip
    libre = guichet.dispositif(
        "FLA AVS", sur_factures=True, destination_ans=10, grille=[{"libelle": "Pertinence", "points": 10}]
    )
    enveloppe = guichet.voter(libre)
    guichet.voter(version, 10)
    demande = guichet.mener(libre, Etat.ACCORDEE)
    suites.lire_notification(demande, par=guichet.direction)
    facture = versements.joindre_facture(
        demande, depense_pk=demande.depenses.get().pk, numero="F1", datee_le=timezone.localdate(),
        montant_ht=Decimal(80), montant_ttc=Decimal(100), televerse=document("facture"), par=guichet.direction,
    )  # fmt: skip
    debut = suites.engagement(demande)[0]
    AttestationDestination.objects.create(
        demande=demande, annee=debut.year + 1, demandee_le=date(debut.year + 1, 1, 1)
    )  # rien n’est versé : l’horloge ne la demanderait pas encore
    brouillon = guichet.mener(version, Etat.EN_PREPARATION)
    guichet.remplir(brouillon)
    guichet.instruire(guichet.mener(libre, Etat.DEPOSEE), Etat.INSTRUITE)
    pret = _pret(guichet)
    annee = timezone.localdate().year
    senacs.regler(
        annee=annee, ouverture=timezone.localdate() - timedelta(days=9), limite=timezone.localdate() + timedelta(days=9),
        source="courrier", par=guichet.responsable,
    )  # fmt: skip
    contribution = Contribution.objects.get(structure=guichet.structure)
    senacs.contribuer(
        contribution, le=timezone.localdate(), reference="S-1", televerse=document("accuse"), par=guichet.direction
    )
    return {
        "version_pk": libre.pk,
        "dispositif": libre.pk,
        "enveloppe": enveloppe.pk,
        "scenario_allocation": enveloppes.essayer(enveloppe, nom="Essai", par=guichet.responsable).pk,
        "lot_pk": 1,
        "demande": demande.pk,
        "brouillon": brouillon.pk,
        "deposee": guichet.mener(libre, Etat.DEPOSEE).pk,
        "demande_pret": pret.pk,
        "section_aide": "projet",
        "champ_aide": "public",
        "geste_aide": "retirer",
        "depense_pk": 1,
        "financement_pk": 1,
        "piece_pk": demande.depenses.get().devis_id,
        "facture_pk": facture.pk,
        "somme_pk": 1,
        "annee": debut.year + 1,
        "echeance_pk": pret.pret.echeances.first().pk,
        "contribution": contribution.pk,
        "forme": "csv",
    }


def _pret(guichet: Guichet) -> Demande:
    version = guichet.pret()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    guichet.signer(demande)
    aujourd_hui = timezone.localdate()
    prets.enregistrer_mandat(
        demande.pret, mandat="RUM-1", signe_le=aujourd_hui, premiere_echeance=aujourd_hui + timedelta(days=40),
        par=guichet.technicien,
    )  # fmt: skip
    suites.lire_notification(demande, par=guichet.direction)
    prets.mettre_a_disposition(demande)
    return demande
