import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courriers", "0004_ouvrir_les_fils_des_messages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="fil",
            field=models.ForeignKey(
                db_column="fil",
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="messages",
                to="courriers.fil",
                to_field="cle",
            ),
        ),
    ]
