"""Les gestes du chargé de conseil : compléter, évaluer, citer, rendre un avis."""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from agrements import annonces
from agrements.actions.franchir import consigner, franchir, ouvrir
from agrements.choix import VERDICTS_A_MOTIVER, EtatPiece, Geste, SensAvis
from agrements.contenu import Contenu, texte_lisible
from agrements.models import AvisInstruction, Citation, DemandeComplements, Dossier, EvaluationCritere, Remarque
from comptes.choix import Role
from comptes.models import Utilisateur
from socle.erreurs import Refus, VersionPerimee
from socle.texte import epurer


@transaction.atomic
def declarer_complet(dossier: Dossier, *, par: Utilisateur) -> Dossier:
    """Ferme la complétude ; les remarques préparées mais jamais envoyées sont effacées."""
    dossier = franchir(dossier, Geste.DECLARER_COMPLET, par=par, complet_le=timezone.now())
    dossier.demandes.filter(envoyee_le__isnull=True).delete()
    return dossier


@transaction.atomic
def preparer_remarque(
    dossier: Dossier, *, texte: str, par: Utilisateur, champ: str = "", piece: str = ""
) -> Remarque | None:
    """Écrit, remplace ou (texte vide) efface la remarque sur un champ ou une pièce. La demande naît à la première."""
    dossier = ouvrir(dossier, Geste.PREPARER_REMARQUE, par=par)
    contenu = Contenu(dossier)
    cibles_connues = champ in contenu.champs if champ else piece in {e.code for e in contenu.exigences}
    if not cibles_connues:
        raise Refus("Cette partie n’existe pas dans ce dossier.")
    texte = epurer(texte).strip()
    demande = dossier.demandes.filter(envoyee_le__isnull=True).first()
    if demande is None:
        if not texte:
            return None
        demande = DemandeComplements.objects.create(dossier=dossier, numero=dossier.demandes.count() + 1, cree_par=par)
    if not texte:
        demande.remarques.filter(champ=champ, piece=piece).delete()
        return None
    remarque, _ = Remarque.objects.update_or_create(
        demande=demande, champ=champ, piece=piece, defaults={"texte": texte, "par": par}
    )
    return remarque


@transaction.atomic
def demander_les_pieces(dossier: Dossier, *, par: Utilisateur) -> int:
    """Prépare une remarque par pièce manquante ou expirée, sans toucher celles déjà écrites ; rend combien."""
    dossier = ouvrir(dossier, Geste.PREPARER_REMARQUE, par=par)
    contenu = Contenu(dossier)
    demande = contenu.demande_ouverte
    deja = {r.piece for r in demande.remarques.all()} if demande else set()
    ajoutees = 0
    for ligne in contenu.releve_des_pieces(timezone.localdate()):
        if not ligne.a_demander or ligne.exigence.code in deja:
            continue
        texte = "Cette pièce manque au dossier : merci de la joindre."
        if ligne.etat == EtatPiece.EXPIREE:
            texte = "La pièce jointe n’est plus valable : merci d’en joindre une plus récente."
        preparer_remarque(dossier, texte=texte, piece=ligne.exigence.code, par=par)
        ajoutees += 1
    return ajoutees


REPONSE_MAX = 120  # jours ; à confirmer par la Caf


@transaction.atomic
def demander_complements(dossier: Dossier, *, message: str, echeance_le: date, par: Utilisateur) -> DemandeComplements:
    """Envoie les remarques préparées : courrier figé, champs visés ouverts, échéance posée."""
    if echeance_le <= timezone.localdate():
        raise ValidationError({"echeance_le": "La date de réponse attendue doit être à venir."})
    if echeance_le > timezone.localdate() + timedelta(days=REPONSE_MAX):
        raise ValidationError({"echeance_le": f"Attendez une réponse sous {REPONSE_MAX} jours au plus."})
    dossier = franchir(dossier, Geste.DEMANDER_COMPLEMENTS, par=par, echeance_le=echeance_le)
    demande = dossier.demandes.filter(envoyee_le__isnull=True).select_for_update(of=("self",)).first()
    if demande is None or not demande.remarques.exists():
        raise Refus("Écrivez au moins une remarque : c’est elle qui ouvre un champ à la modification.")
    demande.message = epurer(message).strip()
    demande.echeance_le = echeance_le
    demande.envoyee_le = timezone.now()
    demande.envoyee_par = par
    annonces.complements_demandes(dossier, demande, lignes_de_remarques(dossier, demande))
    demande.save()
    return demande


def lignes_de_remarques(dossier: Dossier, demande: DemandeComplements) -> list[dict[str, str]]:
    """Les remarques dans l’ordre du dossier, avec le nom de ce qu’elles visent."""
    contenu = Contenu(dossier)
    remarques = {(r.champ, r.piece): r.texte for r in demande.remarques.all()}
    champs = [(c.code, "", f"{s.titre} : {c.libelle}") for s in contenu.sections for c in s.champs]
    pieces = [("", e.code, f"Pièce : {e.libelle}") for e in contenu.exigences]
    return [
        {"libelle": libelle, "texte": remarques[champ, piece]}
        for champ, piece, libelle in champs + pieces
        if (champ, piece) in remarques
    ]


@transaction.atomic
def declarer_irrecevable(dossier: Dossier, *, par: Utilisateur, motif: str) -> Dossier:
    dossier = franchir(dossier, Geste.DECLARER_IRRECEVABLE, par=par, motif=motif, echeance_le=None)
    annonces.dossier_irrecevable(dossier)
    return dossier


A_MOTIVER = "Dites ce qui manque ou ne convient pas : l’avis et la structure en auront besoin."


