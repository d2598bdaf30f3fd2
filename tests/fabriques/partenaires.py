from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import factory

from comptes.choix import Role
from partenaires.choix import StatutJuridique, TypeStructure
from partenaires.models import AffectationCommune, Commune, Epci, Gestionnaire, Habilitation, Structure
from tests.fabriques.comptes import UtilisateurFactory


class EpciFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Epci
        django_get_or_create = ("siren",)

    siren = "244900015"
    nom = "Angers Loire Métropole"
    nature = "CU"


class CommuneFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Commune
        django_get_or_create = ("code_insee",)

    code_insee = "49007"
    nom = "Angers"
    codes_postaux = factory.LazyFunction(lambda: ["49000", "49100"])
    epci = factory.SubFactory(EpciFactory)
    arrondissement = "Angers"
    population = 159_022
    superficie_km2 = Decimal("44.3")
    classement_frr = "Non classée"
    en_frr = False
    densite = "Grands centres urbains"
    lat = 47.48
    lon = -0.54


class GestionnaireFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Gestionnaire

    nom = factory.Sequence(lambda n: f"Association {n}")
    statut = StatutJuridique.ASSOCIATION


class StructureFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Structure

    nom = factory.Sequence(lambda n: f"Centre social {n}")
    type = TypeStructure.CENTRE_SOCIAL
    gestionnaire = factory.SubFactory(GestionnaireFactory)
    commune = factory.SubFactory(CommuneFactory)
    adresse = "1 rue de l’Exemple"
    code_postal = "49000"


def habiliter(structure: Structure, role: Role, **champs):
    """Une personne habilitée dans la structure, depuis toujours."""
    personne = champs.pop("utilisateur", None) or UtilisateurFactory(**champs)
    Habilitation.objects.create(utilisateur=personne, structure=structure, role=role, debut=date(2020, 1, 1))
    return personne


def affecter(commune: Commune, charge) -> None:
    AffectationCommune.objects.create(commune=commune, agent=charge, debut=date(2020, 1, 1))


def champs_de(structure: Structure, **autres: Any) -> dict[str, Any]:
    """Ce que poste le formulaire d’une fiche de structure laissée telle quelle, ``autres`` à part."""
    return {
        "nom": structure.nom, "type": structure.type, "gestionnaire": structure.gestionnaire_id, "siret": "",
        "adresse": structure.adresse, "code_postal": structure.code_postal, "commune": structure.commune_id,
        "version": structure.version, **autres,
    }  # fmt: skip


def champs_du_gestionnaire(g: Gestionnaire, **autres: Any) -> dict[str, Any]:
    """Ce que poste le formulaire d’un gestionnaire laissé tel quel, ``autres`` à part."""
    return {
        "nom": g.nom,
        "statut": g.statut,
        "siren": "",
        "siret": "",
        "rna": "",
        "iban": g.iban,
        "adresse": "",
        "code_postal": "",
        "ville": "",
        "version": g.version,
    } | autres
