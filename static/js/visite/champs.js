// Un champ de la fiche : ce qu’on y tape est gardé en moins d’une demi-seconde, ce qu’il devient se lit à côté.
import { bouton, cleUnique, el } from "./dom.js";
import { heure } from "./heures.js";

const CADENCE = 250;
const vivants = new Map(); // champ affiché → Champ

export function viderLesChamps() {
  return Promise.all([...vivants.values()].map((champ) => champ.vider()));
}

export function oublierLesChamps() {
  vivants.clear();
}

export function rafraichirLesChamps(nom) {
  if (nom) vivants.get(nom)?.rafraichir();
  else for (const champ of vivants.values()) champ.rafraichir();
}

export class Champ {
  // ``lire`` et ``poser`` : la valeur dans la page ; ``montrer`` : une valeur rendue lisible, pour comparer deux textes.
  constructor(page, nom, { lire, poser, montrer, entrees }) {
    Object.assign(this, { page, nom, lire, poser, montrer: montrer ?? ((v) => v || "(vide)"), entrees, retape: false, minuterie: 0 });
    this.idStatut = cleUnique("statut");
    this.statut = el("p", { class: "statut-champ", id: this.idStatut });
    this.alerte = el("div", { class: "erreur", role: "alert" });
    this.conflit = el("div", {});
    vivants.set(nom, this);
    for (const entree of entrees) {
      entree.setAttribute("aria-describedby", [entree.getAttribute("aria-describedby"), this.idStatut].filter(Boolean).join(" "));
      entree.addEventListener("input", () => this.noter());
      entree.addEventListener("blur", () => this.quitter());
      entree.addEventListener("change", () => this.vider());
    }
    poser(this.saisie.valeur);
    this.rafraichir();
  }

  get saisie() {
    return this.page.carnet.saisie(this.page.controle, this.nom);
  }

  get suite() {
    return [this.statut, this.alerte, this.conflit];
  }

  noter() {
    this.retape = true;
    this.minuterie ||= setTimeout(() => this.vider(), CADENCE);
  }

  // Garde maintenant ce qui est tapé.
  async vider() {
    clearTimeout(this.minuterie);
    this.minuterie = 0;
    if (!this.retape) return;
    this.retape = false;
    const gardee = this.page.carnet.saisir(this.page.controle, this.nom, this.lire());
    this.page.surChamp?.(this.nom); // ce qui s’ouvre s’ouvre au geste, pas sous le doigt suivant
    await gardee;
  }

  async quitter() {
    await this.vider();
    this.rafraichir();
  }

  get occupe() {
    return this.retape || this.entrees.includes(document.activeElement);
  }

  rafraichir() {
    const { saisie } = this;
    if (!this.occupe && this.lire() !== saisie.valeur) this.poser(saisie.valeur);
    const [classe, texte] = this.#dire(saisie);
    this.statut.className = `statut-champ ${classe}`;
    this.statut.textContent = texte;
    const grave = saisie.etat === "refusee" || (saisie.etat === "brouillon" && !this.occupe);
    const phrase = grave ? saisie.phrase : "";
    if (this.alerte.textContent !== phrase) this.alerte.textContent = phrase;
    for (const entree of this.entrees) {
      if (grave) entree.setAttribute("aria-invalid", "true");
      else entree.removeAttribute("aria-invalid");
    }
    this.#comparer(saisie);
    this.page.surChamp?.(this.nom);
  }

