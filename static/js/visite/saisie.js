// Ce qu’un champ accepte, avant l’envoi : les mêmes bornes que ``controles/saisies.py``, qui a le dernier mot.
import { enPoint, lireMontant } from "./montants.js";

const BORNES = { notes: 5000, faits: 5000, recommandation: 5000, refus_signature: 5000, signataire: 200, libelle: 300 };
const SIGNATURE_MAX = 40_000;

// ``envoi`` : la valeur à envoyer ; ``null`` si elle ne peut pas partir, et ``phrase`` dit pourquoi.
export function preparer(champ, valeur) {
  const attribut = champ.split(".").at(-1);
  const texte = valeur.trim();
  if (attribut === "releve" && texte) {
    try {
      return { envoi: enPoint(lireMontant(texte)), phrase: "" };
    } catch (erreur) {
      return { envoi: null, phrase: erreur.message };
    }
  }
  if (attribut === "libelle" && !texte) return { envoi: null, phrase: "Donnez un titre à ce constat." };
  if (attribut.startsWith("signature_") && texte.length > SIGNATURE_MAX)
    return { envoi: null, phrase: "Cette signature est trop longue : effacez-la, puis signez plus simplement." };
  const borne = BORNES[attribut];
  if (borne && texte.length > borne)
    return { envoi: null, phrase: `${texte.length} caractères pour ${borne} au plus : raccourcissez.` };
  return { envoi: valeur, phrase: "" };
}

export function vierge(champ) {
  return { champ, valeur: "", envoi: "", etat: "lue", phrase: "", autre: null, saisi_le: "", lue: { valeur: "", version: 0, par: "", le: "" } };
}

// Ce que le portail vient de dire d’une saisie. ``plusRecente`` : on a retapé depuis ; rien d’écrasé.
export function apprendre(saisie, operation, issue, plusRecente) {
  const lue = { valeur: issue.valeur, version: issue.version, par: issue.par, le: issue.le };
  const inchangee = !plusRecente && saisie.etat === "attente" && saisie.envoi === operation.valeur;
  if (issue.issue === "appliquee" || (issue.issue === "conflit" && issue.valeur === operation.valeur)) {
    if (inchangee) Object.assign(saisie, { lue, valeur: issue.valeur, etat: "lue", phrase: "", autre: null });
  } else if (issue.issue === "conflit") {
    Object.assign(saisie, { autre: lue, etat: "conflit", phrase: issue.phrase });
  } else if (inchangee) {
    Object.assign(saisie, { etat: "refusee", phrase: issue.phrase });
  }
}
