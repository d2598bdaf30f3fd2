"""Les séances : le calendrier, l’ordre du jour, et une page où le secrétariat enregistre en série."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from agrements.actions import seances as actions
from agrements.choix import SENS_QUI_AGREENT, Etat, Instance, SensDecision
from agrements.forms import AvisCasForm, DecisionForm, InscrireForm, ModifierSeanceForm, MotifForm, SeanceForm
from agrements.models import Dossier, Passage, Seance
from agrements.points import Point, points, sujets_de
from agrements.points import candidats as autres_candidats
from agrements.views.service import LECTEURS
from comptes.acces import ecriture, lecture, lecture_ecriture, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from socle.dates import dernier_jour, en_duree
from socle.erreurs import Refus
from socle.listes import paginer
from socle.texte import accorde, entier
from socle.vues import refus_en_message, refuser, tenter

# L’instance dont un dossier attend l’ordre du jour.
INSTANCE_ATTENDUE: dict[str, Instance] = {Etat.INSTRUIT: Instance.CAS, Etat.AVIS_CAS: Instance.CA}


@lecture
@reserve_a(*LECTEURS)
def liste(request: Requete) -> HttpResponse:
    passees = request.GET.get("passees") == "1"
    aujourd_hui = timezone.localdate()
    toutes = Seance.objects.all()
    retenues = toutes.filter(tenue_le__lt=aujourd_hui) if passees else toutes.filter(tenue_le__gte=aujourd_hui)
    ordre = "-tenue_le" if passees else "tenue_le"
    page = paginer(request, retenues.annotate(inscrits=Count("passages")).order_by(ordre, "pk"), total=retenues)
    contexte = {"page": page, "passees": passees, "secretariat": request.user.tient(Role.SECRETARIAT)}
    return render(request, "agrements/seances/liste.html", contexte)


@lecture_ecriture
@reserve_a(Role.SECRETARIAT)
def creer(request: Requete) -> HttpResponse:
    form = SeanceForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            seance = actions.ouvrir_seance(par=request.user, **form.cleaned_data)
        except ValidationError as erreur:
            form.add_error(None, erreur)
        else:
            messages.success(request, "La séance est au calendrier : composez l’ordre du jour.")
            return redirect(seance)
    return render(request, "agrements/seances/creer.html", {"form": form}, status=422 if form.is_bound else 200)


def _ne_change_plus(request: Requete, seance: Seance) -> HttpResponse:
    messages.warning(request, "Cette séance ne change plus.")
    return redirect(seance)


@lecture_ecriture
@reserve_a(Role.SECRETARIAT)
def modifier(request: Requete, pk: int) -> HttpResponse:
    seance = get_object_or_404(Seance, pk=pk)
    if seance.finie:
        return _ne_change_plus(request, seance)
    depart = {champ: getattr(seance, champ) for champ in ("tenue_le", "heure", "lieu", "limite_inscription_le")}
    form = ModifierSeanceForm(request.POST if request.method == "POST" else None, initial=depart)
    if form.is_valid() and tenter(
        form, lambda: actions.modifier_seance(seance, par=request.user, **form.cleaned_data), champ="tenue_le"
    ):
        messages.success(request, "La séance est modifiée ; l’échéance de ses dossiers suit.")
        return redirect(seance)
    contexte = {"form": form, "seance": seance}
    return render(request, "agrements/seances/creer.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(Role.SECRETARIAT)
def annuler(request: Requete, pk: int) -> HttpResponse:
    seance = get_object_or_404(Seance.objects.annotate(inscrits=Count("passages")), pk=pk)
    if seance.finie:
        return _ne_change_plus(request, seance)
    form = MotifForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: actions.annuler_seance(seance, par=request.user, motif=form.cleaned_data["motif"])
    ):
        messages.success(request, "La séance est annulée ; ses dossiers sont de nouveau à inscrire.")
        return redirect("agrements:seances")
    contexte = {"form": form, "seance": seance}
    return render(request, "agrements/seances/annuler.html", contexte, status=422 if form.is_bound else 200)


@lecture
@reserve_a(*LECTEURS)
def fiche(request: Requete, pk: int) -> HttpResponse:
    seance = get_object_or_404(Seance, pk=pk)
    return _page(request, seance)


def _page(request: Requete, seance: Seance, *, lie: tuple[int, Any] | None = None, statut: int = 200) -> HttpResponse:
    """L’ordre du jour et, par dossier, le formulaire d’avis ou de décision. ``lie`` : le formulaire refusé."""
    passages = list(
        seance.passages.select_related(
            "dossier__structure__commune", "dossier__structure__gestionnaire", "dossier__charge", "decision__acte"
        ).prefetch_related("dossier__avis__par", "dossier__passages__seance")
    )
    tient = request.user.tient(Role.SECRETARIAT) and not seance.finie
    en_ca = seance.instance == Instance.CA
    tenue = seance.tenue_le <= timezone.localdate()
    sujets = points(passages)
    lignes = []
    for passage in passages:
        if passage.dossier is None:
            lignes.append(_ligne_de_sujet(passage, sujets[passage.pk], ouverte=tient and tenue, lie=lie))
            continue
        fait = hasattr(passage, "decision") if en_ca else bool(passage.avis)
        form = None
        corrigeable = tient and fait and not en_ca and passage.dossier.etat == Etat.AVIS_CAS
        if (tient and tenue and not fait) or corrigeable:
            if lie and lie[0] == passage.pk:
                form = lie[1]
            elif en_ca:
                form = DecisionForm(initial=_periode_preparee(passage.dossier), prefix=f"p{passage.pk}")
            else:
                initial = {"avis": passage.avis, "motivation": passage.motivation}
                form = AvisCasForm(initial=initial, prefix=f"p{passage.pk}")
        avis = next(iter(passage.dossier.avis.all()), None)
        cas = next((p for p in passage.dossier.passages.all() if p.seance.instance == Instance.CAS and p.avis), None)
        lignes.append(
            {
                "passage": passage, "fait": fait, "form": form, "avis": avis, "cas": cas, "point": None,
                "titre": str(passage.dossier.structure), "lien": passage.dossier.get_absolute_url(), "relire": en_ca,
            }
        )  # fmt: skip
    candidats = []
    if tient:
        etat = Etat.AVIS_CAS if en_ca else Etat.INSTRUIT
        candidats = list(
            Dossier.objects.visibles_par(request.user)
            .filter(etat=etat)
            .select_related("structure__commune", "charge")
            .order_by("depose_le")[:100]
        )
    contexte = {
        "seance": seance,
        "lignes": lignes,
        "candidats": candidats,
        "autres": autres_candidats(seance) if tient else [],
        "tient": tient,
        "tenue": tenue,
        "en_ca": en_ca,
        "modifiable": tient and not any(ligne["fait"] for ligne in lignes),
        "restants": len([ligne for ligne in lignes if not ligne["fait"]]),
    }
    return render(request, "agrements/seances/fiche.html", contexte, status=statut)


def _ligne_de_sujet(passage: Passage, point: Point, *, ouverte: bool, lie: tuple[int, Any] | None) -> dict[str, Any]:
    """La même ligne que celle d’un dossier, décrite par l’app dont vient le sujet."""
    fait = passage.saisi_le is not None
    form = None
    if ouverte and not fait:
        form = lie[1] if lie and lie[0] == passage.pk else None
        form = form or sujets_de(passage.sujet).formulaire(passage, point, prefix=f"p{passage.pk}")
    return {
        "passage": passage, "fait": fait, "form": form, "avis": None, "cas": None, "point": point,
        "titre": point.titre, "lien": point.lien, "relire": True,
    }  # fmt: skip


def _periode_preparee(dossier: Dossier) -> dict[str, Any]:
    """Le début demandé et la durée que l’instruction propose ; sur l’avis déjà lu avec la page, sans requête."""
    avis = next(iter(dossier.avis.all()), None)
    duree = (avis.duree_mois if avis else None) or dossier.duree_souhaitee
    return {
        "debut": dossier.debut_souhaite,
        "fin": dernier_jour(dossier.debut_souhaite, duree),
        "reserves": avis.reserves if avis else "",
    }


@ecriture
@reserve_a(Role.SECRETARIAT)
def inscrire(request: Requete, pk: int) -> HttpResponse:
    """Inscrit les dossiers cochés ; dit lesquels n’ont pas pu l’être, et pourquoi."""
    seance = get_object_or_404(Seance, pk=pk)
    choisis = [cle for v in request.POST.getlist("dossiers") if (cle := entier(v)) is not None][:100]
    dossiers = Dossier.objects.visibles_par(request.user).filter(pk__in=choisis).select_related("structure")
    inscrits = 0
    for dossier in dossiers:
        try:
            actions.inscrire(seance, dossier, par=request.user)
        except Refus as refus:
            messages.warning(request, f"{dossier.structure} : {refus}")
        else:
            inscrits += 1
    proposes = {c.sujet: c.libelle for c in autres_candidats(seance)}
    sujets = [sujet for sujet in request.POST.getlist("sujets")[:100] if sujet in proposes]
    for sujet in sujets:
        try:
            actions.inscrire_sujet(seance, sujet, par=request.user)
        except Refus as refus:
            messages.warning(request, f"{proposes[sujet]} : {refus}")
        else:
            inscrits += 1
    if inscrits:
        messages.success(request, f"{accorde(inscrits, 'dossier')} à l’ordre du jour.")
    elif not choisis and not sujets:
        messages.warning(request, "Cochez au moins un dossier à inscrire.")
    return redirect(seance)


def _passage(pk: int, passage_pk: int) -> tuple[Seance, Passage]:
    seance = get_object_or_404(Seance, pk=pk)
    return seance, get_object_or_404(seance.passages.select_related("dossier__structure"), pk=passage_pk)


@ecriture
@reserve_a(Role.SECRETARIAT)
def deplacer(request: Requete, pk: int, passage_pk: int) -> HttpResponse:
    seance, passage = _passage(pk, passage_pk)
    vers = entier(request.POST.get("vers", ""))
    if vers is not None:
        with refus_en_message(request):
            actions.deplacer(passage, vers=vers, par=request.user)
    return redirect(seance)


@lecture_ecriture
@reserve_a(Role.SECRETARIAT)
def desinscrire(request: Requete, pk: int, passage_pk: int) -> HttpResponse:
    seance, passage = _passage(pk, passage_pk)
    form = MotifForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refus_en_message(request):
            actions.desinscrire(passage, par=request.user, motif=form.cleaned_data["motif"])
            messages.success(request, "Le dossier n’est plus à l’ordre du jour.")
        return redirect(seance)
    nom = passage.dossier.structure if passage.dossier else points([passage])[passage.pk].titre
    contexte = {"seance": seance, "nom": nom, "form": form}
    return render(request, "agrements/seances/desinscrire.html", contexte, status=422 if form.is_bound else 200)


@lecture_ecriture
@reserve_a(Role.SECRETARIAT)
def enregistrer(request: Requete, pk: int, passage_pk: int) -> HttpResponse:
    """Enregistre l’avis (CAS) ou la décision (CA) d’un dossier, et revient à la page pour le suivant.

    Une décision se relit avant d’être enregistrée : la lettre part aussitôt, et ne se reprend pas.
    """
    seance, passage = _passage(pk, passage_pk)
    if request.method == "GET":  # une page de refus rechargée
        return redirect(f"{seance.get_absolute_url()}#passage-{passage.pk}")
    if passage.dossier is None:
        return _enregistrer_sujet(request, seance, passage)
    en_ca = seance.instance == Instance.CA
    form = (DecisionForm if en_ca else AvisCasForm)(request.POST, prefix=f"p{passage.pk}")
    if "modifier" in request.POST:
        return _page(request, seance, lie=(passage.pk, form))
    if form.is_valid():
        if en_ca and "confirmer" not in request.POST:
            contexte = {"seance": seance, "passage": passage, "form": form, **_relecture(passage, form.cleaned_data)}
            return render(request, "agrements/seances/relecture.html", contexte)
        try:
            if en_ca:
                actions.decider(passage, par=request.user, **form.cleaned_data)
            elif "corriger" in request.POST:
                actions.corriger_avis_cas(passage, par=request.user, **form.cleaned_data)
            else:
                actions.enregistrer_avis_cas(passage, par=request.user, **form.cleaned_data)
        except ValidationError as erreur:
            refuser(form, erreur)
        except Refus as refus:
            messages.warning(request, str(refus))
            return redirect(seance)
        else:
            messages.success(request, f"{passage.dossier.structure} : c’est enregistré.")
            return redirect(f"{seance.get_absolute_url()}#ordre-du-jour")
    return _page(request, seance, lie=(passage.pk, form), statut=422)


def _enregistrer_sujet(request: Requete, seance: Seance, passage: Passage) -> HttpResponse:
    """Ce qu’une autre app fait passer : relu, puis enregistré par elle dans la transaction de la séance."""
    sorte = sujets_de(passage.sujet)
    form = sorte.formulaire(passage, None, request.POST, prefix=f"p{passage.pk}")
    if "modifier" in request.POST:
        return _page(request, seance, lie=(passage.pk, form))
    if form.is_valid():
        if "confirmer" not in request.POST:
            gabarit, contexte = sorte.relecture(passage, form)
            return render(request, gabarit, {"seance": seance, "passage": passage, "form": form, **contexte})
        try:
            actions.decider_sujet(passage, form.cleaned_data, par=request.user)
        except ValidationError as erreur:
            refuser(form, erreur)
        except Refus as refus:
            form.add_error(None, str(refus))
        else:
            messages.success(request, "La décision est enregistrée ; la lettre part.")
            return redirect(f"{seance.get_absolute_url()}#ordre-du-jour")
    return _page(request, seance, lie=(passage.pk, form), statut=422)


def _relecture(passage: Passage, saisie: dict[str, Any]) -> dict[str, Any]:
    """Ce que la lettre dira, et ce qui s’écarte de ce que l’instruction proposait."""
    assert passage.dossier is not None
    avis = passage.dossier.avis.first()
    duree = en_duree(saisie["debut"], saisie["fin"]) if saisie["debut"] and saisie["fin"] else ""
    proposee = ""
    if avis and avis.duree_mois and saisie["debut"]:
        proposee = en_duree(saisie["debut"], dernier_jour(saisie["debut"], avis.duree_mois))
    sens = SensDecision(saisie["sens"])
    return {
        "sens": sens,
        "agree": sens in SENS_QUI_AGREENT,
        "avis": avis,
        "duree": duree,
        "proposee": proposee if proposee != duree else "",
    }


@lecture_ecriture
@reserve_a(Role.SECRETARIAT)
def inscrire_un_dossier(request: Requete, pk: int) -> HttpResponse:
    """Depuis le dossier : choisir sa séance. La même inscription, sans passer par la page de la séance."""
    dossier = get_object_or_404(Dossier.objects.visibles_par(request.user).select_related("structure"), pk=pk)
    if dossier.etat not in INSTANCE_ATTENDUE:
        messages.warning(request, f"Ce dossier ne s’inscrit pas : il est « {dossier.get_etat_display()} ».")
        return redirect(dossier)
    instance = INSTANCE_ATTENDUE[dossier.etat]
    form = InscrireForm(request.POST if request.method == "POST" else None, instance=instance)
    if form.is_valid():
        seance = form.cleaned_data["seance"]
        if tenter(form, lambda: actions.inscrire(seance, dossier, par=request.user), champ="seance"):
            messages.success(request, f"{dossier.structure} : à l’ordre du jour, {seance}.")
            return redirect(dossier)
    contexte = {"dossier": dossier, "form": form, "instance": Instance(instance).label}
    statut = 422 if form.is_bound else 200
    return render(request, "agrements/seances/inscrire.html", contexte, status=statut)


@ecriture
@reserve_a(Role.SECRETARIAT)
def clore(request: Requete, pk: int) -> HttpResponse:
    seance = get_object_or_404(Seance, pk=pk)
    with refus_en_message(request):
        actions.clore_seance(seance, par=request.user)
        messages.success(request, "La séance est close.")
    return redirect(seance)
