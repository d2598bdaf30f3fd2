"""Les conventions de la maison qu’aucun outil ne voit."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps

RACINE = Path(__file__).resolve().parent.parent
APPS = (
    "socle", "comptes", "documents", "courriers", "partenaires", "agrements", "financements", "senacs", "aides", "controles",
    "accueil",
    "config",
)  # fmt: skip
CODE = [f for app in APPS for f in (RACINE / app).rglob("*.py") if "migrations" not in f.parts]
GABARITS = list((RACINE / "templates").rglob("*.html"))


def fautes(fichiers, motif):
    return [
        f"{f.relative_to(RACINE)}:{n} {ligne.strip()[:80]}"
        for f in fichiers
        for n, ligne in enumerate(f.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(motif, ligne)
    ]


def test_une_tache_ne_part_que_par_la_file_tolerante():
    hors_la_file = [f for f in CODE if f.name != "file.py"]
    assert fautes(hors_la_file, r"\.(delay|apply_async)\(") == []


def test_un_verrou_dit_toujours_sur_quelle_table():
    assert fautes(CODE, r"select_for_update\((?!of=)") == []


def test_aucun_style_ni_script_en_ligne():
    pages = [g for g in GABARITS if "pdf" not in g.parts]
    assert (
        fautes(
            pages,
            r"<style|<script(?![^>]*src=)|\sstyle=\"|\son(click|change|submit|input|load|key\w+|focus|blur|mouse\w+)=\"",
        )
        == []
    )


def test_on_ecrit_caf_et_cnaf_et_les_vraies_annees():
    assert fautes([*GABARITS, *CODE], r"\bCAF\b|\bCNAF\b|\bN-1\b") == []


def test_aucun_except_muet():
    muets = []
    for fichier in CODE:
        for noeud in ast.walk(ast.parse(fichier.read_text(encoding="utf-8"))):
            if isinstance(noeud, ast.ExceptHandler) and (
                noeud.type is None or all(isinstance(n, ast.Pass) for n in noeud.body)
            ):
                muets.append(f"{fichier.relative_to(RACINE)}:{noeud.lineno}")
    assert muets == []


def test_aucun_save_surcharge_ni_signal_de_sauvegarde():
    assert fautes(CODE, r"def save\(|post_save|pre_save") == []


def test_rien_ne_charge_une_adresse_exterieure():
    assert fautes(GABARITS, r"(src|href)=\"(https?:)?//") == []


@pytest.mark.parametrize("fichier", CODE, ids=lambda f: str(f.relative_to(RACINE)))
def test_un_fichier_reste_lisible(fichier):
    assert len(fichier.read_text(encoding="utf-8").splitlines()) <= 450


def test_chaque_gabarit_sert():
    tout = "\n".join(f.read_text(encoding="utf-8") for f in [*CODE, *GABARITS])
    ailleurs = ("account/", "mfa/", "documents/pdf/", "403", "404", "429", "500")
    orphelins = [
        nom
        for g in GABARITS
        if not (nom := str(g.relative_to(RACINE / "templates"))).startswith(ailleurs) and nom not in tout
    ]
    assert orphelins == []


def test_chaque_contrainte_sait_dire_sa_phrase():
    """Django met la phrase en forme : un « % » y lèverait une erreur au lieu de la montrer."""
    phrases = [c.get_violation_error_message() for modele in apps.get_models() for c in modele._meta.constraints]
    assert len(phrases) > 100


def test_les_verrous_de_dependances_ne_portent_aucune_adresse():
    assert fautes((RACINE / "requirements").glob("*.txt"), r"https?://|index-url") == []
