"""Le texte des personnes : rien de dangereux n’y reste, rien d’utile ne s’y perd."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.texte import BALISES, annee, assainir, cle_de_tri, en_texte, entier, epurer, longueur

MORCEAUX = [
    "<p>", "</p>", "<br>", "<b>", "</b>", "<div>", "</div>", "<ul>", "<li>", "</li>", "</ul>", "&nbsp;", "&lt;", " ",
    "a", "é", "😀", "\x00", "<a href='javascript:x'>", "<a href='https://exemple.invalid' onclick='x'>", "</a>",
    "<script>", "</script>", "<style>", "</style>", "<!--", "-->", "<strong>", "</strong>", "<img src=x onerror=y>",
    "<svg/onload=z>", "<o:p>", "</o:p>", '<span style="color:red">', "</span>", "<", ">", '"',
]  # fmt: skip
bouillies = st.lists(st.sampled_from(MORCEAUX), max_size=15).map("".join)


@given(bouillies)
def test_assainir_ne_laisse_que_les_balises_admises_et_jamais_de_script(bouillie):
    propre = assainir(bouillie)
    assert set(re.findall(r"</?([a-z:0-9]+)", propre)) <= BALISES
    for balise in re.findall(r"<[^>]*>", propre):
        assert not re.search(r"javascript:|\son\w+=|style=", balise)
    assert "\x00" not in propre


@given(bouillies)
def test_assainir_deux_fois_ne_change_rien(bouillie):
    assert assainir(assainir(bouillie)) == assainir(bouillie)


@given(st.text())
def test_epurer_et_la_cle_de_tri_sont_stables(texte):
    assert epurer(epurer(texte)) == epurer(texte)
    assert cle_de_tri(cle_de_tri(texte)) == cle_de_tri(texte)
    assert re.fullmatch(r"(?:[a-z0-9]+(?: [a-z0-9]+)*)?", cle_de_tri(texte))
    epurer(texte).encode()


@pytest.mark.parametrize(
    ("colle", "garde"),
    [
        ('<p class="MsoNormal" style="mso-x:1"><b>Titre</b><o:p></o:p></p>', "<p><strong>Titre</strong></p>"),
        ("<div>un</div><div>deux</div>", "<p>un</p><p>deux</p>"),
        ("<!--[if gte mso 9]><xml>x</xml><![endif]--><p>reste</p>", "<p>reste</p>"),
        ("<style>p{}</style><i>vite</i>", "<em>vite</em>"),
        ("<p>&nbsp;</p><p>plein</p><p><br></p>", "<p>plein</p>"),
        ("<h2>Un</h2><table><tr><td>deux</td></tr></table>", "Undeux"),
        ("<p>العربية 😀 œuvre</p>", "<p>العربية 😀 œuvre</p>"),
    ],
)
def test_un_collage_garde_son_texte_et_perd_ses_styles(colle, garde):
    assert assainir(colle) == garde


@pytest.mark.parametrize(
    ("riche", "nu", "visibles"),
    [
        ("", "", 0),
        ("<p>Un</p><p>Deux</p>", "Un\nDeux", 7),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb", 3),
        ("<p>l’&lt;été&gt; &amp; l’hiver</p>", "l’<été> & l’hiver", 17),
        ("<p>un\u00a0\u202f  deux</p>", "un deux", 7),
        ("<p>un<br>deux</p>", "un\ndeux", 7),
    ],
)
def test_le_compteur_compte_ce_que_la_personne_voit(riche, nu, visibles):
    assert (en_texte(riche), longueur(riche)) == (nu, visibles)


@pytest.mark.parametrize("brut", ["é" * 100_000, "<b>" * 30_000, "<div>" * 20_000, "<p> </p>" * 12_000])
def test_cent_mille_caracteres_ne_bloquent_rien(brut):
    assert longueur(assainir(brut)) in {0, 100_000}


@pytest.mark.parametrize(
    ("texte", "garde"),
    [("a\x00b", "ab"), ("a\r\nb\rc", "a\nb\nc"), ("a\ud800b", "ab"), ("\x07\x1b[31m", "[31m"), ("a\tb", "a\tb")],
)
def test_epurer_retire_ce_que_la_base_refuse(texte, garde):
    assert epurer(texte) == garde


@pytest.mark.parametrize(
    ("texte", "lu"),
    [("0", 0), ("42", 42), ("999999999", 999_999_999), ("1000000000", None), ("9" * 5000, None), ("-1", None),
     ("+1", None), ("1.0", None), (" 1", None), ("", None), ("٣", None), ("²", None), ("1_0", None)],
)  # fmt: skip
def test_un_entier_d_adresse_est_lu_ou_ecarte_sans_lever(texte, lu):
    assert entier(texte) == lu


@pytest.mark.parametrize(("texte", "lue"), [("2027", 2027), ("27", None), ("20270", None), ("deux", None), ("", None)])
def test_une_annee_s_ecrit_sur_quatre_chiffres(texte, lue):
    assert annee(texte) == lue
