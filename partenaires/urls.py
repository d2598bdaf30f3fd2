from django.urls import path

from partenaires.views import acces, agents, complements, secteurs, structures

app_name = "partenaires"

urlpatterns = [
    path("communes/", structures.communes, name="communes"),
    path("structure-courante/", structures.choisir, name="choisir_structure"),
    path("structures/", structures.liste, name="liste"),
    path("structures/nouvelle/", structures.creer, name="creer"),
    path("structures/<int:pk>/", structures.fiche, name="fiche"),
    path("structures/<int:pk>/contacts/", complements.ajouter_contact, name="ajouter_contact"),
    path("structures/<int:pk>/contacts/<int:contact_pk>/", complements.modifier_contact, name="modifier_contact"),
    path("structures/<int:pk>/contacts/<int:contact_pk>/retirer/", complements.retirer_contact, name="retirer_contact"),
    path("structures/<int:pk>/territoire/", complements.territoire, name="territoire"),
    path("structures/<int:pk>/fermer/", complements.fermer, name="fermer"),
    path("gestionnaires/nouveau/", complements.creer_gestionnaire, name="creer_gestionnaire"),
    path("structures/<int:pk>/modifier/", structures.modifier, name="modifier"),
    path("structures/<int:pk>/gestionnaire/", structures.modifier_gestionnaire, name="modifier_gestionnaire"),
    path("structures/<int:pk>/acces/", acces.liste, name="acces"),
    path("structures/<int:pk>/acces/passation/", acces.passation, name="passation"),
    path("structures/<int:pk>/acces/<int:habilitation_pk>/fermer/", acces.fermer, name="fermer_acces"),
    path("structures/<int:pk>/acces/<int:habilitation_pk>/renvoyer/", acces.renvoyer, name="renvoyer_invitation"),
    path("secteurs/", secteurs.secteurs, name="secteurs"),
    path("agents/", agents.liste, name="agents"),
    path("agents/inviter/", agents.inviter, name="inviter_agent"),
    path("agents/<int:pk>/", agents.fiche, name="agent"),
    path("agents/<int:pk>/roles/", agents.donner, name="donner_role"),
    path("agents/<int:pk>/roles/<int:fonction_pk>/", agents.retirer, name="retirer_role"),
    path("agents/<int:pk>/<slug:nom>/", agents.geste, name="geste_agent"),
    path("mon-absence/", secteurs.mon_absence, name="mon_absence"),
]
