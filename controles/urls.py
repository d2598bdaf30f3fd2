from django.urls import path

from controles.views import (
    commun,
    contradictoire,
    plans,
    preparation,
    recommandations,
    regles,
    sanctions,
    statistiques,
    suites,
    visite,
)

app_name = "controles"

urlpatterns = [
    path("controles/", commun.liste, name="liste"),
    path("controles/<int:pk>/", commun.fiche, name="controle"),
    path("controles/<int:pk>/gestes/<slug:nom>/", commun.geste, name="geste"),
    path("controles/<int:pk>/lire/", commun.lire_rapport, name="lire_rapport"),
    path("controles/<int:pk>/actes/<int:acte_pk>/", commun.acte, name="acte"),
    # avant la visite
    path("controles/<int:pk>/preparer/", preparation.preparer, name="preparer"),
    path("controles/<int:pk>/dossier/", preparation.dossier, name="dossier"),
    path("controles/<int:pk>/reporter/", preparation.reporter, name="reporter"),
    path("controles/<int:pk>/affecter/", preparation.affecter, name="affecter"),
    path("controles/<int:pk>/pieces/", preparation.pieces, name="pieces"),
    path("controles/<int:pk>/pieces/demander/", preparation.demander_pieces, name="demander_pieces"),
    path("controles/<int:pk>/pieces/<int:piece_pk>/remettre/", preparation.remettre, name="remettre"),
    path("controles/<int:pk>/pieces/remises/<int:remise_pk>/", preparation.piece_remise, name="piece_remise"),
    # le contradictoire
    path("controles/<int:pk>/rapport/", contradictoire.rapport, name="rapport"),
    path("controles/<int:pk>/reponse/", contradictoire.repondre, name="repondre"),
    path(
        "controles/<int:pk>/reponse/<int:numero>/<slug:champ>/",
        contradictoire.enregistrer_reponse,
        name="enregistrer_reponse",
    ),
    path("controles/<int:pk>/reponse/<int:numero>/", contradictoire.garder_reponse, name="garder_reponse"),
    path("controles/<int:pk>/reponse/pieces/<int:piece_pk>/", contradictoire.piece_de_reponse, name="piece_de_reponse"),
    path(
        "controles/<int:pk>/reponse/pieces/<int:piece_pk>/retirer/",
        contradictoire.retirer_piece,
        name="retirer_piece_de_reponse",
    ),
    path("controles/<int:pk>/prolonger/", contradictoire.prolonger, name="prolonger"),
    path("controles/<int:pk>/conclure/", contradictoire.conclure, name="conclure"),
    # l’appareil du contrôleur
    path("controles/appareil/donnees/", visite.donnees, name="donnees_visites"),
    # la visite
    path("controles/<int:pk>/visite/", visite.fiche_en_ligne, name="visite"),
    path("controles/<int:pk>/operations/", visite.operations, name="operations"),
    path("controles/<int:pk>/photos/", visite.recevoir_photo, name="recevoir_photo"),
    path("controles/<int:pk>/photos/<uuid:photo_pk>/", visite.photo, name="photo"),
    path("controles/<int:pk>/photos/<uuid:photo_pk>/retirer/", visite.retirer_photo, name="retirer_photo"),
    # le plan
    path("controles/plans/", plans.liste, name="plans"),
    path("controles/plans/nouveau/", plans.creer, name="creer_plan"),
    path("controles/plans/<int:annee>/", plans.fiche, name="plan"),
    path("controles/plans/<int:annee>/modifier/", plans.modifier, name="modifier_plan"),
    path("controles/plans/<int:annee>/retenir/<int:structure_pk>/", plans.retenir, name="retenir"),
    path("controles/plans/<int:annee>/retirer/<int:structure_pk>/", plans.retirer, name="retirer_du_plan"),
    path("controles/plans/<int:annee>/premieres/", plans.retenir_les_premieres, name="retenir_les_premieres"),
    path("controles/plans/<int:annee>/tirer/", plans.tirer, name="tirer"),
    path("controles/plans/<int:annee>/tirage/", plans.rejouer, name="rejouer_tirage"),
    path("controles/plans/<int:annee>/ajouter/", plans.ajouter, name="ajouter_au_plan"),
    path("controles/plans/<int:annee>/lignes/<int:ligne_pk>/", plans.ligne, name="ligne_plan"),
    path("controles/plans/<int:annee>/repartir/", plans.repartir, name="repartir"),
    path("controles/plans/<int:annee>/soumettre/", plans.soumettre, name="soumettre_plan"),
    path("controles/plans/<int:annee>/reprendre/", plans.reprendre, name="reprendre_plan"),
    path("controles/plans/<int:annee>/valider/", plans.valider, name="valider_plan"),
    path("controles/programmer/", plans.programmer, name="programmer"),
    # les règles
    path("controles/regles/", regles.liste, name="liste_regles"),
    path("controles/regles/nouvelles/", regles.creer, name="creer_regles"),
    path("controles/regles/<int:pk>/", regles.fiche, name="regles"),
    path("controles/regles/<int:pk>/modifier/", regles.modifier, name="modifier_regles"),
    path("controles/regles/<int:pk>/publier/", regles.publier, name="publier_regles"),
    path("controles/regles/<int:pk>/abandonner/", regles.abandonner, name="abandonner_regles"),
    # les statistiques
    path("controles/statistiques/", statistiques.fiche, name="statistiques"),
    path("controles/statistiques/exporter/", statistiques.exporter, name="exporter_statistiques"),
    # les suites
    path("controles/<int:pk>/suites/", suites.page, name="suites"),
    path("controles/<int:pk>/suites/<int:suite_pk>/appliquer/", suites.appliquer, name="appliquer_suite"),
    path("controles/<int:pk>/suites/<int:suite_pk>/ecarter/", suites.ecarter, name="ecarter_suite"),
    path("controles/<int:pk>/suites/<int:suite_pk>/recalculer/", suites.recalculer, name="recalculer_suite"),
    path("controles/<int:pk>/suspendre/", suites.suspendre, name="suspendre_versements"),
    path("controles/<int:pk>/reprendre/", suites.reprendre, name="reprendre_versements"),
    path("controles/<int:pk>/agrement/", suites.saisir_agrement, name="saisir_agrement"),
    path("controles/<int:pk>/sanctions/proposer/", sanctions.proposer, name="proposer_sanction"),
    path("controles/<int:pk>/sanctions/<int:sanction_pk>/", sanctions.page, name="sanction"),
    path("controles/<int:pk>/sanctions/<int:sanction_pk>/observer/", sanctions.observer, name="observer_sanction"),
    path("controles/<int:pk>/sanctions/<int:sanction_pk>/decider/", sanctions.decider, name="decider_sanction"),
    path("controles/recommandations/", recommandations.liste, name="recommandations"),
    path("controles/recommandations/<int:pk>/", recommandations.fiche, name="recommandation"),
]
