"""Le rapport provisoire, le rapport définitif et la lettre de clôture, composée des points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from controles.actes.commun import commun, courrier, objet_de, reperes
from controles.choix import CONSTATS_A_DISCUTER, Conclusion, NatureConstat, Position
from controles.consequences import EffetFinancier
from controles.contenu import Fiche
from controles.models import Constat, Controle, PhotoControle
from controles.saisies import traits
from documents.actions import demander_acte
from documents.gabarit import releve
from documents.models import Acte, NatureActe
from documents.sources import source_de_photo
from partenaires.entete import RECOURS_MOIS
from socle.dates import en_jour
from socle.montants import en_euros, nombre_fr
from socle.texte import accorde

SILENCE = (
    "Sans réponse à cette date, les constats sont réputés ne pas être discutés : le contrôleur conclut sur les pièces "
    "dont il dispose. Le silence ne vaut pas accord sur les sommes, qui restent susceptibles de recours."
)
SANS_REPONSE = "La structure n’a pas répondu dans le délai."
PROPOSE = (
    "Si ces constats étaient maintenus, vos droits seraient revus ainsi. Rien ne change avant la signature du rapport "
    "définitif."
)
RETENU = (
    "Voici ce que les données contrôlées donnent, sous le barème de l’exercice. Un technicien conseil, qui n’a pas "
    "mené le contrôle, en décide ; une lettre vous dira le nouveau droit."
)


def dire(valeur: Decimal | None, unite: str) -> str:
    if valeur is None:
        return ""
    return en_euros(valeur) if unite == "€" else f"{nombre_fr(valeur)}\u00a0{unite}".strip()


def chemin(signature: str) -> str:
    """Le tracé SVG d’une signature dessinée : « M10 20 L30 40 »."""
    morceaux = []
    for trait in traits(signature):
        (x, y), *suite = trait
        morceaux.append(f"M{x} {y}" + "".join(f" L{a} {b}" for a, b in suite or [(x, y)]))
    return " ".join(morceaux)


def _instant_dit(saisie: str) -> str:
    """« 2027-03-04T09:05 » devient « 4 mars 2027 à 9 h 05 »."""
    if not saisie:
        return ""
    jour, heure = date.fromisoformat(saisie[:10]), saisie[11:16]
    heures, minutes = heure.split(":")
    return f"{en_jour(jour)} à {int(heures)}\u00a0h\u00a0{minutes}"


def _signatures(fiche: Fiche) -> list[dict[str, str]]:
    """Les traces recueillies sur place ; sans dessin, le nom écrit et la raison d’un refus en tiennent lieu."""
    recueillies = []
    controleur = chemin(fiche.valeur("visite.signature_controleur"))
    if controleur:
        recueillies.append(
            {
                "qui": "Pour la Caf",
                "nom": fiche.controle.controleur.get_full_name(),
                "trace": controleur,
                "mention": "signé sur place",
            }
        )
    nom, trace = fiche.valeur("visite.signataire"), chemin(fiche.valeur("visite.signature_structure"))
    refus = fiche.valeur("visite.refus_signature")
    if nom or trace or refus:
        mention = (
            f"n’a pas signé : {refus}" if refus and not trace else "signé sur place" if trace else "nom écrit sur place"
        )
        recueillies.append(
            {"qui": "Pour la structure", "nom": nom or "nom non écrit", "trace": trace, "mention": mention}
        )
    return recueillies


def _photos(photos: Iterable[PhotoControle]) -> list[dict[str, Any]]:
    return [
        {"source": source_de_photo(photo.fichier), "numero": rang, "legende": photo.legende}
        for rang, photo in enumerate(photos, 1)
    ]


def _photos_dites(rangs: Sequence[int]) -> str:
    if not rangs:
        return ""
    if len(rangs) == 1:
        return f"photo {rangs[0]}"
    return f"photos {', '.join(str(r) for r in rangs[:-1])} et {rangs[-1]}"


def _constats(controle: Controle, fiche: Fiche, *, definitif: bool) -> list[dict[str, Any]]:
    rangs: dict[int, list[int]] = {}
    for rang, photo in enumerate(fiche.photos, 1):
        if photo.point_id:
            rangs.setdefault(photo.point_id, []).append(rang)
    deja = {ligne.point.pk: ligne.deja for ligne in fiche.lignes}
    constats = controle.constats.select_related("reponse", "point").prefetch_related("pieces")
    rendus = []
    for c in constats:
        rendu = {
            "numero": c.numero,
            "theme": c.theme,
            "libelle": c.libelle,
            "nature": c.get_nature_display(),
            "regle": c.regle,
            "faits": c.faits,
            "declare": dire(c.declare, c.unite),
            "constate": dire(c.releve, c.unite),
            "ecart": _ecart(c.declare, c.releve, c.unite),
            "recommandation": c.recommandation,
            "deja": deja.get(c.point_id, "") if c.nature in CONSTATS_A_DISCUTER else "",
            "photos": _photos_dites(rangs.get(c.point_id, [])),
        }
        rendus.append({**rendu, **(_suite_du_constat(c, controle) if definitif else {})})
    return rendus


def _ecart(declare: Decimal | None, constate: Decimal | None, unite: str) -> str:
    if declare is None or constate is None or declare == constate:
        return ""
    ecart = constate - declare
    return f"{'+' if ecart > 0 else ''}{dire(ecart, unite)}"


def _suite_du_constat(constat: Constat, controle: Controle) -> dict[str, Any]:
    """La réponse, les pièces et la conclusion ; le silence se dit."""
    if constat.nature not in CONSTATS_A_DISCUTER:
        return {}
    reponse = getattr(constat, "reponse", None)
    repondu = controle.reponse_le is not None and reponse is not None
    retenu = constat.releve_retenu if constat.conclusion == Conclusion.MODIFIE else None
    return {
        "position": Position(reponse.position).label if repondu and reponse and reponse.position else "",
        "reponse": reponse.texte if repondu and reponse else SANS_REPONSE,
        "pieces": [p.nom for p in constat.pieces.all()] if repondu else [],
        "conclusion": constat.get_conclusion_display(),
        "motif": constat.motif_conclusion,
        "retenu": dire(retenu, constat.unite),
    }


def _effets(effets: Iterable[EffetFinancier]) -> list[dict[str, Any]]:
    return [
        {
            "droit": effet.intitule,
            "avant": en_euros(effet.avant),
            "apres": en_euros(effet.apres),
            "ecart": f"{'+' if effet.ecart > 0 else ''}{en_euros(effet.ecart)}",
            "lignes": [
                *({"libelle": "Donnée corrigée", "calcul": phrase, "montant": ""} for phrase in effet.phrases),
                *(
                    {"libelle": li["libelle"], "calcul": li["formule"], "montant": en_euros(Decimal(li["montant"]))}
                    for li in effet.lignes
                ),
            ],
        }
        for effet in effets
        if effet.droit is not None and effet.touche
    ]


def _rapport(
    controle: Controle, fiche: Fiche, *, cle: str, nature: str, objet: str, introduction: list[str],
    effets: Iterable[EffetFinancier], effets_dits: str, suites: list[str], definitif: bool, **mentions: Any,
) -> Acte:  # fmt: skip
    return demander_acte(
        cle=f"controle-{controle.pk}-{cle}",
        objet=objet_de(controle),
        nature=NatureActe.RAPPORT_CONTROLE,
        titre=f"{nature}, {controle.numero}",
        gabarit="rapport_controle",
        contexte={
            **commun(controle),
            "objet_du_courrier": objet,
            "nature": nature,
            "introduction": introduction,
            "releve": [
                *reperes(controle),
                *releve(
                    ("Arrivée", _instant_dit(fiche.valeur("visite.arrivee"))),
                    ("Départ", _instant_dit(fiche.valeur("visite.depart"))),
                ),
            ],
            "resume": [{"nature": nom, "nombre": nombre} for nom, nombre in fiche.resume.items()],
            "constats": _constats(controle, fiche, definitif=definitif),
            "effets": _effets(effets),
            "effets_dits": effets_dits,
            "photos": _photos(fiche.photos),
            "signatures": _signatures(fiche),
            "suites": suites,
            **{nom: valeur for nom, valeur in mentions.items() if valeur},
        },
    )


def provisoire(controle: Controle, fiche: Fiche, reponse_avant: date, effets: Iterable[EffetFinancier]) -> Acte:
    return _rapport(
        controle,
        fiche,
        cle="provisoire",
        nature="Rapport provisoire",
        objet="rapport provisoire du contrôle de votre structure",
        introduction=[
            "Le contrôle de votre structure est mené. Voici le rapport provisoire : les faits relevés, la règle qui "
            "s’y applique, et l’effet qu’ils auraient. Rien n’est conclu.",
        ],
        effets=effets,
        effets_dits=PROPOSE,
        suites=[],
        definitif=False,
        reponse_avant=en_jour(reponse_avant),
        silence=SILENCE,
        notes=fiche.valeur("visite.notes"),
    )


def definitif(controle: Controle, fiche: Fiche, effets: Iterable[EffetFinancier], suites: list[str]) -> Acte:
    silence = "" if controle.reponse_le else f" {SANS_REPONSE}"
    return _rapport(
        controle,
        fiche,
        cle="definitif",
        nature="Rapport définitif",
        objet="rapport définitif du contrôle de votre structure",
        introduction=[
            "Le contrôle de votre structure est conclu. Ce rapport reprend chaque constat, votre réponse et la "
            f"conclusion qui en est tirée.{silence}",
        ],
        effets=effets,
        effets_dits=RETENU,
        suites=suites,
        definitif=True,
        notes=fiche.valeur("visite.notes"),
        recours_mois=RECOURS_MOIS,
    )


def suites_dites(constats: Iterable[Constat], effets: Iterable[EffetFinancier]) -> list[str]:
    """Ce qui suit le rapport, en phrases : les droits à revoir, les recommandations, ou rien."""
    phrases = [f"{effet.intitule} : {effet.resultat}" for effet in effets if effet.droit is not None and effet.touche]
    if phrases:
        phrases.append("Un technicien conseil, qui n’a pas mené le contrôle, décide de ces droits et vous écrit.")
    faites = sum(1 for c in constats if c.recommandation and c.conclusion != Conclusion.LEVE)
    if faites:
        phrases.append(
            f"{accorde(faites, 'recommandation')} à tenir : votre chargé de conseil et de développement en fait le "
            "point avec vous."
        )
    return phrases or ["Ce contrôle n’entraîne aucune suite."]


def _suite_dite(constat: Constat) -> str:
    if constat.conclusion == Conclusion.MODIFIE and constat.releve_retenu is not None:
        return f"modifié : {dire(constat.releve_retenu, constat.unite)} retenus"
    return constat.get_conclusion_display() or "sans suite"


def cloture(controle: Controle, constats: Iterable[Constat], suites: list[str]) -> Acte:
    """La lettre qui accompagne le rapport définitif : chaque point discuté, et ce qui suit."""
    discutes = [c for c in constats if c.nature in CONSTATS_A_DISCUTER]
    paragraphe = (
        "Le contrôle de votre structure est conclu ; le rapport définitif vous est remis avec cette lettre. Aucun "
        "point n’appelle de remarque. La Caf vous remercie de votre accueil."
        if not discutes
        else "Le contrôle de votre structure est conclu ; le rapport définitif vous est remis avec cette lettre. Voici "
        "ce qui est conclu de chaque point."
    )
    return courrier(
        controle,
        cle="cloture",
        titre="Conclusion du contrôle",
        objet="conclusion du contrôle de votre structure",
        paragraphes=[paragraphe],
        releve=reperes(controle),
        points=[
            {
                "numero": c.numero,
                "libelle": c.libelle,
                "nature": NatureConstat(c.nature).label,
                "suite": _suite_dite(c),
            }
            for c in discutes
        ],
        suite="\n".join(suites),
        recours_mois=RECOURS_MOIS,
    )


def prolongation(controle: Controle, avant: date, apres: date, motif: str) -> Acte:
    return courrier(
        controle,
        cle=f"prolongation-{apres.isoformat()}",
        titre="Délai de réponse prolongé",
        objet="délai de réponse au rapport provisoire",
        paragraphes=[
            f"Le délai pour répondre au rapport provisoire, fixé au {en_jour(avant)}, est prolongé jusqu’au "
            f"{en_jour(apres)} compris.",
        ],
        releve=reperes(controle),
        motivation=motif,
    )
