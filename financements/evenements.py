"""Ce que les financements annoncent ; qui s’y abonne n’est pas connu d’ici."""

from django.dispatch import Signal

bareme_publie = Signal()  # bareme, par
