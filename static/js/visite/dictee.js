// Dicter plutôt que taper, là où le navigateur sait le faire ; la reconnaissance passe souvent par le réseau.
import { bouton, el } from "./dom.js";

const Reconnaissance = window.SpeechRecognition ?? window.webkitSpeechRecognition;

const PHRASES = {
  network: "La dictée de ce navigateur a besoin du réseau : tapez, ou réessayez plus tard.",
  "not-allowed": "Le micro n’est pas autorisé : ouvrez-le dans les réglages du navigateur.",
  "service-not-allowed": "Le micro n’est pas autorisé : ouvrez-le dans les réglages du navigateur.",
  "audio-capture": "Aucun micro n’est disponible.",
};

export function dicter(entree) {
  if (!Reconnaissance) return null;
  let ecoute = null;
  const dit = el("p", { class: "form-text", role: "status" }, "");
  const commande = bouton("Dicter", () => (ecoute ? ecoute.stop() : commencer()), "btn btn-outline-primary");
  commande.setAttribute("aria-pressed", "false");

  function commencer() {
    ecoute = new Reconnaissance();
    Object.assign(ecoute, { lang: "fr-FR", continuous: true, interimResults: false });
    ecoute.addEventListener("result", (evenement) => {
      const texte = [...evenement.results].slice(evenement.resultIndex).map((r) => r[0].transcript.trim()).join(" ");
      entree.value = [entree.value.trimEnd(), texte].filter(Boolean).join(entree.value ? " " : "");
      entree.dispatchEvent(new Event("input", { bubbles: true }));
    });
    ecoute.addEventListener("error", ({ error }) => (dit.textContent = PHRASES[error] ?? "La dictée s’est arrêtée : tapez, ou réessayez."));
    ecoute.addEventListener("end", () => {
      ecoute = null;
      commande.textContent = "Dicter";
      commande.setAttribute("aria-pressed", "false");
    });
    dit.textContent = "Parlez : ce qui est compris s’ajoute au texte.";
    commande.textContent = "Arrêter la dictée";
    commande.setAttribute("aria-pressed", "true");
    ecoute.start();
  }
  return el("div", { class: "dictee" }, commande, el("span", { class: "form-text" }, "La dictée peut demander le réseau."), dit);
}
