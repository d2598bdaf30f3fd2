// Une ligne de plus dans une liste de formulaire, sans recharger la page ; sans JavaScript, enregistrer en donne d’autres.
function total(liste, nom) {
  return liste.querySelector(`[name="${liste.dataset.lignes}-${nom}_FORMS"]`);
}

function ajouter(liste, bouton) {
  const compte = total(liste, "TOTAL");
  const rang = Number(compte.value);
  const modele = [...liste.querySelectorAll(".ligne-liste")].at(-1);
  const ligne = modele.cloneNode(true);
  const avant = `${liste.dataset.lignes}-${rang - 1}-`;
  const apres = `${liste.dataset.lignes}-${rang}-`;
  for (const e of ligne.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
    for (const a of ["name", "id", "for", "aria-describedby"]) {
      if (e.hasAttribute(a)) e.setAttribute(a, e.getAttribute(a).replaceAll(avant, apres));
    }
    e.classList.remove("is-invalid");
    e.removeAttribute("aria-invalid");
  }
  for (const e of ligne.querySelectorAll(".invalid-feedback, .errorlist")) e.remove();
  for (const e of ligne.querySelectorAll("input, select, textarea")) {
    if (e.type === "checkbox") e.checked = e.name.endsWith("-obligatoire");
    else if (e.tagName === "SELECT") e.selectedIndex = 0;
    else e.value = "";
  }
  const legende = ligne.querySelector("legend");
  legende.textContent = legende.textContent.replace(/\d+$/, String(rang + 1));
  modele.after(ligne);
  compte.value = String(rang + 1);
  bouton.hidden = rang + 1 >= Number(total(liste, "MAX_NUM").value);
  ligne.querySelector("input:not([type=hidden]), select").focus();
}

for (const liste of document.querySelectorAll("[data-lignes]")) {
  const bouton = Object.assign(document.createElement("button"), {
    type: "button", className: "btn btn-outline-primary btn-sm", textContent: "Ajouter une ligne",
  });
  bouton.hidden = Number(total(liste, "TOTAL").value) >= Number(total(liste, "MAX_NUM").value);
  bouton.addEventListener("click", () => ajouter(liste, bouton));
  liste.append(bouton);
}
