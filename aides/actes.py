"""Les courriers d’une aide : ce que chaque PDF dira, figé au moment du geste (mise en page : ``documents``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.text import capfirst

from agrements.models import Seance
from aides.choix import SensDecision
from aides.models import (
    Demande,
    EcheancePret,
    Pret,
    VersionDemande,
    VersionDispositif,
)
from aides.prets import PERIODICITES, Echeance
from documents.actions import demander_acte
from documents.gabarit import releve
from documents.models import Acte, NatureActe
from financements.calculs import pourcent
from partenaires.entete import RECOURS_MOIS, entete, represente_par
from socle.dates import en_jour
from socle.montants import ZERO, en_euros
from socle.texte import accorde

# Les courriers que la structure lit sans avoir ouvert la décision : les autres la laisseraient deviner.
AVANT_LA_DECISION = (NatureActe.ACCUSE_RECEPTION, NatureActe.DEMANDE_COMPLEMENTS)


def objet_de(demande: Demande) -> str:
    return f"aide-{demande.pk}"


def _commun(demande: Demande) -> dict[str, Any]:
    version = demande.version
    commun = {
        **entete(demande.structure, numero=demande.numero, interlocuteur=demande.charge),
        "dispositif": str(version),
        "releve": [],
        "calcul": [],
        "echeances": [],
    }
    return {**commun, "article": version.article} if version.article else commun


def en_calcul(explication: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Les lignes d’une explication gardée, telles que la lettre les montre."""
    return [
        {
            "libelle": ligne["libelle"],
            "formule": ligne["formule"],
            "valeurs": " ; ".join(f"{v['nom']} : {v['valeur']}" for v in ligne["valeurs"]),
            "montant": en_euros(Decimal(ligne["montant"])),
        }
        for ligne in explication
    ]


def _echeances(lignes: Sequence[Echeance | EcheancePret]) -> list[dict[str, Any]]:
    return [
        {
            "rang": e.rang,
            "le": en_jour(e.le),
            "capital": en_euros(e.capital),
            "interets": en_euros(e.interets),
            "total": en_euros(e.total),
            "reste": en_euros(e.reste),
        }
        for e in lignes
    ]


def courrier(
    demande: Demande, *, cle: str, titre: str, objet: str, paragraphes: list[str],
    nature: str = NatureActe.AIDE, **mentions: Any,
) -> Acte:  # fmt: skip
    return demander_acte(
        cle=f"aide-{demande.pk}-{cle}",
        objet=objet_de(demande),
        nature=nature,
        titre=f"{titre}, {demande.numero}",
        gabarit="courrier_aide",
        contexte={
            **_commun(demande),
            "objet_du_courrier": objet,
            "paragraphes": [p for p in paragraphes if p],
            **{cle_: valeur for cle_, valeur in mentions.items() if valeur},
        },
    )


def accuse(demande: Demande, version: VersionDemande) -> Acte:
    return courrier(
        demande,
        cle=f"accuse-{version.numero}",
        titre="Accusé de réception de la demande d’aide",
        nature=NatureActe.ACCUSE_RECEPTION,
        objet=f"votre demande d’aide « {demande.intitule} » est reçue",
        paragraphes=[
            f"Nous avons reçu votre demande le {en_jour(timezone.localtime(version.deposee_le).date())}.",
            "Elle est instruite, puis examinée par l’instance qui en décide. Ne commencez pas le projet avant la "
            "décision : un projet commencé n’est pas aidé, sauf autorisation écrite.",
        ],
        releve=releve(
            ("Projet", demande.intitule),
            ("Dispositif", str(demande.version)),
            ("Montant demandé", en_euros(demande.montant_demande) if demande.montant_demande else ""),
            ("Déposée par", version.deposee_par.get_full_name()),
            ("Version", str(version.numero)),
            ("Empreinte", version.empreinte),
        ),
    )


def complements(demande: Demande, numero: int, message: str, parties: list[str], echeance: date) -> Acte:
    return courrier(
        demande,
        cle=f"complements-{numero}",
        titre=f"Demande de compléments n° {numero}",
        nature=NatureActe.DEMANDE_COMPLEMENTS,
        objet=f"compléments à votre demande d’aide « {demande.intitule} »",
        paragraphes=["Votre demande appelle des compléments.", message],
        releve=releve(("À reprendre", " ; ".join(parties)), ("Réponse attendue le", en_jour(echeance))),
    )


def demarrage(demande: Demande, le: date, motif: str) -> Acte:
    return courrier(
        demande,
        cle=f"demarrage-{le.isoformat()}",
        titre="Autorisation de démarrage anticipé",
        objet=f"autorisation de commencer « {demande.intitule} » avant la décision",
        paragraphes=[
            f"Vous êtes autorisés à commencer ce projet à partir du {en_jour(le)}, avant la décision sur votre "
            f"demande.",
            "Cette autorisation ne vaut pas accord : si l’aide est refusée, les dépenses restent à votre charge. Les "
            "dépenses engagées avant cette date ne sont pas retenues.",
        ],
        motivation=motif,
    )


