"""Les lettres du portail : pour chacune, sa version et la liste déclarée de ses mentions.

Changer le texte d’un gabarit, c’est monter sa version : un acte dit toujours sous quelle version il est né. Un test
tient l’empreinte de chaque gabarit et échoue si le texte change sans la version.

À faire valider par la Caf avant tout usage réel : la qualité des signataires, les voies et délais de recours, les
articles cités du code des relations entre le public et l’administration (CRPA).
"""

from __future__ import annotations

from collections.abc import Mapping

from documents.gabarit import COMMUNES, COURANTES, Gabarit, Mention
from documents.gabarits_controle import LETTRES_DE_CONTROLE

_ARGENT = (
    *COURANTES,
    Mention("exercice", "exercice", 2026),
)
_DROITS = (
    *_ARGENT,
    Mention("introduction", "ce que dit la lettre", "Votre déclaration prévisionnelle de 2026 est validée."),
    Mention(
        "droits",
        "droits et explications",
        [
            {
                "prestation": "Animation globale et coordination",
                "montant": "61 056,00 €",
                "avant": "60 000,00 €",
                "bareme": "barème AGC 2026",
                "source": "délibération du conseil d’administration (valeur de démonstration)",
                "lignes": [
                    {
                        "libelle": "Pilotage",
                        "formule": "(dépenses déclarées) × 42,4 %",
                        "valeurs": "pilotage : 120 000,00 €",
                        "montant": "50 880,00 €",
                    },
                    {
                        "libelle": "Quote-part de la logistique",
                        "formule": "(logistique × pilotage ÷ (pilotage + activités)) × 42,4 %",
                        "valeurs": "logistique : 60 000,00 € ; quote-part : 24 000,00 €",
                        "montant": "10 176,00 €",
                    },
                ],
            }
        ],
    ),
    Mention("total", "total des droits", "61 056,00 €"),
    Mention("suite", "ce qui suit", "Le premier acompte sera versé à partir du 1er mars 2026."),
    Mention("recours_mois", "délai de recours, en mois", 2),
)
_AIDE = (
    *COURANTES,
    Mention("objet_du_courrier", "objet du courrier", "votre demande d’aide « Une cuisine partagée » est accordée"),
    Mention("dispositif", "dispositif", "Investissement, subvention 2026"),
    Mention("article", "article du règlement intérieur", "Rias 2026, article 4.2", facultative=True),
    Mention(
        "releve",
        "ce qu’il faut retenir",
        [
            {"nom": "Aide accordée", "valeur": "24 000,00 €"},
            {"nom": "À réaliser avant le", "valeur": "23 novembre 2029"},
        ],
    ),
    Mention(
        "calcul",
        "calcul ligne par ligne",
        [
            {
                "libelle": "Part des dépenses éligibles",
                "formule": "dépenses éligibles × taux",
                "valeurs": "dépenses éligibles (TTC) : 60 000,00 € ; taux : 40 %",
                "montant": "24 000,00 €",
            }
        ],
    ),
    Mention("total", "total du calcul", "24 000,00 €", facultative=True),
    Mention("source", "source de la règle", "Rias 2026 (valeur de démonstration)", facultative=True),
    Mention(
        "echeances",
        "échéancier",
        [
            {
                "rang": 1,
                "le": "1er mars 2027",
                "capital": "416,67 €",
                "interets": "0,00 €",
                "total": "416,67 €",
                "reste": "9 583,33 €",
            }
        ],
    ),
)
_DECISION = (
    *COMMUNES,
    Mention("seance", "date de la séance", "12 novembre 2026"),
    Mention("instance", "instance", "conseil d’administration"),
    Mention("sens", "sens de la décision", "agréé avec réserves"),
    Mention(
        "motivation",
        "motivation",
        "Le diagnostic s’appuie sur une démarche où les habitants ont pris part à chaque étape. Les axes du projet en "
        "découlent et les moyens humains répondent aux exigences du régime.\n"
        "Le conseil relève toutefois que le poste de référent familles est vacant depuis le 1er septembre 2026.",
    ),
    Mention("reserves", "réserves", "Recruter le référent familles, à mi-temps au moins, avant le 30 juin 2027."),
    Mention("debut", "début de l’agrément", "1er janvier 2027"),
    Mention("fin", "fin de l’agrément", "31 décembre 2028"),
    Mention("duree", "durée de l’agrément", "2 ans", facultative=True),
    Mention("recours_mois", "délai de recours, en mois", 2),
)


