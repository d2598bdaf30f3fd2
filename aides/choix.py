"""Les mots des aides locales : un dispositif est une règle, une demande un projet, une enveloppe un budget voté."""

from django.db import models


class FormeAide(models.TextChoices):
    SUBVENTION = "subvention", "subvention"
    PRET = "pret", "prêt"


class ObjetAide(models.TextChoices):
    ANIMATION = "animation", "animation de la vie sociale"
    INVESTISSEMENT = "investissement", "investissement"
    FONCTIONNEMENT = "fonctionnement", "fonctionnement"


class EtatDispositif(models.TextChoices):
    BROUILLON = "brouillon", "Brouillon"
    PUBLIE = "publie", "Publié"
    REMPLACE = "remplace", "Remplacé"
    ABANDONNE = "abandonne", "Abandonné"


FAMILLES_DISPOSITIF: dict[str, str] = {
    EtatDispositif.BROUILLON: "attente",
    EtatDispositif.PUBLIE: "succes",
    EtatDispositif.REMPLACE: "neutre",
    EtatDispositif.ABANDONNE: "neutre",
}


class RegimeTaxe(models.TextChoices):
    """Domaine G.4 : hors taxes pour les collectivités, toutes taxes comprises pour les associations."""

    SELON_STATUT = "selon_statut", "hors taxes pour les collectivités, toutes taxes comprises pour les autres"
    HT = "ht", "hors taxes pour tous"
    TTC = "ttc", "toutes taxes comprises pour tous"


class Etat(models.TextChoices):
    EN_PREPARATION = "en_preparation", "En préparation"
    A_VISER = "a_viser", "Au visa du représentant légal"
    VISEE = "visee", "Visée, à déposer"
    DEPOSEE = "deposee", "Déposée, à instruire"
    INCOMPLETE = "incomplete", "En attente de compléments"
    INSTRUITE = "instruite", "Instruite, à inscrire en séance"
    INSCRITE = "inscrite", "À l’ordre du jour"
    ACCORDEE = "accordee", "Accordée"
    AJOURNEE = "ajournee", "Ajournée"
    REFUSEE = "refusee", "Refusée"
    IRRECEVABLE = "irrecevable", "Irrecevable"
    RETIREE = "retiree", "Retirée par la structure"
    SOLDEE = "soldee", "Soldée"
    CADUQUE = "caduque", "Caduque"


ETATS_PRIVES = (Etat.EN_PREPARATION, Etat.A_VISER, Etat.VISEE)
ETATS_OUVERTS = (*ETATS_PRIVES, Etat.DEPOSEE, Etat.INCOMPLETE, Etat.INSTRUITE, Etat.INSCRITE, Etat.AJOURNEE)
ETATS_DECIDES = (Etat.ACCORDEE, Etat.AJOURNEE, Etat.REFUSEE, Etat.SOLDEE, Etat.CADUQUE)
ETATS_PROPOSES = (Etat.INSTRUITE, Etat.INSCRITE)
ETATS_ACCORDES = (Etat.ACCORDEE, Etat.SOLDEE, Etat.CADUQUE)

LIBELLES_PARTENAIRE: dict[str, str] = {
    Etat.EN_PREPARATION: "En préparation",
    Etat.A_VISER: "En attente du visa du représentant légal",
    Etat.VISEE: "Visée, prête à être déposée",
    Etat.DEPOSEE: "Déposée, la Caf l’instruit",
    Etat.INCOMPLETE: "La Caf attend vos compléments",
    Etat.INSTRUITE: "Instruite, bientôt en séance",
    Etat.INSCRITE: "À l’ordre du jour d’une séance",
    Etat.ACCORDEE: "Accordée",
    Etat.AJOURNEE: "Ajournée",
    Etat.REFUSEE: "Refusée",
    Etat.IRRECEVABLE: "Irrecevable",
    Etat.RETIREE: "Retirée",
    Etat.SOLDEE: "Soldée",
    Etat.CADUQUE: "Caduque",
}
DECISION_A_LIRE = "Décision rendue, à lire"

FAMILLES: dict[str, str] = {
    Etat.EN_PREPARATION: "neutre",
    Etat.A_VISER: "attente",
    Etat.VISEE: "attente",
    Etat.DEPOSEE: "cours",
    Etat.INCOMPLETE: "attente",
    Etat.INSTRUITE: "cours",
    Etat.INSCRITE: "cours",
    Etat.ACCORDEE: "succes",
    Etat.AJOURNEE: "attente",
    Etat.REFUSEE: "refus",
    Etat.IRRECEVABLE: "refus",
    Etat.RETIREE: "neutre",
    Etat.SOLDEE: "succes",
    Etat.CADUQUE: "refus",
}


