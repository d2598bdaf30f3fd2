from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courriers", "0001_boite_d_envoi_notifications_messages"),
    ]

    operations = [
        migrations.AddField(
            model_name="envoi",
            name="html",
            field=models.TextField(blank=True, default="", verbose_name="texte mis en forme"),
            preserve_default=False,
        ),
    ]
