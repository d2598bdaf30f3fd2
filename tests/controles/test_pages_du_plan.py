"""Les pages du plan : qui entre, ce qu’un clic fait avec et sans JavaScript, ce que coûte une liste, ce qui se refuse."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from controles.actions import plans, tirages
from controles.choix import Origine
from controles.models import Controle, PlanControle
from partenaires.models import Structure
from tests.controles.test_plan import Table
from tests.fabriques.comptes import agent
from tests.fabriques.partenaires import StructureFactory, habiliter
from tests.matrice import controles as matrice

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def table(db):
    return Table()


def adresse(table, nom: str, *args, **filtres) -> str:
    chemin = reverse(f"controles:{nom}", args=[table.plan.annee, *args])
    return chemin + ("?" + "&".join(f"{c}={v}" for c, v in filtres.items()) if filtres else "")


# --- qui entre --------------------------------------------------------------------------------------------------------


DU_PLAN = {"annee_du_plan", "structure_au_plan", "ligne_pk", "regles_controle"}
SANS_OBJET = {
    "plans",
    "creer_plan",
    "programmer",
    "liste_regles",
    "creer_regles",
    "statistiques",
    "exporter_statistiques",
}


def test_chaque_adresse_du_plan_admet_ses_roles_et_eux_seuls_avec_un_vrai_plan(entrer):
    """La matrice commune appelle les mêmes adresses sur un plan vide ; ici, il y a une ligne et un tirage."""
    table = Table()
    [ligne] = table.retenir(0)
    tirages.tirer(table.plan, par=table.controleur)
    objets = {
        "annee_du_plan": table.plan.annee, "structure_au_plan": table.structures[0].pk, "ligne_pk": ligne.pk,
        "regles_controle": table.regles.pk,
    }  # fmt: skip
    siennes = {
        nom: (admis, cles)
        for nom, (admis, cles) in matrice.MATRICE_CONTROLES.items()
        if (cles and set(cles) <= DU_PLAN) or nom.removeprefix("controles:") in SANS_OBJET
    }
    assert len(siennes) == 24
    personnes = {role: agent(role) for role in ROLES_CAF}
    personnes |= {role: habiliter(StructureFactory(), role) for role in ROLES_PARTENAIRE}
    ecarts = []
    for role, personne in personnes.items():
        client = entrer(personne)
        for nom, (admis, cles) in siennes.items():
            chemin = reverse(nom, kwargs={matrice.NOMS_CONTROLES.get(c, c): objets[c] for c in cles})
            reponse = client.get(chemin)
            if reponse.status_code == 405:
                reponse = client.post(chemin)
            refuse = reponse.status_code == 403 and not reponse.streaming and "réservée" in reponse.content.decode()
            if refuse == (role in admis) or reponse.status_code >= 500:
                ecarts.append((nom, role.value, reponse.status_code))
            if reponse.streaming:  # fermer la réponse fermerait la base : on ne ferme que le fichier
                for fermer in reponse._resource_closers:
                    fermer()
    assert ecarts == []


def test_le_sous_menu_ne_montre_que_les_pages_ou_l_on_entre(table, entrer):
    statistiques = reverse("controles:statistiques")
    page = entrer(agent(Role.ADMINISTRATEUR)).get(statistiques).content.decode()
    assert reverse("controles:plans") not in page
    assert reverse("controles:liste_regles") in page
    page = entrer(table.controleur).get(statistiques).content.decode()
    assert reverse("controles:plans") in page


def test_un_plan_qui_n_existe_pas_est_introuvable(table, entrer):
    client = entrer(table.controleur)
    assert client.get(reverse("controles:plan", args=[2099])).status_code == 404
    assert client.get(adresse(table, "rejouer_tirage")).status_code == 404  # rien n’est encore tiré
    assert client.post(adresse(table, "retenir", 0)).status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("controles:plan", args=["demain"])


# --- un clic, avec et sans JavaScript ---------------------------------------------------------------------------------


def test_sans_javascript_retenir_ramene_au_meme_endroit_du_classement(table, entrer):
    client = entrer(table.controleur)
    reponse = client.post(adresse(table, "retenir", table.structures[0].pk, q="Centre", page=1))
    assert reponse.status_code == 302
    assert reponse["Location"] == f"{table.plan.get_absolute_url()}?q=Centre&page=1"
    page = client.get(reponse["Location"]).content.decode()
    assert "Centre A est au plan." in page
    assert "1 au plan, sur 5 contrôles à mener" in page
    client.post(adresse(table, "retirer_du_plan", table.structures[0].pk))
    assert not table.plan.lignes.exists()


def test_avec_htmx_seul_le_plan_est_redessine_avec_ses_filtres(table, entrer):
    client = entrer(table.controleur)
    reponse = client.post(adresse(table, "retenir", table.structures[0].pk, voir="autres"), **HTMX)
    page = reponse.content.decode()
    assert page.lstrip().startswith('<div id="plan">')
    assert "1 au plan, sur 5" in page
    assert 'id="geste-%d"' % table.structures[0].pk not in page  # le filtre « non retenues » reste  # noqa: UP031
    refus = client.post(
        adresse(table, "retirer_du_plan", tirages.tirer(table.plan, par=table.controleur)[0].structure_id), **HTMX
    )
    assert refus.status_code == 422
    assert "ôterait son sens au tirage" in refus.content.decode()


def test_un_refus_sans_javascript_se_lit_sur_le_plan(table, entrer):
    [tiree] = tirages.tirer(table.plan, par=table.controleur)
    client = entrer(table.controleur)
    page = client.post(adresse(table, "retirer_du_plan", tiree.structure_id), follow=True).content.decode()
    assert "ôterait son sens au tirage" in page
    assert f'id="geste-{tiree.structure_id}"' not in page


def test_retenir_les_plus_a_risque_d_un_geste(table, entrer):
    client = entrer(table.controleur)
    page = client.post(adresse(table, "retenir_les_premieres"), {"combien": 3}, follow=True).content.decode()
    assert "3 structures retenues pour leur risque." in page
    for faux in ("", "0", "mille", "-2", "501"):
        refus = client.post(adresse(table, "retenir_les_premieres"), {"combien": faux})
        assert refus.status_code == 422
        assert 'id="premieres-erreur"' in refus.content.decode()
    assert client.get(adresse(table, "retenir_les_premieres")).status_code == 302
    assert table.plan.lignes.count() == 3


def test_une_ligne_se_regle_sur_place(table, entrer):
    [ligne] = table.retenir(0)
    client = entrer(table.controleur)
    bonne = {"mode": "sur_pieces", "trimestre": "4", "controleur": table.collegue.pk}
    page = client.post(adresse(table, "ligne_plan", ligne.pk), bonne, **HTMX).content.decode()
    ligne.refresh_from_db()
    assert (ligne.mode, ligne.trimestre, ligne.controleur) == ("sur_pieces", 4, table.collegue)
    assert f'<option value="{table.collegue.pk}" selected>' in page
    sans_js = client.post(
        adresse(table, "ligne_plan", ligne.pk), {"mode": "sur_place", "trimestre": "", "controleur": ""}
    )
    ligne.refresh_from_db()
    assert (sans_js.status_code, ligne.trimestre, ligne.controleur) == (302, None, None)


@pytest.mark.parametrize("entetes", [{}, HTMX])
@pytest.mark.parametrize(
    ("faute", "phrase"),
    [
        ({"mode": "par la poste"}, "par la poste"),
        ({"trimestre": "9"}, "trimestre"),
        ({"controleur": "0"}, "n’est pas contrôleur"),
    ],
)
def test_une_ligne_mal_reglee_le_dit_sous_sa_liste(table, entrer, faute, phrase, entetes):
    [ligne] = table.retenir(0)
    bonne = {"mode": "sur_pieces", "trimestre": "4", "controleur": str(table.collegue.pk)}
    reponse = entrer(table.controleur).post(adresse(table, "ligne_plan", ligne.pk), bonne | faute, **entetes)
    assert reponse.status_code == 422
    erreur = reponse.content.decode().split(f'id="erreur-ligne-{ligne.pk}-{next(iter(faute))}"')[1].split("</p>")[0]
    assert phrase in erreur or "choix" in erreur
    ligne.refresh_from_db()
    assert ligne.controleur is None


def test_une_ligne_retiree_par_un_collegue_se_dit(table, entrer):
    reponse = entrer(table.controleur).post(adresse(table, "ligne_plan", 0), {}, **HTMX)
    assert reponse.status_code == 422
    assert "vient de retirer" in reponse.content.decode()


# --- du plan ouvert au plan validé ------------------------------------------------------------------------------------


def test_un_plan_va_de_l_ouverture_a_la_validation_par_ses_pages(table, entrer):
    client, responsable = entrer(table.controleur), entrer(table.responsable)
    for nom, donnees in (
        ("retenir_les_premieres", {"combien": 4}), ("tirer", {}), ("repartir", {}),
    ):  # fmt: skip
        assert client.post(adresse(table, nom), donnees).status_code == 302
    page = client.get(table.plan.get_absolute_url()).content.decode()
    assert "4 au score de risque, 1 au tirage au sort." in page
    assert "Soumettre au responsable" in page
    assert client.post(adresse(table, "soumettre_plan")).status_code == 302
    page = responsable.get(table.plan.get_absolute_url()).content.decode()
    assert "Valider fait naître 5 contrôles" in page
    vide = responsable.post(adresse(table, "reprendre_plan"), {"motif": " "})
    assert vide.status_code == 422
    assert "Dites pourquoi" in vide.content.decode()
    responsable.post(adresse(table, "reprendre_plan"), {"motif": "Ajoutez Angers."})
    assert "Ajoutez Angers." in client.get(table.plan.get_absolute_url()).content.decode()
    client.post(adresse(table, "soumettre_plan"))
    page = responsable.post(adresse(table, "valider_plan"), follow=True).content.decode()
    assert "Le plan est validé" in page
    assert Controle.objects.count() == 5
    assert all(c.numero in page for c in Controle.objects.all())
    assert "Retenir" not in page
    refuse = client.post(adresse(table, "retenir", table.structures[5].pk), follow=True).content.decode()
    assert "le plan est maintenant « Validé »" in refuse


def test_ce_qui_manque_remplace_le_bouton(table, entrer):
    table.retenir(0)
    client = entrer(table.controleur)
    page = client.get(table.plan.get_absolute_url()).content.decode()
    assert "Soumettre au responsable" not in page
    assert "Sans contrôleur : Centre A." in page
    page = client.post(adresse(table, "soumettre_plan"), follow=True).content.decode()
    assert "Le tirage au sort doit donner encore 1 structure" in page


def test_qui_est_aussi_controleur_lit_pourquoi_il_ne_valide_pas(table, entrer):
    table.soumis()
    page = entrer(agent(Role.RESPONSABLE, Role.CONTROLEUR)).get(table.plan.get_absolute_url()).content.decode()
    assert "Vous êtes aussi contrôleur" in page
    assert "Valider le plan" not in page
    reponse = entrer(agent(Role.RESPONSABLE, Role.CONTROLEUR)).post(adresse(table, "valider_plan"))
    assert reponse.status_code == 403
    assert "aussi contrôleur" in reponse.content.decode()


def test_le_tirage_se_rejoue_devant_soi(table, entrer):
    tirages.tirer(table.plan, par=table.controleur)
    plan = PlanControle.objects.get()
    page = entrer(table.responsable).get(adresse(table, "rejouer_tirage")).content.decode()
    assert "le résultat est identique" in page
    assert plan.graine in page
    assert page.count("<tr>") == 1 + len(plan.population)


def test_les_filtres_sont_dans_l_adresse(table, entrer):
    table.retenir(0)
    plans.ajouter(
        table.plan, table.structures[1], origine=Origine.NATIONALE, motif="Plan national.", par=table.controleur
    )
    client = entrer(table.controleur)

    def vues(**filtres) -> list[str]:
        page = client.get(table.plan.get_absolute_url(), filtres)
        return [str(p.structure) for p in page.context["page"]]

    assert vues(q="centre b") == ["Centre B"]
    assert vues(voir="retenues") == ["Centre A", "Centre B"]
    assert vues(voir="autres") == ["Centre C", "Centre D", "Centre E", "Centre F"]
    assert vues(origine="nationale") == ["Centre B"]
    assert vues(controleur="aucun") == ["Centre A", "Centre B"]
    assert vues(controleur=str(table.collegue.pk)) == []
    assert len(vues(origine="lune", page="zut")) == 6  # un filtre inconnu se dit, et ne cache rien


# --- les autres formulaires -------------------------------------------------------------------------------------------


def test_ouvrir_un_plan_refuse_une_annee_ancienne_ou_deja_ouverte(table, entrer):
    client, annee = entrer(table.controleur), timezone.localdate().year
    for fausse, phrase in ((annee, "est déjà ouvert"), (annee - 1, "Un plan s’ouvre pour"), ("", "obligatoire")):
        reponse = client.post(
            reverse("controles:creer_plan"), {"annee": fausse, "objectif": 3, "instructions": "Gardé"}
        )
        assert reponse.status_code == 422
        assert phrase in reponse.content.decode()
        assert "Gardé" in reponse.content.decode()
    assert client.post(reverse("controles:creer_plan"), {"annee": annee + 1, "objectif": 0}).status_code == 422
    assert client.post(reverse("controles:creer_plan"), {"annee": annee + 1, "objectif": 3}).status_code == 302
    assert client.post(adresse(table, "modifier_plan"), {"objectif": "x"}).status_code == 422
    assert client.post(adresse(table, "modifier_plan"), {"objectif": 7}).status_code == 302


def test_ajouter_et_programmer_disent_ce_qui_ne_va_pas(table, entrer):
    fermee = StructureFactory(fermee_le=timezone.localdate())
    client, responsable = entrer(table.controleur), entrer(table.responsable)
    bonne = {"structure": table.structures[0].pk, "origine": "signalement", "motif": "Une alerte."}
    for faute in ({"structure": fermee.pk}, {"structure": ""}, {"origine": "tirage"}, {"motif": "  "}):
        assert client.post(adresse(table, "ajouter_au_plan"), bonne | faute).status_code == 422
    assert client.post(adresse(table, "ajouter_au_plan"), bonne).status_code == 302
    deja = client.post(adresse(table, "ajouter_au_plan"), bonne)
    assert "déjà au plan" in deja.content.decode()
    complete = bonne | {"structure": table.structures[1].pk, "mode": "sur_place", "controleur": table.controleur.pk}
    for faute in ({"controleur": table.responsable.pk}, {"controleur": ""}, {"mode": "x"}, {"motif": ""}):
        assert responsable.post(reverse("controles:programmer"), complete | faute).status_code == 422
    assert responsable.post(reverse("controles:programmer"), complete).status_code == 302
    second = responsable.post(reverse("controles:programmer"), complete)
    assert second.status_code == 422
    assert "a déjà un contrôle en cours" in second.content.decode()
    assert Controle.objects.count() == 1


# --- ce que coûtent les pages -----------------------------------------------------------------------------------------


def requetes(client, chemin) -> int:
    client.get(chemin)
    with CaptureQueriesContext(connection) as capture:
        assert client.get(chemin).status_code == 200
    return len(capture)


def test_les_pages_coutent_le_meme_nombre_de_requetes_a_1_et_50_lignes(entrer):
    table = Table(structures=3)
    client = entrer(table.controleur)
    table.retenir(0)
    tirages.tirer(table.plan, par=table.controleur)
    chemins = [
        table.plan.get_absolute_url(), adresse(table, "plan", q="centre"), adresse(table, "plan", voir="retenues"),
        adresse(table, "rejouer_tirage"), reverse("controles:plans"),
    ]  # fmt: skip
    petites = [requetes(client, c) for c in chemins]
    plans.modifier(table.plan, objectif=60, instructions="", par=table.controleur)
    for _ in range(98):
        StructureFactory()
    plans.retenir_les_premieres(table.plan, 50, par=table.controleur)
    PlanControle.objects.filter(pk=table.plan.pk).update(
        population=list(Structure.objects.values_list("pk", flat=True))
    )
    grandes = [requetes(client, c) for c in chemins]
    assert petites == grandes
    plans.repartir(table.plan, par=table.controleur)
    assert [requetes(client, c) for c in chemins] == petites


def test_un_plan_valide_coute_autant_pour_trois_que_pour_trente(entrer):
    couts = []
    for rang, nombre in enumerate((3, 30)):
        table = Table(structures=nombre, annee=timezone.localdate().year + rang)
        plans.modifier(table.plan, objectif=nombre, instructions="", par=table.controleur)
        plans.retenir_les_premieres(table.plan, nombre, par=table.controleur)
        plans.repartir(table.plan, par=table.controleur)
        plans.soumettre(table.plan, par=table.controleur)
        plans.valider(table.plan, par=table.responsable)
        couts.append(requetes(entrer(table.controleur), table.plan.get_absolute_url()))
    assert couts[0] == couts[1]
