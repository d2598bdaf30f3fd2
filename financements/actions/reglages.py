"""Régler l’argent : prestations, règles de paiement, campagnes. Chaque changement laisse qui, quand, quoi, pourquoi."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from comptes.models import Utilisateur
from financements.choix import EtatBareme, SujetReglage
from financements.droits import peut_regler
from financements.models import Bareme, Campagne, EvenementReglage, Paiement, Prestation, ReglesDePaiement
from financements.reference import creer_les_campagnes
from socle.dates import en_jour
from socle.droits import exiger
from socle.erreurs import Refus

SUJETS: Mapping[type[models.Model], SujetReglage] = {
    Prestation: SujetReglage.PRESTATION,
    ReglesDePaiement: SujetReglage.REGLES,
    Campagne: SujetReglage.CAMPAGNE,
}


def cle_de(objet: models.Model) -> str:
    return str(objet.exercice) if isinstance(objet, ReglesDePaiement) else str(objet.pk)


def _lisible(valeur: Any) -> str:
    if valeur is None or valeur == "":
        return "vide"
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, Decimal):
        return f"{valeur.normalize():f}".replace(".", ",")
    if isinstance(valeur, date):
        return en_jour(valeur)
    if isinstance(valeur, list):
        return ", ".join(_lisible(v) for v in valeur)
    return str(valeur)


def _etat(objet: models.Model, noms: list[str]) -> dict[str, str]:
    champs = {champ.name: champ for champ in objet._meta.fields}
    return {str(champs[nom].verbose_name): _lisible(getattr(objet, nom)) for nom in noms}


def _ecrire(
    objet: models.Model, champs: Mapping[str, Any], *, neuf: bool, motif: str, par: Utilisateur
) -> EvenementReglage | None:
    """Écrit les champs et leur trace ; rien si rien ne change. Lève Refus sans raison, ValidationError."""
    noms = sorted(champs)
    avant = {} if neuf else _etat(objet, noms)
    for nom in noms:
        setattr(objet, nom, champs[nom])
    apres = _etat(objet, noms)
    changes = {nom: [avant.get(nom, ""), apres[nom]] for nom in apres if avant.get(nom) != apres[nom]}
    if not changes:
        return None
    if not motif.strip():
        raise Refus("Dites pourquoi ce réglage change.")
    objet.full_clean()
    objet.save(force_insert=neuf)
    return EvenementReglage.objects.create(
        sujet=SUJETS[type(objet)], cle=cle_de(objet), champs=changes, motif=motif.strip(), par=par, le=timezone.now()
    )


def exercices_regis(regles: ReglesDePaiement) -> tuple[int, int | None]:
    """Du premier exercice que ces règles gouvernent au dernier ; aucun dernier si rien ne les suit."""
    suivantes = ReglesDePaiement.objects.filter(exercice__gt=regles.exercice).order_by("exercice").first()
    return regles.exercice, suivantes.exercice - 1 if suivantes else None


def ont_servi(regles: ReglesDePaiement) -> bool:
    """Un versement a-t-il été proposé sous ces règles ?"""
    premier, dernier = exercices_regis(regles)
    paiements = Paiement.objects.filter(droit__exercice__gte=premier)
    return (paiements if dernier is None else paiements.filter(droit__exercice__lte=dernier)).exists()


def _refuser_si_servi(exercice: int, jusqu_a: int | None) -> None:
    """Des règles neuves ne changent rien à un exercice déjà payé."""
    payes = Paiement.objects.filter(droit__exercice__gte=exercice)
    if jusqu_a is not None:
        payes = payes.filter(droit__exercice__lte=jusqu_a)
    deja = payes.order_by("-droit__exercice").values_list("droit__exercice", flat=True).first()
    if deja is not None:
        raise Refus(f"Des versements existent déjà pour {deja} : fixez les nouvelles règles à partir de {deja + 1}.")


@transaction.atomic
def fixer_les_regles(*, exercice: int, motif: str, par: Utilisateur, **champs: Any) -> ReglesDePaiement:
    """De nouvelles règles de paiement, à partir d’un exercice que rien n’a encore payé. Lève Refus, ValidationError."""
    exiger(peut_regler(par))
    regles = ReglesDePaiement(exercice=exercice)
    _refuser_si_servi(*exercices_regis(regles))
    _ecrire(regles, {**champs, "exercice": exercice}, neuf=True, motif=motif, par=par)
    return regles


@transaction.atomic
def corriger_les_regles(regles: ReglesDePaiement, *, motif: str, par: Utilisateur, **champs: Any) -> ReglesDePaiement:
    """Corrige des règles qui n’ont servi à aucun versement ; les autres se remplacent à partir d’un exercice."""
    exiger(peut_regler(par))
    regles = ReglesDePaiement.objects.select_for_update(of=("self",)).get(pk=regles.pk)
    if ont_servi(regles):
        raise Refus("Ces règles ont déjà servi à des versements : fixez-en de nouvelles à partir d’un autre exercice.")
    _ecrire(regles, champs, neuf=False, motif=motif, par=par)
    return regles


def _verifier_les_baremes(prestation: Prestation) -> None:
    """Une prestation garde les exercices où un barème est publié."""
    hors = Bareme.objects.filter(prestation=prestation.pk, etat=EtatBareme.PUBLIE).exclude(
        exercice__range=(prestation.premier_exercice, prestation.dernier_exercice or 2099)
    )
    if bareme := hors.order_by("exercice").first():
        raise Refus(f"Le {bareme} est publié : la prestation doit exister en {bareme.exercice}.")


def _verifier_la_succession(prestation: Prestation) -> None:
    """Qui a un successeur a une fin, le successeur commence après elle, et la suite ne tourne pas en rond."""
    successeur, vus = prestation.successeur, {prestation.pk}
    if successeur is None:
        return
    if prestation.dernier_exercice is None or successeur.premier_exercice <= prestation.dernier_exercice:
        raise Refus(
            f"La prestation {successeur} prend la suite : son premier exercice ({successeur.premier_exercice}) vient "
            f"après le dernier de {prestation}."
        )
    while successeur is not None:
        if successeur.pk in vus:
            raise Refus("Ces prestations se succèdent en rond.")
        vus.add(successeur.pk)
        successeur = successeur.successeur


@transaction.atomic
def creer_prestation(*, code: str, motif: str, par: Utilisateur, **champs: Any) -> Prestation:
    """Une prestation de plus, pour les exercices à venir ; le code, court, ne changera plus."""
    exiger(peut_regler(par))
    prestation = Prestation(code=code)
    _ecrire(prestation, {**champs, "code": code}, neuf=True, motif=motif, par=par)
    _verifier_la_succession(prestation)
    return prestation


@transaction.atomic
def regler_la_prestation(prestation: Prestation, *, motif: str, par: Utilisateur, **champs: Any) -> Prestation:
    """Change dates, objets ou successeur d’une prestation. Lève Refus si un barème publié en serait exclu."""
    exiger(peut_regler(par))
    prestation = Prestation.objects.select_for_update(of=("self",)).get(pk=prestation.pk)
    _ecrire(prestation, champs, neuf=False, motif=motif, par=par)
    _verifier_les_baremes(prestation)
    _verifier_la_succession(prestation)
    return prestation


@transaction.atomic
def ouvrir_les_campagnes(exercice: int, *, par: Utilisateur) -> int:
    """Les quatre campagnes d’un exercice, aux dates par défaut. Rend le nombre de celles qui manquaient."""
    exiger(peut_regler(par))
    creees = creer_les_campagnes(exercice)
    for campagne in creees:
        EvenementReglage.objects.create(
            sujet=SujetReglage.CAMPAGNE,
            cle=cle_de(campagne),
            champs={"limite": ["", en_jour(campagne.limite)], "ouverture": ["", en_jour(campagne.ouverture)]},
            motif="calendrier par défaut",
            par=par,
            le=timezone.now(),
        )
    return len(creees)


@transaction.atomic
def regler_la_campagne(campagne: Campagne, *, motif: str, par: Utilisateur, **champs: Any) -> Campagne:
    """Change les dates ou les relances d’une campagne ; ni son exercice ni son type, qui font ce qu’elle est."""
    exiger(peut_regler(par))
    campagne = Campagne.objects.select_for_update(of=("self",)).get(pk=campagne.pk)
    _ecrire(campagne, champs, neuf=False, motif=motif, par=par)
    return campagne
