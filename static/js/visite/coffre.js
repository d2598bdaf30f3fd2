// Le coffre d’une personne sur cet appareil : une base IndexedDB par personne, tout ce qui a un sens y est chiffré.
// En clair, le strict nécessaire pour compter et ordonner sans la clé : numéros internes, rangs, états, dates de garde.
import { deleteDB, openDB } from "../../vendor/idb/index.js";
import { Abime, chiffrer, dechiffrer, desceller, sceller } from "./chiffre.js";

const ANNUAIRE = "visites-appareil";
export const MARQUE = "portail-visites"; // localStorage : qui a un coffre ici, pour que la sortie le sache sans rien ouvrir
export const EN_ROUTE = ["attente", "partie", "erreur", "conflit"]; // ce que le portail n’a pas encore pris
export const PREFIXE_CACHE = "visites-coquille-";
const JOUR = 86_400_000;

export const nomDuCoffre = (personne) => `visites-${personne}`;
export const canal = (personne) => new BroadcastChannel(nomDuCoffre(personne));

// L’appareil n’a plus de place : ce qu’on voulait garder ne l’est pas.
export class Plein extends Error {}

function traduire(erreur) {
  return erreur?.name === "QuotaExceededError" || erreur?.cause?.name === "QuotaExceededError"
    ? new Plein("plus de place sur cet appareil", { cause: erreur })
    : erreur;
}

function annuaire() {
  return openDB(ANNUAIRE, 1, {
    upgrade(base) {
      base.createObjectStore("personnes", { keyPath: "personne" });
    },
    blocking(_ancienne, _neuve, evenement) {
      evenement.target.close();
    },
  });
}

async function avecAnnuaire(mode, geste) {
  const base = await annuaire();
  try {
    const transaction = base.transaction("personnes", mode, { durability: "strict" });
    const rendu = await geste(transaction.store);
    await transaction.done;
    return rendu;
  } catch (erreur) {
    throw traduire(erreur);
  } finally {
    base.close();
  }
}

function marquer(personnes) {
  if (personnes.length) localStorage.setItem(MARQUE, JSON.stringify(personnes));
  else localStorage.removeItem(MARQUE);
}

export function personnesMarquees() {
  return JSON.parse(localStorage.getItem(MARQUE) ?? "[]");
}

export const personnesGardees = () => avecAnnuaire("readonly", (magasin) => magasin.getAll());

export async function inscrire(personne, enveloppe) {
  await avecAnnuaire("readwrite", async (magasin) => {
    const deja = await magasin.get(personne);
    await magasin.put({ ...deja, personne, ...(enveloppe ? { enveloppe } : {}) });
  });
  marquer([...new Set([...personnesMarquees(), personne])]);
}

function ouvrirBase(personne, aLaFermeture) {
  return openDB(nomDuCoffre(personne), 1, {
    upgrade(base) {
      base.createObjectStore("reglages", { keyPath: "nom" });
      base.createObjectStore("files", { keyPath: "controle" });
      base.createObjectStore("visites", { keyPath: "controle" });
      base.createObjectStore("saisies", { keyPath: "cle" }).createIndex("controle", "controle");
      const operations = base.createObjectStore("operations", { keyPath: "ordre", autoIncrement: true });
      operations.createIndex("controle", "controle");
      operations.createIndex("id", "id", { unique: true });
      base.createObjectStore("photos", { keyPath: "ordre", autoIncrement: true }).createIndex("id", "id", { unique: true });
      base.createObjectStore("images", { keyPath: "id" });
      base.createObjectStore("ecartes", { autoIncrement: true });
    },
    blocking(_ancienne, _neuve, evenement) {
      evenement.target.close();
      aLaFermeture?.();
    },
  });
}

export class Coffre {
  constructor(personne, cle, base) {
    Object.assign(this, { personne, cle, base });
  }

  static async ouvrir(personne, cle, aLaFermeture) {
    const coffre = new Coffre(personne, cle, await ouvrirBase(personne, aLaFermeture));
    await inscrire(personne);
    return coffre;
  }

  lien(magasin, nom) {
    return `${this.personne}/${magasin}/${nom}`;
  }

  sceller(magasin, nom, objet) {
    return sceller(this.cle, objet, this.lien(magasin, nom));
  }

  chiffrer(magasin, nom, octets) {
    return chiffrer(this.cle, octets, this.lien(magasin, nom));
  }

  dechiffrer(magasin, nom, scelle) {
    return dechiffrer(this.cle, scelle, this.lien(magasin, nom));
  }

  // Une écriture durable : rendue, elle survit à une panne de courant. Lève Plein.
  async ecrire(magasins, geste) {
    let transaction;
    try {
      transaction = this.base.transaction(magasins, "readwrite", { durability: "strict" });
      transaction.done.catch(() => {}); // attendue plus bas ; sans quoi un refus en cours de geste serait dit deux fois
      const rendu = await geste((nom) => transaction.objectStore(nom));
      await transaction.done;
      return rendu;
    } catch (erreur) {
      throw traduire(transaction?.error ?? erreur);
    }
  }

