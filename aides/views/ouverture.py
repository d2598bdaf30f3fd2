"""Ouvrir une demande d’aide : neuve, ou reprise d’une demande passée."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from aides.actions import redaction
from aides.constats import Cas, constater
from aides.droits import peut_ouvrir
from aides.forms import NouvelleDemandeForm
from aides.models import Demande, VersionDispositif
from aides.views.commun import demande_visible
from comptes.acces import lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from socle.droits import exiger
from socle.erreurs import Refus
from socle.texte import entier
from socle.vues import refuser

DIRIGENT = (Role.DIRECTION, Role.REPRESENTANT_LEGAL)


@lecture_ecriture
@reserve_a(*DIRIGENT)
def creer(request: Requete, version_pk: int) -> HttpResponse:
    """Ce que le dispositif donne, si l’on y a droit aujourd’hui, condition par condition ; puis un nom, et c’est
    ouvert.
    """
    copie_pk = entier(request.GET.get("copie", ""))
    siennes = Demande.objects.visibles_par(request.user).select_related("structure__gestionnaire")
    copie = siennes.filter(pk=copie_pk).first() if copie_pk else None
    structure = copie.structure if copie else request.structure  # qui dirige trois structures copie dans la bonne
    if not structure:
        raise PermissionDenied("Vous n’êtes habilité dans aucune structure aujourd’hui.")
    le = timezone.localdate()
    ouvertes = VersionDispositif.objects.ouvertes_a(structure, le).select_related("dispositif")
    version = get_object_or_404(ouvertes, pk=version_pk)
    exiger(peut_ouvrir(request.user, structure))
    initial: dict[str, Any] = {"intitule": copie.intitule if copie else ""}
    form = NouvelleDemandeForm(request.POST if request.method == "POST" else None, version=version, initial=initial)
    if form.is_valid():
        try:
            demande = redaction.creer(structure, version, par=request.user, copie_de=copie, **form.cleaned_data)
        except ValidationError as erreur:
            refuser(form, erreur)
        except Refus as refus:
            form.add_error(None, str(refus))
        else:
            messages.success(request, "Votre demande est ouverte.")
            return redirect(demande)
    cas = Cas(structure, version, max(version.exercice_du, min(le.year, version.exercice_au)), le)
    contexte = {
        "form": form, "version": version, "copie": copie, "structure": structure,
        "regle": version.regle_pour(structure),
        "constats": [c for c in constater(cas) if c.nature not in ("cofinancement", "non_commence")],
    }  # fmt: skip
    return render(request, "aides/partenaire/creer.html", contexte, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*DIRIGENT)
def copier(request: Requete, pk: int) -> HttpResponse:
    """Reprend une demande passée sous la version du dispositif qui vaut aujourd’hui."""
    demande = demande_visible(request, pk)
    courante = (
        VersionDispositif.objects.ouvertes_a(demande.structure, timezone.localdate())
        .filter(dispositif=demande.version.dispositif_id)
        .first()
    )
    if courante is None:
        messages.warning(request, "Ce dispositif ne reçoit pas de demande aujourd’hui.")
        return redirect(demande)
    return redirect(f"{reverse('aides:creer', args=[courante.pk])}?copie={demande.pk}")