class Geste(models.TextChoices):
    CREER = "creer", "ouvrir la demande"
    REDIGER = "rediger", "rédiger"
    JOINDRE = "joindre", "joindre une pièce"
    DEMANDER_VISA = "demander_visa", "demander le visa"
    REPRENDRE = "reprendre", "reprendre la rédaction"
    VISER = "viser", "viser"
    REFUSER_VISA = "refuser_visa", "refuser le visa"
    DEPOSER = "deposer", "déposer"
    RETIRER = "retirer", "retirer la demande"
    DEMANDER_COMPLEMENTS = "demander_complements", "demander des compléments"
    RENVOYER = "renvoyer", "renvoyer les compléments"
    DECLARER_IRRECEVABLE = "declarer_irrecevable", "déclarer irrecevable"
    RETENIR = "retenir", "retenir les dépenses"
    PROPOSER = "proposer", "rendre l’avis"
    REPRENDRE_INSTRUCTION = "reprendre_instruction", "reprendre l’instruction"
    AUTORISER_DEMARRAGE = "autoriser_demarrage", "autoriser un démarrage anticipé"
    INSCRIRE = "inscrire", "inscrire en séance"
    DESINSCRIRE = "desinscrire", "retirer de l’ordre du jour"
    ACCORDER = "accorder", "accorder"
    AJOURNER = "ajourner", "ajourner"
    REFUSER = "refuser", "refuser"
    NOTIFIER = "notifier", "notifier"
    LIRE_NOTIFICATION = "lire_notification", "lire la notification"
    VERSER = "verser", "proposer un versement"
    FACTURER = "facturer", "joindre une facture"
    VALIDER_FACTURE = "valider_facture", "vérifier une facture"
    PROROGER = "proroger", "proroger le délai"
    SOLDER = "solder", "solder"
    CONSTATER_CADUCITE = "constater_caducite", "constater la caducité"
    RENDRE_BILAN = "rendre_bilan", "rendre le bilan"
    ACCEPTER_BILAN = "accepter_bilan", "accepter le bilan"
    ATTESTER_DESTINATION = "attester_destination", "attester la destination sociale"
    ROMPRE_DESTINATION = "rompre_destination", "constater la rupture de destination"
    SIGNER_PRET = "signer_pret", "déposer le contrat signé"
    GERER_PRET = "gerer_pret", "suivre le prêt"
    ENREGISTRER_RENDU = "enregistrer_rendu", "enregistrer la somme rendue"
    AFFECTER = "affecter", "confier à un autre chargé"


# Ce que le journal dit d’un geste déjà fait ; l’auteur suit.
GESTES_FAITS: dict[str, str] = {
    Geste.CREER: "demande ouverte",
    Geste.JOINDRE: "pièce jointe",
    Geste.DEMANDER_VISA: "visa demandé",
    Geste.REPRENDRE: "rédaction reprise",
    Geste.VISER: "demande visée",
    Geste.REFUSER_VISA: "visa refusé",
    Geste.DEPOSER: "demande déposée",
    Geste.RETIRER: "demande retirée",
    Geste.DEMANDER_COMPLEMENTS: "compléments demandés",
    Geste.RENVOYER: "compléments renvoyés",
    Geste.DECLARER_IRRECEVABLE: "déclarée irrecevable",
    Geste.RETENIR: "dépenses retenues",
    Geste.PROPOSER: "avis rendu",
    Geste.REPRENDRE_INSTRUCTION: "instruction reprise",
    Geste.AUTORISER_DEMARRAGE: "démarrage anticipé autorisé",
    Geste.INSCRIRE: "inscrite en séance",
    Geste.DESINSCRIRE: "retirée de l’ordre du jour",
    Geste.ACCORDER: "aide accordée",
    Geste.AJOURNER: "demande ajournée",
    Geste.REFUSER: "demande refusée",
    Geste.NOTIFIER: "décision notifiée",
    Geste.LIRE_NOTIFICATION: "notification lue",
    Geste.VERSER: "versement proposé",
    Geste.FACTURER: "facture jointe",
    Geste.VALIDER_FACTURE: "facture vérifiée",
    Geste.PROROGER: "délai prorogé",
    Geste.SOLDER: "aide soldée",
    Geste.CONSTATER_CADUCITE: "caducité constatée",
    Geste.RENDRE_BILAN: "bilan rendu",
    Geste.ACCEPTER_BILAN: "bilan accepté",
    Geste.ATTESTER_DESTINATION: "attestation de destination rendue",
    Geste.ROMPRE_DESTINATION: "rupture de destination constatée",
    Geste.SIGNER_PRET: "exemplaire signé déposé",
    Geste.GERER_PRET: "prêt suivi",
    Geste.ENREGISTRER_RENDU: "somme rendue à la Caf",
    Geste.AFFECTER: "nouvel interlocuteur à la Caf",
}
# Ce que la structure ne lit pas : le travail de la Caf avant la décision, et la décision avant sa lettre.
GESTES_INTERNES = frozenset({Geste.RETENIR, Geste.PROPOSER, Geste.REPRENDRE_INSTRUCTION, Geste.VERSER})
GESTES_DE_DECISION = frozenset({Geste.ACCORDER, Geste.AJOURNER, Geste.REFUSER})


