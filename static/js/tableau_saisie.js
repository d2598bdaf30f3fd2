// Des lignes à remplir (équipe, instances, budget). Les montants se comptent en centimes entiers : aucun arrondi.
const ESPACES = /[\s\u00a0\u202f]/g;

export function centimes(saisie) {
  const nu = String(saisie ?? "").replaceAll(ESPACES, "").replace(",", ".");
  if (!/^\d{1,12}(\.\d{1,2})?$/.test(nu)) return null;
  const [entier, decimales = ""] = nu.split(".");
  return BigInt(entier) * 100n + BigInt((decimales + "00").slice(0, 2));
}

export function euros(valeur) {
  const signe = valeur < 0n ? "−" : "";
  const absolu = valeur < 0n ? -valeur : valeur;
  const entier = String(absolu / 100n).replaceAll(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
  return `${signe}${entier},${String(absolu % 100n).padStart(2, "0")}\u00a0€`;
}

function monter(source) {
  const colonnes = JSON.parse(source.dataset.colonnes);
  const budget = source.hasAttribute("data-budget");
  const cadre = Object.assign(document.createElement("div"), { className: "saisie-tableau" });
  const table = Object.assign(document.createElement("table"), { className: "table" });
  const titre = document.querySelector(`label[for="${source.id}"], #${source.id}-libelle`);
  const legende = Object.assign(document.createElement("caption"), { className: "visually-hidden", textContent: titre?.textContent.trim() ?? "" });
  const tete = document.createElement("thead");
  const rangee = document.createElement("tr");
  for (const c of colonnes) rangee.append(Object.assign(document.createElement("th"), { textContent: c.libelle, scope: "col" }));
  rangee.append(Object.assign(document.createElement("td")));
  tete.append(rangee);
  const corps = document.createElement("tbody");
  const totaux = Object.assign(document.createElement("p"), { className: "totaux" });
  totaux.setAttribute("role", "status");
  const ajout = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline-primary btn-sm mt-2", textContent: "Ajouter une ligne" });
  const modele = JSON.parse(source.dataset.modele || "[]");
  const partir = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-outline-primary btn-sm mt-2 ms-2", textContent: "Partir du plan comptable associatif" });
  let lignes = [];

  function lire() {
    try { lignes = JSON.parse(source.value || "[]"); } catch { lignes = []; }
    dessiner();
  }
  function ecrire() {
    source.value = JSON.stringify(lignes);
    compter();
    source.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function compter() {
    partir.hidden = !modele.length || lignes.length > 0;
    if (!budget) {
      const etp = colonnes.find((c) => c.code === "etp");
      if (!etp) return;
      const somme = lignes.reduce((t, l) => t + (centimes(l.etp) ?? 0n), 0n);
      totaux.textContent = `Total : ${String(somme / 100n)},${String(somme % 100n).padStart(2, "0")} ETP`;
      return;
    }
    const sommes = { charges: 0n, produits: 0n, emplois: 0n, contributions: 0n };
    for (const l of lignes) {
      const compte = String(l.compte ?? "").trim();
      const nom = compte.startsWith("86") ? "emplois" : compte.startsWith("87") ? "contributions" : compte.startsWith("6") ? "charges" : compte.startsWith("7") ? "produits" : null;
      if (nom) sommes[nom] += centimes(l.montant) ?? 0n;
    }
    const ecart = sommes.produits - sommes.charges;
    const volontaire = sommes.contributions - sommes.emplois;
    let phrase = `Charges ${euros(sommes.charges)} ; produits ${euros(sommes.produits)}. `;
    if (ecart < 0n) phrase += `Il manque ${euros(-ecart)} de produits.`;
    else if (ecart > 0n) phrase += `Les produits dépassent les charges de ${euros(ecart)}.`;
    else if (volontaire) phrase += `Contributions volontaires : 86 et 87 diffèrent de ${euros(volontaire < 0n ? -volontaire : volontaire)}.`;
    else phrase += "Budget équilibré.";
    totaux.textContent = lignes.length ? phrase : "";
    totaux.classList.toggle("desequilibre", ecart !== 0n || volontaire !== 0n);
  }
  function cellule(ligne, colonne, rang) {
    const td = document.createElement("td");
    let entree;
    if (colonne.nature === "choix") {
      entree = Object.assign(document.createElement("select"), { className: "form-select" });
      for (const valeur of ["", ...colonne.choix]) entree.append(new Option(valeur || "Choisir", valeur));
    } else {
      entree = Object.assign(document.createElement("input"), { type: "text", className: "form-control" });
      if (colonne.nature !== "texte") { entree.inputMode = "decimal"; td.className = "chiffre"; }
    }
    entree.value = ligne[colonne.code] ?? "";
    entree.setAttribute("aria-label", `${colonne.libelle}, ligne ${rang + 1}`);
    entree.addEventListener("input", () => { ligne[colonne.code] = entree.value; ecrire(); });
    entree.addEventListener("blur", () => source.dispatchEvent(new Event("change", { bubbles: true })));
    td.append(entree);
    return td;
  }
  function dessiner() {
    corps.replaceChildren(...lignes.map((ligne, rang) => {
      const tr = document.createElement("tr");
      tr.append(...colonnes.map((c) => cellule(ligne, c, rang)));
      const td = document.createElement("td");
      const retirer = Object.assign(document.createElement("button"), { type: "button", textContent: "×", title: "Retirer la ligne" });
      retirer.setAttribute("aria-label", `Retirer la ligne ${rang + 1}`);
      retirer.addEventListener("click", () => { lignes.splice(rang, 1); ecrire(); dessiner(); ajout.focus(); });
      td.append(retirer);
      tr.append(td);
      return tr;
    }));
    compter();
  }
  ajout.addEventListener("click", () => {
    lignes.push({});
    dessiner();
    corps.lastElementChild.querySelector("input,select").focus();
  });
  partir.addEventListener("click", () => {
    lignes = modele.map(([compte, libelle]) => ({ compte, libelle, montant: "" }));
    dessiner();
    corps.querySelector("td:nth-child(3) input").focus();
  });
  source.addEventListener("poser", lire);
  table.append(legende, tete, corps);
  cadre.append(table);
  source.hidden = true;
  source.after(cadre, ajout, partir, totaux);
  lire();
}

document.querySelectorAll("textarea[data-tableau]").forEach(monter);
