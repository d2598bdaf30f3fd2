from django.db import models


class Analyse(models.TextChoices):
    """Ce que l’antivirus a dit ; « non analysé » se montre tel quel, jamais comme un feu vert.

    Un fichier infecté est refusé à la réception ; « infecté » ne vient que d’une analyse faite après coup.
    """

    NON_ANALYSE = "non_analyse", "non analysé (aucun antivirus branché)"
    SAIN = "sain", "analysé, sain"
    INFECTE = "infecte", "infecté, retiré"


class NatureActe(models.TextChoices):
    ACCUSE_RECEPTION = "accuse_reception", "accusé de réception"
    DEMANDE_COMPLEMENTS = "demande_complements", "demande de compléments"
    NOTIFICATION = "notification", "notification de décision"
    NOTIFICATION_DROIT = "notification_droit", "notification de droit"
    REVISION_DROIT = "revision_droit", "révision de prestation"
    NOTIFICATION_INDU = "notification_indu", "notification d’indu"
    CONVENTION = "convention", "convention d’objectifs et de financement"
    AGREMENT = "agrement", "décision sur un agrément"
    ATTESTATION = "attestation", "attestation de versements attendus"
    AIDE = "aide", "courrier sur une aide locale"
    CONVENTION_AIDE = "convention_aide", "convention ou contrat de prêt"
    CONTROLE = "controle", "courrier sur un contrôle"
    RAPPORT_CONTROLE = "rapport_controle", "rapport de contrôle"
