// Chaque champ est gardé dès qu’on s’arrête de taper. Un échec se voit, se réessaie, et ne perd rien.
import { activite } from "./activite.js";

const ATTENTE = 800;
const barre = document.querySelector("[data-barre-sauvegarde]");
const personne = document.body.dataset.personne ?? "";
const champs = [];

// Ce que le serveur a rendu, que la personne ait tapé ou non avant l’arrivée de ce module.
function rendue(champ) {
  if (champ.type === "checkbox") return champ.defaultChecked ? champ.value : "";
  if (champ.options) return ([...champ.options].find((o) => o.defaultSelected) ?? champ.options[0])?.value ?? "";
  const copie = champ.cloneNode();
  copie.value = champ.defaultValue;
  return copie.value;
}

function saisie(champ) {
  return champ.type === "checkbox" && !champ.checked ? "" : champ.value;
}

function cle(champ) {
  return `brouillon:${personne}:${champ.dataset.url}`;
}

function dire(champ, statut, texte) {
  const zone = document.getElementById(champ.dataset.statut);
  if (!zone) return;
  zone.dataset.statut = statut;
  zone.textContent = texte;
  if (zone.matches(".visually-hidden, [data-discret]")) { // une case de tableau : on ne la dit qu’en erreur
    zone.dataset.discret = "";
    zone.classList.toggle("visually-hidden", statut !== "erreur");
  }
}

function resumer() {
  if (!barre) return;
  const texte = barre.querySelector("[data-texte]");
  const bouton = barre.querySelector("[data-reessayer]");
  const enErreur = champs.filter((c) => c.suivi.statut === "erreur");
  const enCours = champs.filter((c) => c.suivi.statut === "attente" || c.suivi.statut === "envoi");
  bouton.hidden = !enErreur.length;
  if (enErreur.length) {
    barre.dataset.statut = "erreur";
    texte.setAttribute("role", "alert");
    const nom = enErreur[0].getAttribute("aria-label");
    texte.textContent = nom ? `${nom} : ${enErreur[0].suivi.phrase}` : enErreur[0].suivi.phrase;
  } else {
    texte.setAttribute("role", "status");
    barre.dataset.statut = enCours.length ? "attente" : "enregistre";
    if (enCours.length) texte.textContent = "Enregistrement…";
    else if (barre.dataset.heure) texte.textContent = `Enregistré à ${barre.dataset.heure}`;
  }
}

function marquer(champ, statut, phrase) {
  champ.suivi.statut = statut;
  champ.suivi.phrase = phrase;
  dire(champ, statut, phrase);
  resumer();
}

async function envoyer(champ) {
  const suivi = champ.suivi;
  clearTimeout(suivi.minuterie);
  if (suivi.conflit || saisie(champ) === suivi.garde) return;
  if (suivi.statut === "envoi") {
    suivi.encore = true;
    return;
  }
  const valeur = saisie(champ);
  marquer(champ, "envoi", "Enregistrement…");
  let reponse;
  try {
    reponse = await fetch(champ.dataset.url, {
      method: "POST",
      headers: {
        "X-CSRFToken": champ.form.querySelector("[name=csrfmiddlewaretoken]").value,
        "X-Requested-With": "XMLHttpRequest",
        Accept: "application/json",
      },
      body: new URLSearchParams({ valeur, version: champ.dataset.version }),
    });
  } catch {
    return echouer(champ, "Pas de connexion : votre texte est gardé ici et repartira tout seul.");
  }
  const donnees = await reponse.json().catch(() => ({}));
  if (reponse.ok && "version" in donnees) {
    activite();
    champ.dataset.version = donnees.version;
    suivi.garde = valeur;
    suivi.essais = 0;
    suivi.jetonNeuf = false;
    localStorage.removeItem(cle(champ));
    if (barre) barre.dataset.heure = donnees.enregistre_a;
    marquer(champ, "enregistre", `Enregistré à ${donnees.enregistre_a}`);
    montrerAlertes(champ, donnees.avertissements ?? []);
    if (suivi.encore || saisie(champ) !== valeur) {
      suivi.encore = false;
      return envoyer(champ);
    }
    return;
  }
  if (reponse.status === 409) return conflit(champ, donnees);
  if (reponse.status === 422) {
    marquer(champ, "erreur", donnees.erreur);
    champ.setAttribute("aria-invalid", "true");
    champ.classList.add("is-invalid");
    return;
  }
  if (reponse.status === 401)
    return echouer(champ, "Votre session est finie. Rien n’est perdu : reconnectez-vous dans un autre onglet, puis Réessayer.", false);
  if (reponse.status === 403 && !suivi.jetonNeuf && (await jetonFrais())) {
    suivi.jetonNeuf = true;
    marquer(champ, "attente", "Nouvel essai…");
    return envoyer(champ);
  }
  if (reponse.status === 403) return echouer(champ, donnees.erreur || "Ce champ n’est plus modifiable.", false);
  echouer(champ, "Le portail ne répond pas : votre texte est gardé ici et repartira tout seul.");
}

