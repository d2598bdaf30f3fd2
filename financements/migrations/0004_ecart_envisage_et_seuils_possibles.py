from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("financements", "0003_premiere_echeance_d_un_indu")]

    operations = [
        migrations.AddField(
            model_name="reglesdepaiement",
            name="marge_estimation",
            field=models.DecimalField(
                decimal_places=2, default=Decimal("10"), max_digits=5, verbose_name="écart envisagé d’ici au réel (%)"
            ),
        ),
        migrations.AddConstraint(
            model_name="reglesdepaiement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("seuil_convention__gte", 0),
                    ("seuil_double_regard__gte", 0),
                    ("marge_estimation__range", (0, 100)),
                    ("seuil_variation__gt", 0),
                ),
                name="regles_seuils_possibles",
                violation_error_message="Les seuils sont positifs, et l’écart envisagé va de 0 à 100 pour cent.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="reglesdepaiement",
            name="regles_dates_possibles",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("acompte_1_mois__range", (1, 12)),
                    ("acompte_2_mois__range", (1, 12)),
                    ("acompte_1_jour__range", (1, 28)),
                    ("acompte_2_jour__range", (1, 28)),
                ),
                name="regles_dates_possibles",
                violation_error_message="Un acompte se date du 1er au 28 d’un mois.",
            ),
        ),
    ]
