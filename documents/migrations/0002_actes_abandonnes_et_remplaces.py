import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0001_fichiers_et_actes"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="acte",
            name="acte_demande_figee",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="acte",
            name="acte_produit_fige",
        ),
        migrations.AddField(
            model_name="acte",
            name="alerte_le",
            field=models.DateTimeField(blank=True, null=True, verbose_name="abandon signalé le"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="acte",
            trigger=pgtrigger.compiler.Trigger(
                name="acte_demande_figee",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."cle" IS DISTINCT FROM (NEW."cle") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."contexte" IS DISTINCT FROM (NEW."contexte") OR OLD."gabarit" IS DISTINCT FROM (NEW."gabarit") OR OLD."nature" IS DISTINCT FROM (NEW."nature") OR OLD."objet" IS DISTINCT FROM (NEW."objet") OR OLD."titre" IS DISTINCT FROM (NEW."titre") OR OLD."version_gabarit" IS DISTINCT FROM (NEW."version_gabarit"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="b383050ffd43194467be7da7734ec30b838cdc34",
                    operation="UPDATE",
                    pgid="pgtrigger_acte_demande_figee_fa1cf",
                    table="documents_acte",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="acte",
            trigger=pgtrigger.compiler.Trigger(
                name="acte_produit_fige",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."produit_le" IS NOT NULL AND (OLD."pdf" IS DISTINCT FROM (NEW."pdf") OR OLD."empreinte" IS DISTINCT FROM (NEW."empreinte") OR OLD."produit_le" IS DISTINCT FROM (NEW."produit_le") OR OLD."demande_le" IS DISTINCT FROM (NEW."demande_le")))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="014aa4f0976559d5d9db6214f5cc2a650deddc97",
                    operation="UPDATE",
                    pgid="pgtrigger_acte_produit_fige_2b428",
                    table="documents_acte",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="acte",
            trigger=pgtrigger.compiler.Trigger(
                name="acte_remplace_une_fois",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."remplace_par_id" IS NOT NULL AND OLD."remplace_par_id" IS DISTINCT FROM (NEW."remplace_par_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="f95534f41a7a95af797129c64b99c3ba65606ad8",
                    operation="UPDATE",
                    pgid="pgtrigger_acte_remplace_une_fois_c3b20",
                    table="documents_acte",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="acte",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("remplace_par__isnull", True),
                    models.Q(("remplace_par", models.F("pk")), _negated=True),
                    _connector="OR",
                ),
                name="acte_ne_se_remplace_pas",
            ),
        ),
    ]
