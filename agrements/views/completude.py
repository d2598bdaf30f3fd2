"""Le dossier est-il complet ? Ce qui manque, ce qu’on demande, ce qui part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from agrements.actions import instruction
from agrements.choix import VERDICTS_A_MOTIVER, Geste, cible_de_piece
from agrements.contenu import Contenu
from agrements.droits import gestes_possibles, peut, possible
from agrements.forms import DemandeComplementsForm
from agrements.models import DemandeComplements, Dossier
from agrements.views.commun import dossier_visible
from agrements.views.service import INSTRUCTION, LECTEURS
from comptes.acces import lecture_ecriture, reserve_a
from comptes.http import Requete
from socle.droits import exiger
from socle.erreurs import Refus
from socle.vues import refus_en_message


@lecture_ecriture
@reserve_a(*LECTEURS)
def completude(request: Requete, pk: int) -> HttpResponse:
    """Le relevé des pièces et des réponses, puis les deux issues ; l’envoi prépare la demande des pièces absentes."""
    dossier = dossier_visible(request, pk)
    droit = peut(Geste.PREPARER_REMARQUE, request.user, dossier)
    if request.method == "POST":
        exiger(droit)
        with refus_en_message(request):
            ajoutees = instruction.demander_les_pieces(dossier, par=request.user)
            if ajoutees:
                messages.success(request, "Les remarques sur les pièces sont préparées ; relisez-les avant d’envoyer.")
        return redirect("agrements:complements", dossier.pk)
    contenu = Contenu(dossier)
    pieces = contenu.releve_des_pieces(timezone.localdate())
    contexte = {
        "dossier": dossier,
        "pieces": pieces,
        "absentes": [ligne for ligne in pieces if ligne.a_demander],
        "sections": contenu.avancements(),
        "manques": [manque for manque in contenu.manques() if manque.section != "pieces"],
        "demande": contenu.demande_ouverte,
        "gestes": gestes_possibles(request.user, dossier),
        "raison": droit.motif,
        "onglet": "completude",
    }
    return render(request, "agrements/service/completude.html", contexte)


@lecture_ecriture
@reserve_a(*INSTRUCTION)
def complements(request: Requete, pk: int) -> HttpResponse:
    """Chaque remarque ouvre un champ ; l’envoi en fait un courrier. Rien ne part avant « Envoyer »."""
    dossier = dossier_visible(request, pk)
    exiger(peut(Geste.PREPARER_REMARQUE, request.user, dossier))
    envoi = request.method == "POST" and "envoyer" in request.POST
    delai = dossier.regime.referentiel.delais["complements_jours"]
    form = DemandeComplementsForm(
        request.POST if envoi else None, initial={"echeance_le": timezone.localdate() + timedelta(days=delai)}
    )
    if request.method == "POST":
        try:
            _garder_les_remarques(request, dossier)
            if envoi and form.is_valid():
                instruction.demander_complements(dossier, par=request.user, **form.cleaned_data)
                messages.success(request, "La demande de compléments est envoyée ; les champs visés sont rouverts.")
                return redirect(dossier)
        except ValidationError as erreur:
            form.add_error(None, erreur)
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect("agrements:complements", dossier.pk)
        if not envoi:
            messages.success(request, "Vos remarques sont gardées ; rien n’est encore envoyé.")
            return redirect("agrements:complements", dossier.pk)
    contenu = Contenu(dossier)
    gardees = _gardees(contenu.demande_ouverte)
    contexte = {
        "dossier": dossier,
        "form": form,
        "parties": _parties(contenu, gardees),
        "total": len(gardees),
        "possible": possible(Geste.DEMANDER_COMPLEMENTS, request.user, dossier),
        "onglet": "complements",
    }
    return render(request, "agrements/service/complements.html", contexte, status=422 if form.is_bound else 200)


def _gardees(demande: DemandeComplements | None) -> dict[str, str]:
    return {r.cible: r.texte for r in demande.remarques.all()} if demande else {}


def _parties(contenu: Contenu, gardees: dict[str, str]) -> list[dict[str, Any]]:
    """Les sections puis les pièces, chacune avec ses remarques gardées et ce que la grille en dit. Une requête."""
    reponses = contenu.deposees or {}
    criteres = {c.code: c for c in contenu.dossier.regime.referentiel.criteres}
    a_reprendre = contenu.dossier.evaluations.filter(verdict__in=VERDICTS_A_MOTIVER)
    reserves = [(criteres[e.critere], e) for e in a_reprendre if e.critere in criteres]
    parties: list[dict[str, Any]] = [
        {
            "code": section.code,
            "titre": section.titre,
            "cibles": [
                {
                    "nom": f"champ-{champ.code}",
                    "libelle": champ.libelle,
                    "champ": champ,
                    "valeur": reponses.get(champ.code),
                    "texte": gardees.get(champ.code, ""),
                    "ouvrable": champ.nature != "chiffres",
                }
                for champ in section.champs
            ],
            "reserves": [(critere, e) for critere, e in reserves if section.code in critere.sections],
        }
        for section in contenu.sections
    ]
    pieces = contenu.releve_des_pieces(timezone.localdate())
    parties.append(
        {
            "code": "pieces",
            "titre": "Pièces",
            "cibles": [
                {
                    "nom": f"piece-{ligne.exigence.code}",
                    "libelle": ligne.exigence.libelle,
                    "piece": ligne,
                    "texte": gardees.get(cible_de_piece(ligne.exigence.code), ""),
                    "ouvrable": True,
                }
                for ligne in pieces
            ],
            "reserves": [],
        }
    )
    for partie in parties:
        partie["nombre"] = sum(1 for cible in partie["cibles"] if cible["texte"])
    return parties


def _garder_les_remarques(request: Requete, dossier: Dossier) -> None:
    contenu = Contenu(dossier)
    gardees = _gardees(contenu.demande_ouverte)
    cibles = [(f"champ-{c}", c, "") for c in contenu.champs]
    cibles += [(f"piece-{e.code}", "", e.code) for e in contenu.exigences]
    for nom, champ, piece in cibles:
        texte = request.POST.get(nom)
        if texte is None or texte.strip() == gardees.get(champ or cible_de_piece(piece), ""):
            continue
        instruction.preparer_remarque(dossier, texte=texte, champ=champ, piece=piece, par=request.user)
