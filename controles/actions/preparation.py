"""Avant la visite : préparer, autoriser une visite inopinée, notifier, reporter, demander et recevoir des pièces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.text import slugify

from comptes.choix import Role
from comptes.models import Utilisateur
from controles.actes import preparation as actes
from controles.actions.franchir import consigner, ecrire, franchir, ouvrir
from controles.annonces import preparation as annonces
from controles.choix import Geste, Mode
from controles.contenu import declarations_retenues, tirer_la_fiche
from controles.delais import delai_dit, echeance
from controles.models import Controle, PieceDemandee, PieceRemise, PointControle
from documents.actions import recevoir
from socle.dates import en_jour
from socle.erreurs import Refus
from socle.texte import epurer

PIECES_MAX = 60
REMISES_MAX = 20


class ControleIncomplet(Refus):
    """Le contrôle n’est pas prêt à être notifié ; la phrase dit ce qui manque."""


@transaction.atomic
def preparer(
    controle: Controle, *, mode: str, exercices: Sequence[int], objet: str, visite_le: date | None,
    visite_heure: time | None, lieu: str, pieces: Sequence[str], par: Utilisateur,
) -> Controle:  # fmt: skip
    """Fixe l’objet, les exercices, la visite et les pièces à tenir prêtes, et tire la fiche. Rejouable avant l’envoi.

    Lève ValidationError près du champ : trop d’exercices, exercice à venir, visite passée.
    """
    controle = ouvrir(controle, Geste.PREPARER, par=par)
    regles, annee = controle.regles, timezone.localdate().year
    exercices = sorted(set(exercices))
    if not exercices:
        raise ValidationError({"exercices": "Choisissez au moins un exercice."})
    if len(exercices) > regles.exercices_max:
        raise ValidationError({"exercices": f"On contrôle {regles.exercices_max} exercices au plus."})
    declares = declarations_retenues(controle.structure_id, exercices)
    if a_venir := [e for e in exercices if e > annee and e not in declares]:
        raise ValidationError({"exercices": f"{a_venir[0]} est à venir : la structure n’y a encore rien déclaré."})
    if not (objet := epurer(objet).strip()):
        raise ValidationError({"objet": "Dites l’objet du contrôle : la lettre le reprend."})
    if mode == Mode.SUR_PLACE:
        if visite_le is None:
            raise ValidationError({"visite_le": "Une visite sur place a une date."})
        if visite_le < timezone.localdate():
            raise ValidationError({"visite_le": "Cette date est passée."})
    else:
        visite_le, visite_heure, lieu = None, None, ""
    ecrire(
        controle, mode=mode, exercices=exercices, objet=objet, visite_le=visite_le, visite_heure=visite_heure,
        lieu=" ".join(epurer(lieu).split()),
    )  # fmt: skip
    _demander_les_pieces_types(controle, pieces, par)
    _ecrire_la_fiche(controle)
    consigner(controle, Geste.PREPARER, par=par, details={"mode": str(mode)})
    return controle


def _demander_les_pieces_types(controle: Controle, codes: Sequence[str], par: Utilisateur) -> None:
    """Les pièces de la lettre : refaites à chaque préparation, l’envoi les fige."""
    controle.pieces_demandees.all().delete()
    rang = 0
    for piece in controle.regles.pieces_lues:
        if piece.code not in codes:
            continue
        for exercice in controle.exercices if piece.par_exercice else [None]:
            rang += 1
            PieceDemandee.objects.create(
                controle=controle, rang=rang, code=piece.code, libelle=piece.libelle, exercice=exercice,
                demandee_par=par,
            )  # fmt: skip


def _ecrire_la_fiche(controle: Controle) -> None:
    """Retire les points tirés et les retire à nouveau : rien n’y est encore saisi."""
    controle.points.all().delete()
    tires = tirer_la_fiche(controle, controle.regles.points_lus, timezone.localdate())
    PointControle.objects.bulk_create(
        PointControle(
            controle=controle, ordre=rang, code=t.code, theme=t.theme, libelle=t.libelle[:300], regle=t.regle[:300],
            exercice=t.exercice, champ=t.champ, declare=t.declare, unite=t.unite,
        )
        for rang, t in enumerate(tires, 1)
    )  # fmt: skip


@transaction.atomic
def autoriser_inopine(controle: Controle, *, motif: str, par: Utilisateur) -> Controle:
    """Permet une visite sans préavis, avec sa raison : exceptionnelle (domaine E.1) ; la structure n’en sait rien."""
    controle = ouvrir(controle, Geste.AUTORISER_INOPINE, par=par)
    if controle.inopine:
        raise Refus("Une visite inopinée est déjà autorisée.")
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi cette visite n’est pas annoncée."})
    ecrire(controle, inopine_par=par, inopine_le=timezone.now(), inopine_motif=motif, mode=Mode.SUR_PLACE)
    consigner(controle, Geste.AUTORISER_INOPINE, par=par, motif=motif)
    annonces.inopine_autorise(controle)
    return controle


def premier_jour_possible(controle: Controle, le: date) -> date:
    """Le premier jour où la visite peut se tenir si la lettre part ce jour-là : le préavis est entier."""
    return le + timedelta(days=controle.regles.preavis_jours)


def ce_qui_manque(controle: Controle, le: date) -> list[str]:
    """Ce qui empêche d’envoyer la lettre, en phrases."""
    manques = []
    if not controle.exercices or not controle.objet:
        manques.append("préparez le contrôle : objet, exercices et pièces ne sont pas choisis")
    if controle.inopine:
        manques.append("une visite inopinée ne se notifie pas : elle commence sur place")
    if controle.mode == Mode.SUR_PLACE and controle.visite_le and controle.exercices:
        premier = premier_jour_possible(controle, le)
        if controle.visite_le < premier:
            preavis = delai_dit(controle.regles.preavis_jours, ouvres=False)
            manques.append(
                f"la visite du {en_jour(controle.visite_le)} laisse moins de {preavis} : pas avant le "
                f"{en_jour(premier)}"
            )
    return manques


@transaction.atomic
def notifier(controle: Controle, *, par: Utilisateur) -> Controle:
    """Envoie la lettre de notification au représentant légal. Lève ControleIncomplet si le préavis n’est pas entier."""
    controle = Controle.objects.verrouiller(controle.pk)
    if manques := ce_qui_manque(controle, timezone.localdate()):
        raise ControleIncomplet(f"Le contrôle ne peut pas être notifié : {' ; '.join(manques)}.")
    controle = franchir(controle, Geste.NOTIFIER, par=par, notifie_le=timezone.now())
    if controle.mode == Mode.SUR_PIECES:  # elles s’envoient : le préavis d’une visite devient leur délai
        avant = echeance(timezone.localdate(), controle.regles.preavis_jours, ouvres=False)
        controle.pieces_demandees.update(en_ligne=True, requise_le=avant)
    actes.notification(controle)
    annonces.notifie(controle)
    return controle


@transaction.atomic
def reporter(
    controle: Controle, *, visite_le: date, visite_heure: time | None, motif: str, par: Utilisateur
) -> Controle:
    """Déplace la visite, d’un commun accord ou non ; une lettre le dit. Un rapprochement garde le préavis entier."""
    controle = ouvrir(controle, Geste.REPORTER, par=par)
    if controle.mode != Mode.SUR_PLACE or controle.visite_le is None:
        raise Refus("Un contrôle sur pièces n’a pas de visite à reporter.")
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi la visite est reportée."})
    premier = premier_jour_possible(controle, timezone.localdate())
    if visite_le < min(controle.visite_le, premier) or visite_le < timezone.localdate():
        raise ValidationError({"visite_le": f"Pas avant le {en_jour(premier)} : le préavis reste entier."})
    avant = controle.visite_le
    if (visite_le, visite_heure) == (avant, controle.visite_heure):
        raise ValidationError({"visite_le": "C’est déjà la date de la visite."})
    ecrire(controle, visite_le=visite_le, visite_heure=visite_heure)
    actes.report(controle, avant, motif)
    consigner(
        controle, Geste.REPORTER, par=par, motif=motif,
        details={"de": avant.isoformat(), "au": visite_le.isoformat()},
    )  # fmt: skip
    annonces.reporte(controle)
    return controle


@transaction.atomic
def affecter(controle: Controle, *, controleur: Utilisateur, par: Utilisateur) -> Controle:
    """Confie le contrôle à un autre. Lève Refus s’il n’est pas contrôleur, ou s’il a autorisé la visite inopinée."""
    controle = ouvrir(controle, Geste.AFFECTER, par=par)
    if not controleur.tient(Role.CONTROLEUR):
        raise Refus(f"{controleur} n’est pas contrôleur.")
    if controle.inopine_par_id == controleur.pk:
        raise Refus(f"{controleur} a autorisé la visite inopinée : un autre contrôleur la mène.")
    avant = controle.controleur
    if avant.pk == controleur.pk:
        raise Refus(f"Ce contrôle est déjà confié à {controleur}.")
    ecrire(controle, controleur=controleur)
    details = {"de": str(avant), "à": str(controleur), "controleur": controleur.pk}  # les statistiques lisent la clé
    consigner(controle, Geste.AFFECTER, par=par, details=details)
    annonces.confie(controle)
    return controle


@transaction.atomic
def demander_pieces(
    controle: Controle, *, libelles: Sequence[str], requise_le: date, par: Utilisateur
) -> list[PieceDemandee]:
    """Demande des pièces en ligne, avec leur date ; la structure en est prévenue et les dépose sous son espace."""
    controle = ouvrir(controle, Geste.DEMANDER_PIECES, par=par)
    propres = [propre for libelle in libelles if (propre := " ".join(epurer(libelle).split()))]
    if not propres:
        raise ValidationError({"libelles": "Écrivez une pièce par ligne."})
    if trop_long := next((p for p in propres if len(p) > 200), None):
        raise ValidationError({"libelles": f"« {trop_long[:40]}… » dépasse 200 caractères."})
    if requise_le <= timezone.localdate():
        raise ValidationError({"requise_le": "Laissez un délai : cette date n’est pas à venir."})
    dernier = controle.pieces_demandees.aggregate(n=Max("rang"))["n"] or 0
    if dernier + len(propres) > PIECES_MAX:
        raise ValidationError({"libelles": f"Un contrôle demande {PIECES_MAX} pièces au plus."})
    pieces = []
    for rang, libelle in enumerate(propres, dernier + 1):
        piece = PieceDemandee(
            controle=controle, rang=rang, code=slugify(libelle)[:60] or f"piece-{rang}", libelle=libelle,
            en_ligne=True, requise_le=requise_le, demandee_par=par,
        )  # fmt: skip
        piece.full_clean()
        piece.save()
        pieces.append(piece)
    consigner(controle, Geste.DEMANDER_PIECES, par=par, details={"pieces": propres})
    annonces.pieces_demandees(controle, requise_le, dernier)
    return pieces


def nom_classe(controle: Controle, piece: PieceDemandee, rang: int, extension: str) -> str:
    """« CTL-2027-00012_03_grand-livre-2025_1.pdf » : la machine range, personne ne renomme."""
    morceaux = [slugify(piece.libelle)[:60].strip("-") or piece.code]
    if piece.exercice:
        morceaux.append(str(piece.exercice))
    return f"{controle.numero}_{piece.rang:02d}_{'-'.join(morceaux)}_{rang}.{extension}"


@transaction.atomic
def remettre(piece: PieceDemandee, *, televerse: UploadedFile, par: Utilisateur) -> PieceRemise:
    """Dépose un fichier pour une pièce demandée. Lève FichierRefuse, Refus."""
    controle = ouvrir(piece.controle, Geste.REMETTRE, par=par)
    piece = PieceDemandee.objects.select_for_update(of=("self",)).get(pk=piece.pk, controle=controle)
    dernier = piece.remises.aggregate(n=Max("rang"))["n"] or 0
    if dernier >= REMISES_MAX:
        raise Refus(f"{REMISES_MAX} fichiers au plus pour une pièce : regroupez-les.")
    fichier = recevoir(televerse, par=par)
    nom = nom_classe(controle, piece, dernier + 1, fichier.nom.rsplit(".", 1)[-1])
    remise = PieceRemise.objects.create(piece=piece, rang=dernier + 1, fichier=fichier, nom=nom, par=par)
    consigner(controle, Geste.REMETTRE, par=par, details={"piece": nom})
    annonces.piece_remise(controle, remise)
    return remise


@transaction.atomic
def annuler(controle: Controle, *, motif: str, par: Utilisateur) -> Controle:
    """Arrête le contrôle avant tout rapport ; la structure, si elle le savait, en reçoit la lettre."""
    controle = franchir(controle, Geste.ANNULER, par=par, motif=epurer(motif).strip())
    if controle.notifie_le is not None or controle.commence_le is not None:
        actes.annulation(controle, motif)
        annonces.annule(controle)
    return controle
