"""Les pages des aides : mêmes requêtes à une et à trente lignes, mauvaises saisies dites, décision jamais devinée."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agrements.demo.dossiers import document
from aides.actions import enveloppes, redaction
from aides.choix import Etat
from aides.models import Demande, VersionDispositif
from comptes.choix import Role
from partenaires.fiche import documents
from tests.fabriques.aides import Guichet
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import StructureFactory, habiliter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lettres_minuscules(monkeypatch):
    monkeypatch.setattr("documents.production.rendre", lambda acte: b"%PDF-1.7 essai")


@pytest.fixture
def guichet():
    return Guichet()


def requetes(client, adresse) -> int:
    client.get(adresse)
    with CaptureQueriesContext(connection) as capture:
        assert client.get(adresse).status_code == 200
    return len(capture)


def forfaitaire(guichet) -> VersionDispositif:
    version = guichet.dispositif(avec_depenses=False, avec_plan=False, mode="forfait", forfait=D(1_000), bilan_mois=0)
    guichet.voter(version)
    return version


def test_les_listes_coutent_le_meme_nombre_de_requetes_a_1_et_12_lignes(guichet, entrer):
    version = forfaitaire(guichet)
    premiere = guichet.mener(version, Etat.INSCRITE, montant=1_000)
    enveloppe = premiere.enveloppe
    scenario = enveloppes.essayer(enveloppe, nom="Avant", par=guichet.responsable)
    responsable, direction = entrer(guichet.responsable), entrer(guichet.direction)
    secretariat = entrer(guichet.secretariat)
    pages = [
        (responsable, reverse("aides:liste")),
        (direction, reverse("aides:liste")),
        (responsable, enveloppe.get_absolute_url()),
        (secretariat, guichet.seance().get_absolute_url()),
        (responsable, reverse("aides:dispositifs")),
        (responsable, reverse("aides:enveloppes")),
    ]
    avant = [requetes(*page) for page in pages]
    avant_scenario = requetes(responsable, scenario.get_absolute_url())
    for _ in range(11):
        guichet.mener(version, Etat.INSCRITE, montant=1_000)
    apres = [requetes(*page) for page in pages]
    assert apres == avant
    plein = enveloppes.essayer(enveloppe, nom="Après", par=guichet.responsable)
    assert plein.lignes.count() == 12
    assert requetes(responsable, plein.get_absolute_url()) == avant_scenario


def test_la_decision_ne_se_devine_ni_dans_la_liste_ni_dans_la_fiche_ni_dans_les_lettres(guichet, entrer, rf):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.ACCORDEE)
    from documents import production

    for acte in demande.decisions.get().acte.__class__.objects.filter(objet=f"aide-{demande.pk}"):
        production.produire(acte.pk)
    direction = entrer(guichet.direction)
    for adresse in (reverse("aides:liste"), demande.get_absolute_url()):
        texte = direction.get(adresse).content.decode().split('id="resultats"')[-1]
        assert "Décision rendue, à lire" in texte or "La décision est rendue" in texte
        assert "Accordée" not in texte
        assert "onvention" not in texte
    assert direction.get(reverse("aides:liste") + "?etat=accordee").content.decode().count("AIDE-") == 0
    assert direction.get(reverse("aides:argent", args=[demande.pk])).status_code == 404
    convention = reverse("aides:acte", args=[demande.pk, demande.convention.acte_id])
    assert direction.get(convention).status_code == 403
    request = rf.get("/")
    request.user = guichet.direction
    titres = [d.titre for d in documents(request, guichet.structure)]
    assert not any("accordée" in t or "Convention" in t for t in titres)
    direction.post(reverse("aides:lire_notification", args=[demande.pk]))
    lue = direction.get(convention)
    assert (lue.status_code, b"".join(lue.streaming_content)[:4]) == (200, b"%PDF")
    for fermer in lue._resource_closers:
        fermer()
    assert "Accordée" in direction.get(demande.get_absolute_url()).content.decode()


def test_la_caf_ne_lit_jamais_un_brouillon_et_une_autre_structure_ne_lit_rien(guichet, entrer):
    demande = guichet.mener(guichet.dispositif(), Etat.VISEE)
    for role in (Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.CONTROLEUR):
        assert entrer(agent(role)).get(demande.get_absolute_url()).status_code == 404
    ailleurs = habiliter(StructureFactory(), Role.DIRECTION)
    assert entrer(ailleurs).get(demande.get_absolute_url()).status_code == 404
    assert demande.intitule not in entrer(ailleurs).get(reverse("aides:liste")).content.decode()


def test_on_ne_copie_pas_la_demande_d_une_autre_structure(guichet, entrer):
    version = guichet.dispositif()
    demande = guichet.mener(version, Etat.EN_PREPARATION)
    ailleurs = habiliter(StructureFactory(), Role.DIRECTION)
    client = entrer(ailleurs)
    client.post(
        reverse("aides:creer", args=[version.pk]) + f"?copie={demande.pk}",
        {"intitule": "Copie", "exercice": version.exercice_du},
    )
    copie = Demande.objects.get(intitule="Copie")
    assert copie.precedente is None


def test_qui_dirige_deux_structures_copie_dans_celle_de_la_demande(guichet, entrer):
    version = guichet.dispositif()
    demande = guichet.mener(version, Etat.EN_PREPARATION)
    autre = StructureFactory(nom="Autre centre")
    habiliter(autre, Role.DIRECTION, utilisateur=guichet.direction)
    client = entrer(guichet.direction)
    client.post(reverse("partenaires:choisir_structure"), {"structure": autre.pk})
    client.post(
        client.get(reverse("aides:copier", args=[demande.pk])).url,
        {"intitule": "Copie", "exercice": version.exercice_du},
    )
    copie = Demande.objects.get(intitule="Copie")
    assert (copie.structure, copie.precedente) == (guichet.structure, demande)


@pytest.mark.parametrize(
    ("saisie", "phrase"),
    [
        ({"libelle": "Four", "montant_ht": "abc", "montant_ttc": "10"}, "Écrivez un montant en euros"),
        ({"libelle": "Four", "montant_ht": "-5", "montant_ttc": "10"}, "Écrivez un montant positif"),
        ({"libelle": "Four", "montant_ht": "0", "montant_ttc": "0"}, "supérieur à zéro"),
        ({"libelle": "Four", "montant_ht": "10", "montant_ttc": "9"}, "plus petit que le montant HT"),
        ({"libelle": "x" * 151, "montant_ht": "10", "montant_ttc": "12"}, "150"),
        ({"libelle": "", "montant_ht": "10", "montant_ttc": "12"}, "obligatoire"),
    ],
)
def test_une_depense_mal_saisie_se_dit_et_garde_la_saisie(guichet, entrer, saisie, phrase):
    demande = guichet.mener(guichet.dispositif(), Etat.EN_PREPARATION)
    donnees = {"depense": "nouvelle", **{f"dnouvelle-{cle}": valeur for cle, valeur in saisie.items()}}
    reponse = entrer(guichet.direction).post(reverse("aides:depenses", args=[demande.pk]), donnees)
    texte = reponse.content.decode()
    assert reponse.status_code == 422
    assert phrase in texte
    assert f'value="{saisie["montant_ttc"]}"' in texte
    assert not demande.depenses.exists()


@pytest.mark.parametrize(
    ("contenu", "nom", "phrase"),
    [
        (b"", "vide.pdf", "vide"),
        (b"MZ\x90\x00", "devis.pdf", "pas"),
        (b"<script>alert(1)</script>", "devis.html", "pas"),
    ],
)
def test_un_devis_qui_n_en_est_pas_un_est_refuse_pres_de_sa_ligne(guichet, entrer, contenu, nom, phrase):
    demande = guichet.mener(guichet.dispositif(), Etat.EN_PREPARATION)
    depense = redaction.ecrire_depense(
        demande, par=guichet.direction, libelle="Four", fournisseur="", montant_ht=D(10), montant_ttc=D(12)
    )
    reponse = entrer(guichet.direction).post(
        reverse("aides:depenses", args=[demande.pk]),
        {"depense": depense.pk, "joindre": "1", "fichier": SimpleUploadedFile(nom, contenu)},
    )
    assert reponse.status_code == 422
    assert phrase in reponse.content.decode()
    depense.refresh_from_db()
    assert depense.devis is None


def test_la_depense_d_une_autre_demande_ne_se_touche_pas(guichet, entrer):
    une, autre = (guichet.mener(guichet.dispositif(n), Etat.EN_PREPARATION) for n in ("Un", "Deux"))
    etrangere = redaction.ecrire_depense(
        autre, par=guichet.direction, libelle="Four", fournisseur="", montant_ht=D(10), montant_ttc=D(12)
    )
    client = entrer(guichet.direction)
    devis = {"depense": etrangere.pk, "joindre": "1", "fichier": document("devis")}
    assert client.post(reverse("aides:depenses", args=[une.pk]), devis).status_code == 404
    client.post(reverse("aides:retirer_depense", args=[une.pk, etrangere.pk]))
    assert autre.depenses.count() == 1
    saisie = {"depense": etrangere.pk}
    saisie |= {f"d{etrangere.pk}-{c}": v for c, v in (("libelle", "X"), ("montant_ht", "1"), ("montant_ttc", "1"))}
    assert client.post(reverse("aides:depenses", args=[une.pk]), saisie).status_code == 404
    etrangere.refresh_from_db()
    assert etrangere.libelle == "Four"


def test_un_champ_se_garde_pendant_la_frappe_et_un_conflit_montre_les_deux(guichet, entrer):
    demande = guichet.mener(guichet.dispositif(), Etat.EN_PREPARATION)
    adresse = reverse("aides:champ", args=[demande.pk, "public"])
    une, deux = entrer(guichet.direction), entrer(guichet.president)
    assert une.post(adresse, {"valeur": "Cent familles", "version": "0"}).json()["version"] == 1
    conflit = deux.post(adresse, {"valeur": "Deux cents", "version": "0"})
    assert (conflit.status_code, conflit.json()["valeur"]) == (409, "Cent familles")
    assert une.post(adresse, {"valeur": "x", "version": "abc"}).status_code == 422
    assert une.post(adresse, {"valeur": "x" * 900, "version": "1"}).status_code == 422
    assert (
        une.post(reverse("aides:champ", args=[demande.pk, "lune"]), {"valeur": "x", "version": "0"}).status_code == 403
    )


def test_l_avis_refuse_un_montant_au_dela_du_calcul_et_garde_la_motivation(guichet, entrer):
    version = guichet.dispositif()
    guichet.voter(version)
    demande = guichet.mener(version, Etat.DEPOSEE)
    reponse = entrer(guichet.charge).post(
        reverse("aides:instruire", args=[demande.pk]),
        {"sens": "favorable", "montant": "9 000", "motivation": "Très bon projet."},
    )
    texte = reponse.content.decode()
    assert reponse.status_code == 422
    assert "Au plus 8\u202f000,00\u00a0€" in texte
    assert "Très bon projet." in texte
    autre = entrer(agent(Role.CHARGE_CONSEIL))
    refus = autre.post(reverse("aides:instruire", args=[demande.pk]), {"sens": "favorable", "motivation": "x"})
    assert refus.status_code == 403


def test_sans_enveloppe_l_avis_dit_pourquoi(guichet, entrer):
    demande = guichet.mener(guichet.dispositif(), Etat.DEPOSEE)
    reponse = entrer(guichet.charge).post(
        reverse("aides:instruire", args=[demande.pk]), {"sens": "favorable", "motivation": "x"}
    )
    assert reponse.status_code == 422
    assert "Aucune enveloppe n’est votée" in reponse.content.decode()


def test_le_scenario_se_modifie_sans_javascript_et_dit_ce_qui_reste(guichet, entrer):
    version = forfaitaire(guichet)
    une, deux = (guichet.mener(version, Etat.INSTRUITE, montant=1_000) for _ in range(2))
    scenario = enveloppes.essayer(une.enveloppe, nom="Essai", par=guichet.responsable)
    client = entrer(guichet.responsable)
    reponse = client.post(
        scenario.get_absolute_url(), {f"montant-{une.pk}": "400", f"montant-{deux.pk}": "1 500", "montant-99999": "1"}
    )
    assert reponse.status_code == 422
    assert "La règle donne au plus 1\u202f000,00\u00a0€" in reponse.content.decode()
    assert scenario.lignes.get(demande=une).montant == D(400)


def test_une_demande_fermee_au_calendrier_ne_s_ouvre_pas(guichet, entrer):
    hier = timezone.localdate() - timedelta(days=1)
    version = guichet.dispositif(ferme_le=hier)
    client = entrer(guichet.direction)
    assert client.get(reverse("aides:creer", args=[version.pk])).status_code == 404
    assert "Voir et demander" not in client.get(reverse("aides:liste")).content.decode()


def test_un_dispositif_d_un_exercice_passe_ne_se_demande_plus(guichet, entrer):
    version = guichet.dispositif(exercice_du=2020, exercice_au=2021)
    client = entrer(guichet.direction)
    assert client.get(reverse("aides:creer", args=[version.pk])).status_code == 404
    assert "Voir et demander" not in client.get(reverse("aides:liste")).content.decode()


def test_l_instruction_montre_les_aides_passees_et_leur_bilan(guichet, entrer):
    version = guichet.dispositif()
    guichet.voter(version)
    passee = guichet.mener(version, Etat.ACCORDEE)
    bilan = passee.bilan
    bilan.indicateurs = [{"indicateur": "Familles accueillies", "prevu": "100", "realise": "64"}]
    bilan.save(update_fields=["indicateurs"])
    nouvelle = guichet.mener(version, Etat.DEPOSEE)
    page = entrer(guichet.charge).get(reverse("aides:instruire", args=[nouvelle.pk])).content.decode()
    assert "Ses aides passées" in page
    assert "Familles accueillies : 64 (prévu 100)" in page
    assert reverse("aides:bilan", args=[passee.pk]) in page
