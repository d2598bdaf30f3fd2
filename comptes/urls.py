"""Les adresses du compte : les vues d’allauth, sous leurs noms, à nos adresses et avec nos marques d’accès."""

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as secours
from allauth.mfa.totp import views as totp
from django.urls import include, path, re_path

from comptes.acces import ouverte_aux_connectes, publique
from comptes.views import compte
from comptes.views.allauth import dire_les_refus, sauf_second_facteur_du

du_compte = [
    path("compte/", compte.compte, name="compte"),
    path("session/prolonger/", compte.prolonger, name="prolonger"),
    path("invitation/<str:jeton>/", compte.accepter_invitation, name="accepter_invitation"),
]

urlpatterns = [
    path("", include((du_compte, "comptes"))),
    path("connexion/", publique(dire_les_refus(allauth.login)), name="account_login"),
    path("compte-ferme/", publique(dire_les_refus(allauth.account_inactive)), name="account_inactive"),
    path("connexion/code/", publique(dire_les_refus(mfa.authenticate)), name="mfa_authenticate"),
    path("deconnexion/", ouverte_aux_connectes(dire_les_refus(allauth.logout)), name="account_logout"),
    path("inscription/", publique(dire_les_refus(allauth.signup)), name="account_signup"),
    path("confirmation/", ouverte_aux_connectes(dire_les_refus(allauth.reauthenticate)), name="account_reauthenticate"),
    path("confirmation/code/", ouverte_aux_connectes(dire_les_refus(mfa.reauthenticate)), name="mfa_reauthenticate"),
    path(
        "compte/mot-de-passe/",
        ouverte_aux_connectes(dire_les_refus(allauth.password_change)),
        name="account_change_password",
    ),
    path("mot-de-passe/oublie/", publique(dire_les_refus(allauth.password_reset)), name="account_reset_password"),
    path(
        "mot-de-passe/envoye/",
        publique(dire_les_refus(allauth.password_reset_done)),
        name="account_reset_password_done",
    ),
    re_path(
        r"^mot-de-passe/nouveau/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        publique(dire_les_refus(allauth.password_reset_from_key)),
        name="account_reset_password_from_key",
    ),
    path(
        "mot-de-passe/change/",
        publique(dire_les_refus(allauth.password_reset_from_key_done)),
        name="account_reset_password_from_key_done",
    ),
    path("compte/second-facteur/", ouverte_aux_connectes(dire_les_refus(mfa.index)), name="mfa_index"),
    path(
        "compte/second-facteur/activer/",
        ouverte_aux_connectes(dire_les_refus(totp.activate_totp)),
        name="mfa_activate_totp",
    ),
    path(
        "compte/second-facteur/desactiver/",
        ouverte_aux_connectes(sauf_second_facteur_du(totp.deactivate_totp)),
        name="mfa_deactivate_totp",
    ),
    path(
        "compte/codes-de-secours/",
        ouverte_aux_connectes(dire_les_refus(secours.view_recovery_codes)),
        name="mfa_view_recovery_codes",
    ),
    path(
        "compte/codes-de-secours/nouveaux/",
        ouverte_aux_connectes(dire_les_refus(secours.generate_recovery_codes)),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "compte/codes-de-secours/telecharger/",
        ouverte_aux_connectes(dire_les_refus(secours.download_recovery_codes)),
        name="mfa_download_recovery_codes",
    ),
]
