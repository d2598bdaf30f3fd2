"""Copie dans ``static/vendor`` les fichiers épinglés par ``package.json`` : ``npm ci && python -m outils.vendoriser``.

Les renvois vers des cartes de source sont retirés (elles ne sont pas livrées), les licences gardées. La police du web
est un sous-ensemble, renommé comme sa licence l’exige (« Source » est un nom réservé de l’OFL).
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

RACINE = Path(__file__).resolve().parent.parent
MODULES = RACINE / "node_modules"
COPIES = {
    "bootstrap/dist/css/bootstrap.min.css": "static/vendor/bootstrap",
    "bootstrap/LICENSE": "static/vendor/bootstrap",
    "htmx.org/dist/htmx.min.js": "static/vendor/htmx",
    "htmx.org/LICENSE": "static/vendor/htmx",
    "idb/build/index.js": "static/vendor/idb",
    "idb/LICENSE": "static/vendor/idb",
    "leaflet/dist/leaflet.js": "static/vendor/leaflet",
    "leaflet/dist/leaflet.css": "static/vendor/leaflet",
    "leaflet/LICENSE": "static/vendor/leaflet",
    "axe-core/axe.min.js": "tests/vendor",
}
POLICES = {
    "400Regular/SourceSans3_400Regular.ttf": "portail-sans-400.woff2",
    "600SemiBold/SourceSans3_600SemiBold.ttf": "portail-sans-600.woff2",
    "700Bold/SourceSans3_700Bold.ttf": "portail-sans-700.woff2",
    "400Regular_Italic/SourceSans3_400Regular_Italic.ttf": "portail-sans-400-italique.woff2",
}
SIGNES = (
    "U+0020-017F,U+2002-200B,U+2010-2027,U+202F,U+2030-203A,U+20AC,U+2116,U+2122,U+2190-2193,U+2212,U+2248,U+2260,"
    "U+2264-2265,U+25A0,U+25CF,U+2610-2612,U+2713-2714"
)


def copier() -> None:
    for source, dossier in COPIES.items():
        cible = RACINE / dossier
        cible.mkdir(parents=True, exist_ok=True)
        fichier = Path(shutil.copy(MODULES / source, cible))
        if fichier.suffix in {".css", ".js"}:
            texte = fichier.read_text(encoding="utf-8")
            fichier.write_text(re.sub(r"(/\*|//)# sourceMappingURL=[^\n]*?(\*/|$)", "", texte, flags=re.MULTILINE))
    shutil.copytree(MODULES / "leaflet/dist/images", RACINE / "static/vendor/leaflet/images", dirs_exist_ok=True)


def tailler_les_polices() -> None:
    depart = MODULES / "@expo-google-fonts/source-sans-3"
    for source, nom in POLICES.items():
        police = TTFont(depart / source)
        options = subset.Options(flavor="woff2", layout_features=["*"])
        taille = subset.Subsetter(options)
        taille.populate(unicodes=subset.parse_unicodes(SIGNES))
        taille.subset(police)
        for entree in police["name"].names:
            if entree.nameID in (1, 3, 4, 6, 16):
                entree.string = (
                    entree.toUnicode().replace("Source Sans 3", "Portail Sans").replace("SourceSans3", "PortailSans")
                )
        police.flavor = "woff2"
        police.save(RACINE / "static/polices" / nom)
    shutil.copy(depart / "LICENSE_FONT", RACINE / "static/polices/OFL.txt")


if __name__ == "__main__":
    if not MODULES.exists():
        sys.exit("Lancez d’abord : npm ci")
    copier()
    tailler_les_polices()
