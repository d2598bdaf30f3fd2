from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("financements", "0008_paiement_d_un_autre_objet")]
    operations = [
        migrations.RunSQL(
            "UPDATE financements_paiement p SET structure_id = d.structure_id "
            "FROM financements_droit d WHERE d.id = p.droit_id",
            migrations.RunSQL.noop,
            elidable=True,
        ),
    ]
