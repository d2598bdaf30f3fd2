"""Qui est prévenu de Senacs, et combien de fois : une par relance et par personne."""

from __future__ import annotations

from comptes.choix import Role
from courriers.actions import annoncer
from partenaires.interlocuteurs import equipe
from senacs.models import Contribution
from socle.dates import en_jour


def a_repondre(contribution: Contribution, cle: str) -> None:
    structure, campagne = contribution.structure, contribution.campagne
    annoncer(
        cle=f"senacs-{contribution.pk}-{cle}",
        destinataires=equipe(structure.pk, Role.DIRECTION),
        texte=f"Senacs {campagne.annee} attend la réponse de {structure}, avant le {en_jour(campagne.limite)}.",
        lien=contribution.get_absolute_url(),
        sujet=f"Senacs {campagne.annee} attend votre réponse",
        gabarit="senacs/courriels/a_repondre",
        contexte={"structure": structure.nom, "annee": campagne.annee, "limite": en_jour(campagne.limite)},
    )
