"""Les gestes d’une déclaration : remplir, importer, viser, déposer, corriger, valider."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from financements import annonces
from financements.actions.droits import liquider_declaration
from financements.choix import RANG_DECLARATION, EtatDeclaration, GesteDeclaration
from financements.contenu import Contenu, empreinte, en_json
from financements.cycle import CYCLE_DECLARATION, SAISIE_OUVERTE
from financements.droits import peut, peut_ouvrir
from financements.formulaire import ChampInconnu, Manque, SaisieRefusee, lire, plan
from financements.models import (
    Campagne,
    Declaration,
    EvenementDeclaration,
    RemarqueDeclaration,
    Saisie,
    VersionDeclaration,
    VersionDroit,
)
from partenaires.models import Structure
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.etats import TransitionInterdite, arrivee, trop_tard
from socle.texte import accorde, epurer


class DeclarationIncomplete(Refus):
    """Il manque des cases ; ``manques`` les nomme."""

    def __init__(self, manques: list[Manque]) -> None:
        super().__init__(f"Il reste {accorde(len(manques), 'point')} à compléter ou à corriger.")
        self.manques = manques


class CaseFermee(PermissionDenied):
    """La case n’est pas ouverte à la saisie dans l’état de la déclaration."""


def _consigner(declaration: Declaration, geste: str, *, par: Utilisateur | None, de: str = "", motif: str = "") -> None:
    EvenementDeclaration.objects.create(
        declaration=declaration, geste=geste, de=de, vers=declaration.etat, par=par, le=timezone.now(), motif=motif
    )


def _franchir(declaration: Declaration, geste: str, *, par: Utilisateur, motif: str = "", **champs: Any) -> Declaration:
    """Le seul chemin par lequel une déclaration change d’état : verrou, droit, table, contraintes, journal."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(geste, par, declaration))
    avant = declaration.etat
    try:
        champs["etat"] = arrivee(CYCLE_DECLARATION, geste, avant, motif)
    except TransitionInterdite as erreur:
        raise trop_tard("la déclaration", declaration.get_etat_display()) from erreur
    champs["modifie_le"] = timezone.now()
    for nom, valeur in champs.items():
        setattr(declaration, nom, valeur)
    declaration.full_clean(exclude=["structure", "campagne", "version_courante"])
    declaration.save(update_fields=champs)
    _consigner(declaration, geste, par=par, de=avant, motif=motif)
    return declaration


@transaction.atomic
def ouvrir(campagne: Campagne, structure: Structure, *, par: Utilisateur) -> Declaration:
    """Ouvre la déclaration de la structure, ou rend celle qui est déjà ouverte : deux collègues n’en font qu’une."""
    structure = Structure.objects.verrouiller(structure.pk)
    exiger(peut_ouvrir(par, structure))
    if campagne.ouverture > timezone.localdate():
        raise Refus("Cette campagne n’est pas encore ouverte.")
    declaration, neuve = Declaration.objects.get_or_create(
        campagne=campagne, structure=structure, defaults={"cree_par": par}
    )
    if neuve:
        _consigner(declaration, GesteDeclaration.OUVRIR, par=par)
    return declaration


def _pour_saisir(declaration: Declaration, geste: str, par: Utilisateur) -> Declaration:
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(geste, par, declaration))
    if declaration.etat not in SAISIE_OUVERTE:
        raise trop_tard("la déclaration", declaration.get_etat_display())
    return declaration


@transaction.atomic
def enregistrer(declaration: Declaration, *, champ: str, saisie: str, version: int, par: Utilisateur) -> Saisie:
    """Garde une case. ``version`` : celle que la personne avait sous les yeux (0 : jamais remplie).

    Lève SaisieRefusee, VersionPerimee si un collègue a écrit entre-temps, CaseFermee, PermissionDenied.
    """
    declaration = _pour_saisir(declaration, GesteDeclaration.SAISIR, par)
    try:
        valeur = lire(champ, saisie)
    except ChampInconnu as erreur:
        raise CaseFermee("Cette case n’existe pas dans la déclaration.") from erreur
    if not Contenu(declaration).ouvert(champ):
        raise CaseFermee("Cette case n’est pas à corriger : seules les lignes que la Caf a commentées sont ouvertes.")
    gardee = declaration.saisies.select_for_update(of=("self",)).filter(champ=champ).first()
    if gardee is None:
        gardee = Saisie(declaration=declaration, champ=champ, version=0)
    nombre = valeur if isinstance(valeur, Decimal) else None
    texte = valeur if isinstance(valeur, str) else ""
    if (gardee.nombre, gardee.texte) == (nombre, texte) and gardee.version:
        return gardee
    if version != gardee.version:
        raise VersionPerimee("Quelqu’un a modifié cette case pendant que vous écriviez.")
    gardee.nombre, gardee.texte = nombre, texte
    gardee.version += 1
    gardee.modifie_par, gardee.modifie_le = par, timezone.now()
    gardee.save()
    Declaration.objects.filter(pk=declaration.pk).update(modifie_le=gardee.modifie_le)
    return gardee


