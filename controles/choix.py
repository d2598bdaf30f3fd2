"""Les mots du contrôle : un plan programme, un contrôle constate, un contradictoire discute, des suites corrigent."""

from django.db import models


class Mode(models.TextChoices):
    SUR_PLACE = "sur_place", "sur place"
    SUR_PIECES = "sur_pieces", "sur pièces"


class Origine(models.TextChoices):
    """Pourquoi une structure est contrôlée (domaine E.1 : préconisations nationales, enjeux, anomalies, tirage)."""

    RISQUE = "risque", "score de risque"
    TIRAGE = "tirage", "tirage au sort"
    NATIONALE = "nationale", "instruction nationale"
    SIGNALEMENT = "signalement", "signalement"


ORIGINES_MOTIVEES = (Origine.NATIONALE, Origine.SIGNALEMENT)


class EtatRegles(models.TextChoices):
    BROUILLON = "brouillon", "Brouillon"
    PUBLIEE = "publiee", "Publiée"
    ABANDONNEE = "abandonnee", "Abandonnée"


FAMILLES_REGLES: dict[str, str] = {
    EtatRegles.BROUILLON: "attente",
    EtatRegles.PUBLIEE: "succes",
    EtatRegles.ABANDONNEE: "neutre",
}


class EtatPlan(models.TextChoices):
    EN_PREPARATION = "en_preparation", "En préparation"
    A_VALIDER = "a_valider", "À valider par le responsable"
    VALIDE = "valide", "Validé"


FAMILLES_PLAN: dict[str, str] = {
    EtatPlan.EN_PREPARATION: "neutre",
    EtatPlan.A_VALIDER: "attente",
    EtatPlan.VALIDE: "succes",
}


class Etat(models.TextChoices):
    PROGRAMME = "programme", "Programmé"
    NOTIFIE = "notifie", "Notifié"
    EN_COURS = "en_cours", "En cours"
    CONTRADICTOIRE = "contradictoire", "Contradictoire ouvert"
    A_CONCLURE = "a_conclure", "À conclure"
    SUITES = "suites", "Rapport définitif, suites en cours"
    CLOS = "clos", "Clos"
    ANNULE = "annule", "Annulé"


ETATS_TUS = (Etat.PROGRAMME,)  # ce que seuls les contrôleurs et le responsable savent
ETATS_DE_VISITE = (Etat.NOTIFIE, Etat.EN_COURS)
ETATS_RAPPORT_PROVISOIRE = (Etat.CONTRADICTOIRE, Etat.A_CONCLURE)
ETATS_DEFINITIFS = (Etat.SUITES, Etat.CLOS)
ETATS_EN_ROUTE = (*ETATS_TUS, *ETATS_DE_VISITE, *ETATS_RAPPORT_PROVISOIRE)  # le rapport définitif n’est pas rendu
ETATS_OUVERTS = (*ETATS_EN_ROUTE, Etat.SUITES)

LIBELLES_PARTENAIRE: dict[str, str] = {
    Etat.PROGRAMME: "Programmé",
    Etat.NOTIFIE: "Annoncé, à préparer",
    Etat.EN_COURS: "En cours",
    Etat.CONTRADICTOIRE: "Rapport provisoire : à vous de répondre",
    Etat.A_CONCLURE: "La Caf conclut sur vos réponses",
    Etat.SUITES: "Rapport définitif rendu",
    Etat.CLOS: "Clos",
    Etat.ANNULE: "Annulé",
}

FAMILLES: dict[str, str] = {
    Etat.PROGRAMME: "neutre",
    Etat.NOTIFIE: "attente",
    Etat.EN_COURS: "cours",
    Etat.CONTRADICTOIRE: "attente",
    Etat.A_CONCLURE: "cours",
    Etat.SUITES: "cours",
    Etat.CLOS: "succes",
    Etat.ANNULE: "neutre",
}


class Geste(models.TextChoices):
    PROGRAMMER = "programmer", "programmer"
    PREPARER = "preparer", "préparer"
    AFFECTER = "affecter", "confier à un autre contrôleur"
    AUTORISER_INOPINE = "autoriser_inopine", "autoriser une visite inopinée"
    NOTIFIER = "notifier", "notifier le contrôle"
    REPORTER = "reporter", "reporter la visite"
    DEMANDER_PIECES = "demander_pieces", "demander des pièces"
    REMETTRE = "remettre", "remettre une pièce"
    COMMENCER = "commencer", "commencer le contrôle"
    SAISIR = "saisir", "saisir la fiche de contrôle"
    EMETTRE = "emettre", "émettre le rapport provisoire"
    LIRE = "lire", "ouvrir le rapport"
    REPONDRE = "repondre", "répondre aux constats"
    PROLONGER = "prolonger", "prolonger le délai de réponse"
    RENVOYER = "renvoyer", "envoyer les réponses"
    CONSTATER_SILENCE = "constater_silence", "constater le silence"
    CONCLURE = "conclure", "conclure un point"
    SIGNER = "signer", "signer le rapport définitif"
    SUSPENDRE_VERSEMENTS = "suspendre_versements", "suspendre les versements"
    REPRENDRE_VERSEMENTS = "reprendre_versements", "reprendre les versements"
    DECIDER_SUITE = "decider_suite", "décider d’une suite financière"
    PROPOSER_SANCTION = "proposer_sanction", "proposer une sanction"
    OBSERVER_SANCTION = "observer_sanction", "présenter ses observations sur une sanction"
    DECIDER_SANCTION = "decider_sanction", "décider d’une sanction"
    SAISIR_AGREMENT = "saisir_agrement", "ouvrir une procédure sur l’agrément"
    CLORE = "clore", "clore le contrôle"
    ANNULER = "annuler", "annuler le contrôle"


