"""Ce que la structure rend d’une aide : ce qui dépasse le coût réel, ou la part d’une destination rompue."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from aides import actes, annonces
from aides.actions.franchir import consigner, ouvrir
from aides.choix import Geste, NatureARendre
from aides.models import Demande, SommeARendre
from aides.versements import EtudeAide
from comptes.models import Utilisateur
from socle.erreurs import Refus
from socle.montants import en_euros


def rendre_le_trop_verse(demande: Demande, etude: EtudeAide, *, par: Utilisateur | None) -> SommeARendre | None:
    """Dans la transaction qui clôt l’aide : notifie ce qui est payé au-delà du coût réel. Sinon, rien."""
    if not etude.trop_verse:
        return None
    motif = "Les dépenses justifiées sont plus basses que prévu."
    explication = _explication(demande, etude)
    somme = SommeARendre.objects.create(
        demande=demande,
        nature=NatureARendre.TROP_VERSE,
        le=timezone.localdate(),
        motif=motif,
        verse=etude.paye,
        montant=etude.trop_verse,
        explication=explication,
        acte=actes.somme_a_rendre(
            demande, cle="trop-verse", cause="coût réel plus bas que prévu",
            objet=f"somme à rendre sur l’aide « {demande.intitule} »",
            phrase="Ce qui vous a été versé dépasse l’aide due au vu de vos factures. La différence est à rendre.",
            montant=etude.trop_verse, motif=motif, explication=explication,
        ),
        par=par,
        constatee_le=timezone.now(),
    )  # fmt: skip
    annonces.a_la_direction(
        demande, "trop-verse", f"Du nouveau sur votre aide « {demande.intitule} » : lisez la lettre."
    )
    return somme


def _explication(demande: Demande, etude: EtudeAide) -> list[dict[str, Any]]:
    """Deux lignes dont la somme est à rendre : ce qui est versé, moins ce que l’aide vaut au coût réel."""
    regle = {"regle": f"{demande.version}, versement sur factures", "source": demande.version.source_dite}
    valeurs = [
        {"nom": "accordé", "valeur": en_euros(etude.accorde)},
        {"nom": "factures retenues", "valeur": en_euros(etude.reel)},
        {"nom": "dépenses prévues", "valeur": en_euros(etude.prevu)},
    ]
    return [
        {"libelle": "Déjà versé", "formule": "versements payés", "valeurs": [], "montant": str(etude.paye), **regle},
        {
            "libelle": "Aide due au coût réel",
            "formule": "− accordé × factures retenues ÷ dépenses prévues",
            "valeurs": valeurs,
            "montant": str(-etude.du),
            **regle,
        },
    ]


@transaction.atomic
def enregistrer_rendu(somme: SommeARendre, *, le: date, par: Utilisateur) -> SommeARendre:
    """La somme due est revenue : l’éligibilité de la structure s’en trouve rétablie."""
    demande = ouvrir(somme.demande, Geste.ENREGISTRER_RENDU, par=par)
    somme = SommeARendre.objects.select_for_update(of=("self",)).get(pk=somme.pk)
    if not somme.attendue:
        raise Refus("Cette somme n’est plus à rendre.")
    if le > timezone.localdate():
        raise ValidationError({"le": "Cette date est dans l’avenir."})
    if le < timezone.localtime(somme.constatee_le).date():
        raise ValidationError({"le": "Cette date précède la notification."})
    somme.rendue_le, somme.rendue_par = le, par
    somme.save(update_fields=["rendue_le", "rendue_par"])
    consigner(demande, Geste.ENREGISTRER_RENDU, par=par, details={"montant": str(somme.montant)})
    return somme
