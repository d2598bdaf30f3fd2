from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


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

    def format_email_subject(self, subject: str) -> str:
        return subject

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Il n’y a pas d’identifiant : l’adresse suffit."""
