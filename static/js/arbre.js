// L’arbre du projet, saisi comme une liste imbriquée : Entrée, Ctrl+Entrée, Alt+flèches, ou les boutons.
const nouveau = () => `n${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;

function monter(source) {
  const natures = JSON.parse(source.dataset.natures);
  const libelles = JSON.parse(source.dataset.libelles);
  const racine = Object.assign(document.createElement("ul"), { className: "arbre" });
  racine.setAttribute("aria-label", "Arbre du projet");
  const annonce = Object.assign(document.createElement("p"), { className: "visually-hidden" });
  annonce.setAttribute("role", "status");
  const pied = Object.assign(document.createElement("div"), { className: "actions" });
  let arbre = [];
  let retire = null;

  const noeud = (nature) => ({ id: nouveau(), nature, texte: "", enfants: [] });
  function lire() {
    try { arbre = JSON.parse(source.value || "[]"); } catch { arbre = []; }
    dessiner();
  }
  function ecrire() {
    source.value = JSON.stringify(arbre);
    source.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function trouver(id, liste = arbre, parent = null) {
    for (const [rang, n] of liste.entries()) {
      if (n.id === id) return { n, liste, rang, parent };
      const plusBas = trouver(id, n.enfants, n);
      if (plusBas) return plusBas;
    }
    return null;
  }
  function apres(phrase, id) {
    ecrire();
    dessiner();
    annonce.textContent = phrase;
    if (id) racine.querySelector(`[data-id="${id}"] textarea`)?.focus();
  }
  function frere(id) {
    const { n, liste, rang } = trouver(id);
    const ajoute = noeud(n.nature);
    liste.splice(rang + 1, 0, ajoute);
    apres(`${libelles[n.nature]} ajouté`, ajoute.id);
  }
  function enfant(id) {
    const { n } = trouver(id);
    const nature = natures[n.nature][0];
    if (!nature) return;
    const ajoute = noeud(nature);
    n.enfants.push(ajoute);
    apres(`${libelles[nature]} ajouté`, ajoute.id);
  }
  function bouger(id, pas) {
    const { n, liste, rang } = trouver(id);
    if (!liste[rang + pas]) return;
    liste.splice(rang, 1);
    liste.splice(rang + pas, 0, n);
    apres("Ligne déplacée", id);
  }
  function supprimer(id) {
    const { n, liste, rang, parent } = trouver(id);
    retire = { n, rang, parent: parent?.id };
    liste.splice(rang, 1);
    apres("Ligne supprimée. Vous pouvez annuler.", liste[Math.max(0, rang - 1)]?.id ?? parent?.id);
  }
  function annuler() {
    if (!retire) return;
    const liste = retire.parent ? trouver(retire.parent)?.n.enfants : arbre;
    liste?.splice(retire.rang, 0, retire.n);
    const id = retire.n.id;
    retire = null;
    apres("Suppression annulée", id);
  }
  function bouton(texte, nom, geste) {
    const b = Object.assign(document.createElement("button"), { type: "button", textContent: texte, title: nom });
    b.setAttribute("aria-label", nom);
    b.addEventListener("click", geste);
    return b;
  }
  function ligne(n) {
    const li = document.createElement("li");
    li.dataset.id = n.id;
    const div = Object.assign(document.createElement("div"), { className: "ligne" });
    const nature = Object.assign(document.createElement("span"), { className: "nature", textContent: libelles[n.nature], id: `nature-${n.id}` });
    const texte = Object.assign(document.createElement("textarea"), { value: n.texte, rows: 1, className: "form-control", maxLength: 1000 });
    texte.setAttribute("aria-labelledby", nature.id);
    texte.addEventListener("input", () => { n.texte = texte.value; ecrire(); });
    texte.addEventListener("blur", () => source.dispatchEvent(new Event("change", { bubbles: true })));
    texte.addEventListener("keydown", (e) => {
      if (e.key === "Enter" && !e.shiftKey) { e.preventDefault(); e.ctrlKey || e.metaKey ? enfant(n.id) : frere(n.id); }
      if (e.altKey && e.key === "ArrowUp") { e.preventDefault(); bouger(n.id, -1); }
      if (e.altKey && e.key === "ArrowDown") { e.preventDefault(); bouger(n.id, 1); }
    });
    const nom = n.texte.slice(0, 30) || libelles[n.nature];
    const plusBas = natures[n.nature][0];
    div.append(nature, texte);
    if (plusBas) div.append(bouton(`+ ${libelles[plusBas]}`, `Ajouter sous « ${nom} » : ${libelles[plusBas]}`, () => enfant(n.id)));
    div.append(bouton("↑", `Monter « ${nom} »`, () => bouger(n.id, -1)), bouton("↓", `Descendre « ${nom} »`, () => bouger(n.id, 1)), bouton("×", `Supprimer « ${nom} »`, () => supprimer(n.id)));
    li.append(div);
    if (n.enfants.length) {
      const ul = document.createElement("ul");
      ul.append(...n.enfants.map(ligne));
      li.append(ul);
    }
    return li;
  }
  function dessiner() {
    racine.replaceChildren(...arbre.map(ligne));
    const ajouts = natures[""].map((nature) => {
      const b = bouton(`Ajouter : ${libelles[nature]}`, `Ajouter : ${libelles[nature]}`, () => {
        const ajoute = noeud(nature);
        arbre.push(ajoute);
        apres(`${libelles[nature]} ajouté`, ajoute.id);
      });
      b.className = "btn btn-outline-primary btn-sm";
      return b;
    });
    pied.replaceChildren(...ajouts);
    if (retire) {
      const b = bouton("Annuler la suppression", "Annuler la suppression", annuler);
      b.className = "btn btn-outline-secondary btn-sm";
      pied.append(b);
    }
  }
  source.addEventListener("poser", lire);
  lire();
  source.hidden = true;
  source.after(racine, pied, annonce);
}

document.querySelectorAll("textarea[data-arbre]").forEach(monter);
