"""Les passages cités se voient dans le projet, sans toucher à une seule de ses balises. Sans base."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrements.surlignage import Passage, surligner


def marques(html: str, *extraits: str) -> tuple[list[str], int]:
    rendu, absents = surligner(html, [Passage(e, n, "Accueil") for n, e in enumerate(extraits, start=1)])
    return re.findall(r"<mark[^>]*>(.*?)</mark>", rendu), len(absents)


@pytest.mark.parametrize(
    ("html", "extrait", "attendus"),
    [
        ("<p>Ouvert à tous le soir.</p>", "à tous", ["à tous"]),
        ("<p>Ouvert <strong>à tous</strong> le soir.</p>", "Ouvert à tous le", ["Ouvert ", "à tous", " le"]),
        ("<p>Fin.</p>\n<p>Début</p>", "Fin. Début", ["Fin.", "Début"]),
        ("<ul>\n<li>Un</li>\n<li>Deux</li>\n</ul>", "Un Deux", ["Un", "Deux"]),
        ("<p>Petits &amp; grands</p>", "Petits & grands", ["Petits &amp; grands"]),
        ("<p>10\u00a0000 repas</p>", "10 000 repas", ["10\u00a0000 repas"]),
        ('<p><a href="https://x.fr/?a=>b">lien</a></p>', "lien", ["lien"]),
        ('<p><a href="https://x.fr/tous">lien</a> à tous</p>', "tous", ["tous"]),
    ],
)
def test_un_passage_se_retrouve_a_travers_les_balises(html, extrait, attendus):
    assert marques(html, extrait) == (attendus, 0)


def test_le_critere_suit_le_passage_et_ne_s_interprete_pas():
    rendu, _ = surligner("<p>Ouvert à tous.</p>", [Passage("à tous", 3, "<b>Accueil</b>")])
    assert rendu == (
        '<p>Ouvert <mark class="passage-cite">à tous</mark><span class="critere-cite" role="note"'
        ' title="critère 3 : &lt;b&gt;Accueil&lt;/b&gt;" data-hors-citation>critère 3</span>.</p>'
    )


def test_deux_passages_qui_se_recouvrent_portent_chacun_leur_critere():
    rendu, absents = surligner("<p>abc def ghi</p>", [Passage("abc def", 1, "A"), Passage("def ghi", 2, "B")])
    assert absents == []
    assert re.findall(r">(critère \d)<", rendu) == ["critère 1", "critère 2"]
    assert re.sub(r"<span class=\"critere.*?</span>|</?mark[^>]*>", "", rendu) == "<p>abc def ghi</p>"


def test_un_passage_absent_est_rendu_et_le_texte_ne_bouge_pas():
    html = "<p>Ouvert à tous.</p>"
    passage = Passage("fermé", 1, "A")
    assert surligner(html, [passage]) == (html, [passage])
    assert surligner(html, []) == (html, [])


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<strong>", "</strong>", "<br>", "mot ", "à&amp;b", " ", "&#x27;", "é"])),
    st.lists(st.sampled_from(["mot", "à&b", "é mot", "' é", "mot mot"]), max_size=3),
)
def test_quels_que_soient_les_passages_le_texte_et_ses_balises_restent_les_memes(morceaux, extraits):
    html = "".join(morceaux)
    rendu, _ = surligner(html, [Passage(e, 1, "A") for e in extraits])
    assert re.sub(r"<span class=\"critere.*?</span>|</?mark[^>]*>", "", rendu) == html
    assert rendu.count("<mark") == rendu.count("</mark>")
