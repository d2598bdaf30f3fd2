"""Les demandes d’aide à l’ordre du jour des séances : ce que la page montre, demande et enregistre."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from agrements.models import Passage, Seance
from agrements.points import Candidat, Point, cle_de
from aides.actions import decision
from aides.choix import Etat, SensDecision
from aides.forms import DecisionAideForm
from aides.models import DecisionAide, Demande
from comptes.models import Utilisateur
from socle.erreurs import Refus
from socle.montants import ZERO, en_euros

PREFIXE = "aide"


def sujet_de(demande_pk: int) -> str:
    return f"{PREFIXE}-{demande_pk}"


class SujetsAides:
    def candidats(self, seance: Seance) -> list[Candidat]:
        pretes = Demande.objects.filter(etat=Etat.INSTRUITE, version__instance=seance.instance)
        return [
            Candidat(
                sujet_de(d.pk),
                f"{d.structure} ({d.structure.commune}), aide « {d.intitule} », "
                f"{en_euros(d.montant_propose or ZERO)} proposés",
            )
            for d in pretes.select_related("structure__commune").order_by("depose_le")[:100]
        ]

    def inscrire(self, seance: Seance, cle: int, *, par: Utilisateur) -> None:
        decision.inscrire(self._demande(cle), seance, par=par)

    def _demande(self, cle: int) -> Demande:
        demande = Demande.objects.pour_fiche().filter(pk=cle).first()
        if demande is None:
            raise Refus("Cette demande d’aide n’existe pas.")
        return demande

    def retirer(self, cle: int, *, motif: str, par: Utilisateur) -> None:
        decision.desinscrire(self._demande(cle), motif=motif, par=par)

    def reporter(self, cles: list[int], tenue_le: date) -> None:
        Demande.objects.filter(pk__in=cles, etat=Etat.INSCRITE).update(echeance_le=tenue_le)

    def points(self, passages: list[Passage]) -> dict[int, Point]:
        cles = {passage.pk: cle_de(passage.sujet) for passage in passages}
        demandes = Demande.objects.filter(pk__in=cles.values()).pour_fiche().prefetch_related("avis__par")
        par_cle = {d.pk: d for d in demandes}
        decisions = {d.passage_id: d for d in DecisionAide.objects.filter(passage__in=passages).select_related("acte")}
        points = {}
        for passage in passages:
            demande = par_cle[cles[passage.pk]]
            points[passage.pk] = Point(
                titre=f"{demande.structure} : {demande.intitule}",
                sous_titre=f"{demande.numero} · {demande.version} · {demande.structure.commune} · "
                f"suivie par {demande.charge or 'personne'}",
                lien=demande.get_absolute_url(),
                gabarit="aides/seance/_point.html",
                contexte={
                    "demande": demande,
                    "avis": next(iter(demande.avis.all()), None),
                    "decision": decisions.get(passage.pk),
                },
            )
        return points

    def formulaire(self, passage: Passage, point: Point | None, *args: Any, **kwargs: Any) -> forms.Form:
        demande = point.contexte["demande"] if point else self._demande(cle_de(passage.sujet))
        kwargs["initial"] = {"montant": demande.montant_propose or None}
        return DecisionAideForm(*args, **kwargs)

    def relecture(self, passage: Passage, form: forms.Form) -> tuple[str, dict[str, Any]]:
        demande = self._demande(cle_de(passage.sujet))
        saisie = form.cleaned_data
        return "aides/seance/relecture.html", {
            "demande": demande,
            "sens": SensDecision(saisie["sens"]),
            "accorde": saisie["sens"] == SensDecision.ACCORDE,
            "avis": demande.avis.first(),
            "ecart": saisie["sens"] == SensDecision.ACCORDE and saisie["montant"] != demande.montant_propose,
        }

    def decider(self, passage: Passage, saisie: dict[str, Any], *, par: Utilisateur) -> None:
        decision.decider(passage, self._demande(cle_de(passage.sujet)), par=par, **saisie)