# Ce que le journal dit d’un geste déjà fait ; l’auteur suit.
GESTES_FAITS: dict[str, str] = {
    Geste.PROGRAMMER: "contrôle programmé",
    Geste.PREPARER: "contrôle préparé",
    Geste.AFFECTER: "confié à un autre contrôleur",
    Geste.AUTORISER_INOPINE: "visite inopinée autorisée",
    Geste.NOTIFIER: "contrôle notifié",
    Geste.REPORTER: "visite reportée",
    Geste.DEMANDER_PIECES: "pièces demandées",
    Geste.REMETTRE: "pièce remise",
    Geste.COMMENCER: "contrôle commencé",
    Geste.SAISIR: "fiche saisie",
    Geste.EMETTRE: "rapport provisoire notifié",
    Geste.LIRE: "rapport ouvert",
    Geste.REPONDRE: "réponse préparée",
    Geste.PROLONGER: "délai de réponse prolongé",
    Geste.RENVOYER: "réponses envoyées",
    Geste.CONSTATER_SILENCE: "délai passé sans réponse",
    Geste.CONCLURE: "point conclu",
    Geste.SIGNER: "rapport définitif signé",
    Geste.SUSPENDRE_VERSEMENTS: "versements suspendus",
    Geste.REPRENDRE_VERSEMENTS: "versements repris",
    Geste.DECIDER_SUITE: "suite financière décidée",
    Geste.PROPOSER_SANCTION: "sanction proposée",
    Geste.OBSERVER_SANCTION: "observations sur la sanction",
    Geste.DECIDER_SANCTION: "sanction décidée",
    Geste.SAISIR_AGREMENT: "procédure ouverte sur l’agrément",
    Geste.CLORE: "contrôle clos",
    Geste.ANNULER: "contrôle annulé",
}
# Ce que la structure ne lit pas dans le journal.
GESTES_INTERNES = frozenset(
    {Geste.PROGRAMMER, Geste.PREPARER, Geste.AFFECTER, Geste.AUTORISER_INOPINE, Geste.SAISIR, Geste.CONCLURE}
)


class NatureConstat(models.TextChoices):
    CONFORME = "conforme", "conforme"
    OBSERVATION = "observation", "observation"
    ECART = "ecart", "écart"
    MANQUEMENT = "manquement", "manquement"
    NON_VERIFIE = "non_verifie", "non vérifié"


FAMILLES_CONSTAT: dict[str, str] = {
    NatureConstat.CONFORME: "succes",
    NatureConstat.OBSERVATION: "neutre",
    NatureConstat.ECART: "attente",
    NatureConstat.MANQUEMENT: "refus",
    NatureConstat.NON_VERIFIE: "neutre",
}
CONSTATS_A_DISCUTER = (NatureConstat.OBSERVATION, NatureConstat.ECART, NatureConstat.MANQUEMENT)
ANOMALIES = (NatureConstat.ECART, NatureConstat.MANQUEMENT)


class Position(models.TextChoices):
    ACCEPTE = "accepte", "Je suis d’accord"
    CONTESTE = "conteste", "Je conteste"
    PRECISE = "precise", "J’apporte une précision"


class Conclusion(models.TextChoices):
    MAINTENU = "maintenu", "maintenu"
    MODIFIE = "modifie", "modifié"
    LEVE = "leve", "levé"


FAMILLES_CONCLUSION: dict[str, str] = {
    Conclusion.MAINTENU: "attente",
    Conclusion.MODIFIE: "cours",
    Conclusion.LEVE: "succes",
}


class IssueOperation(models.TextChoices):
    APPLIQUEE = "appliquee", "appliquée"
    CONFLIT = "conflit", "en conflit"
    REFUSEE = "refusee", "refusée"


class EtatSuite(models.TextChoices):
    A_DECIDER = "a_decider", "À décider"
    APPLIQUEE = "appliquee", "Appliquée"
    ECARTEE = "ecartee", "Écartée"


FAMILLES_SUITE: dict[str, str] = {
    EtatSuite.A_DECIDER: "attente",
    EtatSuite.APPLIQUEE: "succes",
    EtatSuite.ECARTEE: "neutre",
}


class EtatSanction(models.TextChoices):
    PROPOSEE = "proposee", "Au contradictoire"
    PRONONCEE = "prononcee", "Prononcée"
    ECARTEE = "ecartee", "Écartée"


FAMILLES_SANCTION: dict[str, str] = {
    EtatSanction.PROPOSEE: "attente",
    EtatSanction.PRONONCEE: "refus",
    EtatSanction.ECARTEE: "neutre",
}


class EtatRecommandation(models.TextChoices):
    OUVERTE = "ouverte", "À suivre"
    TENUE = "tenue", "Suivie d’effet"
    ABANDONNEE = "abandonnee", "Abandonnée"


FAMILLES_RECOMMANDATION: dict[str, str] = {
    EtatRecommandation.OUVERTE: "attente",
    EtatRecommandation.TENUE: "succes",
    EtatRecommandation.ABANDONNEE: "neutre",
}
