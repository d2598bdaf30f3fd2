from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from senacs.choix import FAMILLES
from senacs.models import Contribution

register = template.Library()


@register.simple_tag
def etat_senacs(contribution: Contribution) -> SafeString:
    return format_html(
        '<span class="etat etat-{}">{}</span>', FAMILLES[contribution.etat], contribution.get_etat_display()
    )
