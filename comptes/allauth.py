from __future__ import annotations

from typing import Any
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


class AdaptateurComptes(DefaultAccountAdapter):
    """On n’entre que sur invitation ; les courriels de compte sont en français et sans détail."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Adresse ou mot de passe faux. Vérifiez-les, ou demandez un nouveau mot de passe.",
        "too_many_login_attempts": "Trop d’essais. Attendez quelques minutes, puis recommencez.",
        "account_inactive": "Ce compte est fermé. Contactez la Caf.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Le lien part de l’adresse publique du portail, jamais de l’en-tête Host de la requête."""
        chemin = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.PORTAIL_ADRESSE.rstrip("/") + chemin.replace("UID-KEY", quote(key))

    def format_email_subject(self, subject: str) -> str:
        return subject

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Il n’y a pas d’identifiant : l’adresse suffit."""
