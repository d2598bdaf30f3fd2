"""Après la décision : lire la lettre, signer, proroger, constater la caducité, rendre un bilan, attester l’usage."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from aides import actes, annonces
from aides.actions.decision import fin_du_projet
from aides.actions.enveloppes import degager
from aides.actions.franchir import consigner, franchir, ouvrir
from aides.actions.restitutions import rendre_le_trop_verse
from aides.calculs import a_rendre_si_rompue
from aides.choix import EtatBilan, Geste, NatureARendre
from aides.models import (
    AttestationDestination,
    BilanAide,
    ConventionAide,
    DecisionAide,
    Demande,
    Prorogation,
    SommeARendre,
)
from aides.versements import etudier, garde, obstacle_a_la_caducite, rupture_de
from comptes.choix import Role
from comptes.models import Utilisateur
from documents.actions import recevoir
from documents.models import Acte
from partenaires.models import roles_dans_la_structure
from socle.dates import en_jour
from socle.erreurs import Refus, VersionPerimee
from socle.montants import MontantIllisible, en_euros, lire_montant, nombre_fr
from socle.texte import epurer


@transaction.atomic
def lire_notification(demande: Demande, *, par: Utilisateur) -> None:
    """Date la première lecture de la décision par la structure ; les suivantes ne changent rien."""
    demande = ouvrir(demande, Geste.LIRE_NOTIFICATION, par=par)
    decision = demande.decisions.select_for_update(of=("self",)).first()
    if decision is None or decision.lue_le is not None:
        return
    decision.lue_le, decision.lue_par = timezone.now(), par
    decision.save(update_fields=["lue_le", "lue_par"])
    consigner(demande, Geste.LIRE_NOTIFICATION, par=par)


@transaction.atomic
def signer(demande: Demande, *, televerse: UploadedFile, par: Utilisateur) -> ConventionAide:
    """Dépose l’exemplaire signé : le représentant légal d’abord, le responsable de la Caf ensuite."""
    demande = ouvrir(demande, Geste.SIGNER_PRET, par=par)
    convention = ConventionAide.objects.select_for_update(of=("self",)).select_related("acte").get(demande=demande)
    if convention.acte.produit_le is None:
        raise Refus("Le document n’est pas encore produit : réessayez dans un instant.")
    if convention.signee_partenaire_le is None:
        if Role.REPRESENTANT_LEGAL not in roles_dans_la_structure(par, demande.structure_id):
            raise PermissionDenied("Le représentant légal signe le premier.")
        deposer_exemplaire(convention, televerse=televerse, par=par, caf=False)
        annonces.au_charge(demande, "signee", f"« {demande.intitule} » est signée par le gestionnaire.")
    elif convention.signee_le is None:
        if not par.tient(Role.RESPONSABLE):
            raise PermissionDenied("La signature de la Caf se dépose par le responsable.")
        deposer_exemplaire(convention, televerse=televerse, par=par, caf=True)
        annonces.a_la_direction(demande, "signee-caf", f"« {demande.intitule} » est signée par les deux parties.")
        annonces.a_payer(demande, "signee-caf", f"« {demande.intitule} » est signée : un versement est possible.")
    else:
        raise Refus("Les deux parties ont déjà signé.")
    consigner(demande, Geste.SIGNER_PRET, par=par)
    return convention


def deposer_exemplaire(convention: ConventionAide, *, televerse: UploadedFile, par: Utilisateur, caf: bool) -> None:
    """Garde l’exemplaire signé d’une partie, sa date et son auteur. Lève FichierRefuse."""
    scan = recevoir(televerse, par=par)
    if caf:
        convention.scan_caf, convention.signee_par, convention.signee_le = scan, par, timezone.now()
    else:
        convention.scan_partenaire = scan
        convention.signee_partenaire_par, convention.signee_partenaire_le = par, timezone.now()
    convention.full_clean()
    convention.save()


@transaction.atomic
def proroger(demande: Demande, *, apres: date, motif: str, par: Utilisateur) -> Demande:
    """Repousse le délai de réalisation, avec sa raison et un courrier. Refuse une date qui n’allonge pas."""
    demande = ouvrir(demande, Geste.PROROGER, par=par)
    assert demande.limite_le is not None
    if apres <= demande.limite_le:
        raise ValidationError({"apres": f"Le délai court déjà jusqu’au {en_jour(demande.limite_le)}."})
    if apres > demande.limite_le + relativedelta(months=36):
        raise ValidationError({"apres": "Une prorogation ajoute trente-six mois au plus."})
    motif = epurer(motif).strip()
    prorogation = Prorogation(
        demande=demande,
        avant=demande.limite_le,
        apres=apres,
        motif=motif,
        acte=actes.prorogation(demande, demande.limite_le, apres, motif),
        par=par,
        le=timezone.now(),
    )
    prorogation.full_clean()
    prorogation.save()
    demande.limite_le = demande.echeance_le = apres
    demande.save(update_fields=["limite_le", "echeance_le"])
    consigner(demande, Geste.PROROGER, par=par, motif=motif, details={"jusqu_au": apres.isoformat()})
    annonces.a_la_direction(
        demande, f"prorogation-{apres.isoformat()}",
        f"Le délai de « {demande.intitule} » est repoussé au {en_jour(apres)}.",
    )  # fmt: skip
    return demande


@transaction.atomic
def constater_caducite(demande: Demande, *, par: Utilisateur | None) -> Demande:
    """Le délai est passé : la part non versée revient à l’enveloppe, ce qui l’est de trop se rend, un courrier le dit.

    Lève Refus tant qu’une somme due est en route.
    """
    demande = Demande.objects.verrouiller(demande.pk)
    etude = etudier(demande)
    if obstacle := obstacle_a_la_caducite(demande, etude, timezone.localdate()):
        raise Refus(obstacle)
    demande = franchir(
        demande, Geste.CONSTATER_CADUCITE, par=par, echeance_le=None, details={"libere": str(etude.non_verse)}
    )
    if not etude.paye:  # rien n’a été versé : il n’y a rien dont rendre compte
        BilanAide.objects.filter(demande=demande, etat=EtatBilan.A_RENDRE).delete()
    actes.caducite(demande, etude.paye, etude.non_verse)
    degager(demande, etude.non_verse, motif=f"Caducité, délai du {en_jour(demande.limite_le or date.min)}", par=par)
    annonces.a_la_direction(demande, "caducite", f"Du nouveau sur votre aide « {demande.intitule} ».")
    rendre_le_trop_verse(demande, etude, par=par)
    return demande


@transaction.atomic
def rendre_bilan(
    demande: Demande, *, recit: str, depenses: Decimal, produits: Decimal, realises: list[str], version: int,
    par: Utilisateur,
) -> BilanAide:  # fmt: skip
    """Rend le bilan : le récit, les chiffres face au prévu, les comptes. Lève ValidationError, VersionPerimee."""
    demande = ouvrir(demande, Geste.RENDRE_BILAN, par=par)
    bilan = BilanAide.objects.select_for_update(of=("self",)).filter(demande=demande).first()
    if bilan is None:
        raise Refus("Cette aide n’attend pas de bilan.")
    if not bilan.attendu:
        raise Refus(f"Ce bilan est « {bilan.get_etat_display().lower()} ».")
    if version != bilan.version:
        raise VersionPerimee("Quelqu’un a modifié ce bilan pendant que vous écriviez.")
    fautes: dict[str, str] = {}
    if not (recit := epurer(recit).strip()):
        fautes["recit"] = "Racontez ce qui a été fait."
    indicateurs = []
    for rang, (ligne, saisie) in enumerate(zip(bilan.indicateurs, realises, strict=True)):
        try:
            indicateurs.append({**ligne, "realise": str(lire_montant(saisie))})
        except MontantIllisible:
            fautes[f"realise-{rang}"] = f"« {ligne['indicateur']} » : écrivez un nombre."
    if fautes:
        raise ValidationError(fautes)
    bilan.recit, bilan.depenses, bilan.produits = recit, depenses, produits
    bilan.indicateurs, bilan.etat, bilan.motif = indicateurs, EtatBilan.RENDU, ""
    bilan.rendu_par, bilan.rendu_le = par, timezone.now()
    bilan.version += 1
    bilan.full_clean()
    bilan.save()
    consigner(demande, Geste.RENDRE_BILAN, par=par)
    annonces.au_charge(demande, "bilan-rendu", f"{demande.structure} a rendu le bilan de « {demande.intitule} ».")
    return bilan


@transaction.atomic
def lire_bilan(demande: Demande, *, accepte: bool, motif: str, par: Utilisateur) -> BilanAide:
    """Accepte le bilan, ou dit ce qui est à reprendre."""
    demande = ouvrir(demande, Geste.ACCEPTER_BILAN, par=par)
    bilan = BilanAide.objects.select_for_update(of=("self",)).get(demande=demande)
    if bilan.etat != EtatBilan.RENDU:
        raise Refus(f"Ce bilan est « {bilan.get_etat_display().lower()} ».")
    motif = epurer(motif).strip()
    if not accepte and not motif:
        raise ValidationError({"motif": "Dites ce qui est à reprendre."})
    bilan.etat = EtatBilan.ACCEPTE if accepte else EtatBilan.A_REPRENDRE
    bilan.motif = "" if accepte else motif
    bilan.lu_par, bilan.lu_le = par, timezone.now()
    bilan.version += 1
    bilan.save()
    consigner(demande, Geste.ACCEPTER_BILAN, par=par, motif=bilan.motif, details={"accepte": accepte})
    texte = "est accepté" if accepte else "est à reprendre : lisez pourquoi"
    annonces.a_la_direction(demande, f"bilan-lu-{bilan.version}", f"Votre bilan de « {demande.intitule} » {texte}.")
    return bilan


def engagement(demande: Demande) -> tuple[date, date] | None:
    """Le premier et le dernier jour de l’engagement de destination sociale, ou rien."""
    ans = demande.version.destination_ans
    if not ans or demande.decide_le is None:
        return None
    debut = fin_du_projet(demande) or demande.decide_le
    debut = max(debut, demande.decide_le)
    fin: date = debut + relativedelta(years=ans) - timedelta(days=1)
    return debut, fin


@transaction.atomic
def demander_attestation(demande: Demande, annee: int, le: date) -> bool:
    """Demande l’attestation d’une année, une fois ; rend vrai si elle vient d’être demandée."""
    demande = Demande.objects.verrouiller(demande.pk)
    bornes = engagement(demande)
    if bornes is None or not bornes[0].year < annee <= bornes[1].year:
        return False
    if rupture_de(demande) is not None or garde(demande) <= 0:
        return False
    _, neuve = AttestationDestination.objects.get_or_create(demande=demande, annee=annee, defaults={"demandee_le": le})
    if neuve:
        annonces.destination_a_attester(demande, annee, le)
    return neuve


@transaction.atomic
def attester(
    demande: Demande, *, annee: int, maintenue: bool, commentaire: str, par: Utilisateur
) -> AttestationDestination:
    """La structure atteste, ou dit que la destination a changé ; la Caf est alors prévenue, et en tire les suites."""
    demande = ouvrir(demande, Geste.ATTESTER_DESTINATION, par=par)
    attestation = (
        AttestationDestination.objects.select_for_update(of=("self",)).filter(demande=demande, annee=annee).first()
    )
    if attestation is None:
        raise Refus("Aucune attestation n’est demandée pour cette année.")
    if attestation.attestee_le is not None:
        raise Refus("Cette année est déjà attestée.")
    commentaire = epurer(commentaire).strip()
    if not maintenue and not commentaire:
        raise ValidationError({"commentaire": "Dites ce qui a changé."})
    attestation.maintenue, attestation.commentaire = maintenue, commentaire
    attestation.attestee_par, attestation.attestee_le = par, timezone.now()
    attestation.full_clean()
    attestation.save()
    consigner(demande, Geste.ATTESTER_DESTINATION, par=par, motif=commentaire, details={"annee": annee})
    if not maintenue:
        annonces.au_charge(demande, f"destination-{annee}", f"La destination de « {demande.intitule} » a changé.")
    return attestation


def calcul_de_rupture(demande: Demande, le: date) -> tuple[Decimal, Decimal, list[dict[str, Any]]]:
    """Ce qui a été versé, ce qui est à rendre, et pourquoi. Lève Refus hors de l’engagement."""
    bornes = engagement(demande)
    if bornes is None:
        raise Refus("Cette aide n’engage pas de destination sociale.")
    debut, fin = bornes
    if not debut <= le <= fin:
        raise Refus(f"L’engagement court du {en_jour(debut)} au {en_jour(fin)}.")
    total, tenus = (fin - debut).days + 1, (le - debut).days
    paye = garde(demande)
    montant = a_rendre_si_rompue(paye, total, tenus)
    valeurs = [
        {"nom": "versé", "valeur": en_euros(paye)},
        {"nom": "engagement", "valeur": f"du {en_jour(debut)} au {en_jour(fin)}, {nombre_fr(Decimal(total))} jours"},
        {"nom": "jours tenus", "valeur": nombre_fr(Decimal(tenus))},
    ]
    ligne = {
        "libelle": "Part du temps restant",
        "formule": "versé × (jours de l’engagement − jours tenus) ÷ jours de l’engagement",
        "valeurs": valeurs,
        "montant": str(montant),
        "regle": f"{demande.version}, destination sociale",
        "source": demande.version.source_dite,
    }
    return paye, montant, [ligne]


@transaction.atomic
def rompre(demande: Demande, *, le: date, motif: str, par: Utilisateur) -> SommeARendre:
    """Constate que la destination sociale n’est plus tenue ; calcule et notifie ce qui est à rendre."""
    demande = ouvrir(demande, Geste.ROMPRE_DESTINATION, par=par)
    if rupture_de(demande) is not None:
        raise Refus("La rupture est déjà constatée.")
    if le > timezone.localdate():
        raise ValidationError({"le": "Cette date est dans l’avenir."})
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites ce qui est constaté."})
    paye, montant, explication = calcul_de_rupture(demande, le)
    rupture = SommeARendre.objects.create(
        demande=demande,
        nature=NatureARendre.DESTINATION,
        le=le,
        motif=motif,
        verse=paye,
        montant=montant,
        explication=explication,
        acte=actes.somme_a_rendre(
            demande, cle="rupture", cause="destination sociale rompue",
            objet=f"destination sociale de « {demande.intitule} »",
            phrase=f"La destination sociale du bien financé n’est plus tenue depuis le {en_jour(le)}. La part de "
            "l’aide qui répond au temps restant de l’engagement est à rendre.",
            montant=montant, motif=motif, explication=explication,
        ),
        par=par,
        constatee_le=timezone.now(),
    )  # fmt: skip
    consigner(demande, Geste.ROMPRE_DESTINATION, par=par, motif=motif, details={"montant": str(montant)})
    annonces.a_la_direction(demande, "rupture", f"Du nouveau sur votre aide « {demande.intitule} » : lisez la lettre.")
    return rupture


def notifier(acte: Acte) -> None:
    """La lettre de décision est produite : la structure est prévenue, le journal le dit. Même transaction."""
    decision = DecisionAide.objects.filter(acte=acte).select_related("demande__structure").first()
    if decision is None:
        return
    consigner(decision.demande, Geste.NOTIFIER, par=None, details={"acte": acte.code})
    if decision.lue_le is None:
        annonces.decision_prete(decision)
