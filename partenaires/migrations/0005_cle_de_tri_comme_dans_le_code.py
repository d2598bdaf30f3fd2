from django.db import migrations

# La décomposition d’Unicode d’abord, comme ``socle.texte.cle_de_tri`` : « ﬁ », « 1ᵉʳ », « № » ont la même clé des deux côtés.
ENSUITE = r"""
CREATE OR REPLACE FUNCTION cle_tri(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(
    lower(public.unaccent('public.unaccent'::regdictionary,
        regexp_replace(normalize(t, NFKD), '[\u0300-\u036f]', '', 'g'))),
    '[^a-z0-9]+', ' ', 'g'));
"""
AVANT = r"""
CREATE OR REPLACE FUNCTION cle_tri(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(
    lower(public.unaccent('public.unaccent'::regdictionary, t)), '[^a-z0-9]+', ' ', 'g'));
"""
RECALCULER = """
UPDATE partenaires_structure SET nom = nom;
UPDATE partenaires_commune SET nom = nom;
UPDATE partenaires_communedeleguee SET nom = nom;
"""


class Migration(migrations.Migration):
    dependencies = [("partenaires", "0004_codes_postaux_et_dates_verifies")]

    operations = [migrations.RunSQL([ENSUITE, RECALCULER], [AVANT, RECALCULER])]
