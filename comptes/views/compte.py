"""Les pages du compte : s’identifier, rester connecté, accepter une invitation."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from comptes import actions
from comptes.acces import ecriture, lecture_ecriture, ouverte_aux_connectes, publique
from comptes.forms import IdentiteForm, PremierMotDePasseForm
from comptes.http import Requete


@lecture_ecriture
@ouverte_aux_connectes
def compte(request: Requete) -> HttpResponse:
    personne = request.user
    initial = {"prenom": personne.prenom, "nom": personne.nom, "telephone": personne.telephone}
    form = IdentiteForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        actions.modifier_identite(personne, **form.cleaned_data)
        messages.success(request, "Vos coordonnées sont enregistrées.")
        return redirect("comptes:compte")
    habilitations = personne.habilitations.select_related("structure").order_by("structure__nom_tri", "role")
    contexte = {"form": form, "habilitations": habilitations, "fonctions": personne.fonctions.order_by("debut")}
    return render(request, "comptes/compte.html", contexte, status=422 if form.is_bound else 200)


@ecriture
@ouverte_aux_connectes
def prolonger(request: Requete) -> JsonResponse:
    """La personne est là : la session repart pour sa durée entière."""
    request.session.modified = True
    return JsonResponse({"expire_dans": settings.SESSION_COOKIE_AGE})


@sensitive_post_parameters()
@lecture_ecriture
@never_cache
@publique
def accepter_invitation(request: HttpRequest, jeton: str) -> HttpResponse:
    try:
        personne = actions.lire_invitation(jeton)
    except actions.InvitationPerimee as erreur:
        return render(request, "comptes/invitation_perimee.html", {"motif": str(erreur)}, status=410)
    form = PremierMotDePasseForm(request.POST if request.method == "POST" else None, utilisateur=personne)
    if form.is_valid():
        try:
            actions.accepter_invitation(jeton, mot_de_passe=form.cleaned_data["mot_de_passe"])
        except actions.InvitationPerimee as erreur:
            return render(request, "comptes/invitation_perimee.html", {"motif": str(erreur)}, status=410)
        messages.success(request, "Votre mot de passe est choisi : connectez-vous.")
        return redirect("account_login")
    return render(
        request,
        "comptes/invitation.html",
        {"form": form, "personne": personne},
        status=422 if form.is_bound else 200,
    )
