"""Un client du démon clamd (protocole INSTREAM : taille sur quatre octets, bloc, …, taille nulle)."""

from __future__ import annotations

import socket
import struct
from typing import Protocol

BLOC = 1 << 16
DELAI = 20  # secondes, pour chaque échange


class Flux(Protocol):
    """Ce qu’un fichier Django et un fichier Python ont en commun."""

    def read(self, taille: int, /) -> bytes: ...

    def seek(self, position: int, /) -> int: ...


class AntivirusInjoignable(OSError):
    """clamd ne répond pas, répond autre chose, ou coupe (fichier au-delà de sa limite) : jamais un feu vert."""


def menace(flux: Flux, adresse: str) -> str:
    """Le nom de la menace trouvée, ou ``""`` si le contenu est sain. Lève AntivirusInjoignable.

    ``adresse`` : un chemin de socket (« /run/clamav/clamd.ctl ») ou « hôte:port ». Le flux est lu du début, rendu au
    début.
    """
    flux.seek(0)
    try:
        with _connexion(adresse) as prise:
            prise.sendall(b"zINSTREAM\0")
            while bloc := flux.read(BLOC):
                prise.sendall(struct.pack("!L", len(bloc)) + bloc)
            prise.sendall(struct.pack("!L", 0))
            reponse = b""
            while not reponse.endswith(b"\0"):
                recu = prise.recv(4096)
                if not recu:
                    break
                reponse += recu
    except (OSError, ValueError) as erreur:  # ValueError : une adresse mal écrite dans les réglages
        raise AntivirusInjoignable(str(erreur)) from erreur
    finally:
        flux.seek(0)
    texte = reponse.rstrip(b"\0").decode("utf-8", "replace")
    if texte.endswith(" OK"):
        return ""
    if texte.endswith(" FOUND"):
        return texte.removeprefix("stream: ").removesuffix(" FOUND")
    raise AntivirusInjoignable(f"réponse inattendue : {texte!r}")


def _connexion(adresse: str) -> socket.socket:
    if adresse.startswith("/"):
        prise = socket.socket(socket.AF_UNIX)
        prise.settimeout(DELAI)
        try:
            prise.connect(adresse)
        except OSError:
            prise.close()
            raise
        return prise
    hote, port = adresse.rsplit(":", 1)
    return socket.create_connection((hote, int(port)), timeout=DELAI)
