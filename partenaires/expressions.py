from django.db.models import Func


class CleDeTri(Func):
    """La clé de tri française, calculée par la base (``cle_tri``, migration 0001) : « Écouflant » → « ecouflant »."""

    function = "cle_tri"
    arity = 1
