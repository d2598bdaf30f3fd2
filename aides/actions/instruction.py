"""Les gestes de la Caf avant la séance : compléments, dépenses retenues, démarrage anticipé, avis."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from aides import actes, annonces
from aides.actions.franchir import consigner, franchir, ouvrir
from aides.actions.redaction import INSTRUCTION_JOURS
from aides.choix import Geste, SensAvis
from aides.contenu import ContenuDemande
from aides.models import AvisAide, ComplementsDemandes, Demande, Enveloppe
from comptes.models import Utilisateur
from financements.calculs import DonneeRefusee
from financements.simulation import lignes_en_json
from partenaires.entete import RECOURS_MOIS
from socle.erreurs import Refus
from socle.montants import ZERO, en_euros
from socle.texte import epurer

REPONSE_MAX = 120  # jours ; à confirmer par la Caf


@transaction.atomic
def demander_complements(
    demande: Demande, *, parties: list[str], message: str, echeance_le: date, par: Utilisateur
) -> ComplementsDemandes:
    """Rouvre à la structure les parties nommées, et elles seules ; un courrier figé dit ce qui manque."""
    aujourd_hui = timezone.localdate()
    if echeance_le <= aujourd_hui:
        raise ValidationError({"echeance_le": "La date de réponse attendue doit être à venir."})
    if echeance_le > aujourd_hui + timedelta(days=REPONSE_MAX):
        raise ValidationError({"echeance_le": f"Attendez une réponse sous {REPONSE_MAX} jours au plus."})
    message = epurer(message).strip()
    demande = franchir(
        demande, Geste.DEMANDER_COMPLEMENTS, par=par, motif=message, echeance_le=echeance_le,
        details={"parties": parties},
    )  # fmt: skip
    titres = {p.code: p.titre for p in ContenuDemande(demande).parties()}
    if not parties or not set(parties) <= set(titres):
        raise ValidationError({"parties": "Choisissez au moins une partie à reprendre."})
    numero = demande.complements.count() + 1
    complements = ComplementsDemandes.objects.create(
        demande=demande,
        numero=numero,
        parties=parties,
        message=message,
        echeance_le=echeance_le,
        acte=actes.complements(demande, numero, message, [titres[p] for p in parties], echeance_le),
        envoyee_par=par,
        envoyee_le=timezone.now(),
    )
    annonces.complements_demandes(demande, numero)
    return complements


@transaction.atomic
def declarer_irrecevable(demande: Demande, *, par: Utilisateur, motif: str) -> Demande:
    demande = franchir(demande, Geste.DECLARER_IRRECEVABLE, par=par, motif=motif, echeance_le=None)
    actes.courrier(
        demande,
        cle="irrecevable",
        titre="Demande irrecevable",
        objet=f"votre demande d’aide « {demande.intitule} » n’est pas recevable",
        paragraphes=["Votre demande ne peut pas être examinée."],
        motivation=motif,
        recours_mois=RECOURS_MOIS,
    )
    annonces.irrecevable(demande)
    return demande


@transaction.atomic
def retenir_depenses(demande: Demande, *, retenus: dict[int, tuple[Decimal | None, str]], par: Utilisateur) -> Demande:
    """Ce que l’instruction retient de chaque dépense, et pourquoi si c’est moins. ``None`` : tout.

    Lève ValidationError, une phrase par dépense (``depense-12``).
    """
    demande = ouvrir(demande, Geste.RETENIR, par=par)
    taxe = demande.version.taxe_de(demande.structure)
    fautes: dict[str, str] = {}
    changees = []
    for depense in demande.depenses.select_for_update(of=("self",)):
        if depense.pk not in retenus:
            continue
        montant, motif = retenus[depense.pk]
        entier = depense.montant_ht if taxe == "HT" else depense.montant_ttc
        montant = None if montant == entier else montant
        motif = epurer(motif).strip()
        if montant is not None and montant > entier:
            fautes[f"depense-{depense.pk}"] = f"La dépense est de {en_euros(entier)} {taxe} : on ne retient pas plus."
        elif montant is not None and not motif:
            fautes[f"depense-{depense.pk}"] = "Dites pourquoi cette dépense n’est pas retenue en entier."
        elif (depense.retenu, depense.motif_retenu) != (montant, motif):
            depense.retenu, depense.motif_retenu = montant, motif if montant is not None else ""
            changees.append(depense)
    if fautes:
        raise ValidationError(fautes)
    for depense in changees:
        depense.full_clean()
        depense.save(update_fields=["retenu", "motif_retenu"])
    if changees:
        dites = [f"{d.libelle} : {d.retenu if d.retenu is not None else 'entière'}" for d in changees]
        consigner(demande, Geste.RETENIR, par=par, details={"depenses": dites})
    return demande


@transaction.atomic
def autoriser_demarrage(demande: Demande, *, le: date, motif: str, par: Utilisateur) -> Demande:
    """Autorise à commencer avant la décision, à partir d’une date ; un courrier le dit, et qu’il ne vaut pas accord."""
    demande = ouvrir(demande, Geste.AUTORISER_DEMARRAGE, par=par)
    if demande.demarrage_autorise_le is not None:
        raise Refus("Un démarrage anticipé est déjà autorisé.")
    assert demande.depose_le is not None
    if le < timezone.localtime(demande.depose_le).date():
        raise ValidationError({"le": "Pas avant le dépôt de la demande."})
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi."})
    demande.demarrage_autorise_le = le
    demande.save(update_fields=["demarrage_autorise_le"])
    actes.demarrage(demande, le, motif)
    consigner(demande, Geste.AUTORISER_DEMARRAGE, par=par, motif=motif, details={"le": le.isoformat()})
    annonces.demarrage_autorise(demande)
    return demande


def _notes(demande: Demande, notes: list[int]) -> list[dict[str, Any]]:
    grille = demande.version.grille_lue
    if len(notes) != len(grille):
        raise ValidationError({"__all__": "Notez chaque critère de la grille."})
    for critere, note in zip(grille, notes, strict=True):
        if not 0 <= note <= critere.points:
            raise ValidationError({"__all__": f"« {critere.libelle} » se note de 0 à {critere.points}."})
    return [{"libelle": c.libelle, "note": n, "sur": c.points} for c, n in zip(grille, notes, strict=True)]


@transaction.atomic
def proposer(
    demande: Demande, *, sens: str, montant: Decimal | None, motivation: str, notes: list[int], par: Utilisateur
) -> AvisAide:
    """Rend l’avis et propose un montant, au plus celui que la règle donne ; l’explication en dit chaque euro.

    Lève Refus : condition non remplie pour un avis favorable, enveloppe absente, donnée manquante.
    """
    demande = Demande.objects.verrouiller(demande.pk)
    motivation = epurer(motivation).strip()
    contenu = ContenuDemande(demande)
    enveloppe = Enveloppe.objects.pour(
        demande.version.dispositif_id, demande.exercice, demande.structure.commune.epci_id
    )
    if enveloppe is None:
        raise Refus(f"Aucune enveloppe n’est votée pour {demande.version.dispositif} {demande.exercice}.")
    try:
        calcul = contenu.calculer()
    except DonneeRefusee as erreur:
        raise Refus(f"Le montant ne se calcule pas : {erreur}") from erreur
    defavorable = sens == SensAvis.DEFAVORABLE
    manquantes = [c.libelle for c in contenu.constats if not c.remplie]
    if manquantes and not defavorable:
        raise Refus(f"Un avis favorable demande toutes les conditions. Il manque : {' ; '.join(manquantes)}.")
    borne = min(calcul.montant, demande.montant_demande or calcul.montant)
    propose = ZERO if defavorable else (montant if montant is not None else borne)
    if propose > borne:
        raise ValidationError({"montant": f"Au plus {en_euros(borne)} : le calcul, dans la limite de la demande."})
    if not defavorable and propose <= 0:
        raise ValidationError({"montant": "La règle ne donne rien à cette demande : rendez un avis défavorable."})
    explication = lignes_en_json(calcul.lignes)
    if propose != calcul.montant:
        explication.append(ajustement("Ramené par l’instruction", propose - calcul.montant, motivation, demande))
    demande = franchir(
        demande, Geste.PROPOSER, par=par, motif=motivation, montant_propose=propose, enveloppe=enveloppe,
        echeance_le=None, details={"sens": sens, "montant": str(propose)},
    )  # fmt: skip
    avis = AvisAide(
        demande=demande,
        sens=sens,
        montant=propose,
        calcule=calcul.montant,
        explication=explication,
        constats=[c.en_json() for c in contenu.constats],
        notes=_notes(demande, notes),
        motivation=motivation,
        par=par,
        le=timezone.now(),
    )
    avis.full_clean()
    avis.save()
    annonces.instruite(demande)
    return avis


def ajustement(libelle: str, ecart: Decimal, motif: str, demande: Demande) -> dict[str, Any]:
    """La ligne d’explication qui mène du calcul au montant retenu : personne ne cherche d’où vient l’écart."""
    return {
        "libelle": libelle,
        "formule": "montant retenu − montant calculé",
        "valeurs": [{"nom": "raison", "valeur": motif[:300]}],
        "montant": str(ecart),
        "regle": str(demande.version),
        "source": demande.version.source_dite,
    }


@transaction.atomic
def reprendre_instruction(demande: Demande, *, par: Utilisateur, motif: str) -> Demande:
    return franchir(
        demande, Geste.REPRENDRE_INSTRUCTION, par=par, motif=motif, montant_propose=None,
        echeance_le=timezone.localdate() + timedelta(days=INSTRUCTION_JOURS),
    )  # fmt: skip
