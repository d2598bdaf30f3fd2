"""Les réalisations de démonstration du site public."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from comptes.models import Utilisateur
from partenaires.models import Realisation

ARTICLES = (
    (
        "Un café qui prend la route", "cafe-itinerant",
        "Chaque jeudi, un triporteur s’arrête dans un hameau : le café est offert, la conversation aussi.",
        "<p>L’idée vient de trois habitantes. Depuis un an, le triporteur a relié onze hameaux ; autour de la table, on "
        "parle de transport, d’école, de solitude parfois. Deux groupes d’entraide sont nés de ces rencontres.</p>"
        "<p>« On n’a rien à vendre, alors les gens s’arrêtent », sourit une bénévole.</p>",
    ),
    (
        "Les jeunes décident du budget", "jury-de-jeunes",
        "Un jury de neuf adolescents choisit chaque trimestre les projets de jeunes à soutenir.",
        "<p>Ils lisent, questionnent, votent et expliquent leurs refus. Trois festivals, un atelier vélo et un voyage sont "
        "sortis de ces débats.</p>",
    ),
    (
        "Partir en vacances, ensemble", "premieres-vacances",
        "Douze familles préparent pendant un an leur premier séjour au bord de la mer.",
        "<p>Budget, transport, menus : tout se décide en groupe. Au retour, la plupart continuent à se voir ; plusieurs "
        "parents animent désormais les samedis en famille.</p>",
    ),
)  # fmt: skip


def semer_realisations(auteur: Utilisateur) -> None:
    for rang, (titre, slug, chapeau, texte) in enumerate(ARTICLES):
        Realisation.objects.get_or_create(
            slug=slug,
            defaults={
                "titre": titre,
                "chapeau": chapeau,
                "texte": texte,
                "auteur": auteur,
                "publiee_le": timezone.localdate() - timedelta(days=20 + 30 * rang),
            },
        )
