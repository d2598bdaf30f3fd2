"""Les gestes du partenaire : ouvrir, rédiger, joindre, faire viser, déposer, renvoyer, retirer."""

from __future__ import annotations

from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from agrements import annonces
from agrements.actions.franchir import consigner, franchir, ouvrir
from agrements.choix import ETATS_OUVERTS, Etat, Geste, TypeDossier, cible_de_piece
from agrements.contenu import Contenu, chiffres_du_territoire, differences, empreinte
from agrements.models import Dossier, Piece, PieceJointe, Reponse, VersionDossier, VersionRegime, Visa
from agrements.reponses import normaliser
from comptes.choix import Role
from comptes.models import Utilisateur
from documents import actions as documents
from partenaires.interlocuteurs import charge_de
from partenaires.models import Structure, roles_dans_la_structure
from socle.erreurs import Refus, VersionPerimee
from socle.texte import accorde

REPRIS_DU_PRECEDENT = ("presentation", "territoire", "instances", "postes", "locaux_description", "horaires")


class DossierIncomplet(Refus):
    """Il manque des réponses ou des pièces ; ``manques`` les nomme."""

    def __init__(self, manques: list[Any]) -> None:
        super().__init__(f"Il reste {accorde(len(manques), 'chose')} à faire : réponses à remplir ou pièces à joindre.")
        self.manques = manques


@transaction.atomic
def creer(
    structure: Structure,
    *,
    type_dossier: str,
    objets: list[str],
    debut_souhaite: date,
    duree_souhaitee: int,
    par: Utilisateur,
) -> Dossier:
    """Ouvre un dossier sous le régime qui s’appliquera à la date de début ; reprend ce que la Caf sait déjà.

    Ordre : verrou de la structure, dossier, chiffres du territoire figés, réponses reprises du dernier dossier agréé.
    """
    structure = Structure.objects.verrouiller(structure.pk)
    if not roles_dans_la_structure(par, structure.pk) & {Role.DIRECTION, Role.REPRESENTANT_LEGAL}:
        raise PermissionDenied("Seuls la direction et le représentant légal ouvrent un dossier.")
    if (
        type_dossier != TypeDossier.AVENANT
        and structure.dossiers.filter(etat__in=ETATS_OUVERTS).exclude(type=TypeDossier.AVENANT).exists()
    ):
        raise Refus("Un dossier est déjà ouvert pour cette structure : reprenez-le.")
    try:
        regime = VersionRegime.objects.applicable(debut_souhaite)
    except VersionRegime.DoesNotExist as erreur:
        raise Refus("Aucun régime d’agrément n’est publié pour cette date : contactez la Caf.") from erreur
    possibles = regime.referentiel.objets.get(structure.type, ())
    if not objets or not set(objets) <= set(possibles):
        raise ValidationError({"objets": "Choisissez ce que l’agrément doit reconnaître."})
    precedent = structure.dossiers.filter(etat__in=[Etat.AGREE, Etat.AGREE_RESERVES]).order_by("-decide_le").first()
    dossier = Dossier(
        structure=structure,
        type=type_dossier,
        objets=objets,
        regime=regime,
        debut_souhaite=debut_souhaite,
        duree_souhaitee=duree_souhaitee,
        precedent=precedent,
        cree_par=par,
    )
    dossier.full_clean()
    dossier.save()
    maintenant = timezone.now()
    reprises: dict[str, Any] = {"chiffres_territoire": chiffres_du_territoire(structure, timezone.localdate())}
    if precedent is not None and precedent.version_courante is not None:
        anciennes = precedent.version_courante.contenu["reponses"]
        reprises |= {c: anciennes[c] for c in REPRIS_DU_PRECEDENT if anciennes.get(c)}
    connus = Contenu(dossier).champs
    Reponse.objects.bulk_create(
        Reponse(dossier=dossier, champ=code, valeur=valeur, modifie_par=par, modifie_le=maintenant)
        for code, valeur in reprises.items()
        if code in connus
    )
    consigner(dossier, Geste.CREER, par=par, vers=dossier.etat)
    return dossier


class ChampFerme(PermissionDenied):
    """Le champ n’est pas ouvert à la modification dans l’état du dossier."""


def champ_ouvert(contenu: Contenu, code: str) -> bool:
    """En préparation tout est ouvert ; après une demande de compléments, seuls les champs remarqués le sont."""
    if contenu.dossier.etat == Etat.EN_PREPARATION:
        return True
    return contenu.dossier.etat == Etat.INCOMPLET and code in contenu.remarques


