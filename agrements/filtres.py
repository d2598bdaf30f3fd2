from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from dateutil.relativedelta import relativedelta
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils import timezone

from agrements.choix import DECISION_A_LIRE, ETATS_DECIDES, ETATS_PRIVES, Etat, EtatAgrement, TypeDossier
from agrements.etapes import libelle_etat
from agrements.models import Agrement, Dossier
from comptes.choix import Role
from comptes.http import Requete
from comptes.models import Utilisateur
from partenaires.filtres import ayant_tenu
from partenaires.models import Epci, Structure
from partenaires.querysets import structure_nommee
from socle.texte import cle_de_tri, entier

_A_LIRE = "a_lire"


def _par_intercommunalite() -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(
        label="Intercommunalité",
        field_name="structure__commune__epci",
        queryset=Epci.objects.all(),
        empty_label="Toutes",
    )


class DossierFiltre(django_filters.FilterSet):
    """Les filtres d’une liste de dossiers ; tous sont dans l’adresse, on l’envoie à un collègue."""

    q = django_filters.CharFilter(label="Structure ou numéro", method="chercher")
    etat = django_filters.ChoiceFilter(label="État", choices=Etat.choices, method="selon_etat", empty_label="Tous")
    type = django_filters.ChoiceFilter(label="Type", choices=TypeDossier.choices, empty_label="Tous")
    epci = _par_intercommunalite()
    charge = django_filters.ModelChoiceFilter(
        label="Chargé de conseil", queryset=Utilisateur.objects.none(), empty_label="Tous"
    )
    suivi = django_filters.ChoiceFilter(
        label="Périmètre",
        choices=[("moi", "Mes dossiers"), ("ouverts", "Dossiers ouverts"), ("retard", "En retard")],
        method="suivre",
        empty_label="Tous",
    )
    tri = django_filters.ChoiceFilter(
        label="Trier par",
        choices=[("echeance", "Échéance, la plus proche d’abord"), ("structure", "Structure")],
        method="trier",
        empty_label="Dernier modifié d’abord",
    )

    class Meta:
        model = Dossier
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        utilisateur = self.request.user
        if utilisateur.est_agent:
            self.filters["charge"].queryset = ayant_tenu(Role.CHARGE_CONSEIL)
            retenus = [e for e in Etat if e not in ETATS_PRIVES]
        else:
            for nom in ("charge", "suivi", "epci"):
                del self.filters[nom]
            retenus = list(Etat)
        self.filters["etat"].extra["choices"] = [
            (e.value, libelle_etat(e, agent=utilisateur.est_agent)) for e in retenus
        ]
        if not utilisateur.est_agent:
            self.filters["etat"].extra["choices"].append((_A_LIRE, DECISION_A_LIRE))

    def selon_etat(self, queryset: QuerySet[Dossier], nom: str, valeur: str) -> QuerySet[Dossier]:
        """Pour la structure, une décision pas encore lue n’est dans aucun état décidé : filtrer ne la devine pas."""
        if self.request.user.est_agent or valeur not in (*ETATS_DECIDES, _A_LIRE):
            return queryset.filter(etat=valeur)
        lus = queryset.avec_lecture()  # type: ignore[attr-defined]
        if valeur == _A_LIRE:
            return lus.filter(decision_a_lire=True)
        return lus.filter(etat=valeur, decision_a_lire=False)

    def chercher(self, queryset: QuerySet[Dossier], nom: str, valeur: str) -> QuerySet[Dossier]:
        """Sans accents ni casse ; « AVS-2026-00042 » ou « 42 » retrouve le dossier."""
        cle = cle_de_tri(valeur)
        if not cle:
            return queryset
        condition = structure_nommee(valeur, "structure__")
        numero = entier(cle.split()[-1])
        if numero is not None:
            condition |= Q(pk=numero)
        return queryset.filter(condition)

    def suivre(self, queryset: QuerySet[Dossier], nom: str, valeur: str) -> QuerySet[Dossier]:
        aujourd_hui = timezone.localdate()
        if valeur == "moi":
            return queryset.suivis_par(self.request.user, aujourd_hui)  # type: ignore[attr-defined]
        ouverts: QuerySet[Dossier] = queryset.ouverts()  # type: ignore[attr-defined]
        return ouverts if valeur == "ouverts" else ouverts.filter(echeance_le__lt=aujourd_hui)

    def trier(self, queryset: QuerySet[Dossier], nom: str, valeur: str) -> QuerySet[Dossier]:
        return queryset  # l’ordre se pose à la fin, par ``ordonner``


