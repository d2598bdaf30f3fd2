"""Ce que les partenaires annoncent ; qui s’y abonne est au-dessus et n’est pas connu d’ici."""

from django.dispatch import Signal

secteur_transmis = Signal()  # de, communes, le, par : ces communes quittent cet agent ce jour-là
