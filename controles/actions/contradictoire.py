"""Du rapport provisoire au rapport définitif : chaque constat se répond, puis se conclut, point par point."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from controles.actes import rapports as actes
from controles.actions import suites
from controles.actions.franchir import consigner, ecrire, franchir, ouvrir, preparer_le_passage
from controles.annonces import contradictoire as annonces
from controles.choix import CONSTATS_A_DISCUTER, Conclusion, Etat, EtatSanction, EtatSuite, Geste, Position
from controles.consequences import etudier
from controles.contenu import Fiche
from controles.delais import echeance, ouvre, prochain_ouvre
from controles.models import Constat, Controle, PieceReponse, Prolongation, ReponseConstat
from documents.actions import recevoir
from socle.dates import en_jour
from socle.erreurs import Refus, VersionPerimee
from socle.montants import en_euros
from socle.texte import accorde, epurer

REPONSE_MAX = 5000
PIECES_MAX = 10
RAPPELS = (7, 2)  # jours avant l’échéance


class RapportIncomplet(Refus):
    """Le rapport ne peut pas partir ; ``manques`` dit tout ce qui reste à faire."""

    def __init__(self, manques: list[str]) -> None:
        super().__init__(f"Il reste {accorde(len(manques), 'chose')} à faire avant le rapport.")
        self.manques = manques


@transaction.atomic
def emettre(controle: Controle, *, par: Utilisateur) -> Controle:
    """Fige les constats et notifie le rapport provisoire ; le délai de réponse court du lendemain.

    Lève RapportIncomplet : un écart sans faits, une visite sans heure, un point entamé sans nature.
    """
    controle = preparer_le_passage(controle, Geste.EMETTRE, par=par)
    fiche = Fiche(controle)
    if fiche.manques:
        raise RapportIncomplet([f"{m.libelle} : {m.phrase}" for m in fiche.manques])
    Constat.objects.bulk_create(
        Constat(
            controle=controle, point=ligne.point, numero=numero, nature=ligne.nature, theme=ligne.point.theme,
            libelle=ligne.point.libelle, regle=ligne.point.regle, faits=ligne.faits, exercice=ligne.point.exercice,
            champ=ligne.point.champ, unite=ligne.point.unite, declare=ligne.point.declare, releve=ligne.releve,
            recommandation=ligne.recommandation,
        )
        for numero, ligne in enumerate(fiche.retenues, 1)
    )  # fmt: skip
    aujourd_hui = timezone.localdate()
    avant_le = echeance(aujourd_hui, controle.regles.reponse_jours, ouvres=controle.regles.reponse_ouvres)
    acte = actes.provisoire(controle, fiche, avant_le, etudier(controle))
    controle = franchir(
        controle, Geste.EMETTRE, par=par, provisoire_le=timezone.now(), provisoire_acte=acte,
        reponse_avant_le=avant_le, details={"avant_le": avant_le.isoformat()},
    )  # fmt: skip
    annonces.provisoire_emis(controle, aujourd_hui)
    return controle


@transaction.atomic
def lire_le_rapport(controle: Controle, *, par: Utilisateur) -> Controle:
    """Date la première ouverture du rapport par la structure ; rappelée, ne change rien."""
    controle = ouvrir(controle, Geste.LIRE, par=par)
    champ = "definitif_lu_le" if controle.definitif_le else "provisoire_lu_le"
    if getattr(controle, champ) is None:
        ecrire(controle, **{champ: timezone.now()})
        quoi = "définitif" if controle.definitif_le else "provisoire"
        consigner(controle, Geste.LIRE, par=par, details={"rapport": quoi})
    return controle


def _constat_ouvert(constat: Constat, par: Utilisateur) -> tuple[Controle, Constat]:
    controle = ouvrir(constat.controle, Geste.REPONDRE, par=par)
    constat = Constat.objects.select_for_update(of=("self",)).get(pk=constat.pk, controle=controle)
    if constat.nature not in CONSTATS_A_DISCUTER:
        raise Refus("Ce constat est conforme : il n’appelle pas de réponse.")
    return controle, constat


@transaction.atomic
def repondre(constat: Constat, *, champ: str, saisie: str, version: int, par: Utilisateur) -> ReponseConstat:
    """Garde la position ou le texte de la structure sur un constat. Lève VersionPerimee si un collègue a écrit."""
    _, constat = _constat_ouvert(constat, par)
    valeur = epurer(saisie).strip()
    if champ == "position":
        if valeur and valeur not in Position.values:
            raise ValidationError({champ: "Choisissez une des réponses proposées."})
    elif len(valeur) > REPONSE_MAX:
        raise ValidationError({champ: f"{len(valeur)} caractères pour {REPONSE_MAX} au plus : raccourcissez."})
    reponse = ReponseConstat.objects.select_for_update(of=("self",)).filter(constat=constat).first()
    if reponse is None:
        reponse = ReponseConstat(constat=constat, version=0)
    if getattr(reponse, champ) == valeur and reponse.version:
        return reponse
    if champ == "texte" and version != reponse.version and reponse.texte and reponse.modifie_par_id != par.pk:
        raise VersionPerimee("Un collègue a modifié cette réponse pendant que vous écriviez.")
    setattr(reponse, champ, valeur)
    reponse.version += 1
    reponse.modifie_par, reponse.modifie_le = par, timezone.now()
    reponse.save()
    return reponse


@transaction.atomic
def joindre(constat: Constat, *, televerse: UploadedFile, par: Utilisateur) -> PieceReponse:
    """Joint une pièce à la réponse, sous le nom que la machine lui donne. Lève FichierRefuse, Refus."""
    controle, constat = _constat_ouvert(constat, par)
    deja = constat.pieces.count()
    if deja >= PIECES_MAX:
        raise Refus(f"{PIECES_MAX} pièces au plus par constat : regroupez-les.")
    fichier = recevoir(televerse, par=par)
    nom = f"{controle.numero}_constat-{constat.numero}_{deja + 1}.{fichier.nom.rsplit('.', 1)[-1]}"
    return PieceReponse.objects.create(constat=constat, fichier=fichier, nom=nom, par=par)


@transaction.atomic
def retirer_piece(piece: PieceReponse, *, par: Utilisateur) -> None:
    """Retire une pièce pas encore envoyée."""
    _constat_ouvert(piece.constat, par)
    piece.delete()


@transaction.atomic
def prolonger(controle: Controle, *, apres: date, motif: str, par: Utilisateur) -> Controle:
    """Repousse l’échéance de réponse, avec sa raison et une lettre, sans dépasser ce que les règles permettent."""
    controle = ouvrir(controle, Geste.PROLONGER, par=par)
    assert controle.reponse_avant_le is not None
    premiere = controle.prolongations.order_by("le").values_list("avant", flat=True).first()
    borne = prochain_ouvre((premiere or controle.reponse_avant_le) + timedelta(days=controle.regles.prolongation_max))
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi le délai est prolongé."})
    if apres <= controle.reponse_avant_le:
        raise ValidationError({"apres": f"Après le {en_jour(controle.reponse_avant_le)} : c’est l’échéance actuelle."})
    if apres > borne:
        raise ValidationError(
            {"apres": f"Au plus tard le {en_jour(borne)} : les règles n’en permettent pas davantage."}
        )
    if not ouvre(apres):
        raise ValidationError(
            {"apres": f"On ne travaille pas ce jour-là : choisissez le {en_jour(prochain_ouvre(apres))}."}
        )
    avant = controle.reponse_avant_le
    Prolongation.objects.create(controle=controle, avant=avant, apres=apres, motif=motif, par=par)
    ecrire(controle, reponse_avant_le=apres)
    actes.prolongation(controle, avant, apres, motif)
    consigner(
        controle, Geste.PROLONGER, par=par, motif=motif, details={"de": avant.isoformat(), "au": apres.isoformat()}
    )
    annonces.delai_prolonge(controle)
    return controle


@transaction.atomic
def renvoyer(controle: Controle, *, par: Utilisateur) -> Controle:
    """Envoie les réponses à la Caf, d’un seul geste ; ce qui n’a pas de réponse reste « sans réponse »."""
    controle = franchir(controle, Geste.RENVOYER, par=par, reponse_le=timezone.now(), reponse_par=par)
    annonces.reponses_recues(controle)
    return controle


@transaction.atomic
def constater_silence(controle: Controle) -> Controle | None:
    """Le délai est passé sans réponse : le contrôleur peut conclure. Rejouable ; vide si la structure a répondu."""
    controle = Controle.objects.verrouiller(controle.pk)
    limite = controle.reponse_avant_le
    if controle.etat != Etat.CONTRADICTOIRE or limite is None or timezone.localdate() <= limite:
        return None
    controle = franchir(controle, Geste.CONSTATER_SILENCE, par=None)
    annonces.silence(controle)
    return controle


def suivre_les_delais(le: date) -> int:
    """Rappelle les échéances proches et constate les silences. Rejouable ; rend le nombre de silences constatés."""
    silences = 0
    for controle in Controle.objects.filter(etat=Etat.CONTRADICTOIRE).select_related("structure"):
        assert controle.reponse_avant_le is not None
        reste = (controle.reponse_avant_le - le).days
        if reste < 0:
            silences += constater_silence(controle) is not None
        elif (rappel := min((r for r in RAPPELS if reste <= r), default=0)) and reste:
            with transaction.atomic():
                annonces.echeance_proche(controle, rappel, reste)
    return silences


@transaction.atomic
def conclure(
    constat: Constat, *, conclusion: str, motif: str, releve_retenu: Decimal | None, par: Utilisateur
) -> Constat:
    """La conclusion du contrôleur sur un point : maintenu, modifié (avec le montant retenu) ou levé, motivée."""
    controle = ouvrir(constat.controle, Geste.CONCLURE, par=par)
    constat = Constat.objects.select_for_update(of=("self",)).get(pk=constat.pk, controle=controle)
    if constat.nature not in CONSTATS_A_DISCUTER:
        raise Refus("Ce constat est conforme : il n’appelle pas de conclusion.")
    if not (motif := epurer(motif).strip()):
        raise ValidationError({"motif": "Dites pourquoi : la structure lit cette raison."})
    if conclusion != Conclusion.MODIFIE:
        releve_retenu = None
    elif constat.declare is not None and releve_retenu is None:
        raise ValidationError({"releve_retenu": "Écrivez le montant que vous retenez."})
    elif constat.declare is None:
        releve_retenu = None
    if releve_retenu is not None and releve_retenu == constat.releve:
        raise ValidationError(
            {"releve_retenu": f"C’est le montant constaté ({en_euros(releve_retenu)}) : maintenez-le."}
        )
    constat.conclusion, constat.motif_conclusion, constat.releve_retenu = conclusion, motif, releve_retenu
    constat.conclu_par, constat.conclu_le = par, timezone.now()
    constat.full_clean()
    constat.save(update_fields=["conclusion", "motif_conclusion", "releve_retenu", "conclu_par", "conclu_le"])
    consigner(
        controle, Geste.CONCLURE, par=par, motif=motif, details={"point": constat.numero, "conclusion": conclusion}
    )
    return constat


def a_conclure(controle: Controle) -> list[Constat]:
    """Les points qui n’ont pas encore de conclusion."""
    return list(controle.constats.filter(nature__in=CONSTATS_A_DISCUTER, conclusion=""))


@transaction.atomic
def signer(controle: Controle, *, par: Utilisateur) -> Controle:
    """Signe le rapport définitif : la lettre de clôture part, les suites s’ouvrent. Avant, rien n’a changé.

    Ordre : constats vérifiés, effets calculés, rapport et lettre demandés, état, suites, nouvelles.
    """
    controle = preparer_le_passage(controle, Geste.SIGNER, par=par)
    if restants := a_conclure(controle):
        raise RapportIncomplet([f"{c} : ce point n’est pas conclu." for c in restants])
    effets = etudier(controle)
    constats = list(controle.constats.all())
    dites = actes.suites_dites(constats, effets)
    acte = actes.definitif(controle, Fiche(controle), effets, dites)
    actes.cloture(controle, constats, dites)
    controle = franchir(
        controle, Geste.SIGNER, par=par, definitif_le=timezone.now(), definitif_par=par, definitif_acte=acte
    )
    suites.ouvrir(controle, par=par)
    annonces.definitif_signe(controle, timezone.localdate())
    return controle


@transaction.atomic
def clore(controle: Controle, *, par: Utilisateur) -> Controle:
    """Clôt le contrôle quand tout est décidé ; les recommandations, elles, continuent."""
    controle = preparer_le_passage(controle, Geste.CLORE, par=par)
    if n := controle.suites.filter(etat=EtatSuite.A_DECIDER).count():
        raise Refus(f"{accorde(n, 'suite financière')} reste à décider : le contrôle ne peut pas être clos.")
    if controle.sanctions.filter(etat=EtatSanction.PROPOSEE).exists():
        raise Refus("Une sanction reste à décider : le contrôle ne peut pas être clos.")
    controle = franchir(controle, Geste.CLORE, par=par, clos_le=timezone.now())
    annonces.clos(controle)
    return controle