  tous(magasin, index, valeur) {
    return index ? this.base.getAllFromIndex(magasin, index, valeur) : this.base.getAll(magasin);
  }

  // Rend [enregistrement, objet ouvert] ; ce qui ne s’ouvre pas est mis de côté, jamais jeté.
  async ouvrirTous(magasin, enregistrements, nommer) {
    const ouverts = [];
    for (const enregistrement of enregistrements) {
      const objet = await this.desceller(magasin, enregistrement, nommer);
      if (objet) ouverts.push([enregistrement, objet]);
    }
    return ouverts;
  }

  async desceller(magasin, enregistrement, nommer) {
    try {
      return await desceller(this.cle, enregistrement, this.lien(magasin, nommer(enregistrement)));
    } catch (erreur) {
      if (!(erreur instanceof Abime)) throw erreur;
      await this.ecarter(magasin, enregistrement);
      return null;
    }
  }

  async ecarter(magasin, enregistrement) {
    await this.ecrire([magasin, "ecartes"], async (de) => {
      await de("ecartes").add({ magasin, le: Date.now(), enregistrement });
      await de(magasin).delete(enregistrement[de(magasin).keyPath]);
    });
  }

  fermer() {
    this.base.close();
  }
}

// Sans la clé : combien de saisies et de photos le portail n’a pas prises.
export async function compter(personne) {
  const base = await ouvrirBase(personne);
  try {
    const [operations, photos, saisies] = await Promise.all([base.getAll("operations"), base.getAll("photos"), base.getAll("saisies")]);
    const champs = new Set(operations.filter((o) => ["attente", "partie"].includes(o.etat)).map((o) => `${o.controle}/${o.champ}`));
    for (const saisie of saisies) if (saisie.enAttente) champs.add(saisie.cle);
    return { saisies: champs.size, photos: photos.filter((p) => EN_ROUTE.includes(p.etat)).length };
  } finally {
    base.close();
  }
}

// Efface d’une base ce que le portail a déjà ; garde, chiffré, ce qui n’est pas parti. ``controles`` : ``null`` pour tous.
export async function alleger(base, controles) {
  const vise = (e) => controles === null || controles.has(e.controle);
  const transaction = base.transaction(["visites", "saisies", "operations", "photos", "files"], "readwrite", { durability: "strict" });
  const de = (nom) => transaction.objectStore(nom);
  const gardes = new Set();
  for (const o of await de("operations").getAll()) {
    if (!vise(o)) continue;
    if (["attente", "partie"].includes(o.etat)) gardes.add(o.controle);
    else await de("operations").delete(o.ordre);
  }
  for (const s of await de("saisies").getAll()) {
    if (!vise(s)) continue;
    if (s.enAttente) gardes.add(s.controle);
    else await de("saisies").delete(s.cle);
  }
  for (const p of await de("photos").getAll()) {
    if (!vise(p)) continue;
    if (EN_ROUTE.includes(p.etat)) gardes.add(p.controle);
    else await de("photos").delete(p.ordre);
  }
  for (const v of await de("visites").getAll()) if (vise(v)) await de("visites").delete(v.controle);
  for (const f of await de("files").getAll()) if (vise(f) && !gardes.has(f.controle)) await de("files").delete(f.controle);
  await transaction.done;
  return gardes;
}

// À chaque ouverture de l’appareil, avec ou sans clé : les visites trop vieilles s’effacent.
export async function effacerLesPerimees(maintenant = Date.now()) {
  for (const { personne } of await personnesGardees()) {
    const base = await ouvrirBase(personne);
    try {
      const perimees = (await base.getAll("visites")).filter((v) => maintenant - v.recue_le > v.conserver_jours * JOUR);
      if (perimees.length) await alleger(base, new Set(perimees.map((v) => v.controle)));
    } finally {
      base.close();
    }
  }
}

// À la sortie. ``garder`` : ce qui n’est pas parti reste, chiffré ; sinon tout s’efface.
export async function quitter(personne, { garder }) {
  if (garder) {
    const base = await ouvrirBase(personne);
    try {
      await alleger(base, null);
    } finally {
      base.close();
    }
  } else {
    await effacer(personne);
  }
  const annonce = canal(personne);
  annonce.postMessage({ quoi: "sortie" });
  annonce.close();
}

async function effacer(personne) {
  const base = await ouvrirBase(personne);
  try {
    const transaction = base.transaction([...base.objectStoreNames], "readwrite", { durability: "strict" });
    for (const nom of base.objectStoreNames) await transaction.objectStore(nom).clear();
    await transaction.done;
  } finally {
    base.close();
  }
  await deleteDB(nomDuCoffre(personne));
  const restent = await avecAnnuaire("readwrite", async (magasin) => {
    await magasin.delete(personne);
    return magasin.getAllKeys();
  });
  marquer(restent);
  if (restent.length) return; // la coquille sert encore à une autre personne de cet appareil
  await deleteDB(ANNUAIRE);
  for (const nom of await caches.keys()) if (nom.startsWith(PREFIXE_CACHE)) await caches.delete(nom);
}
