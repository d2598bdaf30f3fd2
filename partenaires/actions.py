"""Les gestes sur les fiches, les contacts, les secteurs ; chacun laisse une ligne au journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Fonction, Utilisateur
from courriers.actions import poster, prevenir
from partenaires.choix import GestePartenaire
from partenaires.droits import AGENTS_DES_FICHES, COORDONNEES, PAYEURS, peut
from partenaires.expressions import CleDeTri
from partenaires.interlocuteurs import charge_de_commune, suppleants
from partenaires.models import (
    Commune,
    Contact,
    DemandeContact,
    EvenementPartenaire,
    Gestionnaire,
    QuartierPrioritaire,
    Realisation,
    Structure,
)
from socle.dates import en_jour
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.texte import assainir, cle_de_tri, epurer

VERROU_DES_CREATIONS = 0x4649_4348
AUTEURS = (Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR)


def consigner(
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


def en_clair(objet: Structure | Gestionnaire, nom: str) -> str:
    """La valeur d’un champ comme on la lit : libellé d’un choix, nom d’un objet, date en lettres ; « vide » sinon."""
    if nom == "iban":
        return f"se termine par {objet.iban[-4:]}" if isinstance(objet, Gestionnaire) and objet.iban else "vide"
    affiche = getattr(objet, f"get_{nom}_display", None)
    valeur = affiche() if affiche else getattr(objet, nom)
    if isinstance(valeur, date):
        return en_jour(valeur)
    return "vide" if valeur in (None, "") else str(valeur)


def changements_lisibles(evenement: EvenementPartenaire) -> list[str]:
    """Une phrase par changement gardé au journal, les champs sous leur nom de tous les jours."""
    modele = Gestionnaire if evenement.structure_id is None else Structure
    libelles = {champ.name: str(getattr(champ, "verbose_name", champ.name)) for champ in modele._meta.get_fields()}
    details = dict(evenement.details)
    phrases = [
        f"{libelles.get(nom, nom)} : {avant or 'vide'} → {apres or 'vide'}"
        for nom, (avant, apres) in details.pop("changes", {}).items()
    ]
    return phrases + [f"{LIBELLES_DETAILS.get(nom, nom)} : {valeur}" for nom, valeur in details.items() if valeur]


def changes_par_d_autres(objet: Structure | Gestionnaire, versions: int) -> dict[str, tuple[str, str]]:
    """Les champs écrits dans les dernières ``versions`` de la fiche : la valeur d’avant, qui a écrit en dernier."""
    evenements = objet.evenements.filter(details__has_key="changes").select_related("par").order_by("-pk")
    champs: dict[str, tuple[str, str]] = {}
    for evenement in reversed(evenements[:versions]):
        for nom, (avant, _) in evenement.details["changes"].items():
            champs[nom] = (champs[nom][0] if nom in champs else avant, str(evenement.par))
    return champs


LIBELLES_DETAILS = {
    "personne": "personne", "role": "rôle", "le": "à partir du", "de": "de", "vers": "à", "contact": "contact ajouté",
    "contact_modifie": "contact modifié",
    "contact_retire": "contact retiré", "communes": "communes", "suppleant": "suppléant", "debut": "du", "fin": "au",
}  # fmt: skip


def _modifier(objet: Structure | Gestionnaire, version: int, champs: dict[str, Any]) -> dict[str, Any]:
    """Écrit ces champs si la fiche n’a pas bougé. Rend l’avant et l’après, en clair ; rien si rien ne change.

    Lève VersionPerimee, ValidationError.
    """
    if objet.version != version:
        raise VersionPerimee("Un collègue a modifié cette fiche pendant que vous la remplissiez.")
    avant = {nom: (getattr(objet, nom), en_clair(objet, nom)) for nom in champs}
    for nom, valeur in champs.items():
        setattr(objet, nom, valeur)
    changes = {
        nom: [lu if lu != "vide" else "", apres if (apres := en_clair(objet, nom)) != "vide" else ""]
        for nom, (brut, lu) in avant.items()
        if brut != getattr(objet, nom)
    }
    if not changes:
        return {}
    objet.version += 1
    objet.full_clean()
    objet.save()
    return changes


def _refuser_une_structure_en_double(structure: Structure) -> None:
    """Même nom dans la même commune, accents et casse à part, ou même SIRET. Sous le verrou des créations."""
    verrouiller_les_creations()
    meme_nom = Q(nom_tri=cle_de_tri(structure.nom), commune=structure.commune)
    memes = Structure.objects.ouvertes().filter(meme_nom | (Q(siret=structure.siret) & ~Q(siret="")))
    if double := memes.exclude(pk=structure.pk).select_related("commune").first():
        raise Refus(f"« {double} » ({double.commune}) existe déjà, avec ce nom ou ce SIRET : modifiez sa fiche.")


def _refuser_un_gestionnaire_en_double(gestionnaire: Gestionnaire) -> None:
    """Même nom dans la même ville, accents et casse à part. Sous le verrou des créations."""
    verrouiller_les_creations()
    cles = Gestionnaire.objects.annotate(cle_nom=CleDeTri("nom"), cle_ville=CleDeTri("ville"))
    memes = cles.filter(cle_nom=cle_de_tri(gestionnaire.nom), cle_ville=cle_de_tri(gestionnaire.ville))
    if double := memes.exclude(pk=gestionnaire.pk).first():
        raise Refus(f"« {double} » ({double.ville or 'ville inconnue'}) existe déjà : choisissez-le dans la liste.")


@transaction.atomic
def creer_structure(*, par: Utilisateur, **champs: Any) -> Structure:
    exiger(peut(GestePartenaire.CREER, par, None))
    structure = Structure(**champs)
    structure.full_clean()
    _refuser_une_structure_en_double(structure)
    structure.save()
    structure.communes_intervention.set([structure.commune])
    consigner(GestePartenaire.CREER, par=par, structure=structure)
    return structure


@transaction.atomic
def modifier_structure(structure: Structure, *, version: int, par: Utilisateur, **champs: Any) -> Structure:
    exiger(peut(GestePartenaire.MODIFIER, par, structure))
    if not par.tient(*AGENTS_DES_FICHES) and champs.keys() - COORDONNEES:
        raise PermissionDenied("L’identité juridique se modifie avec la Caf : écrivez à votre interlocuteur.")
    structure = Structure.objects.verrouiller(structure.pk)
    if changes := _modifier(structure, version, champs):
        if changes.keys() & {"nom", "commune", "siret"}:
            _refuser_une_structure_en_double(structure)
        consigner(GestePartenaire.MODIFIER, par=par, structure=structure, changes=changes)
    return structure


@transaction.atomic
def modifier_gestionnaire(gestionnaire: Gestionnaire, *, version: int, par: Utilisateur, **champs: Any) -> Gestionnaire:
    exiger(peut(GestePartenaire.MODIFIER, par, gestionnaire))
    if "iban" in champs and not par.tient(*PAYEURS):
        raise PermissionDenied("L’IBAN se modifie par le technicien conseil, le responsable ou l’administrateur.")
    gestionnaire = Gestionnaire.objects.verrouiller(gestionnaire.pk)
    if changes := _modifier(gestionnaire, version, champs):
        if changes.keys() & {"nom", "ville"}:
            _refuser_un_gestionnaire_en_double(gestionnaire)
        consigner(GestePartenaire.MODIFIER, par=par, gestionnaire=gestionnaire, changes=changes)
    return gestionnaire


def verrouiller_les_creations() -> None:
    """Deux envois de la même fiche attendent l’un après l’autre : le second voit le premier."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_xact_lock(%s)", [VERROU_DES_CREATIONS])