@transaction.atomic
def enregistrer_reponse(dossier: Dossier, *, champ: str, saisie: str, version: int, par: Utilisateur) -> Reponse:
    """Garde un champ. ``version`` est celle que la personne avait sous les yeux (0 : jamais rempli).

    Lève ValeurRefusee (phrase), VersionPerimee si un collègue a écrit entre-temps, ChampFerme, PermissionDenied.
    Rien n’est écrit au journal : une frappe n’est pas un geste.
    """
    dossier = ouvrir(dossier, Geste.REDIGER, par=par)
    contenu = Contenu(dossier)
    definition = contenu.champs.get(champ)
    if definition is None:
        raise ChampFerme("Ce champ n’existe pas dans ce dossier.")
    if not champ_ouvert(contenu, champ):
        raise ChampFerme("Ce champ n’est pas à compléter : seuls ceux que la Caf a commentés sont ouverts.")
    valeur = normaliser(definition, saisie)
    reponse = dossier.reponses.select_for_update(of=("self",)).filter(champ=champ).first()
    if reponse is None:
        reponse = Reponse(dossier=dossier, champ=champ, version=0)
    if reponse.valeur == valeur and reponse.version:
        return reponse
    if version != reponse.version:
        raise VersionPerimee("Quelqu’un a modifié ce champ pendant que vous écriviez.")
    reponse.valeur = valeur
    reponse.version += 1
    reponse.modifie_par = par
    reponse.modifie_le = timezone.now()
    reponse.save()
    Dossier.objects.filter(pk=dossier.pk).update(modifie_le=reponse.modifie_le)
    return reponse


@transaction.atomic
def joindre(dossier: Dossier, *, exigence: str, televerse: UploadedFile, par: Utilisateur) -> PieceJointe:
    """Reçoit un fichier, le range au coffre de la structure et le joint. Lève FichierRefuse, ChampFerme."""
    dossier = ouvrir(dossier, Geste.JOINDRE, par=par)
    definition = _exigence_ouverte(dossier, exigence)
    fichier = documents.recevoir(televerse, par=par)
    maintenant = timezone.now()
    limite = timezone.localdate() + relativedelta(months=definition.validite_mois) if definition.validite_mois else None
    extension = fichier.nom.rsplit(".", 1)[-1].lower()
    piece = Piece.objects.create(
        structure=dossier.structure,
        nature=exigence,
        nom_classe=f"{dossier.numero}_{exigence}_{maintenant:%Y%m%d-%H%M%S}.{extension}",
        fichier=fichier,
        valable_jusqu_au=limite,
        deposee_par=par,
        deposee_le=maintenant,
    )
    return _joindre(dossier, exigence, piece, par)


@transaction.atomic
def joindre_du_coffre(dossier: Dossier, *, exigence: str, piece_pk: int, par: Utilisateur) -> PieceJointe:
    """Joint une pièce déjà déposée et encore valable. Lève Refus si elle ne l’est plus."""
    dossier = ouvrir(dossier, Geste.JOINDRE, par=par)
    _exigence_ouverte(dossier, exigence)
    piece = Piece.objects.du_coffre(dossier.structure_id, timezone.localdate()).filter(pk=piece_pk).first()
    if piece is None:
        raise Refus("Cette pièce n’est plus disponible : elle a été retirée, remplacée ou n’est plus valable.")
    return _joindre(dossier, exigence, piece, par)


def _exigence_ouverte(dossier: Dossier, code: str) -> Any:
    contenu = Contenu(dossier)
    definition = next((e for e in contenu.exigences if e.code == code), None)
    if definition is None:
        raise ChampFerme("Cette pièce n’est pas demandée pour ce dossier.")
    if not champ_ouvert(contenu, cible_de_piece(code)):
        raise ChampFerme("Cette pièce n’est pas à compléter : seules celles que la Caf a commentées sont ouvertes.")
    return definition


def _joindre(dossier: Dossier, exigence: str, piece: Piece, par: Utilisateur) -> PieceJointe:
    jointe, neuve = PieceJointe.objects.get_or_create(
        dossier=dossier,
        exigence=exigence,
        piece=piece,
        defaults={"jointe_par": par, "jointe_le": timezone.now()},
    )
    if neuve:
        consigner(dossier, Geste.JOINDRE, par=par, details={"piece": piece.nom_classe})
    return jointe


@transaction.atomic
def detacher(dossier: Dossier, *, jointe_pk: int, par: Utilisateur) -> None:
    """Retire une pièce du dossier ; elle reste au coffre. Ce qui a été déposé reste dans la version figée."""
    dossier = ouvrir(dossier, Geste.JOINDRE, par=par)
    jointe = dossier.pieces_jointes.select_related("piece").get(pk=jointe_pk)
    _exigence_ouverte(dossier, jointe.exigence)
    consigner(dossier, Geste.JOINDRE, par=par, details={"retiree": jointe.piece.nom_classe})
    jointe.delete()


@transaction.atomic
def demander_visa(dossier: Dossier, *, par: Utilisateur) -> Dossier:
    """Soumet le projet au représentant légal. Lève DossierIncomplet tant qu’il manque quelque chose."""
    dossier = franchir(dossier, Geste.DEMANDER_VISA, par=par)
    if manques := Contenu(dossier).manques():
        raise DossierIncomplet(manques)
    annonces.visa_demande(dossier, par=par)
    return dossier


