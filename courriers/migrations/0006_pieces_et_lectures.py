import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courriers", "0005_messages_dans_un_fil"),
        ("documents", "0003_analyse_apres_coup"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="piece",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="documents.fichier",
            ),
        ),
        migrations.CreateModel(
            name="Lecture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("le", models.DateTimeField(verbose_name="lu le")),
                (
                    "dernier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="courriers.message",
                        verbose_name="dernier message lu",
                    ),
                ),
                (
                    "fil",
                    models.ForeignKey(
                        db_column="fil",
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lectures",
                        to="courriers.fil",
                        to_field="cle",
                    ),
                ),
                (
                    "utilisateur",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lectures",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "lecture",
                "constraints": [
                    models.UniqueConstraint(fields=("fil", "utilisateur"), name="lecture_une_par_personne")
                ],
            },
        ),
    ]
