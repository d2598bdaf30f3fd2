// Avant de se déconnecter d’un appareil qui garde des visites : envoyer ce qui reste, puis effacer.
import { Carnet } from "./carnet.js";
import { depuisBase64, importer } from "./chiffre.js";
import { viderLesChamps } from "./champs.js";
import { compter, personnesMarquees, quitter } from "./coffre.js";
import { demander } from "./dom.js";
import { Arret, Expediteur, demanderLesDonnees } from "./file.js";
import { pluriel } from "./heures.js";

// Essaie d’envoyer ; un échec n’arrête pas la sortie, le décompte dira ce qui reste.
async function envoyer(personne, urlDonnees, expediteur) {
  try {
    if (expediteur) return await expediteur.reprendre();
    const donnees = await demanderLesDonnees(urlDonnees);
    if (donnees.personne !== personne) return undefined;
    const carnet = await Carnet.ouvrir(personne, await importer(depuisBase64(donnees.cle)));
    await new Expediteur(carnet, urlDonnees, donnees).reprendre();
    carnet.fermer();
  } catch (erreur) {
    if (!(erreur instanceof Arret)) console.error("L’envoi avant la sortie a échoué.", erreur);
  }
  return undefined;
}

async function choisir({ saisies, photos }) {
  const reste = [saisies && pluriel(saisies, "saisie"), photos && pluriel(photos, "photo")].filter(Boolean).join(" et ");
  return demander({
    titre: "Tout n’est pas envoyé",
    phrases: [`Il reste ${reste} sur cet appareil, que le portail n’a pas.`, "Gardé, ce reste demeure chiffré ici et repartira à votre prochaine connexion. Effacé, il est perdu."],
    choix: [["rester", "Rester connecté", "btn-primary"], ["garder", "Se déconnecter et les garder", "btn-outline-primary"], ["effacer", "Tout effacer", "btn-outline-danger"]],
  });
}

let enCours = false;

export async function sortir(formulaire, personne, urlDonnees, options) {
  if (enCours) return;
  enCours = true;
  try {
    await quitterLAppareil(formulaire, personne, urlDonnees, options);
  } finally {
    enCours = false;
  }
}

// Sans réseau, la session ne peut pas se fermer : effacer l’appareil ferait perdre les visites sans déconnecter personne.
async function attendreLeReseau(dansLApplication) {
  const choix = await demander({
    titre: "Pas de réseau",
    phrases: ["Le portail ne peut pas vous déconnecter sans réseau. Vos visites restent chiffrées sur cet appareil ; verrouillées, elles se rouvrent avec votre code."],
    choix: [["rester", "Rester connecté", "btn-primary"], ...(dansLApplication ? [["verrouiller", "Verrouiller", "btn-outline-primary"]] : [])],
  });
  if (choix === "verrouiller") location.reload();
}

async function quitterLAppareil(formulaire, personne, urlDonnees, { expediteur, avant } = {}) {
  await viderLesChamps();
  if (navigator.onLine === false) return attendreLeReseau(Boolean(expediteur));
  let garder = false;
  if (personnesMarquees().includes(personne)) {
    let reste = await compter(personne);
    if (reste.saisies + reste.photos) {
      await envoyer(personne, urlDonnees, expediteur);
      reste = await compter(personne);
    }
    if (reste.saisies + reste.photos) {
      const choix = await choisir(reste);
      if (choix !== "garder" && choix !== "effacer") return undefined;
      garder = choix === "garder";
    }
    avant?.();
    await quitter(personne, { garder });
  } else avant?.();
  return formulaire.submit();
}
