from __future__ import annotations

import base64
from hashlib import sha256

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings


class AdaptateurSecondFacteur(DefaultMFAAdapter):
    """Les secrets des seconds facteurs sont chiffrés en base, sous une clé tirée de SECRET_KEY.

    Changer SECRET_KEY les rend illisibles : chaque agent réactive alors son second facteur.
    """

    def _chiffre(self) -> Fernet:
        cle = sha256(f"second-facteur:{settings.SECRET_KEY}".encode()).digest()
        return Fernet(base64.urlsafe_b64encode(cle))

    def encrypt(self, text: str) -> str:
        return self._chiffre().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return self._chiffre().decrypt(encrypted_text.encode()).decode()
