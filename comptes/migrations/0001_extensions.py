from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Les contraintes d’exclusion mêlent une égalité et un chevauchement de dates : il faut ``btree_gist``."""

    dependencies = []

    operations = [BtreeGistExtension()]