# Une clé par ordre, et son sens ; à clé égale, le numéro du dossier départage dans le même sens.
_ORDRES: dict[str, tuple[str, bool]] = {
    "": ("modifie_le", True),
    "echeance": ("echeance_ou_jamais", False),
    "structure": ("structure__nom_tri", False),
}


def _ordre(filtre: DossierFiltre) -> tuple[str, bool]:
    return _ORDRES[filtre.form.cleaned_data.get("tri", "") if filtre.is_valid() else ""]


def _avec_cle(queryset: QuerySet[Dossier]) -> QuerySet[Dossier]:
    return queryset.annotate(echeance_ou_jamais=Coalesce("echeance_le", Value(date.max)))


def ordonner(filtre: DossierFiltre, dossiers: QuerySet[Dossier]) -> QuerySet[Dossier]:
    """L’ordre choisi dans le filtre ; les dossiers sans échéance viennent après les autres."""
    cle, descend = _ordre(filtre)
    signe = "-" if descend else ""
    return _avec_cle(dossiers).order_by(f"{signe}{cle}", f"{signe}pk")


def filtre_propre(parametres: QueryDict) -> str:
    """La part d’une adresse qui filtre, et elle seule : ni page, ni champ vide, ni paramètre inconnu."""
    garde = QueryDict(mutable=True)
    for nom in DossierFiltre.base_filters:
        if valeur := parametres.get(nom, "").strip():
            garde[nom] = valeur
    return garde.urlencode()


def voisins(request: Requete, dossier: Dossier, filtre: str) -> tuple[Dossier | None, Dossier | None]:
    """Le dossier d’avant et celui d’après dans la liste ainsi filtrée, même si celui-ci vient d’en sortir.

    Deux requêtes, plus celles des listes de choix du filtre : le même coût quelle que soit la longueur de la liste.
    """
    visibles = Dossier.objects.visibles_par(request.user)
    filtres = DossierFiltre(QueryDict(filtre), queryset=visibles, request=request)
    retenus = (filtres.qs if filtres.is_valid() else visibles).exclude(pk=dossier.pk).select_related("structure")
    cle, descend = _ordre(filtres)
    ici = {
        "modifie_le": dossier.modifie_le,
        "echeance_ou_jamais": dossier.echeance_le or date.max,
        "structure__nom_tri": dossier.structure.nom_tri,
    }[cle]
    meme = Q(**{cle: ici})
    retenus = _avec_cle(retenus)
    plus = retenus.filter(Q(**{f"{cle}__gt": ici}) | (meme & Q(pk__gt=dossier.pk))).order_by(cle, "pk").first()
    moins = retenus.filter(Q(**{f"{cle}__lt": ici}) | (meme & Q(pk__lt=dossier.pk))).order_by(f"-{cle}", "-pk").first()
    return (plus, moins) if descend else (moins, plus)


class AgrementFiltre(django_filters.FilterSet):
    """Les filtres de la liste des agréments, dans l’adresse."""

    q = django_filters.CharFilter(label="Structure ou commune", method="chercher")
    etat = django_filters.ChoiceFilter(label="État", choices=EtatAgrement.choices, empty_label="Tous")
    avant = django_filters.ChoiceFilter(
        label="Échéance",
        choices=[(str(mois), f"dans {mois} mois au plus") for mois in (6, 12, 24)],
        method="echeant",
        empty_label="Toutes",
    )
    epci = _par_intercommunalite()
    charge = django_filters.ModelChoiceFilter(
        label="Secteur de", queryset=Utilisateur.objects.none(), method="du_secteur", empty_label="Tous"
    )

    class Meta:
        model = Agrement
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.est_agent:
            self.filters["charge"].queryset = ayant_tenu(Role.CHARGE_CONSEIL)
        else:
            for nom in ("charge", "epci"):
                del self.filters[nom]

    def chercher(self, queryset: QuerySet[Agrement], nom: str, valeur: str) -> QuerySet[Agrement]:
        return queryset.filter(structure_nommee(valeur[:100].strip(), "structure__"))

    def echeant(self, queryset: QuerySet[Agrement], nom: str, valeur: str) -> QuerySet[Agrement]:
        aujourd_hui = timezone.localdate()
        return queryset.filter(fin__range=(aujourd_hui, aujourd_hui + relativedelta(months=int(valeur))))

    def du_secteur(self, queryset: QuerySet[Agrement], nom: str, valeur: Utilisateur) -> QuerySet[Agrement]:
        return queryset.filter(structure__in=Structure.objects.du_secteur(valeur, timezone.localdate()))
