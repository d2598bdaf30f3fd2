import { CLE, activite } from "./activite.js";

// Ce que toute page fait de plus quand JavaScript est là ; sans lui, tout marche encore.
document.documentElement.classList.add("js");

for (const choix of document.querySelectorAll("[data-envoi-direct]")) {
  choix.addEventListener("change", () => choix.form.requestSubmit());
}

const bouton = document.querySelector("[data-menu]");
bouton?.addEventListener("click", () => bouton.setAttribute("aria-expanded", bouton.getAttribute("aria-expanded") === "false"));

// Au téléphone, un tableau se lit en cartes : chaque case y dit le titre de sa colonne.
function titrer() {
  for (const table of document.querySelectorAll("table.en-cartes")) {
    const titres = [...table.querySelectorAll("thead th")].map((th) => th.textContent.trim());
    for (const ligne of table.querySelectorAll("tbody tr, tfoot tr")) {
      if (ligne.querySelector("[colspan]")) continue;
      for (const [rang, c] of [...ligne.cells].entries()) {
        const vide = !c.textContent.trim() && !c.querySelector("input, svg, img");
        if (rang && titres[rang] && !vide) c.dataset.titre ??= titres[rang];
      }
    }
  }
}
titrer();
document.addEventListener("htmx:afterSwap", titrer);

const resume = document.querySelector("[data-resume-erreurs]");
if (resume) resume.focus();

for (const form of document.querySelectorAll("form[data-une-fois]")) {
  form.addEventListener("submit", (evenement) => {
    if (form.dataset.parti) return evenement.preventDefault();
    form.dataset.parti = "oui";
  });
}

// Cet appareil garde des visites : avant la sortie, ce qui reste s’envoie, puis tout s’efface.
if (localStorage.getItem("portail-visites")) {
  for (const form of document.querySelectorAll("form[data-sortie]")) {
    form.addEventListener("submit", async (evenement) => {
      evenement.preventDefault();
      const { sortir } = await import("./visite/sortie.js");
      await sortir(form, Number(document.body.dataset.personne), form.dataset.sortie);
    });
  }
}

// Fin de session : prévenir avant, partager entre onglets, ne rien perdre.
const corps = document.body;
const duree = Number(corps.dataset.sessionDuree || 0) * 1000;

if (duree) {
  activite();
  const preavis = Number(corps.dataset.sessionPreavis) * 1000;
  const dialogue = document.getElementById("fin-de-session");
  const jeton = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const restant = () => Number(localStorage.getItem(CLE) || Date.now()) + duree - Date.now();

  dialogue.querySelector("[data-prolonger]").addEventListener("click", async () => {
    const reponse = await fetch(corps.dataset.sessionProlonger, {
      method: "POST",
      headers: { "X-CSRFToken": jeton(), Accept: "application/json" },
    }).catch(() => null);
    if (reponse?.ok) {
      activite();
      dialogue.close();
    } else {
      dialogue.querySelector("[data-reste]").textContent = "maintenant : reconnectez-vous dans un autre onglet";
    }
  });

  setInterval(() => {
    const reste = restant();
    if (reste <= preavis && !dialogue.open) dialogue.showModal();
    if (reste > preavis && dialogue.open) dialogue.close();
    if (dialogue.open && reste > 0) {
      const minutes = Math.max(1, Math.round(reste / 60000));
      dialogue.querySelector("[data-reste]").textContent = `${minutes} minute${minutes > 1 ? "s" : ""}`;
    }
  }, 5000);
  document.body.addEventListener("htmx:afterRequest", activite);
}