@transaction.atomic
def importer(declaration: Declaration, montants: Mapping[str, Decimal], *, par: Utilisateur) -> int:
    """Remplace toutes les cases de comptes par celles de l’import ; activité et explications restent.

    ``montants`` : champ → euros. Lève SaisieRefusee si un montant sort des bornes, CaseFermee hors préparation.
    """
    declaration = _pour_saisir(declaration, GesteDeclaration.IMPORTER, par)
    if declaration.etat != EtatDeclaration.EN_PREPARATION:
        raise CaseFermee("Un import remplace toute la déclaration : corrigez plutôt les lignes commentées par la Caf.")
    de_comptes = {champ for compte in plan().comptes.values() for champ in compte.champs}
    for champ, montant in montants.items():
        if champ not in de_comptes:
            raise CaseFermee(f"La ligne « {champ} » n’existe pas dans la déclaration.")
        if montant < 0:
            raise SaisieRefusee(f"« {champ} » : le total importé est négatif, corrigez la clé de répartition.")
    maintenant = timezone.now()
    existantes = {s.champ: s for s in declaration.saisies.select_for_update(of=("self",))}
    changees = 0
    for champ in sorted(de_comptes):
        nombre = montants.get(champ)
        gardee = existantes.get(champ)
        if gardee is None and nombre is None:
            continue
        gardee = gardee or Saisie(declaration=declaration, champ=champ, version=0)
        if gardee.version and gardee.nombre == nombre:
            continue
        gardee.nombre = nombre
        gardee.version += 1
        gardee.modifie_par, gardee.modifie_le = par, maintenant
        gardee.save()
        changees += 1
    Declaration.objects.filter(pk=declaration.pk).update(modifie_le=maintenant)
    _consigner(
        declaration,
        GesteDeclaration.IMPORTER,
        par=par,
        motif=f"{accorde(changees, 'case', 'remplie')} depuis les comptes",
    )
    return changees


@transaction.atomic
def demander_visa(declaration: Declaration, *, par: Utilisateur) -> Declaration:
    """Fait passer au visa. Lève DeclarationIncomplete avec tout ce qui manque."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(GesteDeclaration.DEMANDER_VISA, par, declaration))
    if manques := Contenu(declaration).manques:
        raise DeclarationIncomplete(manques)
    declaration = _franchir(declaration, GesteDeclaration.DEMANDER_VISA, par=par, motif_refus_visa="")
    annonces.visa_demande(declaration, par=par)
    return declaration


@transaction.atomic
def reprendre(declaration: Declaration, *, par: Utilisateur) -> Declaration:
    return _franchir(
        declaration, GesteDeclaration.REPRENDRE, par=par, visee_par=None, visee_le=None, empreinte_visee=""
    )


@transaction.atomic
def viser(declaration: Declaration, *, par: Utilisateur) -> Declaration:
    """Le oui du représentant légal, sur un contenu précis : son empreinte est gardée."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    contenu = en_json(Contenu(declaration).valeurs)
    declaration = _franchir(
        declaration,
        GesteDeclaration.VISER,
        par=par,
        visee_par=par,
        visee_le=timezone.now(),
        empreinte_visee=empreinte(contenu),
    )
    annonces.visa_rendu(declaration, par=par, favorable=True)
    return declaration


@transaction.atomic
def refuser_visa(declaration: Declaration, *, motif: str, par: Utilisateur) -> Declaration:
    declaration = _franchir(
        declaration, GesteDeclaration.REFUSER_VISA, par=par, motif=motif, motif_refus_visa=epurer(motif)
    )
    annonces.visa_rendu(declaration, par=par, favorable=False)
    return declaration


def _figer(declaration: Declaration, par: Utilisateur) -> VersionDeclaration:
    contenu = en_json(Contenu(declaration).valeurs)
    return VersionDeclaration.objects.create(
        declaration=declaration,
        numero=declaration.versions.count() + 1,
        contenu=contenu,
        empreinte=empreinte(contenu),
        deposee_par=par,
        deposee_le=timezone.now(),
    )