def _declarer(*gabarits: Gabarit) -> Mapping[str, Gabarit]:
    return {gabarit.nom: gabarit for gabarit in gabarits}


GABARITS = _declarer(
    Gabarit(
        "accuse_reception",
        3,
        "Accusé de réception d’un dossier",
        (
            *COMMUNES,
            Mention("depose_le", "date de dépôt", "23 novembre 2026"),
            Mention("depose_par", "déposé par", "Dominique Exemple"),
            Mention("version", "numéro de version", 1),
            Mention("empreinte", "empreinte du dossier", "9f86d081884c7d659a2feaa0c55ad015" * 2),
            Mention(
                "pieces",
                "pièces reçues",
                ["Délibération qui approuve le projet", "Statuts", "Relevé d’identité bancaire", "Budget prévisionnel"],
            ),
            Mention("reponse_avant", "date avant laquelle l’instruction s’achève", "23 mars 2027", facultative=True),
        ),
    ),
    Gabarit(
        "demande_complements",
        3,
        "Demande de compléments",
        (
            *COMMUNES,
            Mention(
                "message", "message d’ensemble", "Votre projet est bien avancé ; quelques points restent à préciser."
            ),
            Mention(
                "remarques",
                "remarques",
                [
                    {
                        "libelle": "Diagnostic : Votre analyse du territoire",
                        "texte": "Précisez la situation des 11-17 ans du quartier, avec la source et l’année de "
                        "chaque chiffre.",
                    },
                    {
                        "libelle": "Moyens humains : Référent familles",
                        "texte": "Indiquez le diplôme et le temps de travail de la personne pressentie.",
                    },
                    {
                        "libelle": "Pièce : Délibération",
                        "texte": "La délibération jointe n’est pas signée. Joignez la version signée.",
                    },
                ],
            ),
            Mention("echeance", "réponse attendue le", "23 décembre 2026"),
        ),
    ),
    Gabarit("notification_agrement", 3, "Notification d’agrément", _DECISION),
    Gabarit("notification_refus", 3, "Notification de refus", _DECISION),
    Gabarit("notification_ajournement", 3, "Notification d’ajournement", _DECISION),
    Gabarit(
        "decision_agrement",
        2,
        "Suspension, levée ou retrait d’un agrément",
        (
            *COURANTES,
            Mention("objet", "objet de l’agrément", "animation globale et coordination"),
            Mention("periode", "période de l’agrément", "du 1er janvier 2026 au 31 décembre 2029"),
            Mention("geste", "ce qui est décidé", "suspension"),
            Mention("decide", "la décision en toutes lettres", "de suspendre cet agrément à compter de ce jour"),
            Mention("motif", "motifs", "Le poste de direction est vacant depuis le 1er mars 2026."),
            Mention(
                "effet",
                "ce que la décision entraîne",
                "Les versements de prestations de service sont retenus tant que la suspension n’est pas levée ; la "
                "date de fin de l’agrément ne change pas.",
            ),
            Mention("recours_mois", "délai de recours, en mois", 2),
        ),
    ),
    Gabarit(
        "procedure_agrement",
        1,
        "Ouverture d’une procédure sur l’agrément",
        (
            *COURANTES,
            Mention("objet", "objet de l’agrément", "animation globale et coordination"),
            Mention("periode", "période de l’agrément", "du 1er janvier 2026 au 31 décembre 2029"),
            Mention("origine", "ce qui l’ouvre", "contrôle CTL-2027-00012", facultative=True),
            Mention("motif", "motifs", "Le rapport définitif maintient deux manquements aux critères de l’agrément."),
            Mention("observations_avant", "observations attendues avant le", "22 décembre 2026"),
        ),
    ),
    Gabarit(
        "accuse_declaration",
        2,
        "Accusé de réception d’une déclaration",
        (
            *_ARGENT,
            Mention("campagne", "campagne", "prévisionnel 2026"),
            Mention("depose_le", "date de dépôt", "12 février 2026"),
            Mention("depose_par", "déposée par", "Dominique Exemple"),
            Mention("visee_par", "visée par", "Claude Exemple"),
            Mention("version", "numéro de version", 1),
            Mention("empreinte", "empreinte de la déclaration", "9f86d081884c7d659a2feaa0c55ad015" * 2),
            Mention(
                "totaux",
                "totaux",
                [
                    {"libelle": "Charges", "montant": "360 000,00 €"},
                    {"libelle": "Produits", "montant": "360 000,00 €"},
                ],
            ),
        ),
    ),
    Gabarit("notification_droit", 3, "Notification de droit", _DROITS),
    Gabarit("revision_droit", 3, "Révision de votre prestation", _DROITS),
    Gabarit(
        "droit_apres_controle",
        1,
        "Droit revu après contrôle",
        (
            *_DROITS,
            Mention("prestation", "prestation", "Animation globale et coordination"),
            Mention(
                "corrections",
                "données corrigées",
                ["64 Charges de personnel, pilotage 2025 : 45 000,00 € déclarés, 40 000,00 € admis (constat n° 3)"],
            ),
        ),
    ),
    Gabarit(
        "notification_indu",
        3,
        "Notification d’indu",
        (
            *_ARGENT,
            Mention("prestation", "prestation", "Animation globale et coordination"),
            Mention("montant", "montant à rendre", "2 120,00 €"),
            Mention("droit", "droit définitif", "42 400,00 €"),
            Mention("verse", "déjà versé", "44 520,00 €"),
            Mention("motif", "raison", "Le compte de résultat 2026 est inférieur au prévisionnel."),
            Mention("echeances", "échéances", [{"rang": 1, "le": "1er mars 2027", "montant": "2 120,00 €"}]),
            Mention("recours_mois", "délai de recours, en mois", 2),
        ),
    ),
    Gabarit(
        "convention",
        3,
        "Convention d’objectifs et de financement",
        (
            *_ARGENT,
            Mention("avenant", "avenant à la convention", "COF-2026-00012", facultative=True),
            Mention("objet_avenant", "objet de l’avenant", "Ajout de la prestation familles.", facultative=True),
            Mention(
                "agrement", "agrément", "animation globale et coordination, du 1er janvier 2026 au 31 décembre 2029"
            ),
            Mention("debut", "début", "1er janvier 2026"),
            Mention("fin", "fin", "31 décembre 2029"),
            Mention(
                "prestations",
                "prestations",
                [
                    {
                        "libelle": "Animation globale et coordination",
                        "taux": "42,4 %",
                        "regle": "barème de l’exercice",
                        "montant": "61 056,00 €",
                    }
                ],
            ),
            Mention("acomptes", "acomptes", "35 % à partir du 1er mars et 35 % à partir du 2 octobre"),
            Mention("siret", "SIRET du gestionnaire", "00000000000000", facultative=True),
            Mention("represente", "représentant légal", "Dominique Exemple, représentation légale", facultative=True),
        ),
    ),
    Gabarit(
        "attestation_versements",
        2,
        "Attestation de versements attendus",
        (
            *_ARGENT,
            Mention(
                "versements",
                "versements attendus",
                [{"mois": "mars 2026", "libelle": "AGC 2026, premier acompte", "montant": "22 260,00 €"}],
            ),
            Mention("total", "total attendu", "22 260,00 €"),
        ),
    ),
    Gabarit(
        "courrier_aide",
        1,
        "Courrier sur une aide locale",
        (
            *_AIDE,
            Mention(
                "paragraphes",
                "texte du courrier",
                [
                    "La commission d’action sociale du 12 novembre 2026 vous accorde cette aide.",
                    "Elle se verse après la signature de la convention.",
                ],
            ),
            Mention("motivation", "motivation", "Le projet répond au diagnostic.", facultative=True),
            Mention("recours_mois", "délai de recours, en mois", 2, facultative=True),
        ),
    ),
    Gabarit(
        "convention_aide",
        1,
        "Convention d’aide ou contrat de prêt",
        (
            *_AIDE,
            Mention("articles", "articles", [{"titre": "Objet", "texte": "La Caf apporte une aide au projet."}]),
            Mention("siret", "SIRET du gestionnaire", "00000000000000", facultative=True),
            Mention("represente", "représentant légal", "Dominique Exemple, représentation légale", facultative=True),
        ),
    ),
    *LETTRES_DE_CONTROLE,
)
