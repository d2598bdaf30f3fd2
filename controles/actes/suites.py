"""Les lettres des suites : versements retenus ou repris, sanction proposée puis décidée."""

from __future__ import annotations

from datetime import date

from comptes.models import Utilisateur
from controles.actes.commun import courrier
from controles.delais import delai_dit
from controles.models import Constat, Controle, Sanction
from documents.gabarit import releve
from documents.models import Acte
from financements.calculs import pourcent
from partenaires.entete import RECOURS_MOIS
from socle.dates import en_jour
from socle.montants import en_euros

QUALITE = "responsable de l’action sociale"


def _signe(par: Utilisateur) -> dict[str, str]:
    return {"signataire": par.get_full_name(), "signataire_qualite": QUALITE}


def versements_suspendus(controle: Controle, rang: int, droits: list[str], motif: str, par: Utilisateur) -> Acte:
    return courrier(
        controle,
        cle=f"versements-{rang}",
        titre="Suspension de versements",
        objet="suspension de versements pendant un contrôle",
        paragraphes=[
            "Le contrôle de votre structure ne suspend pas, à lui seul, ce que la Caf vous verse. La Caf a toutefois "
            "décidé de retenir les versements des droits ci-dessous, jusqu’à ce qu’elle vous écrive qu’ils reprennent.",
        ],
        releve=releve(("Droits retenus", " ; ".join(droits))),
        motivation=motif,
        suite="Les droits eux-mêmes ne changent pas. Vous pouvez présenter vos observations à tout moment.",
        recours_mois=RECOURS_MOIS,
        **_signe(par),
    )


def versements_repris(controle: Controle, rang: int, droits: list[str], motif: str, par: Utilisateur) -> Acte:
    return courrier(
        controle,
        cle=f"versements-{rang}",
        titre="Reprise de versements",
        objet="reprise des versements retenus pendant un contrôle",
        paragraphes=["La Caf ne retient plus les versements des droits ci-dessous ; ils reprennent à leur date."],
        releve=releve(("Droits", " ; ".join(droits))),
        motivation=motif,
        **_signe(par),
    )


def projet_de_sanction(
    controle: Controle, constat: Constat, rang: int, *, degre: str, calcul: str, montant: str, motivation: str,
    avant_le: date,
) -> Acte:  # fmt: skip
    """Le contradictoire d’une sanction : ce qui est reproché, ce qu’elle vaudrait, jusqu’à quand répondre."""
    regles = controle.regles
    delai = delai_dit(regles.reponse_jours, ouvres=regles.reponse_ouvres)
    return courrier(
        controle,
        cle=f"sanction-projet-{rang}",
        titre="Projet de sanction",
        objet="projet de sanction, vos observations sont attendues",
        paragraphes=[
            "Le rapport définitif du contrôle de votre structure retient un manquement. La Caf envisage la sanction "
            "ci-dessous. Elle n’est pas décidée.",
            f"Vous pouvez présenter vos observations dans le portail dans un délai de {delai}, jusqu’au "
            f"{en_jour(avant_le)} compris. Vous pouvez demander à être entendus, et vous faire assister ou représenter "
            "par la personne de votre choix (articles L. 121-1 et L. 122-1 du code des relations entre le public et "
            "l’administration).",
        ],
        releve=releve(
            ("Manquement", f"constat n° {constat.numero}, {constat.libelle}"),
            ("Degré", degre),
            ("Calcul", calcul),
            ("Montant envisagé", montant),
            ("Observations", f"jusqu’au {en_jour(avant_le)} compris"),
        ),
        motivation=motivation,
        suite="Un autre que le contrôleur décidera ensuite, au vu de vos observations ; la décision vous sera écrite. "
        "Sans réponse de votre part à cette date, elle sera prise sur ce que la Caf sait.",
    )


def decision_de_sanction(sanction: Sanction, *, prononcee: bool, motif: str, par: Utilisateur) -> Acte:
    controle, constat = sanction.controle, sanction.constat
    suite = (
        "Cette somme est due à la Caf. Une lettre vous dira comment la régler ; elle n’est pas retenue sur vos "
        "prestations sans que vous en soyez prévenus."
        if prononcee
        else "Vous n’avez rien à faire. Les constats du rapport définitif restent."
    )
    return courrier(
        controle,
        cle=f"sanction-{sanction.pk}-decision",
        titre="Sanction prononcée" if prononcee else "Sanction écartée",
        objet="décision sur le projet de sanction",
        paragraphes=[
            f"La Caf vous avait communiqué un projet de sanction. "
            f"{'Elle a lu vos observations' if sanction.observations else 'Elle n’a pas reçu d’observations'}.",
            "Elle prononce la sanction ci-dessous." if prononcee else "Elle décide de ne pas prononcer de sanction.",
        ],
        releve=releve(
            ("Manquement", f"constat n° {constat.numero}, {constat.libelle}"),
            ("Degré", sanction.libelle_degre),
            ("Base", f"{sanction.base_dite} : {en_euros(sanction.base)}" if prononcee else ""),
            ("Taux", pourcent(sanction.taux * 100) if prononcee else ""),
            ("Montant dû", en_euros(sanction.montant) if prononcee else ""),
        ),
        motivation=motif,
        suite=suite,
        recours_mois=RECOURS_MOIS if prononcee else 0,
        **_signe(par),
    )
