// L’écran : la liste des visites, une fiche, la file d’attente, et ce qu’il faut dire sans crier.
import { envelopper, CODE_MIN, depuisBase64 } from "./chiffre.js";
import { oublierLesChamps, rafraichirLesChamps, viderLesChamps } from "./champs.js";
import { inscrire, personnesGardees } from "./coffre.js";
import { debloquer } from "./depart.js";
import { annoncer, bouton, cleUnique, demander, el } from "./dom.js";
import { fiche } from "./fiche.js";
import { demanderLesDonnees } from "./file.js";
import { direHorloge, faussee, moment, pluriel, quand } from "./heures.js";

const PORTAIL = document.title;
const PLACE_BASSE = 60 * 1024 * 1024;
const zone = () => document.getElementById("contenu");

const NOMS = { arrivee: "Arrivée", depart: "Départ", notes: "Notes générales", signataire: "Nom du signataire", signature_controleur: "Signature du contrôleur", signature_structure: "Signature de la structure", refus_signature: "Refus de signature", constat: "Nature du constat", releve: "Montant constaté", faits: "Faits", recommandation: "Recommandation", libelle: "Titre du constat" };
const DITS = { attente: "à envoyer", brouillon: "à corriger", refusee: "refusée", conflit: "deux textes, à choisir", lue: "à envoyer" };

// Ce qu’est un champ, en mots : « Faits : la charte de la laïcité est affichée ».
export function nommerLeChamp(carnet, controle, champ) {
  const [famille, cle, attribut] = champ.split(".");
  const visite = carnet.visites.get(controle);
  if (famille === "visite") return NOMS[cle] ?? champ;
  if (famille === "piece") return `Pièce : ${visite?.pieces.find((p) => String(p.id) === cle)?.libelle ?? cle}`;
  const point = visite?.points.find((p) => p.uid === cle)?.libelle ?? carnet.saisies.get(`${controle}/libre.${cle}.libelle`)?.valeur;
  return point ? `${NOMS[attribut] ?? attribut} : ${point}` : (NOMS[attribut] ?? champ);
}

export class Ecran {
  constructor(carnet, expediteur, config) {
    Object.assign(this, { carnet, expediteur, config, page: null, dernier: "" });
    this.barre = document.getElementById("file");
    this.bandeaux = document.getElementById("bandeaux");
    this.depart = el("button", { type: "button", class: "btn btn-primary btn-sm" }, "Envoyer maintenant");
    this.texte = el("p", { class: "file-texte" });
    this.detail = el("div", { class: "file-detail" });
    this.pli = el("details", {}, el("summary", {}, "Détail"), this.detail);
    this.depart.addEventListener("click", async () => {
      await viderLesChamps();
      await expediteur.reprendre();
    });
    this.barre.replaceChildren(el("div", { class: "container-xl file-ligne" }, this.texte, this.depart, this.pli));
    this.barre.hidden = false;
    for (const quoi of ["champ", "photos", "file", "visites", "plein", "ecartes", "horloge", "recharger"]) carnet.addEventListener(quoi, ({ detail }) => this.#entendre(quoi, detail));
    expediteur.addEventListener("etat", () => this.#rafraichirLaFile());
    window.addEventListener("hashchange", () => this.aller());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && viderLesChamps());
    window.addEventListener("pagehide", () => viderLesChamps());
    window.addEventListener("beforeunload", (evenement) => {
      viderLesChamps();
      if (carnet.nonGardes.size) evenement.preventDefault();
    });
  }

  #entendre(quoi, detail) {
    const ici = this.page && (detail.controle === undefined || detail.controle === this.page.controle);
    if (quoi === "champ" && ici) rafraichirLesChamps(detail.champ);
    if (quoi === "photos" && ici) this.page.surPhotos.forEach((geste) => geste());
    if (quoi === "plein" && ici) rafraichirLesChamps(detail.champ);
    if (quoi === "horloge") this.page?.direHorloge?.();
    if (quoi === "visites" || quoi === "recharger") this.apresLecture();
    this.#rafraichirLaFile();
    this.#rafraichirLesBandeaux();
  }

  // Le portail a rendu les visites : la liste se refait, la fiche ouverte garde sa place et son curseur.
  apresLecture() {
    if (!this.page) return document.activeElement.matches("#contenu input") ? undefined : this.aller({ sansFoyer: true });
    rafraichirLesChamps();
    this.page.surPhotos.forEach((geste) => geste());
    this.page.direHorloge?.();
    return undefined;
  }