@transaction.atomic
def deposer(declaration: Declaration, *, par: Utilisateur) -> Declaration:
    """Fige la déclaration visée et la transmet. Lève Refus si elle a changé depuis le visa."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(GesteDeclaration.DEPOSER, par, declaration))
    if declaration.etat == EtatDeclaration.VISEE and declaration.empreinte_visee != empreinte(
        en_json(Contenu(declaration).valeurs)
    ):
        raise Refus("La déclaration a changé depuis le visa : demandez un nouveau visa.")
    if declaration.etat != EtatDeclaration.VISEE:
        raise trop_tard("la déclaration", declaration.get_etat_display())
    version = _figer(declaration, par)
    declaration = _franchir(
        declaration, GesteDeclaration.DEPOSER, par=par, version_courante=version, deposee_le=version.deposee_le
    )
    annonces.declaration_deposee(declaration, version, par=par)
    return declaration


def _ligne_connue(ligne: str) -> bool:
    return ligne == "activite" or ligne in plan().comptes


@transaction.atomic
def preparer_remarque(
    declaration: Declaration, *, ligne: str, texte: str, par: Utilisateur
) -> RemarqueDeclaration | None:
    """Écrit, corrige ou retire (texte vide) une remarque pas encore envoyée. La structure ne la voit pas."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(GesteDeclaration.DEMANDER_CORRECTION, par, declaration))
    if declaration.etat != EtatDeclaration.DEPOSEE:
        raise TransitionInterdite("Une remarque se prépare sur une déclaration déposée.")
    if not _ligne_connue(ligne):
        raise Refus("Cette ligne n’existe pas dans la déclaration.")
    texte = epurer(texte).strip()
    ouverte = declaration.remarques.filter(ligne=ligne, levee_le__isnull=True).first()
    if not texte:
        if ouverte is not None:
            ouverte.delete()
        return None
    if ouverte is None:
        ouverte = RemarqueDeclaration(declaration=declaration, ligne=ligne)
    ouverte.texte, ouverte.par = texte, par
    ouverte.full_clean(exclude=["declaration"])
    ouverte.save()
    return ouverte


@transaction.atomic
def demander_correction(declaration: Declaration, *, par: Utilisateur) -> Declaration:
    """Envoie les remarques préparées ; seules leurs lignes s’ouvrent à la structure."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(GesteDeclaration.DEMANDER_CORRECTION, par, declaration))
    remarques = declaration.remarques.filter(levee_le__isnull=True, envoyee_le__isnull=True)
    nombre = remarques.count()
    if not nombre:
        raise Refus("Écrivez au moins une remarque sur une ligne : c’est ce que la structure pourra corriger.")
    remarques.update(envoyee_le=timezone.now())
    declaration = _franchir(
        declaration, GesteDeclaration.DEMANDER_CORRECTION, par=par, motif=f"{accorde(nombre, 'ligne')} à corriger"
    )
    annonces.correction_demandee(declaration)
    return declaration


@transaction.atomic
def renvoyer(declaration: Declaration, *, par: Utilisateur) -> Declaration:
    """Fige les corrections et les renvoie ; les remarques sont levées. Lève DeclarationIncomplete."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(GesteDeclaration.RENVOYER, par, declaration))
    if declaration.etat == EtatDeclaration.A_CORRIGER and (manques := Contenu(declaration).manques):
        raise DeclarationIncomplete(manques)
    version = _figer(declaration, par)
    declaration.remarques.filter(levee_le__isnull=True).update(levee_le=timezone.now())
    declaration = _franchir(
        declaration, GesteDeclaration.RENVOYER, par=par, version_courante=version, deposee_le=version.deposee_le
    )
    annonces.declaration_deposee(declaration, version, par=par)
    return declaration


@transaction.atomic
def valider(declaration: Declaration, *, par: Utilisateur) -> tuple[Declaration, list[VersionDroit]]:
    """Valide et liquide : chaque prestation ouverte a sa nouvelle version de droit, ou rien n’est validé.

    Lève CalculBloque (barème absent, agrément absent), Refus si une déclaration plus tardive est déjà validée.
    """
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(GesteDeclaration.VALIDER, par, declaration))
    if declaration.etat == EtatDeclaration.DEPOSEE and _plus_tardive_validee(declaration):
        raise Refus("Une déclaration plus tardive de cet exercice est déjà validée : celle-ci ne ferait plus le droit.")
    declaration.remarques.filter(envoyee_le__isnull=True).delete()
    declaration = _franchir(declaration, GesteDeclaration.VALIDER, par=par, validee_par=par, validee_le=timezone.now())
    versions = liquider_declaration(declaration, par=par)
    annonces.declaration_validee(declaration, versions)
    return declaration, versions


def _plus_tardive_validee(declaration: Declaration) -> bool:
    validees = Declaration.objects.filter(
        structure=declaration.structure_id,
        campagne__exercice=declaration.campagne.exercice,
        etat=EtatDeclaration.VALIDEE,
    ).values_list("campagne__type", flat=True)
    rang = RANG_DECLARATION[declaration.campagne.type]
    return any(RANG_DECLARATION[type_] > rang for type_ in validees)
