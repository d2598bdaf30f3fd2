"""Qui est prévenu de quoi. Un courriel ne porte jamais un montant : il invite à se connecter."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone

from comptes.choix import Role
from comptes.models import Utilisateur
from courriers import actions
from financements import actes
from financements.choix import NatureDroit
from financements.etude import DEFINITIFS, Etude, etudier
from financements.models import (
    Convention,
    Declaration,
    Derogation,
    Droit,
    Indu,
    Recalcul,
    VersionDeclaration,
    VersionDroit,
)
from financements.tresorerie import attendus
from partenaires.interlocuteurs import agents, dirigeants, equipe, suppleants, technicien_de
from partenaires.models import Structure
from socle.dates import en_jour
from socle.montants import ZERO, en_euros


def techniciens(structure: Structure) -> list[Utilisateur]:
    """Le technicien du portefeuille et son suppléant du jour ; à défaut, le responsable."""
    le = timezone.localdate()
    titulaire = technicien_de(structure.gestionnaire, le)
    if titulaire is None:
        return agents(Role.RESPONSABLE)
    suppleant = suppleants([titulaire], le).get(titulaire.pk)
    return [titulaire, suppleant] if suppleant else [titulaire]


def annoncer(
    cle: str,
    destinataires: Iterable[Utilisateur],
    texte: str,
    lien: str,
    *,
    objet: str,
    sauf: Utilisateur | None = None,
) -> None:
    actions.annoncer(
        cle=cle,
        destinataires=destinataires,
        texte=texte,
        lien=lien,
        sujet=f"Du nouveau : {objet}",
        gabarit="financements/courriels/du_nouveau",
        contexte={"objet": objet},
        sauf=sauf,
    )


def _rang(declaration: Declaration) -> int:
    return declaration.evenements.count()


def visa_demande(declaration: Declaration, *, par: Utilisateur) -> None:
    annoncer(
        f"declaration-{declaration.pk}-visa-{_rang(declaration)}",
        equipe(declaration.structure_id, Role.REPRESENTANT_LEGAL),
        f"{par} vous demande de viser la déclaration « {declaration.campagne} » de {declaration.structure}.",
        declaration.get_absolute_url(),
        objet=f"{declaration.campagne}",
        sauf=par,
    )


def visa_rendu(declaration: Declaration, *, par: Utilisateur, favorable: bool) -> None:
    suite = "a visé la déclaration : vous pouvez la déposer." if favorable else "n’a pas visé : lisez ses raisons."
    annoncer(
        f"declaration-{declaration.pk}-visa-rendu-{_rang(declaration)}",
        equipe(declaration.structure_id, Role.DIRECTION),
        f"{declaration.campagne}, {declaration.structure} : {par} {suite}",
        declaration.get_absolute_url(),
        objet=f"{declaration.campagne}",
        sauf=par,
    )


def declaration_deposee(declaration: Declaration, version: VersionDeclaration, *, par: Utilisateur) -> None:
    actes.accuse_declaration(declaration, version, declaration.visee_par)
    annoncer(
        f"declaration-{declaration.pk}-deposee-{version.numero}",
        techniciens(declaration.structure),
        f"{declaration.structure} a déposé sa déclaration « {declaration.campagne} » (version {version.numero}).",
        declaration.get_absolute_url(),
        objet=f"{declaration.campagne}, {declaration.structure}",
    )


def correction_demandee(declaration: Declaration) -> None:
    annoncer(
        f"declaration-{declaration.pk}-correction-{_rang(declaration)}",
        equipe(declaration.structure_id, Role.DIRECTION, Role.REPRESENTANT_LEGAL, Role.SAISIE),
        f"La Caf attend des corrections sur la déclaration « {declaration.campagne} ».",
        declaration.get_absolute_url(),
        objet=f"{declaration.campagne}",
    )


def declaration_validee(declaration: Declaration, versions: list[VersionDroit]) -> None:
    """La lettre de droit ; à l’actualisation, dit aussi l’écart à venir, avant qu’il ne devienne un indu."""
    precedentes = VersionDroit.objects.filter(
        droit__in=[v.droit_id for v in versions], numero__in=[v.numero - 1 for v in versions]
    )
    couples = {(v.droit_id, v.numero): v.montant for v in precedentes}
    avant: dict[int, Decimal] = {
        v.droit_id: couples[v.droit_id, v.numero - 1] for v in versions if (v.droit_id, v.numero - 1) in couples
    }
    actes.notification_droit(declaration, versions, avant, _suite(declaration.structure, versions))
    annoncer(
        f"declaration-{declaration.pk}-validee-{_rang(declaration)}",
        dirigeants(declaration.structure_id),
        f"Votre déclaration « {declaration.campagne} » est validée : votre droit est calculé, avec son explication.",
        reverse("financements:accueil"),
        objet=f"{declaration.campagne}",
    )


def droit_apres_controle(version: VersionDroit, *, avant: Decimal, controle: str, corrections: list[str]) -> None:
    """La lettre d’un droit revu par un contrôle : ce qui est corrigé, le calcul, et ce qui vient après."""
    droit = version.droit
    actes.droit_apres_controle(version, avant, controle, corrections, _suite_d_un_controle(version, avant))
    annoncer(
        f"apres-controle-{version.pk}",
        dirigeants(droit.structure_id),
        f"Votre droit {droit.prestation} {droit.exercice} est revu après contrôle : lisez la lettre et le calcul.",
        reverse("financements:accueil"),
        objet=f"{droit.prestation} {droit.exercice}",
    )


def _suite_d_un_controle(version: VersionDroit, avant: Decimal) -> str:
    """Un rappel à verser, une somme à rendre, ou rien : toujours dit, jamais retenu sans lettre."""
    droit = version.droit
    ecart = version.montant - avant
    phrases = [
        f"Votre droit {'augmente' if ecart > 0 else 'baisse'} de {en_euros(abs(ecart))}."
        if ecart
        else "Le montant de votre droit ne change pas ; les données qui le fondent sont celles du contrôle."
    ]
    etude = etudier(droit)
    if etude.suite.trop_verse and version.nature in DEFINITIFS:
        phrases.append(
            f"Il vous a été versé {en_euros(etude.suite.trop_verse)} de plus que ce droit. Une lettre vous dira "
            "comment rendre cette somme ; rien n’est retenu avant elle."
        )
    elif etude.suite.trop_verse:
        phrases.append(
            f"{en_euros(etude.suite.trop_verse)} de plus que ce droit sont déjà versés ou engagés : rien n’est à "
            "rendre avant la déclaration du réel, qui fixera le droit définitif."
        )
    elif version.nature not in DEFINITIFS:
        phrases += [
            _versements_a_venir(droit.structure, droit.exercice, [(droit, etude)]),
            "Ce droit reste provisoire : il sera révisé à chaque déclaration.",
        ]
    elif rappel := sum((p.montant for p in etude.suite.propositions), ZERO):
        phrases.append(f"Il vous reste à recevoir {en_euros(rappel)} au titre de {droit.exercice}.")
    else:
        phrases.append("Rien n’est à rendre, et rien ne reste à vous verser.")
    return "\n".join(phrase for phrase in phrases if phrase)


def _suite(structure: Structure, versions: list[VersionDroit]) -> str:
    """Ce qui vient après, et la fourchette du réel pour chaque prestation tant qu’il n’est pas connu."""
    definitif = versions[0].nature in (NatureDroit.REEL, NatureDroit.APRES_CONTROLE)
    if definitif:
        return "Ce droit est définitif, sauf contrôle : le solde, ou ce qui aurait été versé en trop, s’en déduit."
    exercice = versions[0].droit.exercice
    etudes = _etudes(structure, exercice)
    fourchettes = [f"{droit.prestation.libelle}. {e.estimation.phrase}" for droit, e in etudes if e.estimation]
    phrases = [
        _versements_a_venir(structure, exercice, etudes),
        "Ce droit sera révisé à chaque déclaration.",
        *fourchettes,
    ]
    return "\n".join(phrase for phrase in phrases if phrase)


def forcage_demande(derogation: Derogation) -> None:
    annoncer(
        f"forcage-{derogation.pk}",
        agents(Role.RESPONSABLE),
        f"{derogation.demande_par} demande un montant forcé : {derogation.droit}.",
        derogation.droit.get_absolute_url(),
        objet="un montant forcé à décider",
        sauf=derogation.demande_par,
    )


def indu_notifie(indu: Indu) -> None:
    droit = indu.droit
    verse = indu.version_droit.montant + indu.montant
    actes.notification_indu(indu, verse)
    annoncer(
        f"indu-{indu.pk}",
        dirigeants(droit.structure_id),
        f"Votre droit {droit.prestation} {droit.exercice} est arrêté : une lettre vous attend dans vos financements.",
        reverse("financements:accueil"),
        objet=f"{droit.prestation} {droit.exercice}",
    )


def recalcul_simule(recalcul: Recalcul) -> None:
    annoncer(
        f"recalcul-{recalcul.pk}-simule",
        agents(Role.RESPONSABLE),
        f"Le recalcul {recalcul.exercice} est simulé : lisez le rapport, puis approuvez ou annulez.",
        recalcul.get_absolute_url(),
        objet=f"recalcul {recalcul.exercice} à approuver",
    )


def recalcul_applique(recalcul: Recalcul) -> None:
    annoncer(
        f"recalcul-{recalcul.pk}-applique",
        agents(Role.TECHNICIEN_CONSEIL, Role.ADMINISTRATEUR),
        f"Le recalcul {recalcul.exercice} est appliqué : les droits sont révisés, les lettres partent.",
        recalcul.get_absolute_url(),
        objet=f"recalcul {recalcul.exercice} appliqué",
    )


def droits_revises(
    recalcul: Recalcul, structure: Structure, versions: list[VersionDroit], avant: dict[int, Decimal]
) -> None:
    ecarts = {v: v.montant - avant.get(v.droit_id, v.montant) for v in versions}
    actes.revision_droit(recalcul, structure, versions, avant, _suite_d_une_revision(recalcul, structure, ecarts))
    sens = "change" if any(ecarts.values()) else "garde son montant, sous une nouvelle règle"
    annoncer(
        f"revision-{recalcul.pk}-{structure.pk}",
        dirigeants(structure.pk),
        f"Votre droit {recalcul.exercice} {sens} : lisez la lettre et le calcul.",
        reverse("financements:accueil"),
        objet=f"prestations {recalcul.exercice}",
    )


def _etudes(structure: Structure, exercice: int) -> list[tuple[Droit, Etude]]:
    droits = structure.droits.filter(exercice=exercice).select_related("prestation", "structure__gestionnaire")
    return [(droit, etudier(droit)) for droit in droits]


def _versements_a_venir(structure: Structure, exercice: int, etudes: list[tuple[Droit, Etude]]) -> str:
    """Quand et combien : ce qui est engagé ou prévu, dans l’ordre des dates ; vide s’il n’y a rien."""
    lignes = [
        f"{v['libelle']}, {en_euros(v['montant'])} à partir du {en_jour(v['le'])}"
        for v in attendus(structure, exercice, etudes)
        if v["montant"] > 0
    ]
    return (
        f"Versements à venir, sous réserve des déclarations et d’un contrôle : {' ; '.join(lignes)}." if lignes else ""
    )


def _suite_d_une_revision(recalcul: Recalcul, structure: Structure, ecarts: dict[VersionDroit, Decimal]) -> str:
    """Ce qui change, de combien, et ce que cela fait aux versements ; une phrase par paragraphe."""
    phrases = [
        f"{v.droit.prestation.libelle} : {en_euros(abs(e))} de {'plus' if e > 0 else 'moins'} que le calcul précédent."
        if e
        else f"{v.droit.prestation.libelle} : le montant ne change pas, la nouvelle règle s’y applique désormais."
        for v, e in ecarts.items()
    ]
    etudes = _etudes(structure, recalcul.exercice)
    for droit, etude in etudes:
        if etude.suite.trop_verse:
            phrases.append(
                f"{droit.prestation.libelle} : {en_euros(etude.suite.trop_verse)} de plus que ce nouveau droit sont "
                "versés ou engagés ; votre technicien conseil vous écrit avant toute retenue."
            )
    phrases.append(_versements_a_venir(structure, recalcul.exercice, etudes))
    return "\n".join(phrase for phrase in phrases if phrase)


def convention_a_signer(convention: Convention) -> None:
    annoncer(
        f"convention-{convention.pk}-a-signer",
        dirigeants(convention.structure_id),
        f"La convention {convention.numero} est prête : téléchargez-la, signez-la, déposez l’exemplaire signé.",
        convention.get_absolute_url(),
        objet=f"convention {convention.numero}",
    )


def convention_signee_par_le_gestionnaire(convention: Convention) -> None:
    annoncer(
        f"convention-{convention.pk}-partenaire",
        [*techniciens(convention.structure), *agents(Role.RESPONSABLE)],
        f"{convention.structure} a signé la convention {convention.numero} : à la Caf de signer.",
        convention.get_absolute_url(),
        objet=f"convention {convention.numero}",
    )


def convention_signee(convention: Convention) -> None:
    annoncer(
        f"convention-{convention.pk}-signee",
        dirigeants(convention.structure_id),
        f"La convention {convention.numero} est signée par les deux parties.",
        convention.get_absolute_url(),
        objet=f"convention {convention.numero}",
    )
