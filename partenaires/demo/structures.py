"""Les structures de démonstration : des noms réels du département, tout le reste plausible et fictif."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q
from django.utils import timezone

from comptes.models import Utilisateur
from partenaires.choix import StatutJuridique, TypeStructure
from partenaires.models import (
    AffectationCommune,
    AffectationGestionnaire,
    Commune,
    Gestionnaire,
    QuartierPrioritaire,
    Structure,
)
from partenaires.referentiels import lire
from partenaires.validateurs import valider_siren
from socle.texte import cle_de_tri

_STATUTS = {
    "association": StatutJuridique.ASSOCIATION,
    "commune": StatutJuridique.COMMUNE,
    "ccas": StatutJuridique.CCAS,
    "cias": StatutJuridique.CIAS,
    "epci": StatutJuridique.EPCI,
}


def semer_structures() -> list[Structure]:
    """Crée les structures de la liste publique (voir ``donnees/README.md``) ; rejouable."""
    structures = []
    for ligne in lire("structures_avs_49"):
        siren = ligne["siret"][:9]
        gestionnaire, _ = Gestionnaire.objects.get_or_create(
            nom=ligne["gestionnaire"] or ligne["nom"],
            defaults={
                "statut": _STATUTS.get(cle_de_tri(ligne["gestion"]), StatutJuridique.ASSOCIATION),
                "siren": siren if _siren_libre(siren) else "",
                "adresse": ligne["adresse"],
                "code_postal": ligne["code_postal"],
                "ville": ligne["commune"],
            },
        )
        commune = Commune.objects.get(pk=ligne["code_insee"])
        structure, neuve = Structure.objects.get_or_create(
            nom=ligne["nom"],
            commune=commune,
            defaults={
                "type": TypeStructure.EVS if "vie sociale" in ligne["type"] else TypeStructure.CENTRE_SOCIAL,
                "gestionnaire": gestionnaire,
                "siret": ligne["siret"] if ligne["siret_cle_ok"] == "oui" else "",
                "adresse": ligne["adresse"],
                "code_postal": ligne["code_postal"] or commune.codes_postaux[0],
                "quartier": ligne["quartier_ou_deleguee"],
                "site_web": ligne["site_web"],
                "premier_agrement_le": _jour(ligne["date_premier_agrement"]),
                "instance_gouvernance": "Conseil d’administration",
                "lat": float(ligne["lat"]) if ligne["lat"] else None,
                "lon": float(ligne["lon"]) if ligne["lon"] else None,
            },
        )
        if neuve:
            _placer(structure, ligne["quartier_ou_deleguee"])
        structures.append(structure)
    return structures


def _jour(texte: str) -> date | None:
    """« 1981-11 » ou « 1981 » : le premier jour de ce qui est connu."""
    if not texte:
        return None
    annee, mois, jour = [*texte.split("-"), "01", "01"][:3]
    return date(int(annee), int(mois), int(jour))


def _siren_libre(siren: str) -> bool:
    if len(siren) != 9 or Gestionnaire.objects.filter(siren=siren).exists():
        return False
    valider_siren(siren)
    return True


def _placer(structure: Structure, quartier: str) -> None:
    """La commune, et ses deux voisines de l’intercommunalité en milieu rural ; les quartiers qui portent le nom."""
    commune = structure.commune
    voisines = [commune]
    if commune.population < 15_000 and commune.epci_id:
        voisines += list(Commune.objects.filter(epci=commune.epci_id).exclude(pk=commune.pk).order_by("nom_tri")[:2])
    structure.communes_intervention.set(voisines)
    mots = [mot for mot in cle_de_tri(f"{quartier} {structure.nom}").split() if len(mot) > 5]
    condition = Q(pk__in=[])
    for mot in mots:
        condition |= Q(nom__icontains=mot)
    structure.quartiers_prioritaires.set(QuartierPrioritaire.objects.filter(condition, commune=commune))


def semer_affectations(charges: list[Utilisateur], techniciens: list[Utilisateur]) -> None:
    """Chaque commune à un secteur (par intercommunalité, Angers à part), chaque gestionnaire à un portefeuille."""
    depuis = timezone.localdate() - timedelta(days=900)
    if not AffectationCommune.objects.exists():
        rangs = {pk: rang for rang, pk in enumerate(sorted({c.epci_id or "" for c in Commune.objects.all()}))}
        AffectationCommune.objects.bulk_create(
            AffectationCommune(
                commune=commune,
                agent=charges[0] if commune.pk == "49007" else charges[1 + rangs[commune.epci_id or ""] % 9],
                debut=depuis,
            )
            for commune in Commune.objects.all()
        )
    if not AffectationGestionnaire.objects.exists():
        AffectationGestionnaire.objects.bulk_create(
            AffectationGestionnaire(gestionnaire=g, agent=techniciens[rang % len(techniciens)], debut=depuis)
            for rang, g in enumerate(Gestionnaire.objects.order_by("pk"))
        )
