"""Les agents de la Caf : ouvrir un compte, donner et retirer un rôle, fermer ; chaque geste laisse sa trace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from comptes.actions import jeton_d_invitation, perimer_les_invitations
from comptes.choix import ROLES_CAF, GesteCompte, Role
from comptes.models import EvenementCompte, Fonction, Utilisateur
from courriers.actions import poster
from partenaires.droits import peut_gerer_les_agents
from socle.dates import en_jour
from socle.droits import exiger
from socle.erreurs import Refus
from socle.texte import epurer

VERROU_DES_COMPTES = 0x4147_454E


def _verrouiller(par: Utilisateur, agent: Utilisateur | None = None) -> Utilisateur | None:
    """Un geste de compte à la fois ; les droits se relisent sous le verrou : qu’il reste toujours un administrateur."""
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_advisory_xact_lock(%s)", [VERROU_DES_COMPTES])
    exiger(peut_gerer_les_agents(Utilisateur.objects.get(pk=par.pk)))
    if agent is None:
        return None
    return Utilisateur.objects.select_for_update(of=("self",), no_key=True).get(pk=agent.pk)


def _consigner(
    agent: Utilisateur, geste: str, *, par: Utilisateur | None, details: str = "", motif: str = ""
) -> EvenementCompte:
    return EvenementCompte.objects.create(agent=agent, geste=geste, par=par, details=details, motif=motif)


def _envoyer_l_invitation(agent: Utilisateur) -> None:
    poster(
        cle=f"invitation-agent-{agent.pk}-{timezone.now().timestamp()}",
        destinataire=agent,
        sujet="Votre accès au portail AVS",
        gabarit="partenaires/courriels/invitation_agent",
        contexte={
            "prenom": agent.prenom,
            "chemin": reverse("comptes:accepter_invitation", args=[jeton_d_invitation(agent)]),
        },
    )


def ouvrir_un_compte(
    *, courriel: str, prenom: str, nom: str, roles: Iterable[str], debut: date, par: Utilisateur | None
) -> Utilisateur:
    """Crée la personne et ses rôles. À appeler dans une transaction. Lève Refus si l’adresse a déjà un compte."""
    if Utilisateur.objects.filter(courriel__iexact=courriel.strip()).exists():
        raise Refus("Cette adresse a déjà un compte : retrouvez-le dans la liste, ou choisissez une autre adresse.")
    agent = Utilisateur.objects.creer(courriel, prenom=prenom, nom=nom)
    for role in roles:
        fonction = Fonction(utilisateur=agent, role=role, debut=debut)
        fonction.full_clean()
        fonction.save()
    noms = ", ".join(Role(role).label for role in roles)
    _consigner(agent, GesteCompte.INVITER, par=par, details=f"{noms}, à partir du {en_jour(debut)}")
    return agent


@transaction.atomic
def inviter_un_agent(
    *, courriel: str, prenom: str, nom: str, roles: list[str], debut: date, par: Utilisateur
) -> Utilisateur:
    """Ouvre le compte d’un agent et lui envoie son lien. Lève Refus, ValidationError."""
    _verrouiller(par)
    if not roles or not ROLES_CAF.issuperset(roles):
        raise Refus("Choisissez un rôle de la Caf au moins.")
    agent = ouvrir_un_compte(
        courriel=courriel, prenom=epurer(prenom), nom=epurer(nom), roles=roles, debut=debut, par=par
    )
    _envoyer_l_invitation(agent)
    return agent


@transaction.atomic
def renvoyer_l_invitation_d_un_agent(agent: Utilisateur, *, par: Utilisateur) -> None:
    """Un nouveau lien ; ceux d’avant ne valent plus."""
    agent = _verrouiller(par, agent) or agent
    if agent.has_usable_password():
        raise Refus("Cette personne a déjà choisi son mot de passe : elle peut se connecter.")
    perimer_les_invitations(agent)
    _envoyer_l_invitation(agent)
    _consigner(agent, GesteCompte.RENVOYER, par=par)


@transaction.atomic
def donner_un_role(agent: Utilisateur, *, role: str, debut: date, par: Utilisateur) -> Fonction:
    """Lève Refus, ValidationError (rôle déjà tenu sur cette période)."""
    agent = _verrouiller(par, agent) or agent
    if role not in ROLES_CAF:
        raise Refus("Choisissez un rôle de la Caf.")
    if debut < timezone.localdate():
        raise Refus("Un rôle se donne à partir d’aujourd’hui ou plus tard.")
    fonction = Fonction(utilisateur=agent, role=role, debut=debut)
    fonction.full_clean()
    fonction.save()
    _consigner(agent, GesteCompte.DONNER_ROLE, par=par, details=f"{Role(role).label}, à partir du {en_jour(debut)}")
    return fonction


@transaction.atomic
def retirer_un_role(fonction: Fonction, *, fin: date, par: Utilisateur) -> None:
    """Le rôle ne se tient plus à partir de ``fin``. Le sien propre d’administrateur ne se retire pas."""
    agent = _verrouiller(par, fonction.utilisateur) or fonction.utilisateur
    fonction = Fonction.objects.select_for_update(of=("self",)).get(pk=fonction.pk)
    if fonction.role == Role.ADMINISTRATEUR and agent.pk == par.pk:
        raise Refus("Vous ne pouvez pas vous retirer l’administration : un autre administrateur le fera.")
    if fin < timezone.localdate():
        raise Refus("Un rôle se retire aujourd’hui ou plus tard : le passé ne se réécrit pas.")
    if fonction.fin is not None and fonction.fin < fin:
        raise Refus("Ce rôle finit déjà avant cette date.")
    if fin <= fonction.debut:
        fonction.delete()
    else:
        fonction.fin = fin - timedelta(days=1)
        fonction.full_clean()
        fonction.save(update_fields=["fin"])
    details = f"{fonction.get_role_display()}, à partir du {en_jour(fin)}"
    _consigner(agent, GesteCompte.RETIRER_ROLE, par=par, details=details)


@transaction.atomic
def oublier_le_second_facteur(agent: Utilisateur, *, motif: str, par: Utilisateur) -> None:
    """Téléphone perdu : le second facteur et ses codes de secours s’effacent, la personne en active un autre."""
    agent = _verrouiller(par, agent) or agent
    if agent.pk == par.pk:
        raise Refus("Le vôtre se change depuis votre compte, ou par un autre administrateur.")
    if not motif.strip():
        raise Refus("Dites pourquoi, et comment vous vous êtes assuré que la demande vient bien de cette personne.")
    effaces, _ = Authenticator.objects.filter(user=agent).delete()
    if not effaces:
        raise Refus("Cette personne n’a pas de second facteur.")
    _consigner(agent, GesteCompte.OUBLIER_SECOND_FACTEUR, par=par, motif=motif.strip())


@transaction.atomic
def fermer_le_compte(agent: Utilisateur, *, motif: str, par: Utilisateur) -> None:
    """La personne ne se connecte plus, ses sessions cessent aussitôt ; ce qu’elle a fait reste à son nom."""
    agent = _verrouiller(par, agent) or agent
    if agent.pk == par.pk:
        raise Refus("Vous ne pouvez pas fermer votre propre compte : un autre administrateur le fera.")
    if not agent.is_active:
        raise Refus("Ce compte est déjà fermé.")
    if not motif.strip():
        raise Refus("Dites pourquoi ce compte se ferme.")
    agent.is_active = False
    agent.save(update_fields=["is_active"])
    _consigner(agent, GesteCompte.FERMER, par=par, motif=motif.strip())


@transaction.atomic
def rouvrir_le_compte(agent: Utilisateur, *, par: Utilisateur) -> None:
    agent = _verrouiller(par, agent) or agent
    if agent.is_active:
        raise Refus("Ce compte est ouvert.")
    agent.is_active = True
    agent.save(update_fields=["is_active"])
    _consigner(agent, GesteCompte.ROUVRIR, par=par)
