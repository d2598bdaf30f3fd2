"""Les gestes de la structure : ouvrir, copier, remplir, joindre, faire viser, déposer, renvoyer, retirer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from agrements.actions.redaction import ChampFerme
from agrements.models import Piece
from agrements.referentiel import ExigencePiece
from agrements.reponses import normaliser
from aides import actes, annonces
from aides.actions.franchir import consigner, franchir, ouvrir
from aides.choix import Etat, Geste
from aides.contenu import ContenuDemande, Manque, empreinte
from aides.droits import peut_ouvrir
from aides.models import (
    Demande,
    Depense,
    Financement,
    PieceDemande,
    ReponseAide,
    VersionDemande,
    VersionDispositif,
)
from comptes.models import Utilisateur
from documents import actions as documents
from partenaires.interlocuteurs import charge_de
from partenaires.models import Structure
from socle.droits import exiger
from socle.erreurs import Refus, VersionPerimee
from socle.texte import accorde, epurer

LIGNES_MAX = 60
INSTRUCTION_JOURS = 60  # délai indicatif, à confirmer par la Caf


class DemandeIncomplete(Refus):
    """Il manque des réponses, des lignes ou des pièces ; ``manques`` les nomme."""

    def __init__(self, manques: list[Manque]) -> None:
        super().__init__(f"Il reste {accorde(len(manques), 'chose')} à faire avant de continuer.")
        self.manques = manques


@transaction.atomic
def creer(
    structure: Structure, version: VersionDispositif, *, exercice: int, intitule: str, par: Utilisateur,
    copie_de: Demande | None = None,
) -> Demande:  # fmt: skip
    """Ouvre une demande sous la version du dispositif en vigueur ; reprend, si on le veut, une demande passée.

    Lève Refus si le dispositif n’est pas ouvert à cette structure, ValidationError si l’exercice n’est pas le sien.
    """
    structure = Structure.objects.verrouiller(structure.pk)
    exiger(peut_ouvrir(par, structure))
    le = timezone.localdate()
    if not VersionDispositif.objects.ouvertes_a(structure, le).filter(pk=version.pk).exists():
        raise Refus("Ce dispositif ne reçoit pas de demande de votre structure aujourd’hui.")
    if not version.exercice_du <= exercice <= version.exercice_au:
        raise ValidationError({"exercice": f"Ce dispositif vaut de {version.exercice_du} à {version.exercice_au}."})
    if version.une_par_exercice and (deja := _deja_demandee(structure, version, exercice)):
        raise Refus(f"Vous avez déjà demandé cette aide en {exercice} : « {deja.intitule} ».")
    if copie_de is not None and copie_de.structure_id != structure.pk:
        raise Refus("On ne copie que ses propres demandes.")
    demande = Demande(
        structure=structure,
        version=version,
        exercice=exercice,
        intitule=" ".join(epurer(intitule).split()),
        precedente=copie_de,
        cree_par=par,
    )
    demande.full_clean()
    demande.save()
    if copie_de is not None:
        _copier(copie_de, demande, par)
    consigner(demande, Geste.CREER, par=par, vers=demande.etat)
    return demande


def _deja_demandee(structure: Structure, version: VersionDispositif, exercice: int) -> Demande | None:
    """Une demande refusée, irrecevable ou retirée n’en empêche pas une autre."""
    siennes = Demande.objects.filter(structure=structure, version__dispositif=version.dispositif_id, exercice=exercice)
    return siennes.exclude(etat__in=[Etat.REFUSEE, Etat.IRRECEVABLE, Etat.RETIREE]).first()


NON_REPRIS = ("debut", "fin", "etapes", "deja_commence", "demarrage_anticipe")


def _copier(de: Demande, vers: Demande, par: Utilisateur) -> None:
    """Reprend les textes, les dépenses et le plan ; jamais les dates, les devis ni les pièces, qui ont vieilli."""
    connus = {champ.code for section in vers.version.sections for champ in section.champs}
    maintenant = timezone.now()
    ReponseAide.objects.bulk_create(
        ReponseAide(demande=vers, champ=r.champ, valeur=r.valeur, modifie_par=par, modifie_le=maintenant)
        for r in de.reponses.all()
        if r.champ in connus and r.champ not in NON_REPRIS
    )
    if vers.version.avec_depenses:
        Depense.objects.bulk_create(
            Depense(
                demande=vers, libelle=d.libelle, fournisseur=d.fournisseur, montant_ht=d.montant_ht,
                montant_ttc=d.montant_ttc,
            )
            for d in de.depenses.all()
        )  # fmt: skip
    if vers.version.avec_plan:
        Financement.objects.bulk_create(
            Financement(demande=vers, nature=f.nature, financeur=f.financeur, montant=f.montant)
            for f in de.financements.all()
        )


def _ouvrir_partie(demande: Demande, partie: str, par: Utilisateur, geste: str = Geste.REDIGER) -> Demande:
    demande = ouvrir(demande, geste, par=par)
    if not ContenuDemande(demande).ouverte(partie):
        raise ChampFerme("Cette partie n’est pas à reprendre : seules celles que la Caf a nommées sont ouvertes.")
    return demande


@transaction.atomic
def enregistrer_reponse(demande: Demande, *, champ: str, saisie: str, version: int, par: Utilisateur) -> ReponseAide:
    """Garde un champ. ``version`` est celle que la personne avait sous les yeux (0 : jamais rempli).

    Lève ValeurRefusee (phrase), VersionPerimee si un collègue a écrit entre-temps, ChampFerme, PermissionDenied.
    """
    demande = ouvrir(demande, Geste.REDIGER, par=par)
    contenu = ContenuDemande(demande)
    definition = contenu.champs.get(champ)
    section = next((s for s in contenu.sections if champ in {c.code for c in s.champs}), None)
    if definition is None or section is None:
        raise ChampFerme("Ce champ n’existe pas dans cette demande.")
    if not contenu.ouverte(section.code):
        raise ChampFerme("Ce champ n’est pas à reprendre : seules les parties que la Caf a nommées sont ouvertes.")
    valeur = normaliser(definition, saisie)
    reponse = demande.reponses.select_for_update(of=("self",)).filter(champ=champ).first()
    if reponse is None:
        reponse = ReponseAide(demande=demande, champ=champ, version=0)
    if reponse.valeur == valeur and reponse.version:
        return reponse
    if version != reponse.version:
        raise VersionPerimee("Quelqu’un a modifié ce champ pendant que vous écriviez.")
    reponse.valeur, reponse.version = valeur, reponse.version + 1
    reponse.modifie_par, reponse.modifie_le = par, timezone.now()
    reponse.save()
    _toucher(demande)
    return reponse


def _toucher(demande: Demande) -> None:
    Demande.objects.filter(pk=demande.pk).update(modifie_le=timezone.now())


@transaction.atomic
def ecrire_depense(demande: Demande, *, par: Utilisateur, depense_pk: int | None = None, **champs: Any) -> Depense:
    """Ajoute ou corrige une dépense. Lève ValidationError, Refus au-delà de soixante lignes."""
    demande = _ouvrir_partie(demande, "depenses", par)
    if depense_pk is None:
        if demande.depenses.count() >= LIGNES_MAX:
            raise Refus(f"{LIGNES_MAX} dépenses au plus : regroupez les plus petites.")
        depense = Depense(demande=demande)
    else:
        depense = demande.depenses.select_for_update(of=("self",)).get(pk=depense_pk)
    for nom, valeur in champs.items():
        setattr(depense, nom, valeur)
    depense.retenu, depense.motif_retenu = None, ""
    depense.full_clean()
    depense.save()
    _toucher(demande)
    return depense


@transaction.atomic
def retirer_depense(demande: Demande, *, depense_pk: int, par: Utilisateur) -> None:
    demande = _ouvrir_partie(demande, "depenses", par)
    demande.depenses.filter(pk=depense_pk).delete()
    _toucher(demande)


@transaction.atomic
def joindre_devis(demande: Demande, *, depense_pk: int, televerse: UploadedFile, par: Utilisateur) -> Depense:
    """Le devis va au coffre de la structure, et à cette dépense. Lève FichierRefuse."""
    demande = _ouvrir_partie(demande, "depenses", par, Geste.JOINDRE)
    depense = demande.depenses.select_for_update(of=("self",)).get(pk=depense_pk)
    depense.devis = ranger(demande, "devis", televerse, par)
    depense.save(update_fields=["devis"])
    details = {"piece": depense.devis.nom_classe, "libelle": f"devis, {depense.libelle}"}
    consigner(demande, Geste.JOINDRE, par=par, details=details)
    return depense


def ranger(
    demande: Demande, nature: str, televerse: UploadedFile, par: Utilisateur, *, validite_mois: int = 0
) -> Piece:
    """Reçoit un fichier et le range au coffre, nommé par la machine. Lève FichierRefuse."""
    fichier = documents.recevoir(televerse, par=par)
    maintenant = timezone.now()
    extension = fichier.nom.rsplit(".", 1)[-1].lower()
    return Piece.objects.create(
        structure=demande.structure,
        nature=nature,
        nom_classe=f"{demande.numero}_{nature}_{maintenant:%Y%m%d-%H%M%S-%f}.{extension}",
        fichier=fichier,
        valable_jusqu_au=timezone.localdate() + relativedelta(months=validite_mois) if validite_mois else None,
        deposee_par=par,
        deposee_le=maintenant,
    )


@transaction.atomic
def ecrire_financement(
    demande: Demande, *, par: Utilisateur, financement_pk: int | None = None, **champs: Any
) -> Financement:
    demande = _ouvrir_partie(demande, "plan", par)
    if financement_pk is None:
        if demande.financements.count() >= LIGNES_MAX:
            raise Refus(f"{LIGNES_MAX} lignes au plus.")
        financement = Financement(demande=demande)
    else:
        financement = demande.financements.select_for_update(of=("self",)).get(pk=financement_pk)
    for nom, valeur in champs.items():
        setattr(financement, nom, valeur)
    financement.full_clean()
    financement.save()
    _toucher(demande)
    return financement


@transaction.atomic
def retirer_financement(demande: Demande, *, financement_pk: int, par: Utilisateur) -> None:
    demande = _ouvrir_partie(demande, "plan", par)
    demande.financements.filter(pk=financement_pk).delete()
    _toucher(demande)


@transaction.atomic
def demander_montant(demande: Demande, *, montant: Decimal, par: Utilisateur) -> Demande:
    demande = _ouvrir_partie(demande, "plan", par)
    demande.montant_demande, demande.modifie_le = montant, timezone.now()
    demande.full_clean()
    demande.save(update_fields=["montant_demande", "modifie_le"])
    return demande


@transaction.atomic
def joindre(demande: Demande, *, exigence: str, televerse: UploadedFile, par: Utilisateur) -> PieceDemande:
    """Reçoit un fichier, le range au coffre de la structure et le joint. Lève FichierRefuse, ChampFerme."""
    demande = _ouvrir_partie(demande, "pieces", par, Geste.JOINDRE)
    definition = _exigence(demande, exigence)
    piece = ranger(demande, exigence, televerse, par, validite_mois=definition.validite_mois)
    return _joindre(demande, definition, piece, par)


@transaction.atomic
def joindre_du_coffre(demande: Demande, *, exigence: str, piece_pk: int, par: Utilisateur) -> PieceDemande:
    demande = _ouvrir_partie(demande, "pieces", par, Geste.JOINDRE)
    definition = _exigence(demande, exigence)
    piece = Piece.objects.du_coffre(demande.structure_id, timezone.localdate()).filter(pk=piece_pk).first()
    if piece is None:
        raise Refus("Cette pièce n’est plus disponible : elle a été retirée, remplacée ou n’est plus valable.")
    return _joindre(demande, definition, piece, par)


def _exigence(demande: Demande, code: str) -> ExigencePiece:
    definition = next((e for e in ContenuDemande(demande).exigences if e.code == code), None)
    if definition is None:
        raise ChampFerme("Cette pièce n’est pas demandée pour cette demande.")
    return definition


def _joindre(demande: Demande, exigence: ExigencePiece, piece: Piece, par: Utilisateur) -> PieceDemande:
    jointe, neuve = PieceDemande.objects.get_or_create(
        demande=demande, exigence=exigence.code, piece=piece, defaults={"jointe_par": par, "jointe_le": timezone.now()}
    )
    if neuve:
        details = {"piece": piece.nom_classe, "libelle": exigence.libelle}
        consigner(demande, Geste.JOINDRE, par=par, details=details)
    return jointe


@transaction.atomic
def detacher(demande: Demande, *, jointe_pk: int, par: Utilisateur) -> None:
    demande = _ouvrir_partie(demande, "pieces", par, Geste.JOINDRE)
    jointe = demande.pieces_jointes.select_related("piece__fichier").get(pk=jointe_pk)
    details = {"retiree": jointe.piece.nom_classe, "libelle": jointe.piece.fichier.nom}
    consigner(demande, Geste.JOINDRE, par=par, details=details)
    jointe.delete()


@transaction.atomic
def demander_visa(demande: Demande, *, par: Utilisateur) -> Demande:
    """Soumet la demande au représentant légal. Lève DemandeIncomplete tant qu’il manque quelque chose."""
    demande = franchir(demande, Geste.DEMANDER_VISA, par=par)
    if manques := ContenuDemande(demande).manques:
        raise DemandeIncomplete(manques)
    annonces.visa_demande(demande, par=par)
    return demande


@transaction.atomic
def reprendre(demande: Demande, *, par: Utilisateur) -> Demande:
    return franchir(demande, Geste.REPRENDRE, par=par, visee_par=None, visee_le=None, empreinte_visee="")


@transaction.atomic
def viser(demande: Demande, *, par: Utilisateur) -> Demande:
    demande = Demande.objects.verrouiller(demande.pk)
    vue = empreinte(ContenuDemande(demande).figer())
    demande = franchir(demande, Geste.VISER, par=par, visee_par=par, visee_le=timezone.now(), empreinte_visee=vue)
    annonces.visa_rendu(demande, par=par, favorable=True)
    return demande


@transaction.atomic
def refuser_visa(demande: Demande, *, par: Utilisateur, motif: str) -> Demande:
    demande = franchir(demande, Geste.REFUSER_VISA, par=par, motif=motif)
    annonces.visa_rendu(demande, par=par, favorable=False)
    return demande


def _figer(demande: Demande, contenu: ContenuDemande, par: Utilisateur) -> VersionDemande:
    fige = contenu.figer()
    return VersionDemande.objects.create(
        demande=demande,
        numero=demande.versions.count() + 1,
        contenu=fige,
        empreinte=empreinte(fige),
        deposee_par=par,
        deposee_le=timezone.now(),
    )


@transaction.atomic
def deposer(demande: Demande, *, par: Utilisateur) -> Demande:
    """Fige la demande, désigne le chargé de conseil, demande l’accusé. Refuse si elle a changé depuis le visa.

    L’éligibilité ne bloque pas le dépôt : la Caf la constate, et la structure la voit depuis le début.
    """
    demande = Demande.objects.verrouiller(demande.pk)
    contenu = ContenuDemande(demande)
    version = _figer(demande, contenu, par)
    visee = demande.empreinte_visee
    demande = franchir(
        demande,
        Geste.DEPOSER,
        par=par,
        version_deposee=version,
        depose_le=version.deposee_le,
        charge=charge_de(demande.structure, timezone.localdate()),
        echeance_le=timezone.localdate() + timedelta(days=INSTRUCTION_JOURS),
        details={"version": version.numero, "empreinte": version.empreinte},
    )
    if visee != version.empreinte:
        raise Refus("La demande a changé depuis le visa : demandez un nouveau visa au représentant légal.")
    if contenu.manques:
        raise DemandeIncomplete(contenu.manques)
    actes.accuse(demande, version)
    annonces.deposee(demande, version.numero, par=par)
    return demande


@transaction.atomic
def renvoyer(demande: Demande, *, par: Utilisateur) -> Demande:
    """Renvoie les compléments : nouvelle version figée, demande de compléments close."""
    demande = Demande.objects.verrouiller(demande.pk)
    contenu = ContenuDemande(demande)
    version = _figer(demande, contenu, par)
    demande = franchir(
        demande,
        Geste.RENVOYER,
        par=par,
        version_deposee=version,
        echeance_le=timezone.localdate() + timedelta(days=INSTRUCTION_JOURS),
        details={"version": version.numero, "empreinte": version.empreinte},
    )
    if contenu.manques:
        raise DemandeIncomplete(contenu.manques)
    if contenu.complements is None:
        raise Refus("Aucune demande de compléments n’attend de réponse.")
    contenu.complements.repondue_le = version.deposee_le
    contenu.complements.save(update_fields=["repondue_le"])
    actes.accuse(demande, version)
    annonces.deposee(demande, version.numero, par=par)
    return demande


@transaction.atomic
def retirer(demande: Demande, *, par: Utilisateur, motif: str) -> Demande:
    return franchir(demande, Geste.RETIRER, par=par, motif=motif, echeance_le=None)
