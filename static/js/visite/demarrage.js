// L’ouverture : avec le réseau et une session, sans rien demander ; sinon, avec le code de l’appareil.
import { Carnet } from "./carnet.js";
import { Abime, depuisBase64, importer, ouvrirEnveloppe } from "./chiffre.js";
import { viderLesChamps } from "./champs.js";
import { compter, effacerLesPerimees, personnesGardees } from "./coffre.js";
import { bouton, cleUnique, el } from "./dom.js";
import { Ecran } from "./ecran.js";
import { Arret, Expediteur, demanderLesDonnees } from "./file.js";
import { pluriel } from "./heures.js";
import { sortir } from "./sortie.js";

const config = { ...document.body.dataset };
const PORTAIL = document.title;
const zone = document.getElementById("contenu");
const LENTEUR = 6_000;
let ouvert = false;

function montrer(titre, ...contenu) {
  document.title = `${titre} | ${PORTAIL}`;
  zone.replaceChildren(el("h1", { tabindex: -1 }, titre), ...contenu.filter(Boolean));
  zone.querySelector("h1").focus({ preventScroll: true });
}

async function ouvrir(personne, cle, donnees) {
  if (ouvert) return;
  ouvert = true;
  const carnet = await Carnet.ouvrir(personne, cle);
  if (donnees) await carnet.recevoir(donnees);
  const expediteur = new Expediteur(carnet, config.donnees, donnees);
  const ecran = new Ecran(carnet, expediteur, config);
  carnet.addEventListener("sortie", () => carnet.enSortie || location.replace("/")); // déconnecté depuis un autre onglet
  document.getElementById("nom").textContent = carnet.etat.nom;
  poserLaSortie(carnet, expediteur);
  await ecran.aller({ sansFoyer: true });
  expediteur.veiller();
  suivreLaVersion(ecran);
  await navigator.storage?.persist?.();
}

// La sortie depuis l’application : le même formulaire que sur le portail, avec un jeton frais.
function poserLaSortie(carnet, expediteur) {
  const jeton = el("input", { type: "hidden", name: "csrfmiddlewaretoken" });
  const formulaire = el("form", { method: "post", action: config.sortie }, jeton, el("button", { class: "entete-lien bouton-nu" }, "Se déconnecter"));
  document.getElementById("sortie").replaceChildren(formulaire);
  const avant = () => {
    jeton.value = expediteur.jeton;
    carnet.enSortie = true;
  };
  formulaire.addEventListener("submit", (evenement) => {
    evenement.preventDefault();
    return sortir(formulaire, carnet.personne, config.donnees, { expediteur, avant });
  });
}

// --- Sans réseau ou sans session : le code ---------------------------------------------------------------------------------

async function verrou(arret) {
  const gardees = await personnesGardees();
  const enveloppes = gardees.filter((p) => p.enveloppe);
  const lien = el("p", {}, el("a", { href: config.connexion, class: "btn btn-outline-primary" }, "Se connecter au portail"));
  const etat = el("p", { class: "chapeau" }, arret.message);
  if (!enveloppes.length) {
    const restes = await Promise.all(gardees.map((p) => compter(p.personne)));
    const n = restes.reduce((somme, r) => somme + r.saisies + r.photos, 0);
    montrer(
      "Visites fermées",
      etat,
      n ? el("p", { class: "alert alert-info" }, `${pluriel(n, "saisie")} ${n > 1 ? "attendent" : "attend"} sur cet appareil, chiffrées. Aucun code n’y a été choisi : elles se rouvrent en vous connectant avec le réseau.`) : el("p", {}, "Aucun code n’a été choisi sur cet appareil : vos visites s’ouvrent en vous connectant avec le réseau."),
      lien,
      bouton("Réessayer", () => location.reload()),
    );
    return;
  }
  demanderLeCode(enveloppes, etat, lien);
}

function demanderLeCode(enveloppes, etat, lien) {
  const id = cleUnique("code");
  const champ = el("input", { type: "password", class: "form-control", id, autocomplete: "current-password", required: true });
  const erreur = el("p", { class: "erreur", id: `${id}-erreur`, role: "alert" });
  champ.setAttribute("aria-describedby", erreur.id);
  const commande = el("button", { class: "btn btn-primary" }, "Ouvrir mes visites");
  let essais = 0;
  const formulaire = el("form", { class: "formulaire-etroit panneau", novalidate: true }, el("label", { class: "form-label", for: id }, "Code de cet appareil"), champ, erreur, el("div", { class: "actions" }, commande));
  formulaire.addEventListener("submit", async (evenement) => {
    evenement.preventDefault();
    if (!champ.value) {
      erreur.textContent = "Tapez le code choisi sur cet appareil.";
      return champ.focus();
    }
    commande.disabled = true;
    erreur.textContent = "";
    for (const { personne, enveloppe } of enveloppes) {
      try {
        const cle = await ouvrirEnveloppe(enveloppe, champ.value, personne);
        return await ouvrir(personne, cle);
      } catch (faute) {
        if (!(faute instanceof Abime)) throw faute;
      }
    }
    essais += 1;
    commande.disabled = false;
    erreur.textContent = `Ce code n’ouvre rien sur cet appareil.${essais > 2 ? " Oublié ? Connectez-vous avec le réseau : vos visites se rouvrent, et vous en choisirez un autre." : " Vérifiez majuscules et chiffres, puis réessayez."}`;
    champ.setAttribute("aria-invalid", "true");
    return champ.select();
  });
  montrer("Ouvrir mes visites", etat, formulaire, lien);
}

// --- La coquille gardée ------------------------------------------------------------------------------------------------------

let inscription = null;

async function garderLaCoquille() {
  if (!navigator.serviceWorker) return;
  try {
    inscription = await navigator.serviceWorker.register(config.serviceWorker, { scope: config.portee, updateViaCache: "none" });
  } catch (erreur) {
    if (navigator.onLine) console.warn("L’application n’est pas gardée sur cet appareil.", erreur);
    return;
  }
  (await navigator.serviceWorker.ready).active.postMessage({ quoi: "completer" });
}

function suivreLaVersion(ecran) {
  if (!inscription) return;
  const prete = () => {
    if (inscription.waiting && navigator.serviceWorker.controller) ecran.versionNeuve(() => inscription.waiting.postMessage({ quoi: "prendre" }));
  };
  prete();
  inscription.addEventListener("updatefound", () => inscription.installing?.addEventListener("statechange", prete));
  let premiere = !navigator.serviceWorker.controller; // la première prise de contrôle n’est pas une mise à jour
  navigator.serviceWorker.addEventListener("controllerchange", async () => {
    await viderLesChamps();
    if (premiere) ecran.apresLecture();
    else location.reload();
    premiere = false;
  });
}

const coquille = garderLaCoquille();
await effacerLesPerimees();
const lent = setTimeout(() => verrou(new Arret("hors_ligne", "Le portail tarde à répondre. Sans attendre, ouvrez vos visites avec le code.")), LENTEUR);
try {
  const donnees = await demanderLesDonnees(config.donnees).finally(() => clearTimeout(lent));
  await coquille;
  await ouvrir(donnees.personne, await importer(depuisBase64(donnees.cle)), donnees);
} catch (erreur) {
  if (!(erreur instanceof Arret)) {
    montrer("Visites", el("p", { class: "alert alert-danger", role: "alert" }, "Cette page ne s’ouvre pas. Rechargez-la ; rien de ce qui est gardé n’est perdu."));
    throw erreur;
  }
  if (erreur.quoi === "refus") montrer("Visites", el("p", { class: "alert alert-warning" }, erreur.message));
  else await verrou(erreur);
}
