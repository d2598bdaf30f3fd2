// Un texte riche limité : paragraphes, listes, gras, italique, liens. La zone de texte reste la source.
const BALISES = { B: "STRONG", STRONG: "STRONG", I: "EM", EM: "EM", A: "A", UL: "UL", OL: "OL", LI: "LI", BR: "BR", P: "P", DIV: "P", H1: "P", H2: "P", H3: "P", H4: "P" };
const OUTILS = [
  ["bold", "Gras", "Gras (Ctrl+B)"],
  ["italic", "Italique", "Italique (Ctrl+I)"],
  ["insertUnorderedList", "• Liste", "Liste à puces"],
  ["insertOrderedList", "1. Liste", "Liste numérotée"],
  ["createLink", "Lien", "Lien (Ctrl+K)"],
];

// Reconstruit l’arbre avec nos seules balises : styles, classes et commentaires d’un traitement de texte disparaissent.
export function nettoyer(source, document_ = document) {
  const dossier = document_.createDocumentFragment();
  for (const noeud of source.childNodes) {
    if (noeud.nodeType === 3) {
      dossier.append(noeud.textContent.replaceAll(/[\n\r\t ]+/g, " "));
      continue;
    }
    if (noeud.nodeType !== 1 || ["STYLE", "SCRIPT", "META", "LINK", "TITLE", "XML"].includes(noeud.tagName) || noeud.tagName.includes(":")) {
      if (noeud.nodeType === 1 && noeud.tagName.includes(":")) dossier.append(nettoyer(noeud, document_));
      continue;
    }
    const enfants = nettoyer(noeud, document_);
    let balise = BALISES[noeud.tagName];
    const poids = noeud.style?.fontWeight;
    if (noeud.tagName === "B" && poids === "normal") balise = undefined;
    if (!balise && noeud.tagName === "SPAN" && (poids === "bold" || Number(poids) >= 600)) balise = "STRONG";
    if (balise === "A" && !/^(https?:|mailto:)/i.test(noeud.getAttribute("href") ?? "")) balise = undefined;
    if (!balise) {
      dossier.append(enfants);
      continue;
    }
    const propre = document_.createElement(balise);
    if (balise === "A") propre.setAttribute("href", noeud.getAttribute("href"));
    propre.append(enfants);
    if (balise === "P" && !propre.textContent.trim()) continue;
    dossier.append(propre);
  }
  return dossier;
}

function html(zone) {
  const boite = document.createElement("div");
  boite.append(nettoyer(zone));
  const texte = boite.textContent.trim();
  if (!texte) return "";
  if (!boite.querySelector("p,ul,ol")) return `<p>${boite.innerHTML}</p>`;
  return boite.innerHTML;
}

function monter(source) {
  const cadre = document.createElement("div");
  cadre.className = "editeur";
  const outils = document.createElement("div");
  outils.className = "editeur-outils";
  outils.setAttribute("role", "toolbar");
  const nom = document.querySelector(`label[for="${source.id}"]`);
  outils.setAttribute("aria-label", `Mise en forme : ${nom?.textContent.trim() ?? ""}`);
  const zone = document.createElement("div");
  zone.className = "editeur-texte";
  zone.contentEditable = source.disabled || source.readOnly ? "false" : "true";
  zone.setAttribute("role", "textbox");
  zone.setAttribute("aria-multiline", "true");
  zone.id = `${source.id}-riche`;
  for (const attribut of ["aria-describedby", "aria-required"]) if (source.hasAttribute(attribut)) zone.setAttribute(attribut, source.getAttribute(attribut));
  if (nom) {
    nom.id ||= `${source.id}-nom`;
    zone.setAttribute("aria-labelledby", nom.id);
    nom.addEventListener("click", () => zone.focus());
  }
  const boutons = OUTILS.map(([commande, libelle, titre], rang) => {
    const bouton = Object.assign(document.createElement("button"), { type: "button", textContent: libelle, title: titre, tabIndex: rang ? -1 : 0 });
    bouton.addEventListener("mousedown", (e) => e.preventDefault());
    bouton.addEventListener("click", () => agir(commande));
    return bouton;
  });
  outils.append(...boutons);
  outils.addEventListener("keydown", (e) => {
    const ici = boutons.indexOf(document.activeElement);
    const pas = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!pas || ici < 0) return;
    e.preventDefault();
    const suivant = boutons[(ici + pas + boutons.length) % boutons.length];
    boutons.forEach((b) => (b.tabIndex = b === suivant ? 0 : -1));
    suivant.focus();
  });

  function lire() {
    const boite = new DOMParser().parseFromString(source.value, "text/html").body;
    zone.replaceChildren(nettoyer(boite));
    compter();
  }
  const compteur = document.getElementById(source.dataset.compteur);
  function compter() {
    const maximum = Number(source.dataset.maximum || 0);
    if (!compteur || !maximum) return;
    const nombre = zone.innerText.replaceAll(/\n+/g, "\n").trim().length;
    const reste = maximum - nombre;
    compteur.textContent = reste >= 0 ? `${nombre} caractères sur ${maximum}` : `${-reste} caractères de trop sur ${maximum}`;
    compteur.classList.toggle("erreur", reste < 0);
  }
  function ecrire() {
    source.value = html(zone);
    compter();
    source.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function agir(commande) {
    zone.focus();
    if (commande === "createLink") {
      const adresse = window.prompt("Adresse du lien (https://…)", "https://");
      if (!adresse || !/^(https?:|mailto:)/i.test(adresse)) return;
      document.execCommand("createLink", false, adresse);
    } else document.execCommand(commande, false);
    ecrire();
  }
  document.execCommand("defaultParagraphSeparator", false, "p");
  zone.addEventListener("input", ecrire);
  zone.addEventListener("blur", () => source.dispatchEvent(new Event("change", { bubbles: true })));
  zone.addEventListener("keydown", (e) => {
    if (!(e.ctrlKey || e.metaKey)) return;
    const commande = { b: "bold", i: "italic", k: "createLink" }[e.key.toLowerCase()];
    if (!commande) return;
    e.preventDefault();
    agir(commande);
  });
  zone.addEventListener("paste", (e) => {
    const colle = e.clipboardData.getData("text/html");
    const brut = e.clipboardData.getData("text/plain");
    e.preventDefault();
    if (colle) {
      const boite = document.createElement("div");
      boite.append(nettoyer(new DOMParser().parseFromString(colle, "text/html").body));
      document.execCommand("insertHTML", false, boite.innerHTML);
    } else document.execCommand("insertText", false, brut);
    ecrire();
  });
  source.addEventListener("poser", lire);
  lire();
  cadre.append(outils, zone);
  const tapait = document.activeElement === source;
  source.hidden = true;
  source.after(cadre);
  if (tapait) {
    zone.focus();
    window.getSelection().selectAllChildren(zone);
    window.getSelection().collapseToEnd();
  }
}

document.querySelectorAll("textarea[data-riche]").forEach(monter);
