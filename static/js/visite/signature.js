// Une signature : des traits dans un cadre de 1000 × 400, gardés comme un texte.
import { Champ } from "./champs.js";
import { bouton, cleUnique, el } from "./dom.js";

const LARGEUR = 1000;
const HAUTEUR = 400;
const PAS = 4; // on ne garde pas deux points plus proches

const lireTraits = (valeur) => (valeur ? JSON.parse(valeur) : []);
const enPoints = (trait) => [...trait, ...(trait.length === 1 ? trait : [])].map(([x, y]) => `${x},${y}`).join(" ");

function dessin(traits, attributs) {
  return el("svg", { viewBox: `0 0 ${LARGEUR} ${HAUTEUR}`, class: "signature-dessin", ...attributs }, traits.map((t) => el("polyline", { points: enPoints(t) })));
}

export function champSignature(page, nom, { libelle, aide }) {
  const id = cleUnique("signature");
  let traits = [];
  let enCours = null;
  const feuille = dessin([], { role: "img", "aria-describedby": aide ? `${id}-aide` : null });
  const nommer = () => feuille.setAttribute("aria-label", traits.length ? `${libelle} : ${traits.length} trait${traits.length > 1 ? "s" : ""}` : `${libelle} : vide`);
  const effacer = bouton("Effacer", async () => {
    traits = [];
    tracer();
    champ.noter();
    await champ.vider();
    champ.rafraichir();
  }, "btn btn-outline-secondary");
  effacer.setAttribute("aria-label", `Effacer : ${libelle}`);

  function tracer() {
    feuille.replaceChildren(el("line", { x1: 60, y1: 330, x2: 940, y2: 330, class: "signature-ligne" }), ...traits.map((t) => el("polyline", { points: enPoints(t) })));
    effacer.hidden = !traits.length;
    nommer();
  }

  function point(evenement) {
    const cadre = feuille.getBoundingClientRect();
    const borner = (v, max) => Math.max(0, Math.min(max, Math.round(v)));
    return [borner(((evenement.clientX - cadre.left) / cadre.width) * LARGEUR, LARGEUR), borner(((evenement.clientY - cadre.top) / cadre.height) * HAUTEUR, HAUTEUR)];
  }

  const champ = new Champ(page, nom, {
    entrees: [],
    lire: () => (traits.length ? JSON.stringify(traits) : ""),
    poser: (v) => {
      traits = lireTraits(v);
      tracer();
    },
    montrer: (v) => (v ? dessin(lireTraits(v), { role: "img", "aria-label": `${libelle}, ${lireTraits(v).length} trait(s)` }) : "(vide)"),
  });

  feuille.addEventListener("pointerdown", (evenement) => {
    if (!evenement.isPrimary || evenement.button) return;
    feuille.setPointerCapture(evenement.pointerId);
    enCours = [point(evenement)];
    traits.push(enCours);
    tracer();
    champ.noter();
  });
  feuille.addEventListener("pointermove", (evenement) => {
    if (!enCours || !evenement.isPrimary) return;
    const [x, y] = point(evenement);
    const [ax, ay] = enCours.at(-1);
    if (Math.hypot(x - ax, y - ay) < PAS) return;
    enCours.push([x, y]);
    feuille.lastChild.setAttribute("points", enPoints(enCours));
    champ.noter();
  });
  for (const fin of ["pointerup", "pointercancel"])
    feuille.addEventListener(fin, async () => {
      if (!enCours) return;
      enCours = null;
      nommer();
      await champ.vider();
      champ.rafraichir();
    });

  return el(
    "div",
    { class: "champ-visite", "data-champ": nom },
    el("p", { class: "form-label" }, libelle),
    aide && el("p", { class: "form-text", id: `${id}-aide` }, aide),
    el("div", { class: "signature" }, feuille),
    el("div", { class: "actions" }, effacer),
    champ.suite,
  );
}
