"""Les mots de l’agrément. Chaque état a un libellé par public : on ne dit pas la même chose aux deux."""

from django.db import models


class TypeDossier(models.TextChoices):
    PREMIER = "premier", "premier agrément"
    RENOUVELLEMENT = "renouvellement", "renouvellement"
    AVENANT = "avenant", "avenant"


class Objet(models.TextChoices):
    """Ce que l’agrément reconnaît. Le régime dit lesquels existent à une date."""

    ANIMATION_GLOBALE = "animation_globale", "animation globale et coordination"
    FAMILLES = "animation_collective_familles", "animation collective familles"
    ANIMATION_LOCALE = "animation_locale", "animation locale (espace de vie sociale)"
    PROJET_SOCIAL = "projet_social", "projet social de centre social (procédure unique)"


class Etat(models.TextChoices):
    """Libellés de la Caf ; ceux des partenaires sont dans ``LIBELLES_PARTENAIRE``."""

    EN_PREPARATION = "en_preparation", "En préparation"
    A_VISER = "a_viser", "Au visa du représentant légal"
    VISE = "vise", "Visé, à déposer"
    DEPOSE = "depose", "Déposé, complétude à vérifier"
    INCOMPLET = "incomplet", "Compléments demandés"
    EN_INSTRUCTION = "en_instruction", "En instruction"
    INSTRUIT = "instruit", "Prêt pour la commission"
    INSCRIT_CAS = "inscrit_cas", "À l’ordre du jour de la CAS"
    AVIS_CAS = "avis_cas", "Avis de la CAS rendu"
    INSCRIT_CA = "inscrit_ca", "À l’ordre du jour du CA"
    AGREE = "agree", "Agréé"
    AGREE_RESERVES = "agree_reserves", "Agréé avec réserves"
    AJOURNE = "ajourne", "Ajourné"
    REFUSE = "refuse", "Refusé"
    IRRECEVABLE = "irrecevable", "Irrecevable"
    RETIRE = "retire", "Retiré par le demandeur"


LIBELLES_PARTENAIRE: dict[str, str] = {
    Etat.EN_PREPARATION: "En préparation",
    Etat.A_VISER: "En attente du visa du représentant légal",
    Etat.VISE: "Visé, prêt à être déposé",
    Etat.DEPOSE: "Déposé, la Caf vérifie qu’il est complet",
    Etat.INCOMPLET: "La Caf attend vos compléments",
    Etat.EN_INSTRUCTION: "La Caf étudie votre projet",
    Etat.INSTRUIT: "Étude terminée, passage en commission à venir",
    Etat.INSCRIT_CAS: "À l’ordre du jour de la commission d’action sociale",
    Etat.AVIS_CAS: "La commission d’action sociale a rendu son avis",
    Etat.INSCRIT_CA: "À l’ordre du jour du conseil d’administration",
    Etat.AGREE: "Agréé",
    Etat.AGREE_RESERVES: "Agréé avec réserves",
    Etat.AJOURNE: "Ajourné : le conseil d’administration demande un nouvel examen",
    Etat.REFUSE: "Refusé",
    Etat.IRRECEVABLE: "Irrecevable",
    Etat.RETIRE: "Retiré par vos soins",
}

# Ce que la structure lit d’une décision tant qu’elle n’a pas ouvert sa lettre : ni le sens, ni les motifs.
DECISION_A_LIRE = "Décision notifiée : ouvrez votre lettre"

FAMILLES_ETAT: dict[str, str] = {
    Etat.EN_PREPARATION: "neutre",
    Etat.A_VISER: "attente",
    Etat.VISE: "attente",
    Etat.DEPOSE: "cours",
    Etat.INCOMPLET: "attente",
    Etat.EN_INSTRUCTION: "cours",
    Etat.INSTRUIT: "cours",
    Etat.INSCRIT_CAS: "cours",
    Etat.AVIS_CAS: "cours",
    Etat.INSCRIT_CA: "cours",
    Etat.AGREE: "succes",
    Etat.AGREE_RESERVES: "succes",
    Etat.AJOURNE: "attente",
    Etat.REFUSE: "refus",
    Etat.IRRECEVABLE: "refus",
    Etat.RETIRE: "neutre",
}

ETATS_PRIVES = (Etat.EN_PREPARATION, Etat.A_VISER, Etat.VISE)  # la Caf ne les voit jamais
ETATS_DECIDES = (Etat.AGREE, Etat.AGREE_RESERVES, Etat.AJOURNE, Etat.REFUSE)
ETATS_CLOS = (Etat.AGREE, Etat.AGREE_RESERVES, Etat.REFUSE, Etat.IRRECEVABLE, Etat.RETIRE)
ETATS_OUVERTS = tuple(etat for etat in Etat if etat not in ETATS_CLOS)


