"""L’argent d’une aide : factures, versements proposés, solde. Les montants viennent du calcul, personne ne les
saisit.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from aides import annonces
from aides.actions.enveloppes import degager
from aides.actions.franchir import consigner, franchir, ouvrir
from aides.actions.redaction import ranger
from aides.actions.restitutions import rendre_le_trop_verse
from aides.choix import Geste
from aides.models import Demande, Facture
from aides.versements import etudier, objet_de, obstacle_au_solde
from comptes.models import Utilisateur
from financements.actions.paiements import consigner as consigner_paiement
from financements.choix import GestePaiement
from financements.couverture import regles_de_paiement
from financements.models import Paiement
from socle.dates import en_jour
from socle.erreurs import Refus
from socle.montants import en_euros
from socle.texte import epurer


@transaction.atomic
def joindre_facture(
    demande: Demande,
    *,
    depense_pk: int,
    numero: str,
    datee_le: date,
    montant_ht: Decimal,
    montant_ttc: Decimal,
    televerse: UploadedFile,
    par: Utilisateur,
) -> Facture:
    """Joint une facture à une dépense retenue. Lève ValidationError : trop tôt (projet commencé avant la décision),
    trop tard, ou dans l’avenir ; FichierRefuse."""
    demande = ouvrir(demande, Geste.FACTURER, par=par)
    depense = demande.depenses.filter(pk=depense_pk).first()
    if depense is None:
        raise ValidationError({"depense": "Choisissez l’une des dépenses de la demande."})
    assert demande.decide_le is not None
    assert demande.limite_le is not None
    debut = min(demande.decide_le, demande.demarrage_autorise_le or demande.decide_le)
    if datee_le > timezone.localdate():
        raise ValidationError({"datee_le": "Cette date est dans l’avenir."})
    if datee_le < debut:
        raise ValidationError(
            {
                "datee_le": f"Une dépense d’avant le {en_jour(debut)} n’est pas aidée : le projet commence après "
                f"la décision."
            }
        )
    if datee_le > demande.limite_le:
        raise ValidationError({"datee_le": f"Le délai de réalisation est passé le {en_jour(demande.limite_le)}."})
    facture = Facture(
        demande=demande,
        depense=depense,
        piece=ranger(demande, "facture", televerse, par),
        numero=" ".join(epurer(numero).split()),
        datee_le=datee_le,
        montant_ht=montant_ht,
        montant_ttc=montant_ttc,
        jointe_par=par,
        jointe_le=timezone.now(),
    )
    facture.full_clean()
    facture.save()
    consigner(demande, Geste.FACTURER, par=par, details={"facture": facture.numero, "montant": str(montant_ttc)})
    annonces.a_payer(demande, "facture", f"{demande.structure} a joint une facture à « {demande.intitule} ».")
    return facture


@transaction.atomic
def verifier_facture(facture: Facture, *, retenu: Decimal, motif: str, par: Utilisateur) -> Facture:
    """Ce que la Caf admet de la facture ; au-delà de la dépense retenue, le versement ne la compte pas."""
    demande = ouvrir(facture.demande, Geste.VALIDER_FACTURE, par=par)
    facture = Facture.objects.select_for_update(of=("self",)).select_related("depense").get(pk=facture.pk)
    if facture.verifiee_le is not None:
        raise Refus("Cette facture est déjà vérifiée.")
    taxe = demande.version.taxe_de(demande.structure)
    entiere = facture.montant_ht if taxe == "HT" else facture.montant_ttc
    motif = epurer(motif).strip()
    if retenu > entiere:
        raise ValidationError({"retenu": f"La facture est de {en_euros(entiere)} {taxe} : on ne retient pas plus."})
    if retenu < entiere and not motif:
        raise ValidationError({"motif": "Dites pourquoi la facture n’est pas retenue en entier."})
    facture.retenu, facture.motif = retenu, motif if retenu < entiere else ""
    facture.verifiee_par, facture.verifiee_le = par, timezone.now()
    facture.full_clean()
    facture.save(update_fields=["retenu", "motif", "verifiee_par", "verifiee_le"])
    consigner(
        demande, Geste.VALIDER_FACTURE, par=par, motif=facture.motif,
        details={"facture": facture.numero, "retenu": str(retenu)},
    )  # fmt: skip
    return facture


@transaction.atomic
def proposer(demande: Demande, *, nature: str, par: Utilisateur) -> Paiement:
    """Propose le versement que l’étude appelle. Lève Refus avec l’obstacle."""
    demande = ouvrir(demande, Geste.VERSER, par=par)
    etude = etudier(demande)
    if etude.obstacles:
        raise Refus(etude.obstacles[0])
    proposition = next((p for p in etude.propositions if p.nature == nature), None)
    if proposition is None:
        raise Refus("Ce versement n’est plus à proposer : la situation de l’aide a changé.")
    paiement = Paiement(
        structure=demande.structure,
        objet=objet_de(demande.pk),
        libelle=f"{demande.version.dispositif.nom} {demande.exercice} : {demande.intitule}"[:140],
        nature=proposition.nature,
        rang=proposition.rang,
        montant=proposition.montant,
        prevu_le=timezone.localdate(),
        double_regard=proposition.montant > regles_de_paiement(demande.exercice).seuil_double_regard,
        propose_par=par,
        propose_le=timezone.now(),
    )
    paiement.full_clean(exclude=["structure"])
    paiement.save()
    consigner_paiement(paiement, GestePaiement.PROPOSER, par=par, motif=proposition.calcul)
    consigner(
        demande, Geste.VERSER, par=par,
        details={"nature": paiement.get_nature_display(), "montant": str(paiement.montant)},
    )  # fmt: skip
    return paiement


@transaction.atomic
def solder(demande: Demande, *, par: Utilisateur) -> Demande:
    """Clôt l’aide : ce qui ne sera pas versé revient à l’enveloppe, ce qui l’a été de trop se rend. Lève Refus."""
    demande = Demande.objects.verrouiller(demande.pk)
    etude = etudier(demande)
    if obstacle := obstacle_au_solde(demande, etude):
        raise Refus(obstacle)
    demande = franchir(demande, Geste.SOLDER, par=par, echeance_le=None, details={"non_verse": str(etude.non_verse)})
    degager(demande, etude.non_verse, motif="Aide soldée : part non versée", par=par)
    rendre_le_trop_verse(demande, etude, par=par)
    return demande
