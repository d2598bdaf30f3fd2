"""Les gestes sur les fiches, les contacts, les secteurs ; chacun laisse une ligne au journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from courriers.actions import poster, prevenir
from partenaires.choix import GestePartenaire
from partenaires.droits import peut
from partenaires.interlocuteurs import charge_de_commune
from partenaires.models import (
    AffectationCommune,
    AffectationGestionnaire,
    Commune,
    Contact,
    DemandeContact,
    EvenementPartenaire,
    Gestionnaire,
    Realisation,
    Structure,
    Suppleance,
)
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.texte import assainir, cle_de_tri, epurer

AUTEURS = (Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR)


def _lisible(valeur: Any) -> Any:
    return valeur if isinstance(valeur, str | int | float | bool | type(None)) else str(valeur)


def _consigner(
    geste: str,
    *,
    par: Utilisateur,
    structure: Structure | None = None,
    gestionnaire: Gestionnaire | None = None,
    motif: str = "",
    **details: Any,
) -> None:
    EvenementPartenaire.objects.create(
        structure=structure, gestionnaire=gestionnaire, geste=geste, par=par, motif=motif, details=details
    )


def _modifier(objet: Structure | Gestionnaire, version: int, champs: dict[str, Any]) -> dict[str, Any]:
    """Écrit ces champs si la fiche n’a pas bougé. Rend l’avant et l’après. Lève VersionPerimee, ValidationError."""
    if objet.version != version:
        raise VersionPerimee("Un collègue a modifié cette fiche pendant que vous la remplissiez.")
    avant = model_to_dict(objet, fields=[nom for nom in champs if nom != "iban"])
    for nom, valeur in champs.items():
        setattr(objet, nom, valeur)
    objet.version += 1
    objet.full_clean()
    objet.save()
    apres = model_to_dict(objet, fields=list(avant))
    changes = {
        nom: [_lisible(avant[nom]), _lisible(apres[nom])]
        for nom in avant
        if _lisible(avant[nom]) != _lisible(apres[nom])
    }
    if "iban" in champs:
        changes["iban"] = ["modifié", f"se termine par {champs['iban'][-4:]}"] if champs["iban"] else ["effacé", ""]
    return changes


@transaction.atomic
def creer_structure(*, par: Utilisateur, **champs: Any) -> Structure:
    exiger(peut(GestePartenaire.CREER, par, None))
    structure = Structure(**champs)
    structure.full_clean()
    structure.save()
    structure.communes_intervention.set([structure.commune])
    _consigner(GestePartenaire.CREER, par=par, structure=structure)
    return structure


@transaction.atomic
def modifier_structure(structure: Structure, *, version: int, par: Utilisateur, **champs: Any) -> Structure:
    exiger(peut(GestePartenaire.MODIFIER, par, structure))
    structure = Structure.objects.verrouiller(structure.pk)
    if changes := _modifier(structure, version, champs):
        _consigner(GestePartenaire.MODIFIER, par=par, structure=structure, changes=changes)
    return structure


@transaction.atomic
def modifier_gestionnaire(gestionnaire: Gestionnaire, *, version: int, par: Utilisateur, **champs: Any) -> Gestionnaire:
    exiger(peut(GestePartenaire.MODIFIER, par, gestionnaire))
    gestionnaire = Gestionnaire.objects.verrouiller(gestionnaire.pk)
    if changes := _modifier(gestionnaire, version, champs):
        _consigner(GestePartenaire.MODIFIER, par=par, gestionnaire=gestionnaire, changes=changes)
    return gestionnaire


@transaction.atomic
def ajouter_contact(structure: Structure, *, par: Utilisateur, **champs: Any) -> Contact:
    exiger(peut(GestePartenaire.MODIFIER, par, structure))
    contact = Contact(structure=structure, **champs)
    contact.full_clean()
    contact.save()
    _consigner(GestePartenaire.MODIFIER, par=par, structure=structure, contact=str(contact))
    return contact


@transaction.atomic
def retirer_contact(contact: Contact, *, par: Utilisateur) -> None:
    exiger(peut(GestePartenaire.MODIFIER, par, contact.structure))
    _consigner(GestePartenaire.MODIFIER, par=par, structure=contact.structure, contact_retire=str(contact))
    contact.delete()


@transaction.atomic
def transmettre_secteur(
    *, de: Utilisateur, vers: Utilisateur, le: date, communes: Iterable[str] | None, par: Utilisateur
) -> int:
    """Passe en un geste les communes d’un agent à un autre, à partir d’un jour. ``communes`` vide : toutes.

    Rend le nombre de communes. Lève Refus si l’agent qui reçoit n’est pas chargé de conseil ce jour-là.
    """
    exiger(peut(GestePartenaire.AFFECTER, par, None))
    if le < timezone.localdate():
        raise Refus("Une transmission prend effet aujourd’hui ou plus tard.")
    if de.pk == vers.pk:
        raise Refus("Choisissez deux personnes différentes.")
    if not vers.fonctions.en_cours(le).filter(role=Role.CHARGE_CONSEIL).exists():
        raise Refus(f"{vers} n’est pas chargé de conseil à cette date.")
    affectations = AffectationCommune.objects.select_for_update(of=("self",)).en_cours(le).filter(agent=de)
    if communes is not None:
        affectations = affectations.filter(commune__in=list(communes))
    return _transmettre(affectations, AffectationCommune, "commune_id", vers, le)


@transaction.atomic
def transmettre_portefeuille(*, de: Utilisateur, vers: Utilisateur, le: date, par: Utilisateur) -> int:
    """Passe en un geste tous les gestionnaires d’un technicien à un autre, à partir d’un jour."""
    exiger(peut(GestePartenaire.AFFECTER, par, None))
    if le < timezone.localdate():
        raise Refus("Une transmission prend effet aujourd’hui ou plus tard.")
    if de.pk == vers.pk:
        raise Refus("Choisissez deux personnes différentes.")
    if not vers.fonctions.en_cours(le).filter(role=Role.TECHNICIEN_CONSEIL).exists():
        raise Refus(f"{vers} n’est pas technicien conseil à cette date.")
    affectations = AffectationGestionnaire.objects.select_for_update(of=("self",)).en_cours(le).filter(agent=de)
    return _transmettre(affectations, AffectationGestionnaire, "gestionnaire_id", vers, le)


def _transmettre(affectations: Any, modele: Any, cle: str, vers: Utilisateur, le: date) -> int:
    anciennes = list(affectations)
    for ancienne in anciennes:
        if ancienne.debut >= le:
            ancienne.delete()
        else:
            ancienne.fin = le - timedelta(days=1)
            ancienne.save(update_fields=["fin"])
    modele.objects.bulk_create(modele(**{cle: getattr(a, cle)}, agent=vers, debut=le, fin=None) for a in anciennes)
    return len(anciennes)


@transaction.atomic
def declarer_absence(
    *, absent: Utilisateur, suppleant: Utilisateur, debut: date, fin: date, motif: str, par: Utilisateur
) -> Suppleance:
    """Confie à un collègue de même rôle ce que l’absent suit, le temps de l’absence."""
    if par.pk != absent.pk:
        exiger(peut(GestePartenaire.AFFECTER, par, None))
    if not absent.roles & suppleant.roles:
        raise Refus(f"{suppleant} ne tient pas le même rôle que {absent}.")
    suppleance = Suppleance(absent=absent, suppleant=suppleant, debut=debut, fin=fin, motif=epurer(motif).strip())
    suppleance.full_clean()
    suppleance.save()
    prevenir(
        cle=f"suppleance-{suppleance.pk}",
        destinataire=suppleant,
        texte=f"Vous suppléez {absent} du {debut:%d/%m/%Y} au {fin:%d/%m/%Y}.",
    )
    return suppleance


@transaction.atomic
def recevoir_contact(*, commune: Commune, objet: str, nom: str, courriel: str, message: str) -> DemandeContact:
    """Garde la demande du site public et prévient le chargé de conseil de la commune."""
    agent = charge_de_commune(commune.pk, timezone.localdate())
    demande = DemandeContact(
        commune=commune,
        objet=objet,
        nom=epurer(nom).strip(),
        courriel=courriel,
        message=epurer(message).strip(),
        agent=agent,
    )
    demande.full_clean()
    demande.save()
    if agent is not None:
        prevenir(
            cle=f"contact-{demande.pk}",
            destinataire=agent,
            texte=f"{demande.nom} ({commune}) vous écrit depuis le site public : {objet}.",
            lien="/espace/#contacts",
        )
        poster(
            cle=f"contact-{demande.pk}",
            destinataire=agent,
            sujet=f"Une demande de contact depuis {commune}",
            gabarit="partenaires/courriels/contact",
            contexte={"prenom": agent.prenom, "commune": commune.nom},
        )
    return demande


@transaction.atomic
def ecrire_realisation(
    *, par: Utilisateur, realisation: Realisation | None = None, publier: bool, **champs: Any
) -> Realisation:
    """Écrit ou corrige un article du site public ; ``publier`` le montre à tous dès aujourd’hui, ou le retire."""
    if not par.tient(*AUTEURS):
        raise PermissionDenied(
            "Les articles s’écrivent par les chargés de conseil, le responsable et l’administrateur."
        )
    article = realisation or Realisation(auteur=par)
    for nom, valeur in champs.items():
        setattr(article, nom, valeur)
    article.texte = assainir(article.texte)
    if article.pk is None:
        article.slug = slug_libre(article.titre)
    article.publiee_le = (article.publiee_le or timezone.localdate()) if publier else None
    article.full_clean()
    article.save()
    return article


def slug_libre(titre: str) -> str:
    """« Un café qui roule » → « un-cafe-qui-roule », numéroté si l’adresse est prise."""
    racine = cle_de_tri(titre).replace(" ", "-")[:140] or "article"
    prises = set(Realisation.objects.filter(slug__startswith=racine).values_list("slug", flat=True))
    return next(s for s in (racine, *(f"{racine}-{n}" for n in range(2, 1000))) if s not in prises)


@transaction.atomic
def traiter_contact(demande: DemandeContact, *, par: Utilisateur) -> None:
    if demande.agent_id != par.pk:
        exiger(peut(GestePartenaire.AFFECTER, par, None))
    DemandeContact.objects.filter(pk=demande.pk, traitee_le__isnull=True).update(traitee_le=timezone.now())
