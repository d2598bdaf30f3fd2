"""Ce que les gabarits montrent : dates, montants, textes. Présentation seulement, aucune règle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from socle.dates import en_heure, en_jour
from socle.montants import en_euros, nombre_fr
from socle.texte import assainir

register = template.Library()


@register.filter
def euros(montant: Decimal | str | int | None) -> str:
    return "" if montant in (None, "") else en_euros(Decimal(str(montant)))


def _local(instant: datetime) -> datetime:
    return timezone.localtime(instant) if timezone.is_aware(instant) else instant


@register.filter
def jour(valeur: date | datetime | str | None) -> str:
    """« 23 novembre 2026 » ; accepte aussi une date ISO gardée en JSON."""
    if not valeur:
        return ""
    if isinstance(valeur, str):
        valeur = date.fromisoformat(valeur)
    return en_jour(_local(valeur).date() if isinstance(valeur, datetime) else valeur)


@register.filter
def moment(instant: datetime | None) -> str:
    if not instant:
        return ""
    local = _local(instant)
    return f"{en_jour(local.date())} à {en_heure(local.time())}"


@register.filter
def heure(valeur: datetime | time | None) -> str:
    if not valeur:
        return ""
    return en_heure(_local(valeur).time() if isinstance(valeur, datetime) else valeur)


@register.filter
def nombre(valeur: int | None) -> str:
    """« 833 776 », espaces fines insécables."""
    return "" if valeur is None else f"{valeur:,}".replace(",", "\u202f")


@register.filter
def decimal_fr(valeur: Decimal | str | None) -> str:
    if isinstance(valeur, Decimal):
        return nombre_fr(valeur)
    return "" if valeur in (None, "") else str(valeur).replace(".", ",")


@register.filter
def taille_fichier(octets: int) -> str:
    if octets < 1024 * 1024:
        return f"{max(1, octets // 1024)}\u00a0Ko"
    return f"{octets / 1024 / 1024:.1f}\u00a0Mo".replace(".", ",")


@register.filter
def riche(texte: str | None) -> SafeString:
    """Un texte mis en forme ; repassé au filtre, quelle que soit son origine."""
    return mark_safe(assainir(texte or ""))  # noqa: S308 — assainir ne laisse que huit balises sans attribut actif


@register.filter
def cle(table: Mapping[Any, Any] | None, nom: Any) -> Any:
    return table.get(nom, "") if table else ""


@register.simple_tag
def icone(nom: str, classe: str = "") -> SafeString:
    """Une icône décorative : le texte voisin dit la même chose."""
    return format_html(
        '<svg class="icone {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        classe,
        static("icones.svg"),
        nom,
    )


@register.simple_tag(takes_context=True)
def adresse_avec(context: template.Context, **changements: Any) -> str:
    """L’adresse de la page avec ces paramètres changés ; les filtres restent. Une valeur vide retire le paramètre."""
    parametres = context["request"].GET.copy()
    for nom, valeur in changements.items():
        if valeur in (None, ""):
            parametres.pop(nom, None)
        else:
            parametres[nom] = str(valeur)
    return f"?{parametres.urlencode()}"


@register.filter
def champ_nu(champ: BoundField) -> SafeString:
    """Un champ de filtre, à la classe de Bootstrap ; son libellé est écrit à côté."""
    widget = champ.field.widget
    classe = "form-select" if getattr(widget, "input_type", "") == "select" else "form-control"
    return champ.as_widget(attrs={"class": classe})


@register.filter
def decouper(texte: str) -> list[str]:
    """« 6,12,24 » en liste : les choix fixes d’un gabarit."""
    return texte.split(",")


@register.filter
def pluriel(nombre: int | str, formes: str = ",s") -> str:
    """La marque du pluriel, à la française : à partir de deux (« 0 dossier », « 1,5 an », « 2 ans »)."""
    singulier, plusieurs = formes.split(",")
    return plusieurs if Decimal(str(nombre)) >= 2 else singulier