@transaction.atomic
def creer_gestionnaire(*, par: Utilisateur, **champs: Any) -> Gestionnaire:
    """Une personne morale nouvelle. Lève ValidationError (SIREN déjà porté), Refus (même nom, même ville)."""
    exiger(peut(GestePartenaire.CREER, par, None))
    gestionnaire = Gestionnaire(**champs)
    gestionnaire.full_clean()
    _refuser_un_gestionnaire_en_double(gestionnaire)
    gestionnaire.save()
    consigner(GestePartenaire.CREER, par=par, gestionnaire=gestionnaire)
    return gestionnaire


@transaction.atomic
def regler_le_territoire(
    structure: Structure, *, communes: Iterable[Commune], quartiers: Iterable[QuartierPrioritaire], par: Utilisateur
) -> Structure:
    """Les communes et les quartiers où la structure intervient ; la sienne y est toujours."""
    if not par.tient(*AGENTS_DES_FICHES):
        raise PermissionDenied("Le territoire d’intervention se règle avec la Caf.")
    structure = Structure.objects.verrouiller(structure.pk)
    structure.communes_intervention.set({structure.commune, *communes})
    structure.quartiers_prioritaires.set(quartiers)
    noms = ", ".join(c.nom for c in structure.communes_intervention.all())
    consigner(GestePartenaire.MODIFIER, par=par, structure=structure, communes=noms)
    return structure