  #dire(saisie) {
    const { carnet, controle } = this.page;
    if (carnet.nonGardes.has(`${controle}/${this.nom}`)) return ["attention", "Pas gardé sur l’appareil, faute de place."];
    if (saisie.etat === "attente") return ["attend", "Gardé ici, à envoyer"];
    if (saisie.etat === "brouillon" || saisie.etat === "refusee") return ["attention", "Gardé ici, pas envoyé"];
    if (saisie.etat === "conflit") return ["attention", "Deux textes : choisissez celui à garder."];
    if (!saisie.lue.version) return ["", ""];
    const auteur = saisie.lue.par && saisie.lue.par !== carnet.etat.nom ? ` (${saisie.lue.par})` : "";
    return ["envoye", `Envoyé à ${heure(new Date(saisie.lue.le))}${auteur}`];
  }

  #comparer(saisie) {
    if (saisie.etat !== "conflit") return this.conflit.replaceChildren();
    const cle = JSON.stringify([saisie.valeur, saisie.autre]);
    if (this.conflit.dataset.cle === cle && this.conflit.firstChild) return undefined;
    this.conflit.dataset.cle = cle;
    const choisir = async (leMien) => {
      await this.vider();
      this.retape = false;
      await this.page.carnet.choisir(this.page.controle, this.nom, leMien);
      this.poser(this.saisie.valeur);
      this.rafraichir();
      this.entrees[0]?.focus();
    };
    const colonne = (titre, valeur, libelle, leMien) =>
      el("div", {}, el("p", { class: "titre-conflit" }, titre), el("div", { class: "texte-conflit" }, this.montrer(valeur)), bouton(libelle, () => choisir(leMien), "btn btn-primary"));
    const { autre } = saisie;
    this.conflit.replaceChildren(
      el(
        "div",
        { class: "conflit", role: "group", "aria-label": "Deux saisies pour ce champ" },
        el("p", { class: "erreur", role: "alert" }, `Un autre appareil a écrit ici${autre.par ? ` (${autre.par}, ${heure(new Date(autre.le))})` : ""} : choisissez ce qu’il faut garder.`),
        el("div", { class: "deux" }, colonne("Votre saisie", saisie.valeur, "Garder le mien", true), colonne("L’autre saisie", autre.valeur, "Prendre l’autre", false)),
      ),
    );
    return undefined;
  }
}

// --- Les genres de champ --------------------------------------------------------------------------------------------------

export function champTexte(page, nom, { libelle, aide, lignes = 3, court = false, outils = [], attributs = {} }) {
  const id = cleUnique("champ");
  const idAide = `${id}-aide`;
  const commun = { id, class: "form-control", "aria-describedby": aide ? idAide : null, autocomplete: "off", ...attributs };
  const entree = court ? el("input", { type: "text", ...commun }) : el("textarea", { rows: lignes, ...commun });
  const champ = new Champ(page, nom, { entrees: [entree], lire: () => entree.value, poser: (v) => (entree.value = v) });
  return el(
    "div",
    { class: "champ-visite", "data-champ": nom },
    el("label", { class: "form-label", for: id }, libelle),
    aide && el("p", { class: "form-text", id: idAide }, aide),
    entree,
    outils.map((outil) => outil(entree)),
    champ.suite,
  );
}

export function champChoix(page, nom, { legende, options, legendeCachee = false }) {
  const groupe = cleUnique("choix");
  const entrees = options.map(([valeur]) => el("input", { type: "radio", class: "btn-check-natif", name: groupe, id: `${groupe}-${valeur}`, value: valeur }));
  const libelles = Object.fromEntries(options);
  const champ = new Champ(page, nom, {
    entrees,
    lire: () => entrees.find((e) => e.checked)?.value ?? "",
    poser: (v) => entrees.forEach((e) => (e.checked = e.value === v)),
    montrer: (v) => libelles[v] ?? "(rien)",
  });
  return el(
    "fieldset",
    { class: "champ-visite choix", "data-champ": nom },
    el("legend", { class: legendeCachee ? "visually-hidden" : "form-label" }, legende),
    el("div", { class: "pastilles" }, entrees.map((e, i) => el("label", { class: `pastille pastille-${e.value}`, for: e.id }, e, el("span", {}, options[i][1])))),
    champ.suite,
  );
}

export function champHeure(page, nom, { libelle, noter }) {
  const id = cleUnique("heure");
  const entree = el("input", { type: "datetime-local", class: "form-control", id });
  const champ = new Champ(page, nom, { entrees: [entree], lire: () => entree.value, poser: (v) => (entree.value = v), montrer: (v) => (v ? v.replace("T", " à ") : "(vide)") });
  const bouton_ = bouton("Noter l’heure", async () => {
    entree.value = noter();
    champ.noter();
    await champ.vider();
    champ.rafraichir();
  });
  bouton_.setAttribute("aria-describedby", `${id}-nom`);
  return el(
    "div",
    { class: "champ-visite", "data-champ": nom },
    el("label", { class: "form-label", for: id, id: `${id}-nom` }, libelle),
    el("div", { class: "heure" }, entree, bouton_),
    champ.suite,
  );
}
