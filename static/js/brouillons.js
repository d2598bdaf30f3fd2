// Plusieurs formulaires sur une page, un seul s’envoie : ce qui est tapé dans les autres se garde et revient.
const personne = document.body.dataset.personne ?? "";

function champs(form) {
  return [...form.elements].filter((e) => e.name && e.type !== "hidden" && e.type !== "file" && e.type !== "submit");
}
const coche = (e) => e.type === "checkbox" || e.type === "radio";
const nomme = (e) => (coche(e) ? `${e.name}=${e.value}` : e.name); // les cases d’une même question ont le même nom
function lire(form) {
  return Object.fromEntries(champs(form).map((e) => [nomme(e), coche(e) ? String(e.checked) : e.value]));
}
function poser(form, garde) {
  for (const e of champs(form)) {
    if (!(nomme(e) in garde)) continue;
    if (coche(e)) e.checked = garde[nomme(e)] === "true";
    else e.value = garde[nomme(e)];
  }
}

function dire(form, texte, ...suite) {
  const mot = Object.assign(document.createElement("div"), { className: "alert alert-info", textContent: texte });
  mot.setAttribute("role", "status");
  mot.append(...suite);
  form.prepend(mot);
}

for (const form of document.querySelectorAll("form[data-brouillon]")) {
  const cle = `formulaire:${personne}:${form.dataset.brouillon}`;
  let depart = JSON.stringify(lire(form));
  const { depart: avant, saisie } = JSON.parse(sessionStorage.getItem(cle) ?? "{}");
  if (saisie && JSON.stringify(saisie) !== depart) {
    if (avant === depart) {
      poser(form, saisie);
      dire(form, "Votre saisie est retrouvée ; elle n’est pas encore enregistrée.");
    } else { // quelqu’un a enregistré entre-temps : on montre, on n’écrase pas
      const mien = Object.assign(document.createElement("blockquote"), { className: "mb-1", textContent: Object.values(saisie).filter(Boolean).join(" ; ") });
      const reprendre = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-outline-primary", textContent: "Reprendre la mienne" });
      reprendre.addEventListener("click", () => poser(form, saisie));
      dire(form, "Ce formulaire a changé depuis votre saisie, que voici :", mien, reprendre);
    }
  }
  form.addEventListener("input", () => sessionStorage.setItem(cle, JSON.stringify({ depart, saisie: lire(form) })));
  form.addEventListener("submit", () => sessionStorage.removeItem(cle));
  form.addEventListener("htmx:beforeRequest", () => (form.envoye = JSON.stringify(lire(form))));
  form.addEventListener("htmx:afterRequest", (e) => {
    if (!e.detail.successful) return;
    depart = form.envoye;
    if (JSON.stringify(lire(form)) === depart) sessionStorage.removeItem(cle);
  });
}
