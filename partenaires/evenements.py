"""Ce que les partenaires annoncent ; qui s’y abonne est au-dessus et n’est pas connu d’ici."""

from django.dispatch import Signal

secteur_transmis = Signal()  # le, par : des communes ont changé de chargé de conseil ce jour-là
