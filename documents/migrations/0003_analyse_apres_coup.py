from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0002_actes_abandonnes_et_remplaces"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="fichier",
            name="fichier_analyse_connue",
        ),
        migrations.AlterField(
            model_name="fichier",
            name="analyse",
            field=models.CharField(
                choices=[
                    ("non_analyse", "non analysé (aucun antivirus branché)"),
                    ("sain", "analysé, sain"),
                    ("infecte", "infecté, retiré"),
                ],
                max_length=20,
                verbose_name="antivirus",
            ),
        ),
        migrations.AddConstraint(
            model_name="fichier",
            constraint=models.CheckConstraint(
                condition=models.Q(("analyse__in", ["non_analyse", "sain", "infecte"])), name="fichier_analyse_connue"
            ),
        ),
    ]