  async aller({ sansFoyer = false } = {}) {
    const [, numero, section] = location.hash.match(/^#visite\/(\d+)(?:\/([\w-]+))?/) ?? [];
    const controle = Number(numero);
    if (numero && this.page?.controle === controle) return this.#montrer(section);
    await viderLesChamps();
    oublierLesChamps();
    this.page = null;
    const [titre, corps] = numero && this.carnet.visites.has(controle) ? fiche((this.page = { carnet: this.carnet, controle })) : await this.#liste();
    document.title = `${titre} | ${PORTAIL}`;
    zone().replaceChildren(corps);
    this.page?.surPhotos.forEach((geste) => geste());
    this.#rafraichirLaFile();
    this.#rafraichirLesBandeaux();
    if (section) this.#montrer(section);
    else if (!sansFoyer) {
      zone().querySelector("h1").focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    return undefined;
  }

  #montrer(section) {
    const titre = document.getElementById(section ? `titre-${section}` : "");
    titre?.scrollIntoView();
    titre?.focus({ preventScroll: true });
  }

  // --- La liste -------------------------------------------------------------------------------------------------------

  async #liste() {
    const { carnet } = this;
    const visites = [...carnet.visites.values()].sort((a, b) => `${a.visite_le}${a.heure}`.localeCompare(`${b.visite_le}${b.heure}`));
    const orphelins = [...carnet.files.keys()].filter((c) => !carnet.visites.has(c) && (carnet.champsEnAttente(c).length || carnet.photosEnAttente(c).length));
    return [
      "Mes visites",
      el(
        "div",
        {},
        el("h1", { tabindex: -1 }, "Mes visites de la semaine"),
        carnet.etat.lu_le ? el("p", { class: "discret" }, `Lues sur le portail ${moment(new Date(carnet.etat.lu_le))}.`) : null,
        visites.length
          ? el("ul", { class: "cartes-visites" }, visites.map((v) => this.#carte(v)))
          : el("p", { class: "vide" }, "Aucune visite dans les sept jours. Une visite notifiée apparaît ici la semaine où elle a lieu."),
        orphelins.map((c) => this.#orphelin(c)),
        await this.#preparation(),
      ),
    ];
  }

  #carte(v) {
    const restent = this.carnet.champsEnAttente(v.pk).length + this.carnet.photosEnAttente(v.pk).length;
    const dits = v.points.filter((p) => this.carnet.saisie(v.pk, `point.${p.uid}.constat`).valeur).length;
    return el(
      "li",
      { class: "panneau carte-visite" },
      el("p", { class: "carte-quand" }, quand(v) || "Date à fixer"),
      el("h2", {}, el("a", { href: `#visite/${v.pk}` }, v.structure)),
      el("p", { class: "discret" }, v.lieu || v.adresse),
      el("p", { class: "carte-etats" }, el("span", { class: "etat etat-cours" }, v.etat_dit), el("span", { class: "etat etat-neutre" }, `${dits} sur ${pluriel(v.points.length, "point")}`), restent > 0 && el("span", { class: "etat etat-attente" }, `${restent} à envoyer`)),
    );
  }

  #orphelin(controle) {
    const n = this.carnet.champsEnAttente(controle).length;
    const p = this.carnet.photosEnAttente(controle).length;
    return el("div", { class: "alert alert-warning" }, `La visite n° ${controle} s’est effacée de cet appareil, passé le délai de garde. ${phraseDAttente(n, p)} : cela reste ici, chiffré, et part dès que le réseau le permet.`);
  }

  async #preparation() {
    const { carnet } = this;
    const code = (await personnesGardees()).some((p) => p.personne === carnet.personne && p.enveloppe);
    const coquille = Boolean(navigator.serviceWorker?.controller);
    const point = (fait, texte) => el("li", { class: fait ? "fait" : "a-preparer" }, el("span", { class: "visually-hidden" }, fait ? "Fait : " : "À faire : "), texte);
    return el(
      "section",
      { class: "panneau preparation", "aria-labelledby": "titre-preparation" },
      el("h2", { id: "titre-preparation" }, "Partir sans réseau"),
      el("ul", { class: "points-preparation" },
        point(coquille, coquille ? "L’application est gardée sur cet appareil." : "L’application n’est pas encore gardée : rechargez cette page avec le réseau."),
        point(carnet.visites.size > 0, carnet.visites.size ? `${pluriel(carnet.visites.size, "visite")} sur cet appareil, chiffrées.`.replace(/^1 visite sur cet appareil, chiffrées/, "1 visite sur cet appareil, chiffrée") : "Aucune visite à garder."),
        point(code, code ? "Un code rouvre vos visites sans réseau." : "Sans code, une page fermée hors réseau ne se rouvre pas (rien ne se perd pour autant).")),
      this.#choixDuCode(code),
    );
  }

