"""La convention : née de l’agrément, signée par le gestionnaire puis par la Caf, modifiée par avenant seulement."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from agrements.models import Agrement
from comptes.choix import Role
from comptes.models import Utilisateur
from documents.actions import recevoir
from documents.reconnaissance import codes_lus
from financements import actes, annonces
from financements.choix import EtatConvention
from financements.droits import suit
from financements.models import Convention, Prestation
from partenaires.models import Structure, roles_dans_la_structure
from socle.droits import exiger
from socle.erreurs import Refus


def _prestations(agrement: Agrement, exercice: int, dernier: int) -> list[str]:
    trouvees: set[str] = set()
    for annee in range(exercice, dernier + 1):
        ouvertes = Prestation.objects.de_l_exercice(annee).filter(objets__contains=[agrement.objet])
        trouvees.update(ouvertes.values_list("pk", flat=True))
    return sorted(trouvees)


def _creer(
    agrement: Agrement, dernier: int, par: Utilisateur, avenant_de: Convention | None = None, objet: str = ""
) -> Convention:
    structure = Structure.objects.select_related("gestionnaire").get(pk=agrement.structure_id)
    exiger(suit(par, structure))
    premier = avenant_de.exercice if avenant_de else agrement.debut.year
    if not agrement.debut.year <= dernier <= agrement.fin.year:
        raise Refus(f"L’agrément va de {agrement.debut.year} à {agrement.fin.year} : choisissez une de ces années.")
    prestations = _prestations(agrement, premier, dernier)
    if not prestations:
        raise Refus("Cet agrément n’ouvre aucune prestation sur ces exercices.")
    convention = Convention(
        structure=structure,
        agrement=agrement,
        prestations=prestations,
        exercice=premier,
        dernier_exercice=dernier,
        avenant_de=avenant_de,
        objet_avenant=objet,
        cree_par=par,
    )
    convention.full_clean()
    convention.save()
    convention.acte = actes.convention(convention)
    convention.save(update_fields=["acte"])
    annonces.convention_a_signer(convention)
    return convention


@transaction.atomic
def creer(agrement: Agrement, *, dernier_exercice: int, par: Utilisateur) -> Convention:
    """La convention d’un agrément ; le PDF se produit aussitôt. Lève Refus, ValidationError (elle existe déjà)."""
    agrement = Agrement.objects.verrouiller(agrement.pk)
    return _creer(agrement, dernier_exercice, par)


@transaction.atomic
def creer_avenant(convention: Convention, *, dernier_exercice: int, objet: str, par: Utilisateur) -> Convention:
    """Un avenant ne se fait que sur une convention signée, et dit ce qu’il change."""
    convention = Convention.objects.verrouiller(convention.pk)
    if convention.etat != EtatConvention.SIGNEE:
        raise Refus("Un avenant suppose une convention signée par les deux parties.")
    racine = convention.avenant_de or convention
    return _creer(convention.agrement, dernier_exercice, par, racine, objet.strip())


class CodeIllisible(Refus):
    """Aucun QR lisible sur ce scan : le code imprimé se recopie."""


def deposer_scan(convention: Convention, *, televerse: UploadedFile, code: str = "", par: Utilisateur) -> Convention:
    """Reçoit l’exemplaire signé, reconnu à son QR ; à défaut, ``code`` est recopié. Le gestionnaire, puis la Caf.

    Lève FichierRefuse, CodeIllisible, Refus (c’est un autre document), PermissionDenied.
    """
    vide_ou_trop_lourd = not 0 < (televerse.size or 0) <= settings.DEPOT_TAILLE_MAX  # sera refusé avec sa phrase
    lus = frozenset() if vide_ou_trop_lourd else codes_lus(televerse)  # type: ignore[arg-type]
    return _recevoir_scan(convention, televerse=televerse, lus=lus, code=code, par=par)


def _verifier_le_code(attendu: str, lus: frozenset[str], code: str) -> None:
    if lus:
        if attendu not in lus:
            raise Refus("Le QR de ce scan est celui d’un autre document : vérifiez le fichier choisi.")
        return
    recopie = code.replace("-", "").replace(" ", "").upper()
    if not recopie:
        raise CodeIllisible("Le QR ne se lit pas sur ce scan : recopiez les douze signes imprimés sous lui.")
    if recopie != attendu:
        raise CodeIllisible("Ce code n’est pas celui de cette convention : vérifiez les douze signes sous le QR.")


@transaction.atomic
def _recevoir_scan(
    convention: Convention, *, televerse: UploadedFile, lus: frozenset[str], code: str, par: Utilisateur
) -> Convention:
    convention = Convention.objects.verrouiller(convention.pk)
    if convention.acte is None or convention.acte.produit_le is None:
        raise Refus("La convention n’est pas encore produite : réessayez dans un instant.")
    _verifier_le_code(convention.acte.code, lus, code)
    if convention.etat == EtatConvention.A_SIGNER:
        if Role.REPRESENTANT_LEGAL not in roles_dans_la_structure(par, convention.structure_id):
            raise PermissionDenied("La convention se signe par le représentant légal.")
        convention.scan_partenaire = recevoir(televerse, par=par)
        convention.signee_partenaire_par, convention.signee_partenaire_le = par, timezone.now()
        convention.etat = EtatConvention.SIGNEE_PARTENAIRE
        annonces.convention_signee_par_le_gestionnaire(convention)
    elif convention.etat == EtatConvention.SIGNEE_PARTENAIRE:
        if not par.tient(Role.RESPONSABLE):
            raise PermissionDenied("La signature de la Caf se dépose par le responsable.")
        convention.scan_caf = recevoir(televerse, par=par)
        convention.signee_par, convention.signee_le = par, timezone.now()
        convention.etat = EtatConvention.SIGNEE
        annonces.convention_signee(convention)
    else:
        raise Refus(f"Cette convention est « {convention.get_etat_display().lower()} ».")
    convention.full_clean()
    convention.save()
    return convention