class SensAvis(models.TextChoices):
    FAVORABLE = "favorable", "favorable"
    FAVORABLE_PARTIE = "favorable_partie", "favorable pour partie"
    DEFAVORABLE = "defavorable", "défavorable"


class SensDecision(models.TextChoices):
    ACCORDE = "accorde", "accordée"
    AJOURNE = "ajourne", "ajournée"
    REFUSE = "refuse", "refusée"


GESTE_DE_DECISION: dict[str, Geste] = {
    SensDecision.ACCORDE: Geste.ACCORDER,
    SensDecision.AJOURNE: Geste.AJOURNER,
    SensDecision.REFUSE: Geste.REFUSER,
}


class EtatFinancement(models.TextChoices):
    ACQUIS = "acquis", "acquis"
    SOLLICITE = "sollicite", "sollicité"


class NatureFinancement(models.TextChoices):
    FONDS_PROPRES = "fonds_propres", "fonds propres"
    COFINANCEUR = "cofinanceur", "cofinanceur"
    EMPRUNT = "emprunt", "emprunt bancaire"
    RECETTES = "recettes", "recettes du projet"


class NatureMouvement(models.TextChoices):
    VOTE = "vote", "vote"
    ABONDEMENT = "abondement", "vote complémentaire"
    TRANSFERT = "transfert", "transfert"
    ENGAGEMENT = "engagement", "engagement"
    DEGAGEMENT = "degagement", "dégagement"


class EtatEcheance(models.TextChoices):
    A_VENIR = "a_venir", "À venir"
    EMISE = "emise", "Prélèvement émis"
    PAYEE = "payee", "Payée"
    IMPAYEE = "impayee", "Impayée"
    REMPLACEE = "remplacee", "Remplacée"


FAMILLES_ECHEANCE: dict[str, str] = {
    EtatEcheance.A_VENIR: "neutre",
    EtatEcheance.EMISE: "cours",
    EtatEcheance.PAYEE: "succes",
    EtatEcheance.IMPAYEE: "refus",
    EtatEcheance.REMPLACEE: "neutre",
}


class EtatPret(models.TextChoices):
    A_SIGNER = "a_signer", "Contrat à signer"
    SIGNE = "signe", "Contrat signé"
    EN_COURS = "en_cours", "En remboursement"
    SOLDE = "solde", "Remboursé"


FAMILLES_PRET: dict[str, str] = {
    EtatPret.A_SIGNER: "attente",
    EtatPret.SIGNE: "cours",
    EtatPret.EN_COURS: "cours",
    EtatPret.SOLDE: "succes",
}


class ModeAnticipe(models.TextChoices):
    DUREE = "reduire_la_duree", "garder le montant des échéances, en rembourser moins"
    ECHEANCE = "reduire_l_echeance", "garder le nombre d’échéances, en baisser le montant"


class NatureARendre(models.TextChoices):
    DESTINATION = "destination", "destination sociale rompue"
    TROP_VERSE = "trop_verse", "aide versée au-delà du coût réel"


class EtatBilan(models.TextChoices):
    A_RENDRE = "a_rendre", "À rendre"
    RENDU = "rendu", "Rendu, à lire"
    A_REPRENDRE = "a_reprendre", "À reprendre"
    ACCEPTE = "accepte", "Accepté"


FAMILLES_BILAN: dict[str, str] = {
    EtatBilan.A_RENDRE: "attente",
    EtatBilan.RENDU: "cours",
    EtatBilan.A_REPRENDRE: "attente",
    EtatBilan.ACCEPTE: "succes",
}
