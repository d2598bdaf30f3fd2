// Choisir un passage du projet, à la souris ou au clavier, et l’attacher à un critère. Sans ce module, on le colle.
const barre = document.querySelector("form[data-citation]");
const annonce = document.querySelector("[data-citation-annonce]");
const zones = [...document.querySelectorAll("[data-citable]")];
const BLOCS = /^(P|LI|TR|TD|TH)$/;

// Le texte choisi, comme le serveur le lit : un paragraphe ou un point par ligne, sans nos étiquettes.
function texte(fragment) {
  let sortie = "";
  const visiter = (noeud) => {
    if (noeud.nodeType === 3) sortie += noeud.data;
    if (noeud.nodeType === 1 && noeud.matches("[data-hors-citation], .visually-hidden")) return;
    if (noeud.nodeName === "BR") sortie += "\n";
    noeud.childNodes.forEach(visiter);
    if (BLOCS.test(noeud.nodeName)) sortie += "\n";
  };
  visiter(fragment);
  return sortie.replaceAll(/\s+/g, " ").trim();
}

const zoneDe = (noeud) => (noeud.nodeType === 1 ? noeud : noeud.parentElement)?.closest("[data-citable]");

// Une citation ne coupe pas un mot : « de 62 » choisi dans « de 620 » devient « de 620 ».
function motsEntiers(plage) {
  const lettre = (noeud, rang) => noeud.nodeType === 3 && /[\p{L}\p{N}]/u.test(noeud.data[rang] ?? "");
  let { startContainer: a, startOffset: i, endContainer: b, endOffset: j } = plage;
  while (lettre(a, i) && lettre(a, i - 1)) i -= 1;
  while (lettre(b, j - 1) && lettre(b, j)) j += 1;
  plage.setStart(a, i);
  plage.setEnd(b, j);
}

// Un triple clic finit au début du bloc suivant : on s’arrête au bord de la réponse si rien ne dépasse.
function choisi() {
  const selection = window.getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const tout = selection.getRangeAt(0);
  const zone = zoneDe(tout.startContainer);
  if (!zone) return null;
  const dedans = tout.cloneRange();
  motsEntiers(dedans);
  if (!zone.contains(tout.endContainer)) dedans.setEnd(zone, zone.childNodes.length);
  const extrait = texte(dedans.cloneContents());
  if (!extrait) return null;
  const deborde = extrait !== texte(tout.cloneContents());
  if (!deborde && dedans.endContainer !== tout.endContainer) {
    selection.setBaseAndExtent(dedans.startContainer, dedans.startOffset, dedans.endContainer, dedans.endOffset);
  }
  return { zone, extrait, deborde };
}

function dire(phrase) {
  if (annonce.textContent !== phrase) annonce.textContent = phrase;
}

// Le critère déjà choisi reste s’il lit cette section ; sinon le premier qui la lit.
function proposerLeCritere(zone) {
  const section = zone.closest("section")?.getAttribute("aria-labelledby")?.replace("lecture-", "");
  const lit = (option) => option.dataset.sections.split(" ").includes(section);
  const liste = barre.elements.critere;
  if (!lit(liste.selectedOptions[0])) liste.value = ([...liste.options].find(lit) ?? liste.selectedOptions[0]).value;
}

// La barre ne cache pas ce qu’on cite.
function decouvrir(zone) {
  const dessous = window.getSelection().getRangeAt(0).getBoundingClientRect().bottom - (window.innerHeight - barre.offsetHeight - 12);
  if (dessous > 0) defileur(zone).scrollBy(0, dessous);
}

function defileur(zone) {
  for (let parent = zone.parentElement; parent; parent = parent.parentElement) {
    if (parent.scrollHeight > parent.clientHeight && /auto|scroll/.test(getComputedStyle(parent).overflowY)) return parent;
  }
  return document.scrollingElement;
}

function montrer() {
  const passage = choisi();
  if (!passage || passage.deborde) {
    if (barre.contains(document.activeElement)) return;
    barre.hidden = true;
    dire(passage ? "Choisissez un passage dans une seule réponse." : "");
    return;
  }
  barre.elements.champ.value = passage.zone.dataset.citable;
  barre.elements.extrait.value = passage.extrait;
  barre.querySelector("[data-extrait]").textContent = passage.extrait.length > 160 ? `${passage.extrait.slice(0, 160)}…` : passage.extrait;
  if (barre.previousElementSibling !== passage.zone) {
    passage.zone.after(barre); // la touche Tab y mène
    proposerLeCritere(passage.zone);
  }
  barre.hidden = false;
  decouvrir(passage.zone);
  dire(`Passage choisi : « ${passage.extrait.slice(0, 80)} ». Tabulation pour l’attacher à un critère.`);
}

function fermer() {
  const zone = barre.previousElementSibling;
  window.getSelection().removeAllRanges();
  barre.hidden = true;
  dire("");
  if (zone?.matches("[data-citable]")) zone.focus({ preventScroll: true });
}

// Flèche : le mot suivant ou précédent ; avec Maj, on étend. On ne sort pas de la réponse.
function auClavier(evenement) {
  const zone = evenement.currentTarget;
  const sens = { ArrowRight: "forward", ArrowLeft: "backward" }[evenement.key];
  if (evenement.target !== zone || !sens || evenement.ctrlKey || evenement.altKey || evenement.metaKey) return;
  evenement.preventDefault();
  const selection = window.getSelection();
  if (!selection.rangeCount || !zone.contains(selection.anchorNode)) selection.collapse(zone, 0);
  const avant = [selection.anchorNode, selection.anchorOffset, selection.focusNode, selection.focusOffset];
  if (!evenement.shiftKey && !selection.isCollapsed) sens === "forward" ? selection.collapseToEnd() : selection.collapseToStart();
  selection.modify("extend", sens, "word");
  if (!zone.contains(selection.focusNode)) selection.setBaseAndExtent(...avant);
  selection.focusNode.parentElement?.scrollIntoView({ block: "nearest" });
}

if (barre) {
  for (const zone of zones) {
    zone.tabIndex = 0;
    zone.setAttribute("role", "group");
    zone.setAttribute("aria-labelledby", `lecture-champ-${zone.dataset.citable}`);
    zone.setAttribute("aria-describedby", "mode-d-emploi-citation");
    zone.addEventListener("keydown", auClavier);
  }
  document.getElementById("mode-d-emploi-citation").hidden = false;
  let minuterie;
  document.addEventListener("selectionchange", () => {
    clearTimeout(minuterie);
    minuterie = setTimeout(montrer, 120);
  });
  document.addEventListener("keydown", (evenement) => evenement.key === "Escape" && !barre.hidden && fermer());
  barre.querySelector("[data-fermer]").addEventListener("click", fermer);
  for (const lien of document.querySelectorAll("a[data-critere]")) {
    lien.addEventListener("click", () => (barre.elements.critere.value = lien.dataset.critere));
  }
}
