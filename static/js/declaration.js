// Les totaux de la déclaration, au centime, pendant la frappe. Le serveur les refait ; ici, on évite d’attendre.
import { centimes, euros } from "./tableau_saisie.js";

const charges = document.querySelector('[data-grille="charges"]');
const produits = document.querySelector('[data-grille="produits"]');
const phrase = document.querySelector("[data-phrase]");
const volontaire = document.querySelector("[data-phrase-volontaire]");

// Une case refusée garde en base sa valeur d’avant : les totaux la comptent, pas ce qui est tapé.
const gardees = new WeakMap();
const lire = (entree) => {
  const tape = entree.value.trim() === "" ? 0n : centimes(entree.value);
  if (tape === null) return gardees.get(entree) ?? 0n;
  gardees.set(entree, tape);
  return tape;
};
const saisies = (rangee) => [...rangee.querySelectorAll("input[data-url]")];

function ecrire(selecteur, racine, valeur) {
  const cible = racine.querySelector(selecteur);
  if (cible) cible.textContent = euros(valeur);
}

function compter() {
  const colonnes = [0n, 0n, 0n];
  let totalCharges = 0n;
  let emplois = 0n;
  for (const rangee of charges.querySelectorAll("tr[data-compte]")) {
    const cases = saisies(rangee);
    if (!cases.length) continue;
    const montants = cases.map(lire);
    const total = montants.reduce((a, b) => a + b, 0n);
    ecrire("[data-total]", rangee, total);
    if (rangee.dataset.compte === "86") {
      emplois += total;
      continue;
    }
    totalCharges += total;
    montants.forEach((m, i) => (colonnes[i] += m));
  }
  let totalProduits = 0n;
  let contributions = 0n;
  for (const rangee of produits.querySelectorAll("tr[data-compte]")) {
    const montant = saisies(rangee).reduce((t, c) => t + lire(c), 0n);
    if (rangee.dataset.compte.startsWith("87")) contributions += montant;
    else totalProduits += montant;
  }
  colonnes.forEach((c, i) => ecrire(`[data-somme="${i}"]`, charges, c));
  ecrire('[data-somme="charges"]', charges, totalCharges);
  ecrire('[data-somme="produits"]', produits, totalProduits);
  dire(totalProduits - totalCharges, contributions - emplois);
}

function dire(resultat, ecart) {
  const absolu = euros(resultat < 0n ? -resultat : resultat);
  if (resultat === 0n) phrase.textContent = "Charges et produits sont égaux.";
  else if (phrase.dataset.constate === "1") phrase.textContent = `${resultat > 0n ? "Excédent" : "Déficit"} de ${absolu}.`;
  else if (resultat < 0n) phrase.textContent = `Le budget n’est pas équilibré : il manque ${absolu} de produits.`;
  else phrase.textContent = `Le budget n’est pas équilibré : les produits dépassent les charges de ${absolu}.`;
  volontaire.textContent = ecart === 0n ? "" : `Contributions volontaires : emplois (86) et ressources (87) diffèrent de ${euros(ecart < 0n ? -ecart : ecart)} ; ils doivent être égaux.`;
}

// Toutes les cases sont ouvertes : sinon (correction), les totaux affichés viennent du serveur, on n’y touche pas.
const partielle = document.querySelector(".montant-lu") !== null;
if (!partielle) {
  document.querySelectorAll(".grille input[data-url]").forEach(lire);
  document.addEventListener("input", (e) => e.target.matches?.(".grille input") && compter());
}
