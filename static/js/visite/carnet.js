// Le carnet : ce que la personne voit et tape, en mémoire, doublé à chaque frappe dans le coffre.
// Une saisie attend sans rang et se retape tant qu’elle n’est pas partie ; le rang se prend au départ (``depart.js``).
import { Coffre, EN_ROUTE, Plein, canal } from "./coffre.js";
import { preparer, vierge } from "./saisie.js";

export const EN_FILE = ["attente", "partie"];
export const cleDe = (controle, champ) => `${controle}/${champ}`;
export const nomOperation = (o) => `${o.id}/${o.champ}`;

export class Carnet extends EventTarget {
  #chaine = Promise.resolve();
  #canal;

  static async ouvrir(personne, cle) {
    const carnet = new Carnet();
    carnet.personne = personne;
    carnet.coffre = await Coffre.ouvrir(personne, cle, () => carnet.dire("sortie"));
    await carnet.#charger();
    carnet.#canal = canal(personne);
    carnet.#canal.addEventListener("message", ({ data }) => carnet.#entendre(data));
    return carnet;
  }

  async #charger() {
    const { coffre } = this;
    const enMemoire = [...(this.photos ?? [])].filter(([, p]) => p.image);
    Object.assign(this, { visites: new Map(), saisies: new Map(), photos: new Map(enMemoire), files: new Map(), enRoute: new Map() });
    Object.assign(this, { horsSemaine: new Set(), etat: { nom: "", decalage: 0, lu_le: 0 } });
    this.volatiles ??= new Map(); // ce qui ne tient que dans cette page n’est pas dans le coffre : une relecture ne l’efface pas
    this.nonGardes ??= new Map();
    this.remplacees ??= new Set(); // les opérations que le portail a prises et que le coffre, plein, ne sait pas prises
    const etat = await coffre.base.get("reglages", "etat");
    if (etat) Object.assign(this.etat, await coffre.desceller("reglages", etat, (e) => e.nom));
    for (const file of await coffre.tous("files")) this.files.set(file.controle, file);
    for (const [v, objet] of await coffre.ouvrirTous("visites", await coffre.tous("visites"), (e) => e.controle)) this.visites.set(v.controle, objet);
    for (const [s, objet] of await coffre.ouvrirTous("saisies", await coffre.tous("saisies"), (e) => e.cle)) this.saisies.set(s.cle, objet);
    for (const [p, objet] of await coffre.ouvrirTous("photos", await coffre.tous("photos"), (e) => e.id)) this.retenirPhoto(p, objet);
    const operations = await coffre.tous("operations");
    await coffre.ouvrirTous("operations", operations.filter((o) => EN_FILE.includes(o.etat)), nomOperation);
    await this.relireLaFile();
    await this.#reparer();
    await this.compterLesEcartes();
  }

  async relireLaFile() {
    this.enRoute.clear();
    for (const o of await this.coffre.tous("operations")) if (EN_FILE.includes(o.etat) && !this.remplacees.has(o.ordre)) this.suivre(o);
  }

  suivre({ id, ordre, controle, champ, etat }) {
    this.enRoute.set(id, { id, ordre, controle, champ, etat });
  }

  retenirPhoto({ ordre, id, controle, etat }, objet) {
    this.photos.set(id, { ...objet, ordre, id, controle, etat });
  }

  async compterLesEcartes() {
    const avant = this.ecartes ?? 0;
    this.ecartes = (await this.coffre.tous("ecartes")).length;
    if (this.ecartes > avant) this.dire("ecartes");
  }

  // Une saisie qui attend sans rien dans la file (l’opération était abîmée) repart de ce qu’on lit dans le champ.
  async #reparer() {
    for (const [cle, { champ, etat }] of this.saisies) {
      const controle = Number(cle.split("/")[0]);
      if (etat === "attente" && !this.enFile(controle, champ).length) await this.poser(controle, champ);
    }
  }

  dire(quoi, detail = {}) {
    this.dispatchEvent(new CustomEvent(quoi, { detail }));
  }

  annoncer(quoi, detail = {}) {
    this.dire(quoi, detail);
    this.#canal?.postMessage({ quoi, ...detail });
  }

  async #entendre({ quoi, controle, champ }) {
    if (quoi === "sortie") return this.dire("sortie");
    await this.enchainer(async () => {
      if (quoi !== "champ") return this.#charger();
      const lu = await this.coffre.base.get("saisies", cleDe(controle, champ));
      if (lu) this.saisies.set(lu.cle, (await this.coffre.desceller("saisies", lu, (e) => e.cle)) ?? vierge(champ));
      return this.relireLaFile();
    });
    this.dire(quoi, { controle, champ });
  }

  // Les écritures passent une à une : la dernière frappe est toujours la dernière écrite.
  enchainer(geste) {
    const suite = this.#chaine.then(geste);
    this.#chaine = suite.catch(() => {}); // l’erreur est rendue à qui a demandé ; la chaîne, elle, continue
    return suite;
  }

  // --- Lire -----------------------------------------------------------------------------------------------------------

  enFile(controle, champ) {
    return [...this.enRoute.values()].filter((o) => o.controle === controle && o.champ === champ);
  }

  saisie(controle, champ) {
    const cle = cleDe(controle, champ);
    if (!this.saisies.has(cle)) this.saisies.set(cle, vierge(champ));
    return this.saisies.get(cle);
  }

  champsEnAttente(controle) {
    const cles = new Set([...this.saisies].filter(([, s]) => s.etat !== "lue").map(([cle]) => cle));
    for (const o of this.enRoute.values()) cles.add(cleDe(o.controle, o.champ));
    const champs = [...cles].map((cle) => ({ controle: Number(cle.split("/")[0]), champ: cle.slice(cle.indexOf("/") + 1) }));
    return champs.filter((c) => controle === undefined || c.controle === controle);
  }

  photosDe(controle) {
    return [...this.photos.values()].filter((p) => controle === undefined || p.controle === controle);
  }

  photosEnAttente(controle) {
    return this.photosDe(controle).filter((p) => EN_ROUTE.includes(p.etat));
  }

  controlesEnRoute() {
    const vus = new Set([...this.enRoute.values()].map((o) => o.controle));
    for (const [controle, v] of this.volatiles) if (v.operations.length) vus.add(controle);
    for (const p of this.photos.values()) if (p.etat === "attente") vus.add(p.controle);
    return [...vus].sort((a, b) => a - b).filter((c) => this.files.has(c) && !this.files.get(c).bloquee);
  }

  // Les constats ajoutés sur place que le portail ne connaît pas encore.
  libres(controle) {
    const connus = new Set((this.visites.get(controle)?.points ?? []).map((p) => p.uid));
    return [...this.saisies]
      .filter(([cle]) => cle.startsWith(`${controle}/libre.`))
      .map(([, s]) => ({ uid: s.champ.split(".")[1], libelle: s.valeur, libre: true, ne_le: s.ne_le }))
      .filter((p) => !connus.has(p.uid))
      .sort((a, b) => a.ne_le.localeCompare(b.ne_le));
  }

  // --- Écrire ---------------------------------------------------------------------------------------------------------

  // Garde une frappe. Rendue, elle tient sur l’appareil ; sinon « plein » a été dit et la valeur part sans attendre.
  async saisir(controle, champ, valeur) {
    const saisie = this.saisie(controle, champ);
    const { envoi, phrase } = preparer(champ, valeur);
    Object.assign(saisie, { valeur, saisi_le: new Date().toISOString() });
    saisie.ne_le ||= saisie.saisi_le;
    if (saisie.etat !== "conflit") Object.assign(saisie, envoi === null ? { etat: "brouillon", phrase } : { etat: "attente", phrase: "", envoi });
    await this.enchainer(() => this.poser(controle, champ));
    this.annoncer("champ", { controle, champ });
  }

  async choisir(controle, champ, leMien) {
    const saisie = this.saisie(controle, champ);
    const autre = saisie.autre;
    Object.assign(saisie, { lue: autre, autre: null, phrase: "" });
    const { envoi, phrase } = preparer(champ, saisie.valeur);
    if (!leMien) Object.assign(saisie, { valeur: autre.valeur, etat: "lue" });
    else Object.assign(saisie, envoi === null ? { etat: "brouillon", phrase } : { etat: "attente", envoi });
    await this.enchainer(() => this.poser(controle, champ));
    this.annoncer("champ", { controle, champ });
  }

  async poser(controle, champ) {
    const saisie = this.saisie(controle, champ);
    try {
      while (!(await this.#essayerDePoser(controle, champ, saisie)));
      this.nonGardes.delete(cleDe(controle, champ));
      const volatile = this.volatiles.get(controle);
      if (volatile) volatile.operations = volatile.operations.filter((o) => o.champ !== champ || o.rang);
    } catch (erreur) {
      if (!(erreur instanceof Plein)) throw erreur;
      this.nonGardes.set(cleDe(controle, champ), { controle, champ });
      if (saisie.etat === "attente") this.versVolatile(controle, champ, saisie.envoi, saisie.lue.version);
      this.dire("plein", { controle, champ });
    }
  }

  // Rend faux quand l’opération qu’on retapait vient de partir : il en faut une autre.
  async #essayerDePoser(controle, champ, saisie) {
    const enFile = this.enFile(controle, champ);
    const enAttente = enFile.find((o) => o.etat === "attente");
    const defaite = saisie.etat === "attente" && !enFile.some((o) => o.etat === "partie") && saisie.envoi === saisie.lue.valeur;
    if (defaite) saisie.etat = "lue";
    const aEnvoyer = saisie.etat === "attente";
    const id = enAttente?.id ?? crypto.randomUUID();
    const contenu = { valeur: saisie.envoi, version: saisie.lue.version, saisi_le: saisie.saisi_le };
    const scelle = aEnvoyer ? await this.coffre.sceller("operations", nomOperation({ id, champ }), contenu) : null;
    const gardee = await this.scellerSaisie(controle, champ);
    const [deja, neuve] = await this.coffre.ecrire(["saisies", "operations", "files"], async (de) => {
      const deja = enAttente ? await de("operations").index("id").get(id) : null;
      if (enAttente && deja?.etat !== "attente") return [deja, null];
      await de("saisies").put(gardee);
      if (defaite && deja) await de("operations").delete(deja.ordre);
      if (!aEnvoyer) return [null, null];
      await this.assurerLaFile(de("files"), controle);
      const neuve = { ...(deja ?? { id, controle, champ, rang: null, etat: "attente" }), ...scelle };
      return [deja, { ...neuve, ordre: await de("operations").put(neuve) }];
    });
    if (neuve) this.suivre(neuve);
    else if (deja) this.suivre(deja); // partie pendant ce temps
    else if (enAttente && (aEnvoyer || defaite)) this.enRoute.delete(id);
    return Boolean(neuve) || !aEnvoyer;
  }

  async scellerSaisie(controle, champ) {
    const saisie = this.saisie(controle, champ);
    const cle = cleDe(controle, champ);
    return { cle, controle, enAttente: saisie.etat !== "lue", ...(await this.coffre.sceller("saisies", cle, saisie)) };
  }

  // La file d’un contrôle : l’appareil sous lequel elle part, le prochain rang, où l’envoyer.
  async assurerLaFile(magasin, controle) {
    const visite = this.visites.get(controle);
    const deja = await magasin.get(controle);
    const file = { appareil: crypto.randomUUID(), prochain: 1, bloquee: "", ...deja, controle };
    if (visite) Object.assign(file, { operations: visite.operations, photos: visite.photos });
    if (!deja || deja.operations !== file.operations || deja.photos !== file.photos) await magasin.put(file);
    this.files.set(controle, file);
    return file;
  }

  // Sans place pour l’écrire, la saisie part d’ici, sous un appareil de passage : la file gardée ne perd pas le compte.
  versVolatile(controle, champ, valeur, version, ordre) {
    if (!this.volatiles.has(controle)) this.volatiles.set(controle, { appareil: crypto.randomUUID(), prochain: 1, operations: [] });
    const file = this.volatiles.get(controle);
    const deja = file.operations.find((o) => o.champ === champ && !o.rang);
    if (deja && ordre) return deja.ordres.push(ordre); // celle du coffre est plus vieille que celle de la page
    const contenu = { champ, valeur, version, saisi_le: new Date().toISOString(), ordres: [...(deja?.ordres ?? []), ...(ordre ? [ordre] : [])] };
    if (deja) Object.assign(deja, contenu);
    else file.operations.push({ id: crypto.randomUUID(), rang: 0, ...contenu });
    return undefined;
  }

  // La place est peut-être revenue : ce qui ne tenait que dans la page se garde enfin.
  regarder() {
    return this.enchainer(async () => {
      for (const { controle, champ } of [...this.nonGardes.values()]) if (champ) await this.poser(controle, champ);
    });
  }

  // --- Ce que le portail dit des visites ----------------------------------------------------------------------------------

  // Rien de ce qui attend n’est écrasé ; une visite qui n’est plus de la semaine s’efface, sauf ce qui n’est pas parti.
  recevoir(donnees, recuLe = Date.now()) {
    return this.enchainer(async () => {
      this.etat = { nom: donnees.nom, decalage: recuLe - Date.parse(donnees.maintenant), lu_le: recuLe };
      const ids = new Set(donnees.visites.map((v) => v.pk));
      const sorties = [...this.visites.keys()].filter((pk) => !ids.has(pk));
      this.horsSemaine = new Set(sorties.filter((pk) => this.champsEnAttente(pk).length || this.photosEnAttente(pk).length));
      const touches = [];
      for (const { saisies, ...visite } of donnees.visites) {
        this.visites.set(visite.pk, visite);
        for (const [champ, lue] of Object.entries(saisies)) {
          const saisie = this.saisie(visite.pk, champ);
          if (saisie.etat !== "lue" || this.enFile(visite.pk, champ).length || lue.version <= saisie.lue.version) continue;
          Object.assign(saisie, { lue, valeur: lue.valeur });
          touches.push([visite.pk, champ]);
        }
      }
      const visites = [...ids].map((pk) => this.visites.get(pk));
      await this.#ecrireLesVisites(visites, donnees.conserver_jours, recuLe, touches, sorties.filter((pk) => !this.horsSemaine.has(pk)));
      this.annoncer("visites");
    });
  }

  async #ecrireLesVisites(visites, conserver_jours, recue_le, touches, partis) {
    const scelles = await Promise.all(
      visites.map(async (v) => ({ controle: v.pk, recue_le, conserver_jours, ...(await this.coffre.sceller("visites", v.pk, v)) })),
    );
    const saisies = await Promise.all(touches.map(([controle, champ]) => this.scellerSaisie(controle, champ)));
    const etat = { nom: "etat", ...(await this.coffre.sceller("reglages", "etat", this.etat)) };
    try {
      await this.coffre.ecrire(["visites", "saisies", "reglages", "files", "operations", "photos", "images"], async (de) => {
        await de("reglages").put(etat);
        for (const v of scelles) await de("visites").put(v);
        for (const s of saisies) await de("saisies").put(s);
        for (const v of visites) await this.assurerLaFile(de("files"), v.pk);
        for (const controle of partis) await this.#oublier(de, controle);
      });
    } catch (erreur) {
      if (!(erreur instanceof Plein)) throw erreur;
      this.nonGardes.set("visites", { visites: true });
      this.dire("plein", { visites: true });
      return;
    }
    this.nonGardes.delete("visites");
    for (const controle of partis) {
      this.visites.delete(controle);
      this.files.delete(controle);
      for (const cle of [...this.saisies.keys()]) if (cle.startsWith(`${controle}/`)) this.saisies.delete(cle);
      for (const p of this.photosDe(controle)) this.photos.delete(p.id);
    }
  }

  async #oublier(de, controle) {
    await de("visites").delete(controle);
    await de("files").delete(controle);
    for (const nom of ["saisies", "operations"])
      for (const cle of await de(nom).index("controle").getAllKeys(controle)) await de(nom).delete(cle);
    for (const p of this.photosDe(controle)) {
      if (p.ordre) await de("photos").delete(p.ordre);
      await de("images").delete(p.id);
    }
  }

  fermer() {
    this.#canal?.close();
    this.coffre.fermer();
  }
}
