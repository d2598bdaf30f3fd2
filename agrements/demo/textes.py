"""Des projets sociaux vraisemblables et inventés : trois thèmes par structure, tirés au sort à graine fixe."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from partenaires.models import Structure


@dataclass(frozen=True, slots=True)
class Theme:
    constat: str
    enjeu: str
    axe: str
    objectif: str
    actions: tuple[tuple[str, str], ...]  # action, indicateur
    parole: str


THEMES = (
    Theme(
        "Beaucoup de parents disent ne connaître personne dans le quartier et élever seuls leurs enfants.",
        "Rompre l’isolement des parents et reconnaître leurs compétences.",
        "Être parent ici, ensemble",
        "Créer des temps réguliers où parents et enfants font quelque chose ensemble.",
        (("Samedis en famille, deux fois par mois", "Nombre de familles venues au moins trois fois"),
         ("Groupe de parole de parents, un soir par mois", "Nombre de parents animateurs à la fin de l’année")),
        "« Quand je viens ici, je ne suis plus seulement la maman de quelqu’un. »",
    ),
    Theme(
        "Les personnes âgées sont plus nombreuses et sortent moins depuis la fermeture de deux commerces.",
        "Prévenir la perte de lien des aînés.",
        "Vieillir entouré",
        "Aller vers les personnes qui ne sortent plus.",
        (("Visites à domicile par des bénévoles formés", "Nombre de personnes visitées au moins une fois par mois"),
         ("Repas partagés dans trois hameaux", "Part des convives qui ne fréquentaient pas le centre")),
        "« Le mardi, je sais que quelqu’un va frapper à la porte. »",
    ),
    Theme(
        "Un jeune sur deux de 14 à 17 ans ne trouve pas d’activité accessible sans voiture.",
        "Donner aux jeunes une place et les moyens de se déplacer.",
        "Des jeunes qui comptent",
        "Soutenir les projets que les jeunes imaginent eux-mêmes.",
        (("Fonds d’initiatives de jeunes, décidé par un jury de jeunes", "Nombre de projets menés à terme"),
         ("Atelier vélo et prêt de cyclomoteurs", "Nombre de jeunes ayant rejoint un stage ou un emploi")),
        "« On nous demande toujours ce qu’on veut, cette fois on a décidé. »",
    ),
    Theme(
        "Les démarches en ligne découragent : un habitant sur trois reporte une demande d’aide.",
        "Faire que personne ne renonce à ses droits.",
        "L’accès aux droits près de chez soi",
        "Accompagner chacun vers l’autonomie dans ses démarches.",
        (("Permanence d’aide aux démarches, trois demi-journées par semaine", "Nombre de démarches abouties"),
         ("Ateliers numériques de six séances", "Part des participants autonomes trois mois après")),
        "« La première fois on a fait ensemble, maintenant je fais tout seul. »",
    ),
    Theme(
        "Les nouveaux lotissements et le bourg ancien se croisent sans se rencontrer.",
        "Faire vivre un même territoire aux anciens et aux nouveaux habitants.",
        "Faire connaissance",
        "Multiplier les occasions simples de se rencontrer.",
        (("Fêtes de quartier portées par des habitants", "Nombre d’habitants organisateurs"),
         ("Café associatif itinérant", "Nombre de communes où le café s’est arrêté")),
        "« J’habitais là depuis dix ans et je ne connaissais pas ma rue. »",
    ),
    Theme(
        "Les fins de mois difficiles touchent aussi des ménages qui travaillent.",
        "Soutenir le pouvoir d’agir face aux difficultés du quotidien.",
        "S’entraider au quotidien",
        "Développer des solutions collectives et dignes.",
        (("Jardin partagé et cuisine collective", "Kilos récoltés et nombre de foyers associés"),
         ("Bourse d’échange de services", "Nombre d’échanges entre habitants")),
        "« Ici on ne vient pas demander, on vient échanger. »",
    ),
)  # fmt: skip


def p(*paragraphes: str) -> str:
    return "".join(f"<p>{texte}</p>" for texte in paragraphes)


def liste(*points: str) -> str:
    return "<ul>" + "".join(f"<li>{point}</li>" for point in points) + "</ul>"


def arbre(themes: list[Theme], hasard: Random) -> list[dict[str, Any]]:
    def noeud(nature: str, texte: str, enfants: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": f"n{hasard.getrandbits(40):x}", "nature": nature, "texte": texte, "enfants": enfants}

    return [
        noeud("constat", t.constat, [noeud("enjeu", t.enjeu, [noeud("axe", t.axe, [noeud("objectif", t.objectif, [
            noeud("action", action, [noeud("indicateur", indicateur, [])]) for action, indicateur in t.actions
        ])])])])
        for t in themes
    ]  # fmt: skip


def budget(hasard: Random) -> list[dict[str, str]]:
    """Un budget équilibré autour de 400 000 €, fictif."""
    charges = [
        ("60", "Achats", hasard.randrange(18, 42) * 1000),
        ("61", "Services extérieurs", hasard.randrange(15, 32) * 1000),
        ("62", "Autres services extérieurs", hasard.randrange(14, 30) * 1000),
        ("63", "Impôts et taxes", hasard.randrange(4, 12) * 1000),
        ("64", "Charges de personnel", hasard.randrange(210, 340) * 1000),
        ("65", "Autres charges de gestion courante", hasard.randrange(2, 8) * 1000),
        ("68", "Dotations aux amortissements", hasard.randrange(3, 11) * 1000),
    ]
    total = sum(montant for _, _, montant in charges)
    produits = [
        ("70", "Participations des usagers", total * 14 // 100),
        ("741", "Caf, prestations de service (valeur de démonstration)", total * 27 // 100),
        ("742", "Commune et intercommunalité", total * 41 // 100),
        ("743", "Département, État, autres", total * 12 // 100),
        ("756", "Adhésions", total * 2 // 100),
    ]
    produits.append(("75", "Autres produits", total - sum(montant for _, _, montant in produits)))
    benevolat = hasard.randrange(20, 50) * 1000
    volontaires = [("864", "Personnel bénévole", benevolat), ("875", "Bénévolat", benevolat)]
    return [
        {"compte": compte, "libelle": libelle, "montant": str(montant)}
        for compte, libelle, montant in (*charges, *produits, *volontaires)
    ]


def reponses(structure: Structure, hasard: Random, annee: int) -> dict[str, Any]:
    """Toutes les réponses d’un projet, par code de champ ; les champs hors régime seront ignorés."""
    themes = hasard.sample(THEMES, 3)
    commune = structure.commune.nom
    lieu = structure.quartier or commune
    habitants = hasard.randrange(120, 420)
    axes = [t.axe for t in themes]
    return {
        "presentation": p(
            f"{structure.nom} agit à {lieu} avec et pour les habitants. Né d’un collectif d’habitants, le lieu accueille "
            "aujourd’hui des activités pour tous les âges, un accueil ouvert et des permanences de partenaires.",
            "L’équipe et les bénévoles partagent une même conviction : chacun a quelque chose à apporter.",
        ),
        "territoire": p(
            f"Le projet porte sur {lieu} et les secteurs voisins, bassin de vie où se trouvent l’école, les commerces et "
            "les principaux équipements.",
        ),
        "changements": p("L’équipe de direction est stable. L’accueil a été réaménagé et l’association a élargi son bureau."),
        "instances": [
            {"nom": "Conseil d’administration", "composition": "Habitants élus, ville, associations", "membres": "18",
             "habitants": "12", "rythme": "Six fois par an"},
            {"nom": "Comité de pilotage du projet", "composition": "Habitants, salariés, partenaires", "membres": "14",
             "habitants": "7", "rythme": "Tous les deux mois"},
        ],
        "fonctionnement_instances": p("Le conseil d’administration décide ; les commissions, ouvertes à tous, préparent et suivent."),
        "benevoles": hasard.randrange(35, 160),
        "adherents": hasard.randrange(250, 1400),
        "demarche_methode": p(
            f"La démarche a duré dix mois. {habitants} habitants ont répondu à l’enquête de rue, six marches exploratoires "
            "et quatre soirées thématiques ont été menées.",
            "Le comité de pilotage a choisi les questions, lu les réponses et proposé les priorités, que l’assemblée a votées.",
        ),
        "demarche_acteurs": [
            {"acteurs": "Habitants", "nombre": str(habitants), "participation": "Enquête, marches, soirées"},
            {"acteurs": "Partenaires", "nombre": str(hasard.randrange(12, 34)), "participation": "Entretiens, ateliers"},
        ],
        "demarche_restitution": p("Une restitution dessinée a été affichée à l’accueil et discutée lors de la fête de juin."),
        "bilan_axes": p(
            "L’axe « accueillir » a tenu ses promesses : la fréquentation de l’accueil a augmenté chaque année.",
            "L’axe « aller vers » a pris du retard faute de poste, rattrapé la dernière année.",
        ),
        "bilan_enseignements": p("Nous gardons l’accueil ouvert et les sorties familiales ; nous renforçons la présence hors les murs."),
        "diagnostic_analyse": p(*(t.constat for t in themes)) + p(
            f"À {commune}, ces constats se lisent dans les chiffres comme dans les rencontres : ils se cumulent souvent "
            "pour les mêmes familles."
        ),
        "diagnostic_offre": p("Le tissu associatif est dense mais peu coordonné ; il manque un lieu ouvert le samedi et en soirée."),
        "diagnostic_parole": p(*(t.parole for t in themes)),
        "arbre": arbre(themes, hasard),
        "plan_action": p("La première année installe, la deuxième et la troisième développent, la quatrième évalue et transmet.")
        + liste(*(f"{t.axe} : {t.actions[0][0].lower()}." for t in themes)),
        "participation_modes": p("Toute activité nouvelle part d’un groupe d’habitants. Une commission ouverte à tous suit chaque axe."),
        "participation_freins": p("Les horaires et la garde des enfants freinent : les réunions importantes ont lieu le samedi, avec un accueil des enfants."),
        "familles_problematiques": p("L’isolement des parents seuls, la conciliation des temps et la relation avec l’école reviennent dans toutes les rencontres."),
        "familles_objectifs": liste("Soutenir les parents dans leur rôle.", "Permettre des temps de plaisir entre parents et enfants.", "Favoriser l’entraide entre familles."),
        "familles_actions": [
            {"action": "Samedis en famille", "public": "Parents et enfants", "rythme": "Deux fois par mois", "partenaires": "École, bibliothèque"},
            {"action": "Départs en vacances collectifs", "public": "Familles qui ne partent pas", "rythme": "Une fois par an", "partenaires": "Caf"},
        ],
        "postes": [
            {"fonction": "Direction", "nom": "Direction", "etp": "1", "diplome": "Desjeps", "niveau": "6", "depuis": str(annee - 4)},
            {"fonction": "Référent familles", "nom": "Référente familles", "etp": "0.8", "diplome": "Conseillère en économie sociale familiale", "niveau": "6", "depuis": str(annee - 2)},
            {"fonction": "Accueil", "nom": "Accueil", "etp": "1", "diplome": "", "niveau": "4", "depuis": str(annee - 6)},
            {"fonction": "Animation", "nom": "Animation jeunesse", "etp": "1.5", "diplome": "Bpjeps", "niveau": "4", "depuis": str(annee - 1)},
        ],
        "equipe_commentaire": p("Une réunion d’équipe par semaine et une journée de formation commune par trimestre."),
        "locaux_description": p("Un bâtiment municipal de 620 m², un accueil refait, une cuisine collective et une salle polyvalente partagée."),
        "horaires": "Du lundi au vendredi, 9 h – 12 h 30 et 14 h – 18 h 30 ; samedi, 9 h – 12 h 30.",
        "tarification": p("Adhésion familiale de 8 € et tarifs selon le quotient familial ; l’accueil et les permanences sont gratuits (valeurs de démonstration)."),
        "accessibilite": p("Le rez-de-chaussée est accessible ; une boucle magnétique est prêtée à l’accueil."),
        "mixite": p("Les temps forts réunissent volontairement tous les âges ; une attention particulière est portée aux personnes isolées."),
        "budget_exercice": annee,
        "budget_lignes": budget(hasard),
        "budget_commentaire": p("Budget de démonstration : montants fictifs."),
        "evaluation_methode": p("Un comité d’évaluation à moitié composé d’habitants se réunit deux fois par an et tient un tableau de bord par axe."),
        "deliberation_instance": "conseil d’administration",
        "deliberation_date": f"{annee - 1}-09-18",
        "synthese": p(
            f"Le projet de {structure.nom} répond à trois enjeux de {lieu} : " + " ; ".join(t.enjeu[0].lower() + t.enjeu[1:-1] for t in themes) + ".",
            "Il se décline en trois axes :",
        ) + liste(*axes),
    }  # fmt: skip


REMARQUES = {
    "participation_modes": "Précisez comment les habitants prennent part aux décisions, au-delà des commissions.",
    "diagnostic_offre": "Nommez les partenaires rencontrés et ce que chacun propose déjà.",
    "budget_commentaire": "Expliquez la hausse des charges de personnel.",
}
