from typing import Any

from django.db import migrations


def ouvrir(apps: Any, schema_editor: Any) -> None:
    """Un fil par clé déjà portée par un message, ouvert à la date du premier."""
    schema_editor.execute(
        "INSERT INTO courriers_fil (cle, objet, ouvert_le) SELECT fil, '', min(le) FROM courriers_message GROUP BY fil "
        "ON CONFLICT (cle) DO NOTHING"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("courriers", "0003_fils"),
    ]

    operations = [migrations.RunPython(ouvrir, migrations.RunPython.noop, elidable=True)]
