"""L’agrément après la décision : sa fiche, ses gestes ; et le régime dont il relève, à consulter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from agrements.actes import actes_de_l_agrement
from agrements.actions import agrements as vie
from agrements.choix import GesteAgrement, Objet, TypeDossier
from agrements.cycle import CYCLE_AGREMENT, SUR_PLACE_AGREMENT
from agrements.droits import peut_clore, peut_sur_agrement
from agrements.etapes import journal_d_agrement
from agrements.forms import MotifForm
from agrements.models import Agrement, ProcedureAgrement, VersionRegime
from agrements.views.service import LECTEURS
from comptes.acces import lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from partenaires.choix import StatutJuridique, TypeStructure
from socle.droits import exiger
from socle.erreurs import Refus
from socle.etats import TransitionInterdite, trop_tard

# geste → (action, bouton, réussite, ce que le geste entraîne)
GESTES: dict[str, tuple[Callable[..., Agrement], str, str, str]] = {
    GesteAgrement.SUSPENDRE: (
        vie.suspendre,
        "Suspendre l’agrément",
        "L’agrément est suspendu.",
        "L’agrément n’ouvre plus droit aux prestations de service tant que la suspension n’est pas levée ; sa date de "
        "fin ne change pas.",
    ),
    GesteAgrement.LEVER_SUSPENSION: (
        vie.lever_suspension,
        "Lever la suspension",
        "La suspension est levée.",
        "L’agrément ouvre à nouveau droit aux prestations de service, jusqu’à sa date de fin.",
    ),
    GesteAgrement.RETIRER: (
        vie.retirer,
        "Retirer l’agrément",
        "L’agrément est retiré.",
        "Le retrait est définitif : la structure devra demander un nouvel agrément.",
    ),
}


def agrement_visible(request: Requete, pk: int) -> Agrement:
    visibles = Agrement.objects.visibles_par(request.user)
    return get_object_or_404(
        visibles.select_related(
            "structure__commune", "structure__gestionnaire", "decision__dossier__regime", "decision__dossier__charge"
        ),
        pk=pk,
    )


def _possible(geste: str, request: Requete, agrement: Agrement) -> bool:
    return agrement.etat in CYCLE_AGREMENT[geste].depuis and bool(peut_sur_agrement(geste, request.user, agrement))


def _sur_place(geste: str, request: Requete, agrement: Agrement) -> bool:
    permis = agrement.etat in SUR_PLACE_AGREMENT[geste]
    return permis and bool(peut_sur_agrement(geste, request.user, agrement))


def _gestes_de_procedure(request: Requete, agrement: Agrement, procedure: ProcedureAgrement | None) -> set[str]:
    if procedure is None:
        return set()
    gestes = set()
    if procedure.observations_le is None and _sur_place(GesteAgrement.OBSERVER, request, agrement):
        gestes.add(str(GesteAgrement.OBSERVER))
    if peut_clore(request.user, procedure):
        gestes.add(str(GesteAgrement.CLORE_PROCEDURE))
    return gestes


@lecture
@ouverte_aux_connectes
def fiche(request: Requete, pk: int) -> HttpResponse:
    agrement = agrement_visible(request, pk)
    procedures = list(agrement.procedures.select_related("agrement", "ouverte_par"))
    ouverte = next((p for p in procedures if p.ouverte), None)
    possibles = [nom for nom in GESTES if _possible(nom, request, agrement)]
    obstacle = ""
    if GesteAgrement.RETIRER in possibles and (obstacle := vie.obstacle_au_retrait(ouverte, request.user)):
        possibles.remove(GesteAgrement.RETIRER)
    contexte = {
        "agrement": agrement,
        "gestes": [(nom, GESTES[nom][1]) for nom in possibles],
        "obstacles": [obstacle] if obstacle else [],
        "procedures": procedures,
        "gestes_procedure": _gestes_de_procedure(request, agrement, ouverte),
        "peut_ouvrir": ouverte is None and _sur_place(GesteAgrement.OUVRIR_PROCEDURE, request, agrement),
        "courriers": actes_de_l_agrement(agrement),
        "lignes": journal_d_agrement(agrement.evenements.select_related("par")),
    }
    return render(request, "agrements/agrement.html", contexte)


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def geste(request: Requete, pk: int, nom: str) -> HttpResponse:
    """Une page, ce que le geste entraîne, un motif obligatoire, un bouton ; il prend effet le jour même."""
    if nom not in GESTES:
        raise Http404
    agrement = agrement_visible(request, pk)
    exiger(peut_sur_agrement(nom, request.user, agrement))
    action, libelle, reussite, consequence = GESTES[nom]
    form = MotifForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            action(agrement, par=request.user, motif=form.cleaned_data["motif"])
        except TransitionInterdite:
            return _trop_tard(request, agrement.pk)
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect(agrement)
        messages.success(request, reussite)
        return redirect(agrement)
    if agrement.etat not in CYCLE_AGREMENT[nom].depuis:
        return _trop_tard(request, agrement.pk)
    if nom == GesteAgrement.RETIRER:
        ouverte = agrement.procedures.filter(issue="").select_related("agrement").first()
        if obstacle := vie.obstacle_au_retrait(ouverte, request.user):
            messages.warning(request, obstacle)
            return redirect(agrement)
    contexte = {
        "agrement": agrement, "form": form, "libelle": libelle, "consequence": consequence, "geste": nom,
        "effet_le": timezone.localdate(),
    }  # fmt: skip
    return render(request, "agrements/geste_agrement.html", contexte, status=422 if form.is_bound else 200)


def _trop_tard(request: Requete, pk: int) -> HttpResponse:
    agrement = Agrement.objects.get(pk=pk)
    messages.warning(request, str(trop_tard("l’agrément", agrement.get_etat_display())))
    return redirect(agrement)


NATURES = {
    "texte": "texte court", "riche": "texte mis en forme", "date": "date", "entier": "nombre entier",
    "decimal": "nombre", "oui_non": "oui ou non", "choix": "choix", "lien": "adresse web", "arbre": "arbre du projet",
    "tableau": "tableau", "budget": "budget", "chiffres": "données publiques, reprises par le portail",
}  # fmt: skip
DELAIS = {
    "depot_avant_echeance_mois": ("Dépôt avant la fin de l’agrément en cours", "mois"),
    "complements_jours": ("Réponse à une demande de compléments", "jours"),
    "instruction_jours": ("Instruction", "jours"),
    "recours_mois": ("Recours contre une décision", "mois"),
}
SEUILS = {
    "direction_etp": "Direction",
    "referent_familles_etp": "Référent familles",
}


LIBELLES = {
    **dict(TypeDossier.choices),
    **dict(Objet.choices),
    **dict(StatutJuridique.choices),
    **dict(TypeStructure.choices),
}


def _conditions(*ensembles: Iterable[str]) -> str:
    """« premier agrément ; association » : à qui un champ ou une pièce s’adresse ; vide s’il vaut pour tous."""
    return " ; ".join(", ".join(LIBELLES.get(v, v) for v in sorted(valeurs)) for valeurs in ensembles if valeurs)


@lecture
@reserve_a(*LECTEURS)
def regime(request: Requete, code: str, numero: int) -> HttpResponse:
    """Tout ce qu’un régime publié demande, tel que ses dossiers le suivent."""
    version = get_object_or_404(VersionRegime, code=code, numero=numero, publie_le__isnull=False)
    referentiel = version.referentiel
    contexte: dict[str, Any] = {
        "version": version,
        "referentiel": referentiel,
        "autres": VersionRegime.objects.filter(publie_le__isnull=False).exclude(pk=version.pk),
        "sections": [
            (s, [(c, NATURES[c.nature], _conditions(c.types, c.objets, c.structures)) for c in s.champs])
            for s in referentiel.sections
        ],
        "pieces": [(p, _conditions(p.types, p.statuts, p.structures)) for p in referentiel.pieces],
        "objets": [(LIBELLES.get(s, s), [LIBELLES.get(o, o) for o in noms]) for s, noms in referentiel.objets.items()],
        "delais": [(*DELAIS.get(cle, (cle, "")), valeur) for cle, valeur in referentiel.delais.items()],
        "seuils": [(SEUILS.get(cle, cle), valeur) for cle, valeur in referentiel.seuils.items()],
    }
    return render(request, "agrements/service/regime.html", contexte)