// Après une reconnexion dans un autre onglet, le jeton de cette page ne vaut plus : on en prend un neuf, sans la quitter.
async function jetonFrais() {
  const page = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!page?.ok || page.redirected) return false;
  const neuf = new DOMParser().parseFromString(await page.text(), "text/html").querySelector("[name=csrfmiddlewaretoken]");
  if (!neuf) return false;
  for (const entree of document.querySelectorAll("[name=csrfmiddlewaretoken]")) entree.value = neuf.value;
  return true;
}

function echouer(champ, phrase, seul = true) {
  const suivi = champ.suivi;
  suivi.encore = false;
  marquer(champ, "erreur", phrase);
  if (!seul) return;
  suivi.essais = Math.min((suivi.essais || 0) + 1, 6);
  suivi.minuterie = setTimeout(() => envoyer(champ), 1000 * 2 ** suivi.essais);
}

function montrerAlertes(champ, phrases) {
  champ.removeAttribute("aria-invalid");
  champ.classList.remove("is-invalid");
  const zone = document.getElementById(champ.dataset.alertes);
  if (!zone) return;
  zone.replaceChildren(...phrases.map((p) => Object.assign(document.createElement("li"), { textContent: p })));
  zone.hidden = !phrases.length;
}

function conflit(champ, donnees) {
  const suivi = champ.suivi;
  suivi.conflit = true;
  marquer(champ, "erreur", `${donnees.par} a modifié ce champ : choisissez le texte à garder.`);
  const boite = document.createElement("div");
  boite.className = "conflit";
  boite.setAttribute("role", "alert");
  const deux = document.createElement("div");
  deux.className = "deux";
  const colonne = (titre, texte, libelle, geste) => {
    const bloc = document.createElement("div");
    const h = Object.assign(document.createElement("h3"), { textContent: titre });
    const pre = Object.assign(document.createElement("pre"), { textContent: texte });
    const bouton = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary btn-sm", textContent: libelle });
    bouton.addEventListener("click", () => {
      suivi.conflit = false;
      champ.dataset.version = donnees.version;
      boite.remove();
      geste();
    });
    bloc.append(h, pre, bouton);
    return bloc;
  };
  const nu = (html) => new DOMParser().parseFromString(html.replaceAll(/<\/(p|li)>/g, "\n"), "text/html").body.textContent;
  deux.append(
    colonne("Votre texte", champ.hasAttribute("data-riche") ? nu(champ.value) : saisie(champ), "Garder le mien", () => envoyer(champ)),
    colonne(`Le texte de ${donnees.par}, ${donnees.le}`, donnees.affichage, "Prendre l’autre", () => {
      suivi.garde = donnees.valeur;
      poser(champ, donnees.valeur);
      localStorage.removeItem(cle(champ));
      marquer(champ, "enregistre", "Texte de votre collègue repris.");
    }),
  );
  boite.append(deux);
  champ.closest("[data-bloc]").append(boite);
}

function poser(champ, valeur) {
  champ.value = valeur;
  champ.dispatchEvent(new CustomEvent("poser"));
}

function proposerReprise(champ, texte) {
  const boite = document.createElement("div");
  boite.className = "alert alert-warning mt-2";
  boite.setAttribute("role", "status");
  boite.append("Un texte tapé sur cet appareil n’avait pas pu être enregistré. ");
  const oui = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-primary", textContent: "Le reprendre" });
  const non = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-outline-secondary", textContent: "L’oublier" });
  oui.addEventListener("click", () => { poser(champ, texte); boite.remove(); envoyer(champ); });
  non.addEventListener("click", () => { localStorage.removeItem(cle(champ)); boite.remove(); });
  boite.append(oui, " ", non);
  champ.closest("[data-bloc]").append(boite);
}

for (const champ of document.querySelectorAll("form[data-sauvegarde] [data-url]")) {
  champ.suivi = { garde: rendue(champ), statut: "", essais: 0 };
  champs.push(champ);
  const noter = () => {
    localStorage.setItem(cle(champ), saisie(champ));
    clearTimeout(champ.suivi.minuterie);
    champ.suivi.minuterie = setTimeout(() => envoyer(champ), ATTENTE);
    if (champ.suivi.statut !== "envoi" && !champ.suivi.conflit) marquer(champ, "attente", "Pas encore enregistré");
  };
  champ.addEventListener("input", noter);
  champ.addEventListener("change", () => envoyer(champ));
  const garde = localStorage.getItem(cle(champ));
  if (garde !== null && garde !== saisie(champ)) proposerReprise(champ, garde);
  else localStorage.removeItem(cle(champ));
  if (saisie(champ) !== champ.suivi.garde) noter();
}

const enAttente = () => champs.filter((c) => !c.suivi.conflit && saisie(c) !== c.suivi.garde);
barre?.querySelector("[data-reessayer]").addEventListener("click", () => enAttente().forEach(envoyer));
window.addEventListener("online", () => enAttente().forEach(envoyer));
window.addEventListener("beforeunload", (evenement) => {
  if (enAttente().length) evenement.preventDefault();
});
