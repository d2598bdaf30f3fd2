"""Après la décision : la convention, les factures, les versements, le bilan, la destination sociale, le prêt."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from aides.actions import restitutions, suites, versements
from aides.choix import Geste, NatureARendre
from aides.droits import gestes_possibles, peut
from aides.forms import (
    AttesterForm,
    BilanForm,
    FactureForm,
    FichierForm,
    LireBilanForm,
    ProrogerForm,
    RenduForm,
    RompreForm,
    VerifierFactureForm,
)
from aides.models import BilanAide, Demande, Facture
from aides.versements import etudier, objet_de, obstacle_a_la_caducite, obstacle_au_solde
from aides.views.commun import demande_visible, page_formulaire
from comptes.acces import ecriture, lecture, lecture_ecriture, ouverte_aux_connectes, reserve_a
from comptes.choix import Role
from comptes.http import Requete
from documents.erreurs import FichierRefuse
from documents.reponses import servir
from financements.droits import LIQUIDATEURS
from financements.models import Paiement
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.vues import refus_en_message, tenter


def decidee(request: Requete, pk: int) -> Demande:
    """Une aide accordée, que la structure a lue. Sinon 404 : il n’y a pas encore d’argent."""
    demande = demande_visible(request, pk)
    if demande.montant_accorde is None or (demande.decision_a_lire and not request.user.est_agent):
        raise Http404
    return demande


@lecture
@ouverte_aux_connectes
def argent(request: Requete, pk: int) -> HttpResponse:
    """Où en est l’argent : convention, factures, versements, bilan, destination ; et le geste qui vient."""
    demande = decidee(request, pk)
    etude, aujourd_hui = etudier(demande), timezone.localdate()
    engagement = suites.engagement(demande)
    sommes = list(demande.sommes_a_rendre.all())
    contexte: dict[str, Any] = {
        "demande": demande,
        "gestes": gestes_possibles(request.user, demande),
        "etude": etude,
        "convention": getattr(demande, "convention", None),
        "factures": list(demande.factures.select_related("depense", "piece__fichier", "verifiee_par")),
        "paiements": list(Paiement.objects.filter(objet=objet_de(demande.pk)).order_by("pk")),
        "natures": dict(Paiement._meta.get_field("nature").flatchoices),
        "bilan": getattr(demande, "bilan", None),
        "attestations": list(demande.attestations.select_related("attestee_par")),
        "engagement": engagement,
        "engagee": engagement is not None and engagement[0] <= aujourd_hui <= engagement[1],
        "rompue": any(s.nature == NatureARendre.DESTINATION for s in sommes),
        "sommes": sommes,
        "pret": getattr(demande, "pret", None),
        "prorogations": list(demande.prorogations.select_related("par")),
        "taxe": demande.version.taxe_de(demande.structure),
        "onglet": "argent",
        "depasse": demande.limite_le is not None and demande.limite_le < aujourd_hui,
        "obstacle_au_solde": obstacle_au_solde(demande, etude),
        "caduque": not obstacle_a_la_caducite(demande, etude, aujourd_hui),
    }
    return render(request, "aides/argent.html", contexte)


@lecture_ecriture
@ouverte_aux_connectes
def signer(request: Requete, pk: int) -> HttpResponse:
    demande = decidee(request, pk)
    exiger(peut(Geste.SIGNER_PRET, request.user, demande))
    if getattr(demande, "convention", None) is None:
        raise Http404
    form = FichierForm(request.POST, request.FILES) if request.method == "POST" else FichierForm()
    if form.is_valid():
        try:
            suites.signer(demande, televerse=form.cleaned_data["fichier"], par=request.user)
        except (FichierRefuse, Refus) as refus:
            form.add_error("fichier", str(refus))
        else:
            messages.success(request, "L’exemplaire signé est déposé.")
            return redirect("aides:argent", demande.pk)
    return page_formulaire(
        request, form, titre="Déposer l’exemplaire signé", bouton="Déposer", fichiers=True,
        retour=_lien(demande), chapeau="Imprimez, signez, numérisez : PDF ou image, 20 Mo au plus.",
    )  # fmt: skip


def _lien(demande: Demande) -> str:
    return reverse("aides:argent", args=[demande.pk])


@lecture
@ouverte_aux_connectes
def exemplaire(request: Requete, pk: int, partie: str) -> HttpResponseBase:
    """L’exemplaire signé par l’une ou l’autre partie."""
    demande = decidee(request, pk)
    convention = getattr(demande, "convention", None)
    fichier = {"partenaire": convention.scan_partenaire, "caf": convention.scan_caf}.get(partie) if convention else None
    if fichier is None:
        raise Http404
    extension = fichier.nom.rsplit(".", 1)[-1]
    return servir(fichier.contenu, f"{demande.numero}-signe-{partie}.{extension}", fichier.type_mime, en_ligne=True)


@lecture_ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE)
def facturer(request: Requete, pk: int) -> HttpResponse:
    demande = decidee(request, pk)
    exiger(peut(Geste.FACTURER, request.user, demande))
    depenses = [
        (d.pk, f"{d.libelle} ({d.fournisseur})" if d.fournisseur else d.libelle) for d in demande.depenses.all()
    ]
    form = FactureForm(*((request.POST, request.FILES) if request.method == "POST" else ()), depenses=depenses)
    if form.is_valid():
        saisie = dict(form.cleaned_data)
        try:
            ok = tenter(
                form,
                lambda: versements.joindre_facture(
                    demande,
                    depense_pk=saisie.pop("depense"),
                    televerse=saisie.pop("fichier"),
                    par=request.user,
                    **saisie,
                ),
            )
        except FichierRefuse as refus:
            form.add_error("fichier", str(refus))
            ok = False
        if ok:
            messages.success(request, "La facture est jointe ; la Caf la vérifie.")
            return redirect("aides:argent", demande.pk)
    return page_formulaire(
        request, form, titre="Joindre une facture", bouton="Joindre", fichiers=True, retour=_lien(demande),
        chapeau="Une facture acquittée par dépense ; elle date d’après la décision.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def verifier_facture(request: Requete, pk: int, facture_pk: int) -> HttpResponse:
    demande = decidee(request, pk)
    facture = get_object_or_404(Facture.objects.select_related("demande", "depense"), demande=demande, pk=facture_pk)
    exiger(peut(Geste.VALIDER_FACTURE, request.user, demande))
    taxe = demande.version.taxe_de(demande.structure)
    entiere = facture.montant_ht if taxe == "HT" else facture.montant_ttc
    form = VerifierFactureForm(request.POST if request.method == "POST" else None, initial={"retenu": entiere})
    if form.is_valid() and tenter(
        form, lambda: versements.verifier_facture(facture, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La facture est vérifiée.")
        return redirect("aides:argent", demande.pk)
    retenu = facture.depense.retenu
    prevue = retenu if retenu is not None else facture.depense.compte(taxe)
    return page_formulaire(
        request, form, titre="Vérifier une facture", bouton="Retenir ce montant", retour=_lien(demande),
        chapeau=f"Facture {facture.numero}, {facture.depense}. Montants comptés {taxe}.",
        suite={"Facturé": entiere, "Dépense retenue": prevue},
    )  # fmt: skip


@ecriture
@reserve_a(*LIQUIDATEURS)
def verser(request: Requete, pk: int, nature: str) -> HttpResponse:
    demande = decidee(request, pk)
    exiger(peut(Geste.VERSER, request.user, demande))
    with refus_en_message(request):
        versements.proposer(demande, nature=nature, par=request.user)
        messages.success(request, "Le versement est proposé : il se valide dans les paiements.")
    return redirect("aides:argent", demande.pk)


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def proroger(request: Requete, pk: int) -> HttpResponse:
    demande = decidee(request, pk)
    exiger(peut(Geste.PROROGER, request.user, demande))
    form = ProrogerForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: suites.proroger(demande, par=request.user, **form.cleaned_data)):
        messages.success(request, "Le délai est repoussé ; le courrier part.")
        return redirect("aides:argent", demande.pk)
    return page_formulaire(
        request, form, titre="Proroger le délai", bouton="Proroger", retour=_lien(demande), chapeau=demande.intitule
    )


@lecture_ecriture
@ouverte_aux_connectes
def bilan(request: Requete, pk: int) -> HttpResponse:
    """La structure rend son bilan ; la Caf le lit, l’accepte, ou dit ce qui est à reprendre."""
    demande = decidee(request, pk)
    attendu = getattr(demande, "bilan", None)
    if attendu is None:
        raise Http404
    if request.user.est_agent:
        return _lire_bilan(request, demande, attendu)
    form = None
    if attendu.attendu and peut(Geste.RENDRE_BILAN, request.user, demande):
        form = _formulaire_de_bilan(request, attendu)
        if form.is_valid():
            saisie = form.cleaned_data
            try:
                ok = tenter(form, lambda: suites.rendre_bilan(demande, par=request.user, **saisie))
            except VersionPerimee as erreur:
                form.add_error(None, f"{erreur} Relisez, puis envoyez de nouveau.")
                ok = False
            if ok:
                messages.success(request, "Votre bilan est rendu. Merci.")
                return redirect("aides:argent", demande.pk)
    elif request.method == "POST":
        raise PermissionDenied("Ce bilan ne se modifie plus.")
    contexte = {"demande": demande, "bilan": attendu, "form": form, "onglet": "bilan"}
    return render(request, "aides/bilan.html", contexte, status=422 if form is not None and form.is_bound else 200)


def _formulaire_de_bilan(request: Requete, bilan: BilanAide) -> BilanForm:
    initial = {
        "recit": bilan.recit, "depenses": bilan.depenses, "produits": bilan.produits, "version": bilan.version,
    }  # fmt: skip
    return BilanForm(request.POST if request.method == "POST" else None, initial=initial, indicateurs=bilan.indicateurs)


def _lire_bilan(request: Requete, demande: Demande, bilan: BilanAide) -> HttpResponse:
    form = None
    if bilan.etat == "rendu" and peut(Geste.ACCEPTER_BILAN, request.user, demande):
        form = LireBilanForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and tenter(form, lambda: suites.lire_bilan(demande, par=request.user, **form.cleaned_data)):
            messages.success(request, "Votre réponse est enregistrée.")
            return redirect("aides:argent", demande.pk)
    elif request.method == "POST":
        raise PermissionDenied("Ce bilan n’attend pas votre lecture.")
    contexte = {"demande": demande, "bilan": bilan, "form": form, "onglet": "bilan"}
    return render(request, "aides/bilan.html", contexte, status=422 if form is not None and form.is_bound else 200)


@lecture_ecriture
@reserve_a(Role.DIRECTION, Role.REPRESENTANT_LEGAL)
def attester(request: Requete, pk: int, annee: int) -> HttpResponse:
    demande = decidee(request, pk)
    exiger(peut(Geste.ATTESTER_DESTINATION, request.user, demande))
    get_object_or_404(demande.attestations, annee=annee)
    form = AttesterForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(
        form, lambda: suites.attester(demande, annee=annee, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "Votre attestation est enregistrée.")
        return redirect("aides:argent", demande.pk)
    return page_formulaire(
        request, form, titre=f"Attester la destination sociale {annee}", bouton="Attester", retour=_lien(demande),
        chapeau=demande.intitule,
    )  # fmt: skip


@lecture_ecriture
@reserve_a(Role.RESPONSABLE)
def rompre(request: Requete, pk: int) -> HttpResponse:
    demande = decidee(request, pk)
    exiger(peut(Geste.ROMPRE_DESTINATION, request.user, demande))
    form = RompreForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and tenter(form, lambda: suites.rompre(demande, par=request.user, **form.cleaned_data)):
        messages.success(request, "La rupture est constatée ; la somme à rendre est notifiée.")
        return redirect("aides:argent", demande.pk)
    return page_formulaire(
        request, form, titre="Constater la rupture de destination", bouton="Constater et notifier", grave=True,
        retour=_lien(demande), chapeau="La somme à rendre se calcule au prorata du temps restant.",
    )  # fmt: skip


@lecture_ecriture
@reserve_a(*LIQUIDATEURS)
def rendre(request: Requete, pk: int, somme_pk: int) -> HttpResponse:
    """Une somme à rendre est revenue."""
    demande = decidee(request, pk)
    exiger(peut(Geste.ENREGISTRER_RENDU, request.user, demande))
    somme = get_object_or_404(demande.sommes_a_rendre.select_related("demande"), pk=somme_pk)
    form = RenduForm(request.POST if request.method == "POST" else None, initial={"le": timezone.localdate()})
    if form.is_valid() and tenter(
        form, lambda: restitutions.enregistrer_rendu(somme, par=request.user, **form.cleaned_data)
    ):
        messages.success(request, "La somme rendue est enregistrée.")
        return redirect("aides:argent", demande.pk)
    return page_formulaire(
        request, form, titre="Enregistrer la somme rendue", bouton="Enregistrer", retour=_lien(demande),
        chapeau=demande.intitule, suite={"À rendre": somme.montant},
    )  # fmt: skip
