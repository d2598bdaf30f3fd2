from django.urls import path

from agrements.views import commun, partenaire, seances, service, vues

app_name = "agrements"

urlpatterns = [
    path("dossiers/", commun.liste, name="liste"),
    path("dossiers/nouveau/", partenaire.creer, name="creer"),
    path("dossiers/vues/", vues.enregistrer, name="enregistrer_vue"),
    path("dossiers/vues/<int:pk>/supprimer/", vues.supprimer, name="supprimer_vue"),
    path("dossiers/<int:pk>/", commun.fiche, name="fiche"),
    path("dossiers/<int:pk>/sections/<slug:code>/", partenaire.section, name="section"),
    path("dossiers/<int:pk>/sections/<slug:code>/presence/", partenaire.signaler_presence, name="presence"),
    path("dossiers/<int:pk>/champs/<slug:champ>/", partenaire.enregistrer_champ, name="champ"),
    path("dossiers/<int:pk>/pieces/", partenaire.pieces, name="pieces"),
    path("dossiers/<int:pk>/pieces/<int:jointe_pk>/", partenaire.telecharger_piece, name="telecharger_piece"),
    path("dossiers/<int:pk>/pieces/<int:jointe_pk>/retirer/", partenaire.detacher, name="detacher"),
    path("dossiers/<int:pk>/verifier/", partenaire.verifier, name="verifier"),
    path("dossiers/<int:pk>/visa/", partenaire.visa, name="visa"),
    path("dossiers/<int:pk>/gestes/<slug:nom>/", commun.geste, name="geste"),
    path("dossiers/<int:pk>/projet/", commun.projet, name="projet"),
    path("dossiers/<int:pk>/versions/", commun.versions, name="versions"),
    path("dossiers/<int:pk>/journal/", commun.journal_du_dossier, name="journal"),
    path("dossiers/<int:pk>/messages/", commun.fil, name="fil"),
    path("dossiers/<int:pk>/notification/", commun.lire_notification, name="lire_notification"),
    path("dossiers/<int:pk>/actes/<int:acte_pk>/", commun.acte, name="acte"),
    path("dossiers/<int:pk>/complements/", service.complements, name="complements"),
    path("dossiers/<int:pk>/grille/", service.grille, name="grille"),
    path("dossiers/<int:pk>/citer/", service.citer, name="citer"),
    path("dossiers/<int:pk>/citations/<int:citation_pk>/retirer/", service.retirer_citation, name="retirer_citation"),
    path("dossiers/<int:pk>/avis/", service.avis, name="avis"),
    path("dossiers/<int:pk>/affecter/", service.affecter, name="affecter"),
    path("agrements/", service.agrements, name="agrements"),
    path("seances/", seances.liste, name="seances"),
    path("seances/nouvelle/", seances.creer, name="creer_seance"),
    path("seances/<int:pk>/", seances.fiche, name="seance"),
    path("seances/<int:pk>/inscrire/", seances.inscrire, name="inscrire"),
    path("seances/<int:pk>/clore/", seances.clore, name="clore_seance"),
    path("seances/<int:pk>/passages/<int:passage_pk>/", seances.enregistrer, name="enregistrer"),
    path("seances/<int:pk>/passages/<int:passage_pk>/deplacer/", seances.deplacer, name="deplacer"),
    path("seances/<int:pk>/passages/<int:passage_pk>/retirer/", seances.desinscrire, name="desinscrire"),
]
