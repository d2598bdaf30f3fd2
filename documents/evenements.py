"""Ce que les documents annoncent."""

from django.dispatch import Signal

acte_produit = Signal()  # acte ; envoyé dans la transaction qui enregistre le PDF
