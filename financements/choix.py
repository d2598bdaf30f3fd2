"""Les mots de l’argent. Un droit est ce qui est dû ; un paiement, ce qui part : jamais l’un pour l’autre."""

from django.db import models


class SujetReglage(models.TextChoices):
    PRESTATION = "prestation", "prestation"
    REGLES = "regles", "règles de paiement"
    CAMPAGNE = "campagne", "campagne"


class EtatBareme(models.TextChoices):
    BROUILLON = "brouillon", "Brouillon"
    PUBLIE = "publie", "Publié"
    REMPLACE = "remplace", "Remplacé"
    ABANDONNE = "abandonne", "Abandonné"


class Prorata(models.TextChoices):
    AUCUN = "aucun", "aucun : plafond entier"
    MOIS = "mois", "en mois d’agrément (tout mois commencé compte)"
    JOURS = "jours", "en jours d’agrément"


class PosteAssiette(models.TextChoices):
    PILOTAGE = "pilotage", "pilotage"
    ACTIVITES = "activites", "activités"
    LOGISTIQUE = "logistique", "logistique"
    REFERENT = "referent", "salaires du référent familles"


class TypeDeclaration(models.TextChoices):
    """Dans l’ordre de l’année ; chacune remplace la précédente dans le calcul du droit."""

    PREVISIONNEL = "previsionnel", "prévisionnel"
    ACTUALISE_JUIN = "actualise_juin", "actualisé de juin"
    ACTUALISE_SEPTEMBRE = "actualise_septembre", "actualisé de septembre"
    REEL = "reel", "réel"


RANG_DECLARATION: dict[str, int] = {type_: rang for rang, type_ in enumerate(TypeDeclaration)}


class EtatDeclaration(models.TextChoices):
    EN_PREPARATION = "en_preparation", "En préparation"
    A_VISER = "a_viser", "Au visa du représentant légal"
    VISEE = "visee", "Visée, à déposer"
    DEPOSEE = "deposee", "Déposée, à contrôler"
    A_CORRIGER = "a_corriger", "Corrections demandées"
    VALIDEE = "validee", "Validée"


ETATS_PRIVES_DECLARATION = (EtatDeclaration.EN_PREPARATION, EtatDeclaration.A_VISER, EtatDeclaration.VISEE)

LIBELLES_PARTENAIRE_DECLARATION: dict[str, str] = {
    EtatDeclaration.EN_PREPARATION: "En préparation",
    EtatDeclaration.A_VISER: "En attente du visa du représentant légal",
    EtatDeclaration.VISEE: "Visée, prête à être déposée",
    EtatDeclaration.DEPOSEE: "Déposée, la Caf la contrôle",
    EtatDeclaration.A_CORRIGER: "La Caf attend vos corrections",
    EtatDeclaration.VALIDEE: "Validée par la Caf",
}

FAMILLES_DECLARATION: dict[str, str] = {
    EtatDeclaration.EN_PREPARATION: "neutre",
    EtatDeclaration.A_VISER: "attente",
    EtatDeclaration.VISEE: "attente",
    EtatDeclaration.DEPOSEE: "cours",
    EtatDeclaration.A_CORRIGER: "attente",
    EtatDeclaration.VALIDEE: "succes",
}


class GesteDeclaration(models.TextChoices):
    OUVRIR = "ouvrir", "ouvrir la déclaration"
    SAISIR = "saisir", "saisir"
    IMPORTER = "importer", "importer les comptes"
    DEMANDER_VISA = "demander_visa", "demander le visa"
    REPRENDRE = "reprendre", "reprendre la saisie"
    VISER = "viser", "viser la déclaration"
    REFUSER_VISA = "refuser_visa", "refuser le visa"
    DEPOSER = "deposer", "déposer"
    DEMANDER_CORRECTION = "demander_correction", "demander des corrections"
    RENVOYER = "renvoyer", "renvoyer les corrections"
    VALIDER = "valider", "valider la déclaration"


# Ce que le journal dit d’un geste déjà fait ; l’auteur suit (« Déposée, par… »).
GESTES_FAITS: dict[str, str] = {
    GesteDeclaration.OUVRIR: "ouverte",
    GesteDeclaration.SAISIR: "saisie",
    GesteDeclaration.IMPORTER: "comptes importés",
    GesteDeclaration.DEMANDER_VISA: "visa demandé",
    GesteDeclaration.REPRENDRE: "saisie reprise",
    GesteDeclaration.VISER: "visée",
    GesteDeclaration.REFUSER_VISA: "visa refusé",
    GesteDeclaration.DEPOSER: "déposée",
    GesteDeclaration.DEMANDER_CORRECTION: "corrections demandées",
    GesteDeclaration.RENVOYER: "corrections renvoyées",
    GesteDeclaration.VALIDER: "validée",
}


