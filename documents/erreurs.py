from socle.erreurs import Refus


class FichierRefuse(Refus):
    """Le fichier n’est pas gardé ; la phrase dit pourquoi et quoi faire."""