  #choixDuCode(deja) {
    const [idCode, idDeux] = [cleUnique("code"), cleUnique("code")];
    const champ = (id) => el("input", { type: "password", class: "form-control", id, autocomplete: "new-password", minlength: CODE_MIN, required: true });
    const [un, deux] = [champ(idCode), champ(idDeux)];
    un.setAttribute("aria-describedby", `${idCode}-aide`);
    const erreur = el("p", { class: "erreur", role: "alert" });
    const formulaire = el(
      "form",
      { class: "formulaire-etroit", novalidate: true },
      el("label", { class: "form-label", for: idCode }, "Code de cet appareil"),
      el("p", { class: "form-text", id: `${idCode}-aide` }, `${CODE_MIN} signes au moins. Il ne quitte pas l’appareil et ne se retrouve pas : oublié, vos visites se rouvrent en vous connectant avec le réseau.`),
      un,
      el("label", { class: "form-label", for: idDeux }, "Le même, une seconde fois"),
      deux,
      erreur,
      el("div", { class: "actions" }, el("button", { class: "btn btn-primary" }, deja ? "Changer le code" : "Choisir ce code")),
    );
    formulaire.addEventListener("submit", async (evenement) => {
      evenement.preventDefault();
      erreur.textContent = [...un.value].length < CODE_MIN ? `Ce code a ${pluriel([...un.value].length, "signe")} : il en faut ${CODE_MIN} au moins.` : un.value !== deux.value ? "Les deux codes diffèrent : retapez-les." : "";
      if (erreur.textContent) return un.focus();
      try {
        const donnees = await demanderLesDonnees(this.config.donnees);
        if (donnees.personne !== this.carnet.personne) throw new Error("Vous êtes connecté sous un autre compte.");
        const octets = depuisBase64(donnees.cle);
        await inscrire(this.carnet.personne, await envelopper(octets, un.value, this.carnet.personne));
        octets.fill(0);
      } catch (faute) {
        erreur.textContent = `Le code n’est pas posé. ${faute.message}`;
        return undefined;
      }
      annoncer("Le code est posé.");
      return this.aller();
    });
    return el("details", { open: !deja }, el("summary", {}, deja ? "Changer le code" : "Choisir un code"), formulaire);
  }

  // --- La file ----------------------------------------------------------------------------------------------------------

  #rafraichirLaFile() {
    const { carnet, expediteur } = this;
    const champs = carnet.champsEnAttente();
    const photos = carnet.photosEnAttente();
    const bloquees = [...carnet.files.values()].filter((f) => f.bloquee);
    const reste = champs.length + photos.length > 0;
    const grave = bloquees.length || champs.some((c) => ["refusee", "conflit"].includes(carnet.saisie(c.controle, c.champ).etat)) || photos.some((p) => p.etat === "erreur");
    const quoi = expediteur.quoi;
    this.barre.dataset.statut = ["session", "autre", "panne", "refus"].includes(quoi) || grave ? "erreur" : quoi === "hors_ligne" ? "hors_ligne" : reste ? "attente" : "fini";
    const compte = phraseDAttente(champs.length, photos.length);
    const suite = quoi === "envoi" ? "envoi en cours…" : quoi === "hors_ligne" ? "pas de réseau" : grave ? "voyez le détail" : "";
    this.texte.textContent = reste ? [compte, suite].filter(Boolean).join(" ; ") : quoi === "hors_ligne" ? "Pas de réseau. Tout est envoyé." : "Tout est envoyé";
    this.depart.hidden = !reste || quoi === "envoi" || (quoi === "hors_ligne" && navigator.onLine === false); // il partira tout seul
    this.pli.hidden = !reste;
    this.#detailler(champs, photos, bloquees);
    const dit = grave ? "Une saisie demande votre attention : voyez le détail." : !reste ? "Tout est envoyé." : ["hors_ligne", "session", "autre", "panne"].includes(quoi) ? expediteur.phrase : "";
    if (dit && dit !== this.dernier) annoncer((this.dernier = dit));
    this.#direLaSession(quoi, expediteur.phrase);
  }

  #detailler(champs, photos, bloquees) {
    const { carnet } = this;
    const lien = (controle, texte) => (carnet.visites.has(controle) ? el("a", { href: `#visite/${controle}` }, texte) : texte);
    const lignes = champs.map(({ controle, champ }) => el("li", {}, lien(controle, nommerLeChamp(carnet, controle, champ)), " : ", DITS[carnet.saisie(controle, champ).etat]));
    lignes.push(...photos.map((p) => el("li", {}, lien(p.controle, p.legende || "Photo"), " : ", p.etat === "erreur" ? (p.phrase || "refusée") : "à envoyer")));
    this.detail.replaceChildren(
      ...bloquees.map((f) =>
        el("div", { class: "alert alert-danger" }, el("p", {}, `${carnet.visites.get(f.controle)?.numero ?? `Visite n° ${f.controle}`} : ${f.bloquee} Vos saisies restent sur cet appareil.`),
          el("div", { class: "actions" }, bouton("Réessayer", () => this.#debloquer(f.controle, false)), bouton("Renuméroter et envoyer", () => this.#debloquer(f.controle, true), "btn btn-outline-secondary")))),
      el("ul", {}, lignes),
    );
  }

  async #debloquer(controle, neuf) {
    if (neuf && (await demander({ titre: "Renuméroter les saisies ?", phrases: ["Elles repartiront comme d’un nouvel appareil. Si le portail en avait déjà pris une, il vous montrera les deux textes : rien n’est écrasé."], choix: [["non", "Annuler", "btn-outline-secondary"], ["oui", "Renuméroter", "btn-primary"]] })) !== "oui") return;
    await debloquer(this.carnet, controle, { neuf });
    await this.expediteur.reprendre();
  }

  // --- Ce qui se dit en tête ----------------------------------------------------------------------------------------------

  bandeau(cle, classe, role, ...contenu) {
    let boite = this.bandeaux.querySelector(`[data-cle="${cle}"]`);
    if (!contenu.length) return boite?.remove();
    const texte = contenu.map((c) => c.textContent ?? c).join("");
    if (boite?.textContent === texte) return undefined;
    boite?.remove();
    boite = el("div", { class: `alert ${classe}`, role, "data-cle": cle });
    this.bandeaux.append(boite);
    boite.append(...contenu);
    return undefined;
  }

  #direLaSession(quoi, phrase) {
    if (quoi === "session" || quoi === "autre") this.bandeau("session", "alert-warning", "status", `${phrase} `, el("a", { href: this.config.connexion, target: "_blank", rel: "opener" }, "Se reconnecter (nouvel onglet)"));
    else if (quoi === "panne" || quoi === "refus") this.bandeau("session", "alert-warning", "status", phrase);
    else this.bandeau("session");
  }

  async #rafraichirLesBandeaux() {
    const { carnet } = this;
    const perdus = [...carnet.nonGardes.values()].map((n) => (n.visites ? "les visites lues sur le portail" : n.photo ? `la photo « ${carnet.photos.get(n.photo)?.legende || "sans légende"} »` : `« ${nommerLeChamp(carnet, n.controle, n.champ)} »`));
    if (perdus.length) this.bandeau("plein", "alert-danger", "alert", `Cet appareil n’a plus de place. N’y est pas gardé : ${perdus.join(", ")}. Ne fermez pas cette page : l’envoi se fait dès que le réseau le permet. Libérez de la place (photos, applications).`);
    else this.bandeau("plein");
    if (carnet.ecartes) this.bandeau("ecartes", "alert-warning", "status", `${pluriel(carnet.ecartes, "enregistrement")} de cet appareil ${carnet.ecartes > 1 ? "sont abîmés et mis" : "est abîmé et mis"} de côté : vérifiez vos dernières saisies. Le reste est intact.`);
    if (faussee(carnet.etat.decalage)) this.bandeau("horloge", "alert-warning", "status", direHorloge(carnet.etat.decalage));
    else this.bandeau("horloge");
    const place = await navigator.storage?.estimate?.();
    const libre = place ? place.quota - place.usage : Infinity;
    if (libre < PLACE_BASSE && !perdus.length) this.bandeau("place", "alert-warning", "status", `Il reste ${Math.max(0, Math.floor(libre / 1024 / 1024))} Mo pour le portail sur cet appareil : envoyez ce qui attend, libérez de la place.`);
    else this.bandeau("place");
  }

  versionNeuve(prendre) {
    this.bandeau("version", "alert-info", "status", "Une nouvelle version est prête. ", bouton("La prendre", async () => {
      await viderLesChamps();
      if (this.carnet.nonGardes.size) return annoncer("Attendez : une saisie n’est pas encore gardée.");
      return prendre();
    }, "btn btn-sm btn-primary"));
  }
}

function phraseDAttente(saisies, photos) {
  const morceaux = [saisies && pluriel(saisies, "saisie"), photos && pluriel(photos, "photo")].filter(Boolean);
  return morceaux.length ? `${morceaux.join(" et ")} à envoyer` : "";
}

