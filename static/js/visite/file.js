// L’envoi : une requête à la fois, dans l’ordre, dans un seul onglet, jusqu’à ce que tout soit parti.
import { activite } from "../activite.js";
import { changerPhoto, imageDe } from "./album.js";
import { bloquer, partir, prendre, refuser, reprendreDepuis } from "./depart.js";
import { direHorloge, faussee } from "./heures.js";

const ENTETES = { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" };
const PAUSE_MIN = 2_000;
const PAUSE_MAX = 60_000;
const CALME = 1_200; // on laisse finir le mot avant d’envoyer
const PATIENCE = 30_000;
const RELECTURE = 5 * 60_000;
const PATIENCE_PHOTO = 180_000;

// Pourquoi l’envoi s’arrête. ``quoi`` : hors_ligne, session, autre, panne ; ``seul`` : il reprendra de lui-même.
export class Arret extends Error {
  constructor(quoi, phrase, seul = true) {
    super(phrase);
    Object.assign(this, { quoi, seul });
  }
}

const horsLigne = () => new Arret("hors_ligne", "Pas de réseau : tout est gardé ici et partira tout seul.");
const sessionFinie = () => new Arret("session", "Votre session est finie. Rien n’est perdu : reconnectez-vous.");

async function appeler(url, options, patience) {
  let reponse;
  try {
    reponse = await fetch(url, { ...options, headers: { ...ENTETES, ...options.headers }, cache: "no-store", signal: AbortSignal.timeout(patience) });
  } catch {
    throw horsLigne();
  }
  if (reponse.status === 401 || reponse.redirected) throw sessionFinie();
  const corps = await reponse.json().catch(() => null);
  if (reponse.ok && corps === null) throw new Arret("panne", "Le portail ne répond pas comme prévu : tout est gardé ici.");
  return { statut: reponse.status, corps: corps ?? {} };
}

// Les visites, la clé, un jeton frais. Lève Arret.
export async function demanderLesDonnees(url) {
  const { statut, corps } = await appeler(url, {}, PATIENCE);
  if (statut === 403) throw new Arret("refus", corps.erreur ?? "Vous n’avez pas accès à ces visites.", false);
  if (statut !== 200) throw new Arret("panne", "Le portail ne répond pas : tout est gardé ici et partira tout seul.");
  return corps;
}

export class Expediteur extends EventTarget {
  constructor(carnet, urlDonnees, donnees) {
    super();
    Object.assign(this, { carnet, urlDonnees, jeton: donnees?.jeton ?? "", quoi: "repos", phrase: "", pause: PAUSE_MIN, minuterie: 0, frais: Boolean(donnees) });
  }

  dire(quoi, phrase = "") {
    Object.assign(this, { quoi, phrase });
    this.dispatchEvent(new CustomEvent("etat"));
  }

  // Écoute ce qui peut faire repartir l’envoi : le réseau, le retour sur la page, une saisie neuve.
  veiller() {
    window.addEventListener("online", () => this.reprendre());
    window.addEventListener("offline", () => this.dire("hors_ligne", horsLigne().message));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.reprendre());
    this.carnet.addEventListener("champ", () => this.demander(CALME));
    this.carnet.addEventListener("photos", () => this.demander(CALME));
    this.reprendre();
  }

  reprendre() {
    this.pause = PAUSE_MIN;
    return this.envoyer();
  }

  demander(delai) {
    if (!this.carnet.controlesEnRoute().length || this.enCours) return;
    if (this.minuterie && this.quoi !== "repos") return; // déjà prévu : taper ne repousse pas le prochain essai
    this.#prevoir(this.quoi === "repos" ? delai : this.pause);
  }

  #prevoir(delai) {
    clearTimeout(this.minuterie);
    this.minuterie = setTimeout(() => this.envoyer(), delai);
  }

  envoyer() {
    this.enCours ??= this.#envoyer().finally(() => {
      this.enCours = null;
      if (this.quoi === "repos") this.demander(CALME);
    });
    return this.enCours;
  }

  async #envoyer() {
    clearTimeout(this.minuterie);
    this.minuterie = 0;
    try {
      const fait = await navigator.locks.request(`visites-${this.carnet.personne}-envoi`, { ifAvailable: true }, async (verrou) => {
        if (!verrou) return false; // un autre onglet envoie
        await this.#tour();
        return true;
      });
      this.pause = PAUSE_MIN;
      this.dire("repos");
      if (!fait) this.#prevoir(PAUSE_MIN);
    } catch (erreur) {
      if (!(erreur instanceof Arret)) {
        this.dire("panne", "L’envoi s’est arrêté sur une erreur ; rien n’est perdu. Rechargez cette page.");
        throw erreur;
      }
      this.dire(erreur.quoi, erreur.message);
      if (!erreur.seul || !this.carnet.controlesEnRoute().length) return;
      this.#prevoir(this.pause);
      this.pause = Math.min(this.pause * 2, PAUSE_MAX);
    }
  }

  async #tour() {
    if (navigator.onLine === false) throw horsLigne(); // sans quoi chaque essai figerait ce qu’on retape encore
    if (!this.jeton || !this.frais || Math.abs(Date.now() - this.carnet.etat.lu_le) > RELECTURE) await this.rafraichir();
    const controles = this.carnet.controlesEnRoute();
    if (controles.length) this.dire("envoi");
    for (const controle of controles) {
      await this.#envoyerLaFile(controle);
      if (!this.carnet.files.get(controle).bloquee) await this.#envoyerLesPhotos(controle);
    }
    if (this.carnet.nonGardes.size) await this.carnet.regarder();
  }

  // Reprend du portail les visites et un jeton ; vérifie que c’est bien la même personne.
  async rafraichir() {
    const donnees = await demanderLesDonnees(this.urlDonnees);
    if (donnees.personne !== this.carnet.personne)
      throw new Arret("autre", "Vous êtes connecté sous un autre compte : reconnectez-vous sous celui qui a fait ces saisies.");
    this.jeton = donnees.jeton;
    this.frais = true;
    await this.carnet.recevoir(donnees);
    activite();
  }

  async #poster(url, corps, entetes, patience) {
    const envoyer = () => appeler(url, { method: "POST", body: corps, headers: { "X-CSRFToken": this.jeton, ...entetes } }, patience);
    try {
      let rendu = await envoyer();
      if (rendu.statut === 403) { // le jeton a changé avec une reconnexion : on en prend un neuf, une fois
        await this.rafraichir();
        rendu = await envoyer();
      }
      if (rendu.statut === 200) activite();
      return rendu;
    } catch (erreur) {
      if (erreur instanceof Arret && ["session", "autre"].includes(erreur.quoi)) this.frais = false;
      throw erreur;
    }
  }

  async #envoyerLaFile(controle) {
    const { carnet } = this;
    let max;
    let refus = 0;
    let dernierAttendu = 0;
    for (;;) {
      const lot = await partir(carnet, controle, max);
      if (!lot.operations.length) return;
      const { statut, corps } = await this.#poster(carnet.files.get(controle).operations, corpsDe(lot), { "Content-Type": "application/json" }, PATIENCE);
      if (statut === 200) {
        if (corps.recu_le) this.#regler(corps.recu_le);
        await prendre(carnet, controle, lot, corps.issues);
        if (max !== 1 || refus) [max, refus] = [undefined, 0];
      } else if (statut === 409) {
        await prendre(carnet, controle, lot, corps.issues ?? []);
        const repris = corps.attendu !== dernierAttendu && !lot.volatile && (await reprendreDepuis(carnet, controle, corps.attendu));
        if (!repris) return bloquer(carnet, controle, `${corps.erreur} Elle n’est plus sur cet appareil : renumérotez les suivantes pour les envoyer.`);
        dernierAttendu = corps.attendu;
      } else if (statut === 422 && lot.operations.length > 1) {
        max = 1; // laquelle ? une par une
      } else if (statut === 422 && refus) {
        return bloquer(carnet, controle, corps.erreur); // deux de suite : c’est toute la file que le portail refuse
      } else if (statut === 422) {
        refus += 1;
        await refuser(carnet, controle, lot, lot.operations[0], corps.erreur);
      } else if (statut === 403 || statut === 404) {
        return bloquer(carnet, controle, statut === 404 ? "Cette visite n’est plus la vôtre, ou n’existe plus sur le portail." : corps.erreur);
      } else {
        throw new Arret("panne", "Le portail ne répond pas : tout est gardé ici et partira tout seul.");
      }
    }
  }

  async #envoyerLesPhotos(controle) {
    const { carnet } = this;
    for (const photo of carnet.photosDe(controle).filter((p) => p.etat === "attente")) {
      const image = await imageDe(carnet, photo);
      if (!image) {
        await changerPhoto(carnet, photo, "erreur", "Cette photo ne s’ouvre plus sur l’appareil : reprenez-la.");
        continue;
      }
      const corps = new FormData();
      const champs = { id: photo.id, appareil: carnet.files.get(controle).appareil, point: photo.point, legende: photo.legende, prise_le: photo.prise_le, garder_lieu: photo.garder_lieu ? "oui" : "" };
      for (const [nom, valeur] of Object.entries(champs)) corps.append(nom, valeur);
      corps.append("image", image, image.type === "image/png" ? "photo.png" : "photo.jpg");
      const { statut, corps: rendu } = await this.#poster(carnet.files.get(controle).photos, corps, {}, PATIENCE_PHOTO);
      if (statut === 200) await changerPhoto(carnet, photo, "recue");
      else if ([400, 413, 422].includes(statut)) await changerPhoto(carnet, photo, "erreur", rendu.erreur ?? "Le portail refuse cette photo : elle est trop lourde.");
      else if (statut === 403 || statut === 404) return bloquer(carnet, controle, rendu.erreur);
      else throw new Arret("panne", "Le portail ne répond pas : tout est gardé ici et partira tout seul.");
    }
  }

  #regler(recuLe) {
    const avant = faussee(this.carnet.etat.decalage);
    this.carnet.etat.decalage = Date.now() - Date.parse(recuLe);
    if (avant !== faussee(this.carnet.etat.decalage)) this.carnet.dire("horloge", { phrase: direHorloge(this.carnet.etat.decalage) });
  }
}

function corpsDe({ appareil, operations }) {
  const utiles = operations.map(({ id, rang, champ, valeur, version, saisi_le }) => ({ id, rang, champ, valeur, version, saisi_le }));
  return JSON.stringify({ appareil, envoye_le: new Date().toISOString(), operations: utiles });
}