@transaction.atomic
def reprendre(dossier: Dossier, *, par: Utilisateur) -> Dossier:
    return franchir(dossier, Geste.REPRENDRE, par=par)


@transaction.atomic
def viser(dossier: Dossier, *, par: Utilisateur) -> Dossier:
    dossier = franchir(dossier, Geste.VISER, par=par)
    _ecrire_visa(dossier, par=par, favorable=True)
    annonces.visa_rendu(dossier, par=par, favorable=True)
    return dossier


@transaction.atomic
def refuser_visa(dossier: Dossier, *, par: Utilisateur, motif: str) -> Dossier:
    dossier = franchir(dossier, Geste.REFUSER_VISA, par=par, motif=motif)
    _ecrire_visa(dossier, par=par, favorable=False, motif=motif)
    annonces.visa_rendu(dossier, par=par, favorable=False)
    return dossier


def _ecrire_visa(dossier: Dossier, *, par: Utilisateur, favorable: bool, motif: str = "") -> Visa:
    return Visa.objects.create(
        dossier=dossier,
        favorable=favorable,
        motif=motif,
        empreinte=empreinte(Contenu(dossier).figer()),
        par=par,
        le=timezone.now(),
    )


@transaction.atomic
def deposer(dossier: Dossier, *, par: Utilisateur) -> Dossier:
    """Fige la version 1, désigne le chargé de conseil du territoire, demande l’accusé de réception.

    Refuse si le projet a changé depuis le visa (l’empreinte visée fait foi) ou s’il est incomplet.
    """
    dossier = Dossier.objects.verrouiller(dossier.pk)
    contenu = Contenu(dossier)
    version = _figer(dossier, contenu, par=par)
    charge = charge_de(dossier.structure, timezone.localdate())
    dossier = franchir(
        dossier,
        Geste.DEPOSER,
        par=par,
        version_courante=version,
        depose_le=version.deposee_le,
        charge=charge,
        echeance_le=timezone.localdate() + relativedelta(days=dossier.regime.referentiel.delais["instruction_jours"]),
        details={"version": version.numero, "empreinte": version.empreinte},
    )
    visa = dossier.visas.first()
    if visa is None or not visa.favorable or visa.empreinte != version.empreinte:
        raise Refus("Le projet a changé depuis le visa : demandez un nouveau visa au représentant légal.")
    if manques := contenu.manques():
        raise DossierIncomplet(manques)
    annonces.dossier_depose(dossier, version, par=par)
    return dossier


@transaction.atomic
def renvoyer(dossier: Dossier, *, par: Utilisateur) -> Dossier:
    """Renvoie les compléments : nouvelle version figée, résumé des changements, demande close."""
    dossier = Dossier.objects.verrouiller(dossier.pk)
    contenu = Contenu(dossier)
    demande = contenu.demande_ouverte
    avant = contenu.deposees or {}
    version = _figer(dossier, contenu, par=par)
    dossier = franchir(
        dossier,
        Geste.RENVOYER,
        par=par,
        version_courante=version,
        echeance_le=timezone.localdate() + relativedelta(days=dossier.regime.referentiel.delais["instruction_jours"]),
        details={"version": version.numero, "empreinte": version.empreinte},
    )
    if manques := contenu.manques():
        raise DossierIncomplet(manques)
    if demande is None:
        raise Refus("Aucune demande de compléments n’attend de réponse.")
    changes = differences(contenu.sections, avant, contenu.reponses)
    demande.resume = [{"champ": d.champ, "libelle": d.libelle} for d in changes]
    demande.repondue_le = version.deposee_le
    demande.save(update_fields=["resume", "repondue_le"])
    annonces.complements_renvoyes(dossier, version, par=par)
    return dossier


def _figer(dossier: Dossier, contenu: Contenu, *, par: Utilisateur) -> VersionDossier:
    fige = contenu.figer()
    return VersionDossier.objects.create(
        dossier=dossier,
        numero=dossier.versions.count() + 1,
        contenu=fige,
        empreinte=empreinte(fige),
        deposee_par=par,
        deposee_le=timezone.now(),
    )


@transaction.atomic
def retirer(dossier: Dossier, *, par: Utilisateur, motif: str) -> Dossier:
    dossier = franchir(dossier, Geste.RETIRER, par=par, motif=motif, echeance_le=None)
    annonces.dossier_retire(dossier, par=par)
    return dossier


@transaction.atomic
def lire_notification(dossier: Dossier, *, par: Utilisateur) -> None:
    """Date la première lecture de la décision par le partenaire ; les suivantes ne changent rien."""
    dossier = ouvrir(dossier, Geste.LIRE_NOTIFICATION, par=par)
    decision = dossier.decisions.select_for_update(of=("self",)).first()
    if decision is None or decision.lue_le is not None:
        return
    decision.lue_le = timezone.now()
    decision.lue_par = par
    decision.save(update_fields=["lue_le", "lue_par"])
    consigner(dossier, Geste.LIRE_NOTIFICATION, par=par)
