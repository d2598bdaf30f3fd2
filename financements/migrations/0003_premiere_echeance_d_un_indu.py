from datetime import timedelta

from django.apps.registry import Apps as StateApps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import DateField, ExpressionWrapper, F
from django.db.models.functions import TruncDate


def un_mois_apres_la_lettre(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Les indus déjà notifiés : leur lettre ne datait pas l’échéance, un mois est laissé."""
    Indu = apps.get_model("financements", "Indu")
    Indu.objects.filter(premiere_echeance__isnull=True).update(
        premiere_echeance=ExpressionWrapper(TruncDate(F("notifie_le")) + timedelta(days=31), output_field=DateField())
    )


class Migration(migrations.Migration):
    dependencies = [("financements", "0002_lettres_reprises_ou_elles_en_etaient")]

    operations = [
        migrations.AddField("indu", "premiere_echeance", models.DateField("première échéance", null=True)),
        migrations.RunPython(un_mois_apres_la_lettre, migrations.RunPython.noop, elidable=True),
        migrations.AlterField("indu", "premiere_echeance", models.DateField("première échéance")),
    ]
