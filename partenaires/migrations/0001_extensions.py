from django.contrib.postgres.operations import UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    """La clé de tri française : sans accent, sans casse, immuable (une colonne calculée l’exige).

    ``unaccent`` seul est STABLE, PostgreSQL le refuse dans une colonne calculée ; nommer le dictionnaire le rend sûr.
    """

    dependencies = []

    operations = [
        UnaccentExtension(),
        migrations.RunSQL(
            r"""
            CREATE FUNCTION cle_tri(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
            RETURN btrim(regexp_replace(
                lower(public.unaccent('public.unaccent'::regdictionary, t)), '[^a-z0-9]+', ' ', 'g'));
            """,
            "DROP FUNCTION cle_tri(text)",
        ),
    ]