class Geste(models.TextChoices):
    CREER = "creer", "ouvrir le dossier"
    REDIGER = "rediger", "rédiger"
    JOINDRE = "joindre", "joindre une pièce"
    DEMANDER_VISA = "demander_visa", "demander le visa"
    REPRENDRE = "reprendre", "reprendre la rédaction"
    VISER = "viser", "viser le projet"
    REFUSER_VISA = "refuser_visa", "refuser le visa"
    DEPOSER = "deposer", "déposer"
    RETIRER = "retirer", "retirer la demande"
    DECLARER_COMPLET = "declarer_complet", "déclarer complet"
    PREPARER_REMARQUE = "preparer_remarque", "préparer une remarque"
    DEMANDER_COMPLEMENTS = "demander_complements", "demander des compléments"
    RENVOYER = "renvoyer", "renvoyer les compléments"
    DECLARER_IRRECEVABLE = "declarer_irrecevable", "déclarer irrecevable"
    EVALUER = "evaluer", "évaluer un critère"
    RENDRE_AVIS = "rendre_avis", "rendre l’avis d’instruction"
    REPRENDRE_INSTRUCTION = "reprendre_instruction", "reprendre l’instruction"
    INSCRIRE_CAS = "inscrire_cas", "inscrire à la CAS"
    RETIRER_CAS = "retirer_cas", "retirer de l’ordre du jour de la CAS"
    RENDRE_AVIS_CAS = "rendre_avis_cas", "enregistrer l’avis de la CAS"
    INSCRIRE_CA = "inscrire_ca", "inscrire au conseil d’administration"
    RETIRER_CA = "retirer_ca", "retirer de l’ordre du jour du conseil d’administration"
    AGREER = "agreer", "agréer"
    AGREER_RESERVES = "agreer_reserves", "agréer avec réserves"
    AJOURNER = "ajourner", "ajourner"
    REFUSER = "refuser", "refuser"
    AFFECTER = "affecter", "changer de chargé de conseil"
    NOTIFIER = "notifier", "notifier"
    LIRE_NOTIFICATION = "lire_notification", "lire la notification"


class SensAvis(models.TextChoices):
    FAVORABLE = "favorable", "favorable"
    FAVORABLE_RESERVES = "favorable_reserves", "favorable avec réserves"
    AJOURNEMENT = "ajournement", "ajournement"
    DEFAVORABLE = "defavorable", "défavorable"


class SensDecision(models.TextChoices):
    AGREE = "agree", "agréé"
    AGREE_RESERVES = "agree_reserves", "agréé avec réserves"
    AJOURNE = "ajourne", "ajourné"
    REFUSE = "refuse", "refusé"


SENS_QUI_AGREENT = frozenset({SensDecision.AGREE.value, SensDecision.AGREE_RESERVES.value})
GESTE_DE_DECISION: dict[str, Geste] = {
    SensDecision.AGREE: Geste.AGREER,
    SensDecision.AGREE_RESERVES: Geste.AGREER_RESERVES,
    SensDecision.AJOURNE: Geste.AJOURNER,
    SensDecision.REFUSE: Geste.REFUSER,
}


class EtatPiece(models.TextChoices):
    """Ce que le dossier répond à une pièce demandée par le régime."""

    JOINTE = "jointe", "jointe"
    EXPIREE = "expiree", "expirée"
    MANQUANTE = "manquante", "manquante"
    NON_JOINTE = "non_jointe", "non jointe (facultative)"


def cible_de_piece(exigence: str) -> str:
    """Le nom d’une pièce parmi les champs : il ne peut être celui d’un champ."""
    return f"piece:{exigence}"


class VerdictCritere(models.TextChoices):
    CONFORME = "conforme", "conforme"
    A_COMPLETER = "a_completer", "à compléter"
    NON_CONFORME = "non_conforme", "non conforme"
    SANS_OBJET = "sans_objet", "sans objet"


VERDICTS_A_MOTIVER = frozenset({VerdictCritere.A_COMPLETER.value, VerdictCritere.NON_CONFORME.value})


class Instance(models.TextChoices):
    CAS = "cas", "commission d’action sociale"
    CA = "ca", "conseil d’administration"


class EtatSection(models.TextChoices):
    A_COMMENCER = "a_commencer", "À commencer"
    EN_COURS = "en_cours", "En cours"
    COMPLET = "complet", "Complet"
    MODIFIE = "modifie", "Modifié"


class EtatAgrement(models.TextChoices):
    A_VENIR = "a_venir", "À venir"
    EN_COURS = "en_cours", "En cours"
    ECHU = "echu", "Échu"
    SUSPENDU = "suspendu", "Suspendu"
    RETIRE = "retire", "Retiré"
    RENOUVELE = "renouvele", "Renouvelé"


class GesteAgrement(models.TextChoices):
    OUVRIR = "ouvrir", "ouverture de la période"
    ECHOIR = "echoir", "échéance"
    RENOUVELER = "renouveler", "renouvellement"
    SUSPENDRE = "suspendre", "suspension"
    LEVER_SUSPENSION = "lever_suspension", "levée de la suspension"
    RETIRER = "retirer", "retrait"
    OUVRIR_PROCEDURE = "ouvrir_procedure", "ouverture d’une procédure"
    OBSERVER = "observer", "observations de la structure"
    CLORE_PROCEDURE = "clore_procedure", "clôture de la procédure"


class IssueProcedure(models.TextChoices):
    """Ce qu’une procédure sur l’agrément a donné ; vide tant qu’elle est ouverte."""

    SUSPENSION = "suspension", "suspension de l’agrément"
    RETRAIT = "retrait", "retrait de l’agrément"
    SANS_SUITE = "sans_suite", "sans suite"