def decision(
    demande: Demande, *, seance: Seance, sens: str, montant: Decimal | None, motivation: str, conditions: str,
    explication: list[dict[str, Any]], limite: date | None, manquantes: list[tuple[str, str]],
) -> Acte:  # fmt: skip
    """La lettre de décision ; ``manquantes`` : les conditions non remplies selon l’instruction, et leur preuve."""
    version = demande.version
    tenue = f"{capfirst(seance.get_instance_display())} du {en_jour(seance.tenue_le)}"
    if sens == SensDecision.ACCORDE:
        assert montant is not None
        assert limite is not None
        quoi = "un prêt" if version.est_un_pret else "une subvention"
        return courrier(
            demande,
            cle=f"decision-{seance.pk}",
            titre="Notification d’une aide accordée",
            nature=NatureActe.NOTIFICATION,
            objet=f"votre demande d’aide « {demande.intitule} » est accordée",
            paragraphes=[
                f"La {settings.PORTAIL_CAF} vous accorde {quoi} de {en_euros(montant)} ({tenue}).",
                _suite(demande),
                conditions,
                version.lettre_accord,
            ],
            releve=releve(
                ("Aide accordée", en_euros(montant)),
                ("Montant demandé", en_euros(demande.montant_demande) if demande.montant_demande else ""),
                ("À réaliser avant le", en_jour(limite)),
                ("Destination sociale", f"à garder {version.destination_ans} ans" if version.destination_ans else ""),
            ),
            motivation=motivation,
            calcul=en_calcul(explication),
            total=en_euros(montant),
            source=version.source_dite,
            recours_mois=RECOURS_MOIS,
        )
    ajourne = sens == SensDecision.AJOURNE
    return courrier(
        demande,
        cle=f"decision-{seance.pk}",
        titre="Notification d’ajournement" if ajourne else "Notification de refus",
        nature=NatureActe.NOTIFICATION,
        objet=f"votre demande d’aide « {demande.intitule} » est {'ajournée' if ajourne else 'refusée'}",
        paragraphes=[
            f"Votre demande a été examinée ({tenue}). Elle est {'ajournée' if ajourne else 'refusée'}.",
            "Elle sera examinée de nouveau une fois complétée." if ajourne else version.lettre_refus,
            "Lors de l’instruction, ces conditions n’étaient pas remplies :" if manquantes else "",
        ],
        motivation=motivation,
        releve=releve(*manquantes),
        recours_mois=0 if ajourne else RECOURS_MOIS,
    )


def _remboursement(version: VersionDispositif) -> str:
    """« Il se rembourse en 48 échéances mensuelles, au taux de 0 %, après un différé de 3 échéances. »"""
    nom = PERIODICITES[version.pret_periodicite]
    phrase = f"Il se rembourse en {accorde(version.pret_echeances or 0, 'échéance', nom)}"
    phrase += f", au taux de {pourcent(version.pret_taux)}"
    if version.pret_differe:
        phrase += f", après un différé de {accorde(version.pret_differe, 'échéance')}"
    return f"{phrase}."


def _suite(demande: Demande, *, dans_l_acte: bool = False) -> str:
    """Ce qui suit l’accord, dit à la structure dans sa lettre ; ou, ``dans_l_acte``, convenu entre les deux parties."""
    version = demande.version
    phrases = [_remboursement(version)] if version.est_un_pret else []
    if version.convention_exigee and dans_l_acte:
        phrases.append("Rien ne se verse avant la signature des deux parties.")
    elif version.convention_exigee:
        nom = "le contrat de prêt" if version.est_un_pret else "la convention"
        phrases.append(f"Signez et déposez {nom} dans le portail : rien ne se verse avant.")
    if version.avance_part and not version.est_un_pret:
        phrases.append(f"Une avance de {pourcent(version.avance_part)} est possible.")
    if version.sur_factures:
        phrases.append(
            "Le reste se verse sur factures ; si le coût réel est plus bas que prévu, l’aide baisse d’autant."
        )
    if version.bilan_mois:
        phrases.append(f"Un bilan est attendu dans les {version.bilan_mois} mois qui suivent la fin du projet.")
    return " ".join(phrases)


def convention(demande: Demande, lignes: Sequence[Echeance] = ()) -> Acte:
    """La convention d’une subvention ; ou le contrat de prêt, avec son tableau d’amortissement si sa date est
    connue.
    """
    version, structure = demande.version, demande.structure
    assert demande.montant_accorde is not None
    assert demande.limite_le is not None
    nom = "Contrat de prêt" if version.est_un_pret else "Convention d’aide"
    mentions: dict[str, Any] = {
        "siret": structure.gestionnaire.siret,
        "represente": represente_par(structure.pk),
        "total": "",
    }
    return demander_acte(
        cle=f"aide-{demande.pk}-convention",
        objet=objet_de(demande),
        nature=NatureActe.CONVENTION_AIDE,
        titre=f"{nom}, {demande.numero}",
        gabarit="convention_aide",
        contexte={
            **_commun(demande),
            "objet_du_courrier": f"{nom.lower()} pour « {demande.intitule} »",
            "releve": releve(
                ("Projet", demande.intitule),
                ("Montant", en_euros(demande.montant_accorde)),
                ("Décision du", en_jour(demande.decide_le) if demande.decide_le else ""),
                ("À réaliser avant le", en_jour(demande.limite_le)),
                ("Remboursement", _remboursement(version) if version.est_un_pret else ""),
            ),
            "echeances": _echeances(lignes),
            "articles": _articles_pret(demande) if version.est_un_pret else _articles(demande),
            **{cle: valeur for cle, valeur in mentions.items() if valeur},
        },
    )


