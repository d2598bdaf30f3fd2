from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courriers", "0002_envois_mis_en_forme"),
    ]

    operations = [
        migrations.CreateModel(
            name="Fil",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cle", models.CharField(max_length=60, unique=True, verbose_name="clé")),
                ("objet", models.CharField(blank=True, max_length=200, verbose_name="objet")),
                ("ouvert_le", models.DateTimeField(auto_now_add=True, verbose_name="ouvert le")),
            ],
            options={
                "verbose_name": "fil",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("cle", ""), _negated=True), name="fil_nomme")
                ],
            },
        ),
    ]