@transaction.atomic
def evaluer(
    dossier: Dossier, *, critere: str, verdict: str, commentaire: str, version: int, par: Utilisateur
) -> EvaluationCritere:
    """Garde le regard sur un critère. ``version`` : celle que l’agent avait sous les yeux (0 : aucune).

    Lève VersionPerimee si un collègue a écrit depuis, ValidationError si un verdict réservé n’est pas commenté.
    """
    dossier = ouvrir(dossier, Geste.EVALUER, par=par)
    evaluation = _evaluation(dossier, critere, par)
    if version != (0 if evaluation.pk is None else evaluation.version):
        raise VersionPerimee("Un collègue a évalué ce critère pendant que vous écriviez.")
    evaluation.verdict = verdict
    evaluation.commentaire = epurer(commentaire).strip()
    if verdict in VERDICTS_A_MOTIVER and not evaluation.commentaire:
        raise ValidationError({"commentaire": A_MOTIVER})
    _ecrire_evaluation(evaluation, dossier, par)
    return evaluation


def _evaluation(dossier: Dossier, critere: str, par: Utilisateur) -> EvaluationCritere:
    if critere not in {c.code for c in dossier.regime.referentiel.criteres}:
        raise Refus("Ce critère n’est pas dans le régime du dossier.")
    trouvee = dossier.evaluations.select_for_update(of=("self",)).filter(critere=critere).first()
    return trouvee or EvaluationCritere(dossier=dossier, critere=critere, version=0, par=par)


def _ecrire_evaluation(evaluation: EvaluationCritere, dossier: Dossier, par: Utilisateur) -> None:
    assert dossier.version_courante_id is not None
    evaluation.version_dossier_id = dossier.version_courante_id
    evaluation.version += 1
    evaluation.par = par
    evaluation.le = timezone.now()
    evaluation.full_clean()
    evaluation.save()


@transaction.atomic
def citer(dossier: Dossier, *, critere: str, champ: str, extrait: str, par: Utilisateur) -> Citation:
    """Cite un passage du projet déposé à l’appui d’un critère. Lève Refus si le passage n’y est pas mot pour mot."""
    dossier = ouvrir(dossier, Geste.EVALUER, par=par)
    version = dossier.version_courante
    assert version is not None
    definition = Contenu(dossier).champs.get(champ)
    extrait = " ".join(epurer(extrait).split())
    if definition is None or not extrait:
        raise Refus("Choisissez un passage du projet à citer.")
    source = " ".join(texte_lisible(definition, version.contenu["reponses"].get(champ)).split())
    if extrait not in source:
        raise Refus("Ce passage ne se trouve pas mot pour mot dans la version déposée.")
    evaluation = _evaluation(dossier, critere, par)
    if evaluation.pk is None:
        _ecrire_evaluation(evaluation, dossier, par)
    return Citation.objects.create(
        evaluation=evaluation, version_dossier=version, champ=champ, extrait=extrait, par=par, le=timezone.now()
    )


@transaction.atomic
def retirer_citation(dossier: Dossier, *, citation_pk: int, par: Utilisateur) -> None:
    dossier = ouvrir(dossier, Geste.EVALUER, par=par)
    Citation.objects.filter(evaluation__dossier=dossier, pk=citation_pk).delete()


@transaction.atomic
def rendre_avis(
    dossier: Dossier,
    *,
    sens: str,
    motivation: str,
    reserves: str,
    duree_mois: int | None,
    par: Utilisateur,
) -> AvisInstruction:
    """Rend l’avis motivé. Refuse tant qu’un critère du régime n’a pas de verdict."""
    dossier = franchir(dossier, Geste.RENDRE_AVIS, par=par, details={"sens": sens})
    attendus = {c.code: c.libelle for c in dossier.regime.referentiel.criteres}
    evalues = set(dossier.evaluations.exclude(verdict="").values_list("critere", flat=True))
    if restants := [libelle for code, libelle in attendus.items() if code not in evalues]:
        raise Refus(f"Évaluez d’abord ces critères : {' ; '.join(restants)}.")
    favorable = sens in (SensAvis.FAVORABLE, SensAvis.FAVORABLE_RESERVES)
    avis = AvisInstruction(
        dossier=dossier,
        sens=sens,
        motivation=epurer(motivation).strip(),
        reserves=epurer(reserves).strip(),
        duree_mois=duree_mois if favorable else None,
        par=par,
        le=timezone.now(),
    )
    avis.full_clean()
    avis.save()
    annonces.instruction_finie(dossier)
    return avis


@transaction.atomic
def reprendre_instruction(dossier: Dossier, *, par: Utilisateur, motif: str) -> Dossier:
    return franchir(
        dossier,
        Geste.REPRENDRE_INSTRUCTION,
        par=par,
        motif=motif,
        echeance_le=timezone.localdate() + relativedelta(days=dossier.regime.referentiel.delais["instruction_jours"]),
    )


@transaction.atomic
def affecter(dossier: Dossier, *, charge: Utilisateur, par: Utilisateur) -> Dossier:
    """Confie le dossier à un autre chargé de conseil ; le journal garde l’ancien et le nouveau."""
    dossier = ouvrir(dossier, Geste.AFFECTER, par=par)
    if not charge.tient(Role.CHARGE_CONSEIL):
        raise Refus(f"{charge} n’est pas chargé de conseil et de développement aujourd’hui.")
    ancien = dossier.charge
    dossier.charge = charge
    dossier.save(update_fields=["charge"])
    consigner(
        dossier, Geste.AFFECTER, par=par, details={"ancien": str(ancien) if ancien else "", "nouveau": str(charge)}
    )
    annonces.dossier_affecte(dossier, par=par)
    return dossier
