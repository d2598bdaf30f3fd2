"""Ce qu’un champ accepte, refuse et garde. Sans base."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agrements import arbre, budget
from agrements.choix import EtatSection
from agrements.completude import alertes_equipe, avancement
from agrements.referentiel import Champ, Colonne, Section
from agrements.reponses import ValeurRefusee, est_vide, lire_nombre, manques, normaliser

RICHE = Champ("r", "Texte", "riche", obligatoire=True, maximum=50)
TEXTE = Champ("t", "Texte", "texte", maximum=20)
DATE = Champ("d", "Date", "date")
ENTIER = Champ("e", "Entier", "entier")
BUDGET = Champ("b", "Budget", "budget", obligatoire=True)
ARBRE = Champ("a", "Arbre", "arbre")
POSTES = Champ("p", "Postes", "tableau", colonnes=(Colonne("nom", "Nom", "texte"), Colonne("etp", "ETP", "nombre")))


@pytest.mark.parametrize(
    ("saisie", "garde"),
    [
        ("Bonjour", "<p>Bonjour</p>"),
        ("Un\n\nDeux", "<p>Un</p><p>Deux</p>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("<p>ok</p><script>alert(1)</script>", "<p>ok</p>"),
        ('<p onclick="x()">ok</p>', "<p>ok</p>"),
        ('<a href="javascript:x()">lien</a>', '<a rel="noopener noreferrer">lien</a>'),
        ('<p class="MsoNormal"><b>gras</b><o:p></o:p></p>', "<p><strong>gras</strong></p>"),
        ("nul\x00octet", "<p>nuloctet</p>"),
        ("😀 שלום", "<p>😀 שלום</p>"),
    ],
)
def test_un_texte_riche_garde_le_texte_et_jette_le_reste(saisie, garde):
    assert normaliser(RICHE, saisie) == garde


def test_un_collage_de_cent_mille_caracteres_est_refuse_avec_le_nombre_a_retirer():
    with pytest.raises(ValeurRefusee, match="raccourcissez de 99950"):
        normaliser(RICHE, "a" * 100_000)


def test_le_compteur_ne_compte_que_ce_qui_se_voit():
    assert normaliser(RICHE, "<p><strong>" + "a" * 50 + "</strong></p>").count("a") == 50


@pytest.mark.parametrize(
    ("saisie", "nombre"), [("1 234,50", "1234.50"), ("1\u202f234,5", "1234.5"), ("12", "12"), ("0.5", "0.5")]
)
def test_un_nombre_francais_se_lit(saisie, nombre):
    assert lire_nombre(saisie) == Decimal(nombre)


@pytest.mark.parametrize("saisie", ["1e3", "1_0", "٣", "NaN", "Infinity", "1,2,3", "douze", "--1", "1" * 30])
def test_ce_qui_n_est_pas_un_nombre_pour_un_lecteur_est_refuse(saisie):
    with pytest.raises(ValeurRefusee):
        lire_nombre(saisie)


@pytest.mark.parametrize(("saisie", "garde"), [("15/03/2027", "2027-03-15"), ("2027-03-15", "2027-03-15")])
def test_une_date_se_lit_a_la_francaise_et_comme_le_navigateur_l_envoie(saisie, garde):
    assert normaliser(DATE, saisie) == garde


@pytest.mark.parametrize("saisie", ["31/02/2027", "demain", "15/03/27", "2027-13-01", "01/01/0001"])
def test_une_date_impossible_est_refusee(saisie):
    with pytest.raises(ValeurRefusee):
        normaliser(DATE, saisie)


@pytest.mark.parametrize("saisie", ["1,5", "-3", "99999999999"])
def test_un_entier_est_entier_positif_et_raisonnable(saisie):
    with pytest.raises(ValeurRefusee):
        normaliser(ENTIER, saisie)


def test_un_tableau_garde_ses_colonnes_et_jette_les_lignes_vides():
    saisie = json.dumps([{"nom": "Direction", "etp": "1", "pirate": "x"}, {"nom": "", "etp": ""}])
    assert normaliser(POSTES, saisie) == [{"nom": "Direction", "etp": "1"}]


@pytest.mark.parametrize("saisie", ["{", "12", "null", '[["a"]]', json.dumps([{"nom": "x", "etp": "beaucoup"}])])
def test_un_tableau_illisible_est_refuse(saisie):
    with pytest.raises(ValeurRefusee):
        normaliser(POSTES, saisie)


def ligne(compte, montant):
    return {"compte": compte, "libelle": "", "montant": montant}


@pytest.mark.parametrize(
    ("lignes", "phrase"),
    [
        ([ligne("60", "100"), ligne("70", "100")], ""),
        ([ligne("60", "1234.50"), ligne("74", "1000")], "il manque 234,50\u00a0€ de produits"),
        ([ligne("60", "100"), ligne("70", "150")], "dépassent les charges de 50,00\u00a0€"),
        ([ligne("60", "1"), ligne("70", "1"), ligne("864", "10"), ligne("875", "8")], "diffèrent de 2,00\u00a0€"),
    ],
)
def test_un_budget_dit_de_combien_il_n_est_pas_equilibre(lignes, phrase):
    assert phrase in budget.phrase_d_ecart(lignes)
    assert bool(budget.phrase_d_ecart(lignes)) == bool(phrase)


@given(st.lists(st.tuples(st.sampled_from(["60", "641", "70", "741", "864", "875"]), st.decimals(0, 10**7, places=2))))
def test_aucun_centime_ne_se_perd_dans_un_budget(paires):
    lignes = [ligne(compte, str(montant)) for compte, montant in paires]
    totaux = budget.totaliser(lignes)
    somme = totaux.charges + totaux.produits + totaux.emplois_volontaires + totaux.contributions_volontaires
    assert somme == sum((montant for _, montant in paires), start=Decimal(0))


def test_un_compte_hors_du_plan_est_refuse_et_nomme():
    with pytest.raises(ValeurRefusee, match="« 512 »"):
        normaliser(BUDGET, json.dumps([{"compte": "512", "libelle": "Banque", "montant": "1"}]))


def test_un_budget_desequilibre_empeche_le_depot():
    assert manques(BUDGET, [ligne("60", "10"), ligne("70", "9")])
    assert manques(BUDGET, [ligne("60", "10"), ligne("70", "10")]) == []


def noeud(nature, texte, *enfants):
    return {"id": f"{nature}{len(texte)}", "nature": nature, "texte": texte, "enfants": list(enfants)}


def test_un_arbre_bien_emboite_est_garde():
    complet = noeud("constat", "c", noeud("enjeu", "e", noeud("axe", "a", noeud("objectif", "o", noeud(
        "action", "n", noeud("indicateur", "i"))))))  # fmt: skip
    assert normaliser(ARBRE, json.dumps([complet])) == [complet]
    assert arbre.incoherences([complet]) == []


@pytest.mark.parametrize(
    "mauvais",
    [
        [noeud("axe", "au premier niveau")],
        [noeud("enjeu", "e", noeud("action", "saute deux niveaux"))],
        [noeud("enjeu", "x"), noeud("enjeu", "y")],
        [{"id": "../../etc", "nature": "enjeu", "texte": "x", "enfants": []}],
        "pas une liste",
    ],
)
def test_un_arbre_mal_emboite_est_refuse(mauvais):
    with pytest.raises(ValeurRefusee):
        normaliser(ARBRE, json.dumps(mauvais))


def test_les_trous_du_raisonnement_sont_nommes():
    phrases = arbre.incoherences([noeud("enjeu", "Le lien", noeud("axe", "Ensemble"))])
    assert phrases == [
        "L’enjeu « Le lien » ne vient d’aucun constat du diagnostic.",
        "Axe « Ensemble » : n’a pas d’objectif.",
    ]


def test_une_direction_a_mi_temps_est_signalee():
    postes = [{"fonction": "Direction", "etp": "0.5"}, {"fonction": "Référent familles", "etp": "0.4"}]
    phrases = alertes_equipe(
        postes, centre_social=True, volet_familles=True, seuil_direction=Decimal(1), seuil_referent=Decimal("0.5")
    )
    assert phrases == [
        "La direction compte 0,5 ETP ; le régime en attend 1.",
        "Le référent familles compte 0,4 ETP ; le régime en attend au moins 0,5.",
    ]


SECTION = Section("s", "Section", (RICHE, TEXTE))


@pytest.mark.parametrize(
    ("reponses", "deposees", "etat"),
    [
        ({}, None, EtatSection.A_COMMENCER),
        ({"t": "x"}, None, EtatSection.EN_COURS),
        ({"r": "<p>x</p>"}, None, EtatSection.COMPLET),
        ({"r": "<p></p>"}, None, EtatSection.A_COMMENCER),
        ({"r": "<p>y</p>"}, {"r": "<p>x</p>"}, EtatSection.MODIFIE),
        ({"r": "<p>x</p>"}, {"r": "<p>x</p>"}, EtatSection.COMPLET),
    ],
)
def test_l_etat_d_une_section_est_honnete(reponses, deposees, etat):
    assert avancement(SECTION, reponses, deposees).etat == etat


def test_un_paragraphe_vide_est_vide():
    assert est_vide("<p> </p>")
