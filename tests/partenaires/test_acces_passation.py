"""Ouvrir et fermer un accès, passer la direction : qui le peut, ce qui est écrit, ce qui part."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from comptes.choix import ROLES_CAF, ROLES_PARTENAIRE, Role
from comptes.models import Utilisateur
from courriers.models import Envoi
from partenaires import actions_acces
from partenaires.choix import GestePartenaire
from partenaires.models import EvenementPartenaire, Habilitation
from partenaires.transmission import a_transmettre
from socle.erreurs import Refus
from tests.fabriques.comptes import agent
from tests.fabriques.courses import reussites_et_refus
from tests.fabriques.partenaires import StructureFactory, affecter, habiliter

pytestmark = pytest.mark.django_db
OUVRENT_TOUT = (Role.CHARGE_CONSEIL, Role.RESPONSABLE, Role.ADMINISTRATEUR)


def dans(jours: int):
    return timezone.localdate() + timedelta(days=jours)


class Equipe:
    def __init__(self) -> None:
        self.structure = StructureFactory(nom="Les Tilleuls")
        affecter(self.structure.commune, agent(Role.CHARGE_CONSEIL))
        self.direction = habiliter(self.structure, Role.DIRECTION)
        self.president = habiliter(self.structure, Role.REPRESENTANT_LEGAL)
        self.saisie = habiliter(self.structure, Role.SAISIE)

    def acces_de(self, personne) -> Habilitation:
        return self.structure.habilitations.get(utilisateur=personne)

    def inviter(self, role: Role = Role.SAISIE, **champs):
        champs = {
            "courriel": "ana.roy@exemple.invalid", "prenom": "Ana", "nom": "Roy", "debut": dans(0),
            "par": self.president, **champs,
        }  # fmt: skip
        return actions_acces.inviter(self.structure, role=role, **champs)

    def passer(self, le=None, **champs):
        champs = {"courriel": "ana.roy@exemple.invalid", "prenom": "Ana", "nom": "Roy", "par": self.president, **champs}
        return actions_acces.passer_la_direction(self.structure, le=le or dans(10), **champs)


@pytest.fixture
def equipe() -> Equipe:
    return Equipe()


class TestInviter:
    def test_une_personne_nouvelle_recoit_un_lien_pour_choisir_son_mot_de_passe(self, equipe) -> None:
        habilitation = equipe.inviter(fin=dans(30))

        assert not habilitation.utilisateur.has_usable_password()
        assert (habilitation.role, habilitation.debut, habilitation.fin) == (Role.SAISIE, dans(0), dans(30))
        assert habilitation.ouverte_par == equipe.president
        envoi = Envoi.objects.get()
        assert envoi.adresse == "ana.roy@exemple.invalid"
        assert "/invitation/" in envoi.texte
        assert "Les Tilleuls" in envoi.texte

    def test_une_personne_connue_garde_son_mot_de_passe_et_son_nom(self, equipe) -> None:
        ailleurs = habiliter(StructureFactory(), Role.DIRECTION, prenom="Zoé")

        habilitation = equipe.inviter(courriel=f" {ailleurs.courriel.upper()} ", prenom="Autre")

        assert habilitation.utilisateur == ailleurs
        assert habilitation.utilisateur.prenom == "Zoé"
        assert "/invitation/" not in Envoi.objects.get().texte
        assert "/connexion/" in Envoi.objects.get().texte

    def test_l_ouverture_est_au_journal(self, equipe) -> None:
        equipe.inviter()
        evenement = EvenementPartenaire.objects.get(structure=equipe.structure)
        assert (evenement.geste, evenement.par) == (GestePartenaire.HABILITER, equipe.president)
        assert evenement.details == {"personne": "Ana Roy", "role": "aide à la saisie"}

    @pytest.mark.parametrize("role", sorted(ROLES_PARTENAIRE))
    def test_le_representant_legal_ouvre_tout(self, equipe, role) -> None:
        assert equipe.inviter(role).role == role

    @pytest.mark.parametrize("role", sorted(ROLES_PARTENAIRE))
    @pytest.mark.parametrize("du_service", sorted(ROLES_CAF))
    def test_a_la_caf_seuls_certains_ouvrent_un_acces(self, equipe, role, du_service) -> None:
        par = agent(Role(du_service))
        if du_service in OUVRENT_TOUT:
            assert equipe.inviter(role, par=par).ouverte_par == par
        else:
            with pytest.raises(PermissionDenied, match="représentant légal ou par la Caf"):
                equipe.inviter(role, par=par)

    @pytest.mark.parametrize("role", [Role.DIRECTION, Role.REPRESENTANT_LEGAL])
    def test_la_direction_n_ouvre_que_des_acces_de_saisie(self, equipe, role) -> None:
        assert equipe.inviter(Role.SAISIE, par=equipe.direction)
        with pytest.raises(PermissionDenied, match="que des accès d’aide à la saisie"):
            equipe.inviter(role, par=equipe.direction, courriel="b@exemple.invalid")

    @pytest.mark.parametrize("role", sorted(ROLES_PARTENAIRE))
    def test_l_aide_a_la_saisie_n_invite_personne(self, equipe, role) -> None:
        with pytest.raises(PermissionDenied):
            equipe.inviter(role, par=equipe.saisie)

    @pytest.mark.parametrize("role", sorted(ROLES_PARTENAIRE))
    def test_le_representant_d_une_autre_structure_n_ouvre_rien_ici(self, equipe, role) -> None:
        with pytest.raises(PermissionDenied):
            equipe.inviter(role, par=habiliter(StructureFactory(), Role.REPRESENTANT_LEGAL))

    def test_un_refus_n_ecrit_rien_et_n_envoie_rien(self, equipe) -> None:
        with pytest.raises(PermissionDenied):
            equipe.inviter(par=equipe.saisie)
        assert not Utilisateur.objects.filter(courriel="ana.roy@exemple.invalid").exists()
        assert not Envoi.objects.exists()
        assert not EvenementPartenaire.objects.exists()

    def test_un_agent_de_la_caf_ne_represente_pas_une_structure(self, equipe) -> None:
        charge = agent(Role.CHARGE_CONSEIL)
        with pytest.raises(Refus, match="agent de la Caf"):
            equipe.inviter(courriel=charge.courriel)

    def test_deux_fois_le_meme_role_est_refuse_avec_une_phrase(self, equipe) -> None:
        equipe.inviter()
        with pytest.raises(ValidationError, match="tient déjà ce rôle"):
            equipe.inviter(debut=dans(5))

    def test_la_base_refuse_un_role_de_la_caf(self, equipe) -> None:
        with pytest.raises(IntegrityError, match="habilitation_role_de_partenaire"):
            Habilitation.objects.create(
                utilisateur=equipe.saisie, structure=equipe.structure, role=Role.RESPONSABLE, debut=dans(0)
            )

    def test_un_acces_a_venir_n_ouvre_rien_avant_sa_date(self, equipe) -> None:
        habilitation = equipe.inviter(debut=dans(1))
        assert habilitation.utilisateur.roles == frozenset()

    def test_renvoyer_l_invitation_poste_un_second_courriel(self, equipe) -> None:
        habilitation = equipe.inviter()
        Envoi.objects.update(cree_le=timezone.now() - timedelta(minutes=11))
        actions_acces.renvoyer_l_invitation(habilitation, par=equipe.president)
        assert Envoi.objects.filter(adresse="ana.roy@exemple.invalid", texte__contains="/invitation/").count() == 2

    def test_on_ne_renvoie_pas_a_qui_a_deja_choisi_son_mot_de_passe(self, equipe) -> None:
        with pytest.raises(Refus, match="déjà choisi"):
            actions_acces.renvoyer_l_invitation(equipe.acces_de(equipe.saisie), par=equipe.president)


class TestFermer:
    def test_fermer_aujourd_hui_ferme_des_la_requete_suivante(self, equipe, entrer) -> None:
        client = entrer(equipe.saisie)
        adresse = reverse("partenaires:fiche", args=[equipe.structure.pk])
        assert client.get(adresse).status_code == 200

        actions_acces.fermer_acces(equipe.acces_de(equipe.saisie), fin=dans(0), par=equipe.president, motif="Départ")

        assert client.get(adresse).status_code in (403, 404)
        assert equipe.acces_de(equipe.saisie).fin == dans(-1)

    def test_fermer_plus_tard_laisse_entrer_jusque_la(self, equipe) -> None:
        actions_acces.fermer_acces(equipe.acces_de(equipe.saisie), fin=dans(5), par=equipe.president)
        en_cours = equipe.structure.habilitations.filter(utilisateur=equipe.saisie)
        assert en_cours.en_cours(dans(4)).exists()
        assert not en_cours.en_cours(dans(5)).exists()

    def test_la_fermeture_est_au_journal_avec_sa_raison(self, equipe) -> None:
        actions_acces.fermer_acces(equipe.acces_de(equipe.saisie), fin=dans(0), par=equipe.direction, motif="Départ")
        evenement = EvenementPartenaire.objects.get(structure=equipe.structure)
        assert (evenement.geste, evenement.motif) == (GestePartenaire.FERMER_ACCES, "Départ")
        assert evenement.details == {"personne": str(equipe.saisie), "le": dans(0).isoformat()}

    def test_un_acces_ouvert_par_erreur_le_jour_meme_disparait_mais_pas_du_journal(self, equipe) -> None:
        habilitation = equipe.inviter()
        actions_acces.fermer_acces(habilitation, fin=dans(0), par=equipe.president)
        assert not equipe.structure.habilitations.filter(utilisateur__courriel="ana.roy@exemple.invalid").exists()
        gestes = EvenementPartenaire.objects.order_by("pk").values_list("geste", flat=True)
        assert list(gestes) == [GestePartenaire.HABILITER, GestePartenaire.FERMER_ACCES]

    def test_le_dernier_representant_legal_reste(self, equipe) -> None:
        for par in (equipe.president, agent(Role.ADMINISTRATEUR)):
            with pytest.raises(Refus, match="dernier représentant légal"):
                actions_acces.fermer_acces(equipe.acces_de(equipe.president), fin=dans(0), par=par)

    def test_un_successeur_en_place_libere_le_representant_legal(self, equipe) -> None:
        successeur = habiliter(equipe.structure, Role.REPRESENTANT_LEGAL)
        actions_acces.fermer_acces(equipe.acces_de(equipe.president), fin=dans(0), par=successeur)
        assert equipe.acces_de(equipe.president).fin == dans(-1)

    def test_la_direction_ne_ferme_que_des_acces_de_saisie(self, equipe) -> None:
        with pytest.raises(PermissionDenied):
            actions_acces.fermer_acces(equipe.acces_de(equipe.president), fin=dans(0), par=equipe.direction)
        actions_acces.fermer_acces(equipe.acces_de(equipe.saisie), fin=dans(0), par=equipe.direction)

    def test_l_acces_d_une_autre_structure_n_existe_pas(self, equipe, entrer) -> None:
        autre = Equipe.__new__(Equipe)
        autre.structure = StructureFactory()
        autre.saisie = habiliter(autre.structure, Role.SAISIE)
        adresse = reverse("partenaires:fermer_acces", args=[equipe.structure.pk, autre.acces_de(autre.saisie).pk])
        assert entrer(equipe.president).post(adresse, {"fin": dans(0).isoformat()}).status_code == 404
        assert autre.acces_de(autre.saisie).fin is None


class TestPassation:
    def test_l_un_ferme_la_veille_l_autre_ouvre_le_jour_dit(self, equipe) -> None:
        nouvelle = equipe.passer(le=dans(10))
        assert (nouvelle.role, nouvelle.debut, nouvelle.fin) == (Role.DIRECTION, dans(10), None)
        assert equipe.acces_de(equipe.direction).fin == dans(9)

    def test_a_tout_moment_il_y_a_une_direction_et_une_seule(self, equipe) -> None:
        equipe.passer(le=dans(10))
        for jour in range(20):
            tenants = equipe.structure.habilitations.en_cours(dans(jour)).filter(role=Role.DIRECTION)
            assert tenants.count() == 1, jour

    def test_aujourd_hui_l_ancienne_direction_n_entre_plus(self, equipe, entrer) -> None:
        client = entrer(equipe.direction)
        equipe.passer(le=dans(0))
        assert client.get(reverse("partenaires:fiche", args=[equipe.structure.pk])).status_code in (403, 404)

    def test_les_deux_sont_prevenus_et_le_successeur_invite(self, equipe) -> None:
        nouvelle = equipe.passer()
        assert "Ana Roy prend la direction" in equipe.direction.notifications.get().texte
        assert "Vous prenez la direction de Les Tilleuls" in nouvelle.utilisateur.notifications.get().texte
        assert Envoi.objects.get().adresse == "ana.roy@exemple.invalid"

    def test_la_passation_est_au_journal(self, equipe) -> None:
        equipe.passer(le=dans(10))
        evenement = EvenementPartenaire.objects.get(geste=GestePartenaire.PASSER_DIRECTION)
        assert evenement.details == {"de": str(equipe.direction), "vers": "Ana Roy", "le": dans(10).isoformat()}

    @pytest.mark.parametrize("qui", ["direction", "saisie"])
    def test_elle_revient_au_representant_legal(self, equipe, qui) -> None:
        with pytest.raises(PermissionDenied):
            equipe.passer(par=getattr(equipe, qui))
        assert equipe.acces_de(equipe.direction).fin is None

    @pytest.mark.parametrize("role", OUVRENT_TOUT)
    def test_la_caf_peut_la_faire(self, equipe, role) -> None:
        assert equipe.passer(par=agent(role)).role == Role.DIRECTION

    @pytest.mark.parametrize("role", sorted(ROLES_CAF - set(OUVRENT_TOUT)))
    def test_les_autres_roles_de_la_caf_non(self, equipe, role) -> None:
        with pytest.raises(PermissionDenied):
            equipe.passer(par=agent(Role(role)))

    def test_elle_ne_remonte_pas_le_temps(self, equipe) -> None:
        with pytest.raises(Refus, match="aujourd’hui ou plus tard"):
            equipe.passer(le=dans(-1))

    def test_le_successeur_voit_les_dossiers_commences(self, equipe, entrer) -> None:
        from agrements.actions import redaction
        from agrements.choix import TypeDossier
        from agrements.regimes import publier_les_regimes

        publier_les_regimes()
        dossier = redaction.creer(
            equipe.structure, type_dossier=TypeDossier.PREMIER, objets=["projet_social"], debut_souhaite=dans(200),
            duree_souhaitee=48, par=equipe.direction,
        )  # fmt: skip
        assert [reste.lien for reste in a_transmettre(equipe.structure)] == [dossier.get_absolute_url()]
        page = entrer(equipe.president).get(reverse("partenaires:passation", args=[equipe.structure.pk]))
        assert dossier.numero in page.content.decode()

        nouvelle = equipe.passer(le=dans(0))

        assert entrer(nouvelle.utilisateur).get(dossier.get_absolute_url()).status_code == 200


class TestEcrans:
    def test_inviter_fermer_passer_par_les_pages(self, equipe, entrer) -> None:
        client, pk = entrer(equipe.president), equipe.structure.pk
        liste = reverse("partenaires:acces", args=[pk])

        reponse = client.post(
            liste,
            {"prenom": "Ana", "nom": "Roy", "courriel": "ana@exemple.invalid", "role": "saisie", "debut": dans(-2)},
        )
        assert reponse["Location"] == liste
        habilitation = equipe.structure.habilitations.get(utilisateur__courriel="ana@exemple.invalid")

        fermer = reverse("partenaires:fermer_acces", args=[pk, habilitation.pk])
        assert client.get(fermer).status_code == 200
        assert client.post(fermer, {"fin": dans(0), "motif": ""})["Location"] == liste

        passation = reverse("partenaires:passation", args=[pk])
        saisie = {"prenom": "Bo", "nom": "Li", "courriel": "bo@exemple.invalid", "le": dans(3)}
        assert client.post(passation, saisie)["Location"] == liste
        page = client.get(liste).content.decode()
        assert "Ana Roy" in page
        assert "Bo Li" in page

    @pytest.mark.parametrize(
        ("saisie", "champ"),
        [({"courriel": "sans-arobase"}, "courriel"), ({"debut": ""}, "debut"), ({"role": "responsable"}, "role"),
         ({"prenom": ""}, "prenom"), ({"nom": "x" * 101}, "nom"), ({"nom": "a\x00b"}, "nom"),
         ({"debut": "2027-02-01", "fin": "2027-01-31"}, "fin"), ({"debut": "31/02/2027"}, "debut")],
    )  # fmt: skip
    def test_une_mauvaise_saisie_est_expliquee_pres_du_champ(self, equipe, entrer, saisie, champ) -> None:
        bonne = {"prenom": "Ana", "nom": "Roy", "courriel": "a@exemple.invalid", "role": "saisie", "debut": dans(0)}

        reponse = entrer(equipe.president).post(
            reverse("partenaires:acces", args=[equipe.structure.pk]), {**bonne, **saisie}
        )

        assert reponse.status_code == 422
        assert list(reponse.context["form"].errors) == [champ]
        assert not Envoi.objects.exists()

    def test_le_refus_du_metier_revient_dans_le_formulaire(self, equipe, entrer) -> None:
        adresse = reverse("partenaires:fermer_acces", args=[equipe.structure.pk, equipe.acces_de(equipe.president).pk])
        reponse = entrer(equipe.president).post(adresse, {"fin": dans(0)})
        assert reponse.status_code == 422
        assert "dernier représentant légal" in reponse.content.decode()

    def test_l_aide_a_la_saisie_n_entre_pas(self, equipe, entrer) -> None:
        client = entrer(equipe.saisie)
        for nom in ("acces", "passation"):
            assert client.get(reverse(f"partenaires:{nom}", args=[equipe.structure.pk])).status_code == 403

    def test_un_nom_piege_s_affiche_comme_du_texte(self, equipe, entrer) -> None:
        equipe.inviter(prenom="<script>alert(1)</script>", nom="רוי 🌳")
        page = entrer(equipe.president).get(reverse("partenaires:acces", args=[equipe.structure.pk])).content.decode()
        assert "<script>alert" not in page
        assert "רוי 🌳" in page

    def test_la_liste_coute_autant_de_requetes_pour_trois_et_vingt_acces(self, equipe, entrer) -> None:
        client, adresse = entrer(equipe.president), reverse("partenaires:acces", args=[equipe.structure.pk])

        def requetes() -> int:
            with CaptureQueriesContext(connection) as journal:
                assert client.get(adresse).status_code == 200
            return len(journal)

        requetes()  # le premier passage remplit le cache de session
        avant = requetes()
        for _ in range(17):
            habiliter(equipe.structure, Role.SAISIE)
        assert requetes() == avant


@pytest.mark.django_db(transaction=True)
def test_deux_representants_qui_se_ferment_ensemble_il_en_reste_un() -> None:
    equipe = Equipe()
    second = habiliter(equipe.structure, Role.REPRESENTANT_LEGAL)

    fermes, refus = reussites_et_refus(
        lambda: actions_acces.fermer_acces(equipe.acces_de(second), fin=dans(0), par=equipe.president),
        lambda: actions_acces.fermer_acces(equipe.acces_de(equipe.president), fin=dans(0), par=second),
    )

    assert (len(fermes), len(refus)) == (1, 1)
    assert equipe.structure.habilitations.en_cours(dans(0)).filter(role=Role.REPRESENTANT_LEGAL).count() == 1


@pytest.mark.django_db(transaction=True)
def test_deux_passations_ensemble_laissent_une_seule_direction() -> None:
    equipe = Equipe()

    reussites_et_refus(
        lambda: equipe.passer(courriel="n1@exemple.invalid", le=dans(3)),
        lambda: equipe.passer(courriel="n2@exemple.invalid", le=dans(3)),
    )

    assert equipe.structure.habilitations.en_cours(dans(3)).filter(role=Role.DIRECTION).count() == 1