def _article(titre: str, texte: str) -> dict[str, str]:
    return {"titre": titre, "texte": texte}


def _articles(demande: Demande) -> list[dict[str, str]]:
    version = demande.version
    articles = [
        _article("objet", f"La Caf apporte au gestionnaire une subvention pour le projet « {demande.intitule} »."),
        _article("versement", _suite(demande, dans_l_acte=True) or "La subvention se verse en une fois."),
        _article(
            "réalisation",
            "Le projet se réalise avant la date dite aux conditions particulières ; passé ce délai, et sauf "
            "prorogation "
            "demandée à temps, l’aide est caduque pour la part non versée.",
        ),
        _article(
            "engagements",
            "Le gestionnaire emploie l’aide au projet décrit, en garde les justificatifs, fait connaître le "
            "soutien de la "
            "Caf et répond à ses contrôles.",
        ),
    ]
    if version.destination_ans:
        articles.append(
            _article(
                "destination sociale",
                f"Le gestionnaire garde la destination sociale du bien pendant {version.destination_ans} ans et "
                f"l’atteste "
                "chaque année. S’il y met fin plus tôt, il rend la part de l’aide qui répond au temps restant.",
            )
        )
    return articles


def _articles_pret(demande: Demande) -> list[dict[str, str]]:
    return [
        _article("objet", f"La Caf prête au gestionnaire la somme dite plus haut, pour « {demande.intitule} »."),
        _article(
            "remboursement",
            "Le prêt se rembourse par prélèvement, aux dates et montants du tableau d’amortissement. Le gestionnaire "
            "signe un mandat de prélèvement SEPA.",
        ),
        _article(
            "remboursement anticipé",
            "Le gestionnaire peut rembourser tout ou partie du capital avant l’échéance, sans pénalité.",
        ),
        _article(
            "impayé",
            "Une échéance impayée reste due ; la Caf prend contact avec le gestionnaire avant toute autre démarche.",
        ),
    ]


def echeancier(pret: Pret, lignes: Sequence[EcheancePret], pourquoi: str) -> Acte:
    """Le tableau d’amortissement, chaque fois qu’il change."""
    demande = pret.demande
    du = sum((e.capital for e in lignes), ZERO)
    return courrier(
        demande,
        cle=f"echeancier-{pret.tableau}",
        titre="Tableau d’amortissement",
        objet=f"tableau d’amortissement de votre prêt « {demande.intitule} »",
        paragraphes=[pourquoi, "Chaque échéance est prélevée à sa date sur le compte du mandat."],
        releve=releve(
            ("Capital à rembourser", en_euros(du)),
            ("Taux", pourcent(pret.taux)),
            ("Mandat", pret.mandat),
        ),
        echeances=_echeances(lignes),
    )


def prorogation(demande: Demande, avant: date, apres: date, motif: str) -> Acte:
    return courrier(
        demande,
        cle=f"prorogation-{apres.isoformat()}",
        titre="Prorogation du délai de réalisation",
        objet=f"prorogation du délai de « {demande.intitule} »",
        paragraphes=[f"Le délai de réalisation, fixé au {en_jour(avant)}, est repoussé au {en_jour(apres)}."],
        motivation=motif,
    )


def caducite(demande: Demande, verse: Decimal, libere: Decimal) -> Acte:
    assert demande.limite_le is not None
    return courrier(
        demande,
        cle="caducite",
        titre="Caducité d’une aide",
        objet=f"caducité de l’aide « {demande.intitule} »",
        paragraphes=[
            f"Le projet devait être réalisé avant le {en_jour(demande.limite_le)}. Ce délai est passé : la part "
            f"de l’aide "
            "qui n’est pas versée est caduque.",
        ],
        releve=releve(("Déjà versé", en_euros(verse)), ("Part caduque", en_euros(libere))),
        recours_mois=RECOURS_MOIS,
    )


def somme_a_rendre(
    demande: Demande, *, cle: str, cause: str, objet: str, phrase: str, montant: Decimal, motif: str,
    explication: list[dict[str, Any]],
) -> Acte:  # fmt: skip
    return courrier(
        demande,
        cle=cle,
        titre=f"Somme à rendre, {cause}",
        objet=objet,
        paragraphes=[phrase],
        motivation=motif,
        calcul=en_calcul(explication),
        total=en_euros(montant),
        source=demande.version.source_dite,
        recours_mois=RECOURS_MOIS,
    )
