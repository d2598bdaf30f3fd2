"""Ce que les agréments annoncent ; qui s’y abonne est au-dessus et n’est pas connu d’ici."""

from django.dispatch import Signal

agrement_ne = Signal()  # agrement, par
agrement_suspendu = Signal()  # agrement, par, motif
agrement_retire = Signal()  # agrement, par, motif
agrement_retabli = Signal()  # agrement, par, motif : sa suspension est levée
procedure_ouverte = Signal()  # procedure, par : la structure est invitée à présenter ses observations
