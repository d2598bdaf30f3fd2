"""Les lettres et les rapports d’un contrôle ; comme partout, un texte qui change monte sa version."""

from __future__ import annotations

from documents.gabarit import COURANTES, Gabarit, Mention

_OBJET = Mention("objet_du_courrier", "objet du courrier", "contrôle de votre structure")
_RELEVE = Mention(
    "releve",
    "ce qu’il faut retenir",
    [{"nom": "Visite", "valeur": "4 mars 2027 à 9 h 00"}, {"nom": "Exercices", "valeur": "2024 et 2025"}],
)
_RECOURS = Mention("recours_mois", "délai de recours, en mois", 2, facultative=True)

LETTRES_DE_CONTROLE = (
    Gabarit(
        "courrier_controle",
        1,
        "Courrier sur un contrôle",
        (
            *COURANTES,
            _OBJET,
            Mention(
                "paragraphes",
                "texte du courrier",
                [
                    "La Caf contrôle l’usage des prestations qu’elle vous verse.",
                    "Un contrôleur viendra dans vos locaux.",
                ],
            ),
            _RELEVE,
            Mention("pieces", "pièces à tenir prêtes", ["Grand livre 2025", "Procès-verbaux des instances"]),
            Mention(
                "points",
                "points conclus",
                [{"numero": 3, "libelle": "Salaires de la direction", "nature": "écart", "suite": "maintenu"}],
            ),
            Mention("motivation", "motivation", "La présidence est absente ce jour-là.", facultative=True),
            Mention("suite", "ce qui suit", "Le contrôle ne suspend pas vos versements.", facultative=True),
            _RECOURS,
        ),
    ),
    Gabarit(
        "rapport_controle",
        1,
        "Rapport de contrôle",
        (
            *COURANTES,
            _OBJET,
            Mention("nature", "nature du rapport", "Rapport provisoire"),
            Mention("introduction", "lettre qui l’accompagne", ["Voici le rapport provisoire du contrôle."]),
            Mention("reponse_avant", "réponse attendue avant le", "2 avril 2027", facultative=True),
            Mention(
                "silence", "effet du silence", "Sans réponse, les constats sont réputés acceptés.", facultative=True
            ),
            _RELEVE,
            Mention("resume", "points par nature", [{"nature": "écart", "nombre": 1}]),
            Mention("notes", "déroulement", "Visite des locaux, entretien avec la direction.", facultative=True),
            Mention(
                "constats",
                "constats",
                [
                    {
                        "numero": 3,
                        "theme": "Charges 2025",
                        "libelle": "64 Charges de personnel, pilotage",
                        "nature": "écart",
                        "regle": "déclaration « réel 2025 »",
                        "faits": "Deux salaires comptés en pilotage relèvent des activités.",
                        "declare": "120 000,00 €",
                        "constate": "110 000,00 €",
                        "ecart": "−10 000,00 €",
                        "recommandation": "Écrire la clé de répartition.",
                        "deja": "déjà signalée 1 fois",
                        "position": "Je conteste",
                        "reponse": "La clé est celle de 2023.",
                        "pieces": ["CTL-2027-00012_constat-3_1.pdf"],
                        "conclusion": "maintenu",
                        "motif": "La clé n’est pas écrite.",
                        "retenu": "110 000,00 €",
                        "photos": "photos 1 et 2",
                    }
                ],
            ),
            Mention(
                "effets",
                "effets sur les droits",
                [
                    {
                        "droit": "Animation globale et coordination 2025",
                        "avant": "61 056,00 €",
                        "apres": "57 000,00 €",
                        "ecart": "−4 056,00 €",
                        "lignes": [
                            {"libelle": "Pilotage", "calcul": "110 000,00 € × 42,4 %", "montant": "46 640,00 €"}
                        ],
                    }
                ],
            ),
            Mention("effets_dits", "ce que valent ces effets", "Rien ne change avant le rapport définitif."),
            Mention(
                "photos",
                "photos",
                [{"source": "static:/pdf/exemple.png", "numero": 1, "legende": "Affichage de la charte"}],
            ),
            Mention(
                "signatures",
                "signatures",
                [
                    {
                        "qui": "Pour la Caf",
                        "nom": "Alex Exemple",
                        "trace": "M10 10 L500 300",
                        "mention": "signé sur place",
                    }
                ],
            ),
            Mention("suites", "ce qui suit", ["Les droits seront revus par le technicien conseil."]),
            _RECOURS,
        ),
    ),
)
