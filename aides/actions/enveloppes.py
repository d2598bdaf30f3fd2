"""Voter, abonder, transférer, engager, dégager, répartir : une enveloppe ne se dépasse jamais."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from aides.actions.franchir import consigner
from aides.choix import ETATS_PROPOSES, Geste, NatureMouvement
from aides.droits import peut_regler, peut_repartir
from aides.models import Demande, Dispositif, Enveloppe, LigneAllocation, MouvementEnveloppe, ScenarioAllocation
from comptes.models import Utilisateur
from partenaires.models import Epci
from socle.droits import exiger
from socle.erreurs import Refus
from socle.montants import ZERO, en_euros


def _mouvement(
    enveloppe: Enveloppe, nature: str, montant: Decimal, *, motif: str, par: Utilisateur | None,
    demande: Demande | None = None, contrepartie: Enveloppe | None = None,
) -> None:  # fmt: skip
    MouvementEnveloppe.objects.create(
        enveloppe=enveloppe, nature=nature, montant=montant, motif=motif, par=par, demande=demande,
        contrepartie=contrepartie, le=timezone.now(),
    )  # fmt: skip


@transaction.atomic
def voter(
    *, dispositif: Dispositif, exercice: int, montant: Decimal, motif: str, par: Utilisateur, epci: Epci | None = None
) -> Enveloppe:
    """Ouvre l’enveloppe votée par le conseil d’administration. ``motif`` : la délibération."""
    exiger(peut_regler(par))
    if montant <= 0:
        raise ValidationError({"montant": "Écrivez un montant supérieur à zéro."})
    enveloppe = Enveloppe(dispositif=dispositif, exercice=exercice, epci=epci, vote=montant)
    enveloppe.full_clean()
    enveloppe.save()
    _mouvement(enveloppe, NatureMouvement.VOTE, montant, motif=motif, par=par)
    return enveloppe


@transaction.atomic
def abonder(enveloppe: Enveloppe, *, montant: Decimal, motif: str, par: Utilisateur) -> Enveloppe:
    """Ajoute (ou, négatif, retire) à ce qui est voté. Refuse de descendre sous ce qui est engagé."""
    exiger(peut_regler(par))
    enveloppe = Enveloppe.objects.verrouiller(enveloppe.pk)
    if montant == 0:
        raise ValidationError({"montant": "Écrivez un montant différent de zéro."})
    if enveloppe.vote + montant < enveloppe.engage:
        raise ValidationError(
            {"montant": f"{en_euros(enveloppe.engage)} sont déjà engagés : on ne descend pas dessous."}
        )
    enveloppe.vote += montant
    enveloppe.save(update_fields=["vote"])
    _mouvement(enveloppe, NatureMouvement.ABONDEMENT, montant, motif=motif, par=par)
    return enveloppe


@transaction.atomic
def transferer(de: Enveloppe, vers: Enveloppe, *, montant: Decimal, motif: str, par: Utilisateur) -> None:
    """Passe une somme libre d’une enveloppe à l’autre. Les deux se verrouillent par clé croissante."""
    exiger(peut_regler(par))
    if de.pk == vers.pk:
        raise ValidationError({"vers": "Choisissez une autre enveloppe."})
    if montant <= 0:
        raise ValidationError({"montant": "Écrivez un montant supérieur à zéro."})
    tenues = {pk: Enveloppe.objects.verrouiller(pk) for pk in sorted((de.pk, vers.pk))}
    de, vers = tenues[de.pk], tenues[vers.pk]
    if montant > de.reste:
        raise ValidationError({"montant": f"Il reste {en_euros(de.reste)} dans « {de} »."})
    de.vote -= montant
    vers.vote += montant
    de.save(update_fields=["vote"])
    vers.save(update_fields=["vote"])
    _mouvement(de, NatureMouvement.TRANSFERT, -montant, motif=motif, par=par, contrepartie=vers)
    _mouvement(vers, NatureMouvement.TRANSFERT, montant, motif=motif, par=par, contrepartie=de)


def engager(demande: Demande, montant: Decimal, *, par: Utilisateur) -> Enveloppe:
    """Prend la somme accordée sur l’enveloppe de la demande, dans la transaction de la décision.

    Lève Refus si elle ne suffit pas : rien n’est écrit, ni la décision.
    """
    assert demande.enveloppe_id is not None
    enveloppe = Enveloppe.objects.verrouiller(demande.enveloppe_id)
    if montant > enveloppe.reste:
        raise Refus(
            f"L’enveloppe « {enveloppe} » ne suffit pas : il reste {en_euros(enveloppe.reste)}, cette aide en demande "
            f"{en_euros(montant)}. Baissez le montant, ou faites un transfert."
        )
    enveloppe.engage += montant
    enveloppe.save(update_fields=["engage"])
    _mouvement(enveloppe, NatureMouvement.ENGAGEMENT, -montant, motif=demande.numero, par=par, demande=demande)
    return enveloppe


def degager(demande: Demande, montant: Decimal, *, motif: str, par: Utilisateur | None) -> None:
    """Rend à l’enveloppe ce qui ne sera pas versé. Sans effet à zéro."""
    if montant <= 0:
        return
    assert demande.enveloppe_id is not None
    enveloppe = Enveloppe.objects.verrouiller(demande.enveloppe_id)
    enveloppe.engage -= montant
    enveloppe.save(update_fields=["engage"])
    _mouvement(enveloppe, NatureMouvement.DEGAGEMENT, montant, motif=motif, par=par, demande=demande)


@transaction.atomic
def essayer(enveloppe: Enveloppe, *, nom: str, par: Utilisateur) -> ScenarioAllocation:
    """Ouvre un scénario, parti de ce que l’instruction propose pour chaque demande."""
    exiger(peut_repartir(par))
    scenario = ScenarioAllocation(enveloppe=enveloppe, nom=nom.strip(), cree_par=par)
    scenario.full_clean()
    scenario.save()
    demandes = enveloppe.demandes.filter(etat__in=ETATS_PROPOSES)
    LigneAllocation.objects.bulk_create(
        LigneAllocation(scenario=scenario, demande=d, montant=d.montant_propose or ZERO) for d in demandes
    )
    return scenario


@transaction.atomic
def repartir(scenario: ScenarioAllocation, *, demande_pk: int, montant: Decimal, par: Utilisateur) -> LigneAllocation:
    """Change une ligne d’un scénario. Lève Refus au-delà du calcul, ou si une hausse dépasse ce qui reste.

    Les avis peuvent dépasser l’enveloppe : on part d’eux, et baisser est toujours permis.
    """
    exiger(peut_repartir(par))
    enveloppe = Enveloppe.objects.verrouiller(scenario.enveloppe_id)
    scenario = ScenarioAllocation.objects.select_for_update(of=("self",)).get(pk=scenario.pk)
    if scenario.retenu_le is not None:
        raise Refus("Ce scénario est retenu : essayez-en un autre.")
    lignes = {ligne.demande_id: ligne for ligne in scenario.lignes.select_related("demande")}
    ligne = lignes[demande_pk]
    avis = ligne.demande.avis.first()
    if avis is not None and montant > avis.calcule:
        raise Refus(f"La règle donne au plus {en_euros(avis.calcule)} à cette demande.")
    autres = sum((autre.montant for pk, autre in lignes.items() if pk != demande_pk), ZERO)
    libre = enveloppe.reste - autres
    if montant > max(libre, ligne.montant):
        if libre <= 0:
            raise Refus("Il ne reste rien pour cette demande : baissez d’abord les autres.")
        raise Refus(f"Il ne reste que {en_euros(libre)} pour cette demande.")
    ligne.montant = montant
    ligne.save(update_fields=["montant"])
    return ligne


@transaction.atomic
def retenir(scenario: ScenarioAllocation, *, par: Utilisateur) -> ScenarioAllocation:
    """Fait des montants du scénario les propositions faites à l’instance. Chaque demande le garde à son journal."""
    exiger(peut_repartir(par))
    enveloppe = Enveloppe.objects.verrouiller(scenario.enveloppe_id)
    scenario = ScenarioAllocation.objects.select_for_update(of=("self",)).get(pk=scenario.pk)
    if scenario.retenu_le is not None:
        raise Refus("Ce scénario est déjà retenu.")
    lignes = list(scenario.lignes.order_by("demande_id"))
    if sum((ligne.montant for ligne in lignes), ZERO) > enveloppe.reste:
        raise Refus(f"Ce scénario dépasse ce qui reste ({en_euros(enveloppe.reste)}) : une aide a été accordée depuis.")
    for ligne in lignes:
        demande = Demande.objects.verrouiller(ligne.demande_id)
        if demande.etat not in ETATS_PROPOSES or demande.montant_propose == ligne.montant:
            continue
        avant = demande.montant_propose or ZERO
        demande.montant_propose = ligne.montant
        demande.save(update_fields=["montant_propose"])
        consigner(
            demande, Geste.PROPOSER, par=par, motif=f"Scénario « {scenario.nom} »",
            details={"avant": str(avant), "apres": str(ligne.montant)},
        )  # fmt: skip
    scenario.retenu_le, scenario.retenu_par = timezone.now(), par
    scenario.save(update_fields=["retenu_le", "retenu_par"])
    return scenario
