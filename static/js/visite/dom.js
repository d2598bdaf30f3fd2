// De quoi écrire une page : un élément, ses attributs, ses enfants ; jamais de HTML fabriqué à la main.
export function el(nom, attributs = {}, ...enfants) {
  const espace = nom === "svg" || nom === "polyline" || nom === "line" ? "http://www.w3.org/2000/svg" : null;
  const element = espace ? document.createElementNS(espace, nom) : document.createElement(nom);
  for (const [cle, valeur] of Object.entries(attributs)) {
    if (valeur === false || valeur === null || valeur === undefined) continue;
    if (cle.startsWith("on")) element.addEventListener(cle.slice(2), valeur);
    else element.setAttribute(cle, valeur === true ? "" : valeur);
  }
  element.append(...enfants.flat().filter((e) => e !== null && e !== undefined && e !== false && e !== ""));
  return element;
}

export const bouton = (libelle, geste, classe = "btn btn-outline-primary") => el("button", { type: "button", class: classe, onclick: geste }, libelle);

let suite = 0;
export const cleUnique = (racine) => `${racine}-${++suite}`;

// Dit une chose aux lecteurs d’écran, une fois ; ce qui se voit est ailleurs.
export function annoncer(texte) {
  const zone = document.getElementById("annonce");
  if (zone && zone.textContent !== texte) zone.textContent = texte;
}

// Pose une question ; rend la valeur du bouton choisi, ou « » si l’on renonce.
export function demander({ titre, phrases, choix }) {
  return new Promise((rendre) => {
    const id = cleUnique("question");
    const dialogue = el(
      "dialog",
      { class: "question", "aria-labelledby": id },
      el("h2", { id, class: "h2" }, titre),
      phrases.map((p) => el("p", {}, p)),
      el("div", { class: "actions" }, choix.map(([valeur, libelle, classe]) => bouton(libelle, () => dialogue.close(valeur), `btn ${classe}`))),
    );
    dialogue.addEventListener("close", () => {
      dialogue.remove();
      rendre(dialogue.returnValue);
    });
    document.body.append(dialogue);
    dialogue.showModal();
  });
}