@transaction.atomic
def fermer_structure(structure: Structure, *, le: date, motif: str, par: Utilisateur) -> Structure:
    """La structure cesse à cette date : elle quitte les listes, son histoire reste. Lève Refus sans raison."""
    if not par.tient(Role.RESPONSABLE, Role.ADMINISTRATEUR):
        raise PermissionDenied("Une structure se ferme par le responsable ou l’administrateur fonctionnel.")
    structure = Structure.objects.verrouiller(structure.pk)
    if not motif.strip():
        raise Refus("Dites pourquoi la structure ferme.")
    if le > timezone.localdate():
        raise Refus("La fermeture se constate : choisissez aujourd’hui ou un jour passé.")
    if structure.fermee_le is not None:
        raise Refus("Cette structure est déjà fermée.")
    structure.fermee_le = le
    structure.version += 1
    structure.save(update_fields=["fermee_le", "version"])
    consigner(GestePartenaire.MODIFIER, par=par, structure=structure, motif=motif.strip(), le=en_jour(le))
    return structure


@transaction.atomic
def ajouter_contact(structure: Structure, *, par: Utilisateur, **champs: Any) -> Contact:
    exiger(peut(GestePartenaire.MODIFIER, par, structure))
    contact = Contact(structure=structure, **champs)
    contact.full_clean()
    contact.save()
    consigner(GestePartenaire.MODIFIER, par=par, structure=structure, contact=str(contact))
    return contact


@transaction.atomic
def modifier_contact(contact: Contact, *, par: Utilisateur, **champs: Any) -> Contact:
    exiger(peut(GestePartenaire.MODIFIER, par, contact.structure))
    for nom, valeur in champs.items():
        setattr(contact, nom, valeur)
    contact.full_clean()
    contact.save()
    consigner(GestePartenaire.MODIFIER, par=par, structure=contact.structure, contact_modifie=str(contact))
    return contact


@transaction.atomic
def retirer_contact(contact: Contact, *, par: Utilisateur) -> None:
    exiger(peut(GestePartenaire.MODIFIER, par, contact.structure))
    consigner(GestePartenaire.MODIFIER, par=par, structure=contact.structure, contact_retire=str(contact))
    contact.delete()


@transaction.atomic
def recevoir_contact(*, commune: Commune, objet: str, nom: str, courriel: str, message: str) -> DemandeContact:
    """Garde la demande du site public et prévient le chargé de conseil de la commune."""
    aujourd_hui = timezone.localdate()
    agent = charge_de_commune(commune.pk, aujourd_hui) or _responsable(aujourd_hui)
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
    suppleant = suppleants([agent], aujourd_hui).get(agent.pk) if agent else None
    for personne in filter(None, (agent, suppleant)):
        cle = f"contact-{demande.pk}-{personne.pk}"
        prevenir(
            cle=cle,
            destinataire=personne,
            texte=f"{demande.nom} ({commune}) vous écrit depuis le site public : {objet}.",
            lien="/espace/#contacts",
        )
        poster(
            cle=cle,
            destinataire=personne,
            sujet=f"Une demande de contact depuis {commune}",
            gabarit="partenaires/courriels/contact",
            contexte={"prenom": personne.prenom, "commune": commune.nom},
        )
    return demande


def _responsable(le: date) -> Utilisateur | None:
    """À défaut de chargé de conseil, une demande du public arrive au responsable : jamais à personne."""
    tenants = Utilisateur.objects.filter(fonctions__in=Fonction.objects.en_cours(le).filter(role=Role.RESPONSABLE))
    return tenants.filter(is_active=True).order_by("pk").first()


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
