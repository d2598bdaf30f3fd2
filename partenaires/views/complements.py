"""Ce qui complète une fiche : le gestionnaire, les contacts, le territoire, la fermeture."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from comptes.acces import ecriture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from partenaires import actions
from partenaires.choix import GestePartenaire
from partenaires.droits import AGENTS_DES_FICHES, PAYEURS, peut
from partenaires.forms import ContactForm, FermetureDeStructureForm, GestionnaireForm, TerritoireForm
from partenaires.models import Contact, Structure
from socle.droits import exiger
from socle.erreurs import Refus
from socle.vues import refuser


def _visible(request: Requete, pk: int) -> Structure:
    return get_object_or_404(Structure.objects.visibles_par(request.user).select_related("commune"), pk=pk)


def _page(request: Requete, form: Any, titre: str, bouton: str, structure: Structure | None = None) -> HttpResponse:
    contexte = {"form": form, "titre": titre, "bouton": bouton, "structure": structure}
    return render(request, "partenaires/complement.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(*AGENTS_DES_FICHES)
def creer_gestionnaire(request: Requete) -> HttpResponse:
    """Une personne morale nouvelle ; on revient créer la fiche de sa structure."""
    form = GestionnaireForm(
        request.POST if request.method == "POST" else None,
        initial={"version": 1},
        avec_iban=request.user.tient(*PAYEURS),
    )
    if form.is_valid():
        champs = {nom: valeur for nom, valeur in form.cleaned_data.items() if nom != "version"}
        try:
            gestionnaire = actions.creer_gestionnaire(par=request.user, **champs)
        except Refus as refus:
            form.add_error("nom", str(refus))
        except ValidationError as erreur:
            refuser(form, erreur)
        else:
            messages.success(request, f"« {gestionnaire} » est créé : créez maintenant la fiche de sa structure.")
            return redirect("partenaires:creer")
    return _page(request, form, "Créer un gestionnaire", "Créer le gestionnaire")


@lecture_ecriture
@ouverte_aux_connectes
def ajouter_contact(request: Requete, pk: int) -> HttpResponse:
    structure = _visible(request, pk)
    exiger(peut(GestePartenaire.MODIFIER, request.user, structure))
    form = ContactForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        actions.ajouter_contact(structure, par=request.user, **form.cleaned_data)
        messages.success(request, "Le contact est ajouté.")
        return redirect(f"{structure.get_absolute_url()}?onglet=personnes")
    return _page(request, form, "Ajouter un contact", "Ajouter", structure)


@lecture_ecriture
@ouverte_aux_connectes
def modifier_contact(request: Requete, pk: int, contact_pk: int) -> HttpResponse:
    structure = _visible(request, pk)
    exiger(peut(GestePartenaire.MODIFIER, request.user, structure))
    contact = get_object_or_404(Contact, pk=contact_pk, structure=structure)
    form = ContactForm(request.POST if request.method == "POST" else None, instance=contact)
    if form.is_valid():
        actions.modifier_contact(contact, par=request.user, **form.cleaned_data)
        messages.success(request, "Le contact est à jour.")
        return redirect(f"{structure.get_absolute_url()}?onglet=personnes")
    return _page(request, form, "Modifier un contact", "Enregistrer", structure)


@ecriture
@ouverte_aux_connectes
def retirer_contact(request: Requete, pk: int, contact_pk: int) -> HttpResponse:
    structure = _visible(request, pk)
    contact = get_object_or_404(Contact, pk=contact_pk, structure=structure)
    actions.retirer_contact(contact, par=request.user)
    messages.success(request, "Le contact est retiré.")
    return redirect(f"{structure.get_absolute_url()}?onglet=personnes")


@lecture_ecriture
@ouverte_aux_connectes
def territoire(request: Requete, pk: int) -> HttpResponse:
    """Les communes et les quartiers d’intervention, réglés par la Caf."""
    structure = _visible(request, pk)
    if not request.user.tient(*AGENTS_DES_FICHES):
        raise PermissionDenied("Le territoire d’intervention se règle avec la Caf : écrivez à votre interlocuteur.")
    form = TerritoireForm(
        request.POST if request.method == "POST" else None,
        initial={
            "communes": structure.communes_intervention.all(),
            "quartiers": structure.quartiers_prioritaires.all(),
        },
    )
    if form.is_valid():
        actions.regler_le_territoire(structure, par=request.user, **form.cleaned_data)
        messages.success(request, "Le territoire est à jour.")
        return redirect(f"{structure.get_absolute_url()}?onglet=territoire")
    contexte = {"structure": structure, "form": form}
    return render(request, "partenaires/territoire.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@ouverte_aux_connectes
def fermer(request: Requete, pk: int) -> HttpResponse:
    structure = _visible(request, pk)
    if not request.user.tient(Role.RESPONSABLE, Role.ADMINISTRATEUR):
        raise PermissionDenied("Une structure se ferme par le responsable ou l’administrateur fonctionnel.")
    form = FermetureDeStructureForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.fermer_structure(structure, par=request.user, **form.cleaned_data)
        except Refus as refus:
            form.add_error(None, str(refus))
        else:
            messages.success(request, "La structure est fermée : elle quitte les listes, son histoire reste.")
            return redirect(structure)
    return _page(request, form, "Fermer la structure", "Fermer la structure", structure)