class NatureDroit(models.TextChoices):
    PREVISIONNEL = "previsionnel", "prévisionnel"
    ACTUALISE = "actualise", "actualisé"
    REEL = "reel", "réel"
    APRES_CONTROLE = "apres_controle", "après contrôle"


NATURE_DE_DECLARATION: dict[str, NatureDroit] = {
    TypeDeclaration.PREVISIONNEL: NatureDroit.PREVISIONNEL,
    TypeDeclaration.ACTUALISE_JUIN: NatureDroit.ACTUALISE,
    TypeDeclaration.ACTUALISE_SEPTEMBRE: NatureDroit.ACTUALISE,
    TypeDeclaration.REEL: NatureDroit.REEL,
}


class OrigineVersion(models.TextChoices):
    LIQUIDATION = "liquidation", "liquidation d’une déclaration"
    RECALCUL = "recalcul", "recalcul d’un barème"
    DEROGATION = "derogation", "montant forcé"
    CONTROLE = "controle", "contrôle"


class EtatDerogation(models.TextChoices):
    PROPOSEE = "proposee", "À approuver"
    APPROUVEE = "approuvee", "Approuvée"
    REFUSEE = "refusee", "Refusée"


class NaturePaiement(models.TextChoices):
    ACOMPTE_1 = "acompte_1", "premier acompte"
    ACOMPTE_2 = "acompte_2", "second acompte"
    SOLDE = "solde", "solde"
    RAPPEL = "rappel", "rappel"
    AVANCE = "avance", "avance"
    FACTURES = "factures", "paiement sur factures"
    SOLDE_AIDE = "solde_aide", "solde de l’aide"
    PRET = "pret", "mise à disposition du prêt"


class EtatPaiement(models.TextChoices):
    PROPOSE = "propose", "Proposé"
    VALIDE = "valide", "Validé"
    ORDONNANCE = "ordonnance", "Ordonnancé"
    PAYE = "paye", "Payé"
    REJETE = "rejete", "Rejeté par la banque"
    ANNULE = "annule", "Annulé"


ENGAGES = (EtatPaiement.PROPOSE, EtatPaiement.VALIDE, EtatPaiement.ORDONNANCE, EtatPaiement.PAYE)

FAMILLES_PAIEMENT: dict[str, str] = {
    EtatPaiement.PROPOSE: "attente",
    EtatPaiement.VALIDE: "cours",
    EtatPaiement.ORDONNANCE: "cours",
    EtatPaiement.PAYE: "succes",
    EtatPaiement.REJETE: "refus",
    EtatPaiement.ANNULE: "neutre",
}


class GestePaiement(models.TextChoices):
    PROPOSER = "proposer", "proposer un paiement"
    VALIDER = "valider", "valider un paiement"
    ORDONNANCER = "ordonnancer", "ordonnancer un lot"
    CONSTATER = "constater", "constater le paiement"
    REJETER = "rejeter", "constater le rejet"
    ANNULER = "annuler", "annuler un paiement"


PAIEMENT_DIT: dict[str, str] = {
    GestePaiement.PROPOSER: "proposé",
    GestePaiement.VALIDER: "validé",
    GestePaiement.ORDONNANCER: "ordonnancé",
    GestePaiement.CONSTATER: "payé",
    GestePaiement.REJETER: "rejeté par la banque",
    GestePaiement.ANNULER: "annulé",
}


class EtatIndu(models.TextChoices):
    NOTIFIE = "notifie", "Notifié"
    ECHELONNE = "echelonne", "Échelonné"
    SOLDE = "solde", "Soldé"
    ANNULE = "annule", "Annulé"


class ModeRecouvrement(models.TextChoices):
    REMBOURSEMENT = "remboursement", "remboursement reçu"
    COMPENSATION = "compensation", "compensation sur un paiement"


class EtatConvention(models.TextChoices):
    A_SIGNER = "a_signer", "À signer par le gestionnaire"
    SIGNEE_PARTENAIRE = "signee_partenaire", "Signée par le gestionnaire"
    SIGNEE = "signee", "Signée par les deux parties"
    RESILIEE = "resiliee", "Résiliée"


class EtatRecalcul(models.TextChoices):
    EN_SIMULATION = "en_simulation", "Simulation en cours"
    SIMULE = "simule", "À approuver"
    EN_APPLICATION = "en_application", "Application en cours"
    APPLIQUE = "applique", "Appliqué"
    ANNULE = "annule", "Annulé"


RECALCULS_OUVERTS = (EtatRecalcul.EN_SIMULATION, EtatRecalcul.SIMULE, EtatRecalcul.EN_APPLICATION)


class IssueRecalcul(models.TextChoices):
    CHANGE = "change", "change"
    INCHANGE = "inchange", "inchangé"
    BLOQUE = "bloque", "bloqué"
