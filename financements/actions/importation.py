"""Importer des comptes : lire, rattacher, montrer, puis appliquer. Rien n’est remplacé sans l’accord de la personne."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from comptes.models import Utilisateur
from financements.actions.declarations import importer
from financements.calculs import FONCTIONS
from financements.choix import GesteDeclaration
from financements.cycle import SAISIE_OUVERTE
from financements.droits import peut
from financements.formulaire import Valeur, nombre, plan
from financements.importation import Solde, lire
from financements.models import CleRepartition, Declaration, ImportComptes
from financements.repartition import CleInvalide, Regle, Ventilation, ventiler
from socle.droits import exiger
from socle.erreurs import Refus
from socle.texte import epurer

ANOMALIES_GARDEES = 200
ECARTES_GARDES = 500


@transaction.atomic
def televerser(declaration: Declaration, *, nom: str, contenu: bytes, par: Utilisateur) -> ImportComptes:
    """Lit le fichier et garde ses soldes et ses anomalies. Lève FichierIllisible, avec la phrase à montrer."""
    declaration = Declaration.objects.verrouiller(declaration.pk)
    exiger(peut(GesteDeclaration.IMPORTER, par, declaration))
    if declaration.etat not in SAISIE_OUVERTE:
        raise Refus("Cette déclaration n’est plus en préparation : elle ne s’importe plus.")
    balance = lire(contenu, nom, exercice=declaration.campagne.exercice)
    return ImportComptes.objects.create(
        declaration=declaration,
        nom=epurer(nom)[:200],
        format=balance.format,
        lignes_lues=balance.lignes_lues,
        soldes=[[s.compte, epurer(s.libelle), str(s.debit), str(s.credit), s.ligne] for s in balance.soldes],
        ecartes=[[s.compte, epurer(s.libelle)] for s in balance.ecartes[:ECARTES_GARDES]],
        anomalies=[[a.ligne, a.colonne, epurer(a.message)] for a in balance.anomalies[:ANOMALIES_GARDEES]],
        par=par,
    )


def soldes_de(importe: ImportComptes) -> list[Solde]:
    return [Solde(c, lib, Decimal(d), Decimal(cr), ligne) for c, lib, d, cr, ligne in importe.soldes]


def regles_de(declaration: Declaration) -> list[Regle]:
    """La clé du gestionnaire ; sans elle, chaque produit va de lui-même à la ligne du même numéro."""
    cles = CleRepartition.objects.filter(gestionnaire=declaration.structure.gestionnaire_id)
    connues = {c.prefixe: Regle(c.prefixe, c.compte, {f: Decimal(v) for f, v in c.parts.items()}) for c in cles}
    for compte in plan().produits:
        connues.setdefault(compte.compte, Regle(compte.compte, compte.compte, {}))
    return list(connues.values())


def ventilation(importe: ImportComptes) -> Ventilation:
    return ventiler(soldes_de(importe), regles_de(importe.declaration))


def parts_d_avant(compte: str, avant: dict[str, Valeur] | None) -> dict[str, Decimal]:
    """La répartition constatée l’an dernier sur cette ligne, en pour cent entiers : une proposition, à corriger."""
    if avant is None:
        return {}
    montants = {f: nombre(avant, f"{compte}.{f}") for f in FONCTIONS}
    total = sum(montants.values(), Decimal(0))
    if not total:
        return {}
    parts: dict[str, Decimal] = {str(f): (m * 100 / total).quantize(Decimal(1)) for f, m in montants.items()}
    plus_grande = max(parts, key=lambda f: parts[f])
    parts[plus_grande] += 100 - sum(parts.values(), Decimal(0))
    return parts


@transaction.atomic
def garder_la_cle(declaration: Declaration, regles: Iterable[Regle], *, par: Utilisateur) -> int:
    """Ajoute ou corrige des lignes de la clé du gestionnaire ; elles resserviront l’année suivante."""
    exiger(peut(GesteDeclaration.IMPORTER, par, declaration))
    gardees = 0
    for regle in regles:
        if regle.compte not in plan().comptes:
            raise CleInvalide(f"La ligne « {regle.compte} » n’existe pas dans la déclaration.")
        if plan().comptes[regle.compte].est_charge != bool(regle.parts):
            raise CleInvalide(f"Les comptes {regle.prefixe} et la ligne {regle.compte} ne sont pas du même côté.")
        CleRepartition.objects.update_or_create(
            gestionnaire_id=declaration.structure.gestionnaire_id,
            prefixe=regle.prefixe,
            defaults={
                "compte": regle.compte,
                "parts": {f: str(v) for f, v in regle.parts.items()},
                "modifie_par": par,
            },
        )
        gardees += 1
    return gardees


@transaction.atomic
def appliquer(importe: ImportComptes, *, par: Utilisateur) -> int:
    """Remplace les comptes de la déclaration. Lève Refus s’il reste une anomalie ou un compte non rattaché."""
    importe = (
        ImportComptes.objects.select_for_update(of=("self",))
        .select_related("declaration__structure")
        .get(pk=importe.pk)
    )
    if importe.applique_le is not None:
        raise Refus("Cet import est déjà appliqué.")
    if importe.anomalies:
        raise Refus("Le fichier a des lignes à corriger : corrigez-le, puis renvoyez-le.")
    reparti = ventilation(importe)
    if reparti.non_rattaches:
        comptes = ", ".join(s.compte for s in reparti.non_rattaches[:5])
        raise Refus(f"Des comptes ne sont rattachés à aucune ligne : {comptes}.")
    montants = {
        f"{compte}.{fonction}" if fonction else compte: montant
        for (compte, fonction), montant in reparti.montants.items()
    }
    changees = importer(importe.declaration, montants, par=par)
    importe.applique_le = timezone.now()
    importe.save(update_fields=["applique_le"])
    return changees
