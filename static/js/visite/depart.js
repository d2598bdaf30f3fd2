// Le départ d’une file et ce qu’il en revient : le rang est écrit avant l’envoi et ne change plus, donc un lot renvoyé
// après une coupure est le même, et le portail ne l’applique qu’une fois.
import { Plein } from "./coffre.js";
import { EN_FILE, cleDe, nomOperation } from "./carnet.js";
import { apprendre } from "./saisie.js";

const LOT_MAX = 100;
const POIDS_MAX = 1_000_000; // signes ; le portail borne un envoi à 2 Mo
const memeVecteur = (a, b) => a.iv.every((octet, i) => octet === b.iv[i]);

async function ouvrirLaFile(carnet, operations) {
  const ouvertes = await carnet.coffre.ouvrirTous("operations", operations, nomOperation);
  if (ouvertes.length < operations.length) {
    for (const o of operations) if (!ouvertes.some(([lue]) => lue.id === o.id)) carnet.enRoute.delete(o.id);
    await carnet.compterLesEcartes();
  }
  return ouvertes;
}

function borner(ouvertes) {
  let poids = 0;
  return ouvertes.filter(([, objet], i) => (poids += objet.valeur.length) <= POIDS_MAX || !i);
}

// Sans place, l’écriture attend : la mémoire dit vrai, et le coffre rejouera le même lot à la prochaine ouverture.
async function sansPlace(ecriture) {
  try {
    await ecriture;
    return true;
  } catch (erreur) {
    if (!(erreur instanceof Plein)) throw erreur;
    return false;
  }
}

// Le prochain lot d’un contrôle, dans l’ordre ; ``operations`` vide : plus rien à envoyer.
export function partir(carnet, controle, max = LOT_MAX) {
  return carnet.enchainer(async () => {
    if (carnet.volatiles.get(controle)?.operations.some((o) => o.rang)) return partirVolatile(carnet, controle, max);
    for (;;) {
      const lues = (await carnet.coffre.tous("operations", "controle", controle))
        .filter((o) => EN_FILE.includes(o.etat) && !carnet.remplacees.has(o.ordre))
        .sort((a, b) => (a.rang ?? Infinity) - (b.rang ?? Infinity) || a.ordre - b.ordre);
      const ouvertes = borner(await ouvrirLaFile(carnet, lues.slice(0, max)));
      if (!ouvertes.length) return partirVolatile(carnet, controle, max);
      try {
        const lot = await prendreLesRangs(carnet, controle, ouvertes);
        if (lot) return lot;
      } catch (erreur) {
        if (!(erreur instanceof Plein)) throw erreur;
        const parties = ouvertes.filter(([o]) => o.etat === "partie");
        if (parties.length) return { appareil: carnet.files.get(controle).appareil, operations: parties.map(([o, objet]) => ({ ...o, ...objet })) };
        for (const [o, objet] of ouvertes) carnet.versVolatile(controle, o.champ, objet.valeur, carnet.saisie(controle, o.champ).lue.version, o.ordre); // ne remplace rien de plus récent
        return partirVolatile(carnet, controle, max);
      }
    }
  });
}

// Rend ``null`` si une saisie a été retapée entre la lecture et l’écriture.
async function prendreLesRangs(carnet, controle, ouvertes) {
  const lot = await carnet.coffre.ecrire(["operations", "files"], async (de) => {
    const file = await carnet.assurerLaFile(de("files"), controle);
    const avant = file.prochain;
    const operations = [];
    for (const [lue, objet] of ouvertes) {
      const o = await de("operations").get(lue.ordre);
      if (!o || !memeVecteur(o, lue)) return null;
      if (o.etat === "attente") {
        Object.assign(o, { rang: file.prochain++, etat: "partie" });
        await de("operations").put(o);
      }
      operations.push({ ...o, ...objet });
    }
    if (file.prochain !== avant) await de("files").put(file);
    return { file, operations };
  });
  if (!lot) return null;
  carnet.files.set(controle, lot.file);
  for (const o of lot.operations) carnet.suivre(o);
  return { appareil: lot.file.appareil, operations: lot.operations };
}

function partirVolatile(carnet, controle, max) {
  const file = carnet.volatiles.get(controle);
  const operations = (file?.operations ?? []).slice(0, max);
  for (const o of operations) o.rang ||= file.prochain++;
  return { appareil: file?.appareil, operations, volatile: true };
}

// Ce que le portail a fait de chaque opération du lot.
export function prendre(carnet, controle, lot, issues) {
  return carnet.enchainer(async () => {
    const touches = new Set();
    const retirees = [];
    for (const issue of issues) {
      const operation = lot.operations.find((o) => o.id === issue.id);
      if (!operation) continue;
      oublier(carnet, controle, lot, operation);
      const suivantes = carnet.enFile(controle, operation.champ);
      const restent = carnet.volatiles.get(controle)?.operations.some((o) => o.champ === operation.champ);
      const saisie = carnet.saisie(controle, operation.champ);
      apprendre(saisie, operation, issue, suivantes.length > 0 || restent);
      if (lot.volatile && saisie.etat === "attente" && issue.valeur === operation.valeur) saisie.lue = { ...saisie.lue, valeur: issue.valeur, version: issue.version };
      if (saisie.etat === "conflit") retirees.push(...suivantes.filter((o) => o.etat === "attente")); // leur valeur est dans le champ
      touches.add(operation.champ);
    }
    await ecrireLesIssues(carnet, controle, lot, issues, touches, retirees);
    for (const champ of touches) {
      if (lot.volatile && carnet.saisie(controle, champ).etat === "attente") await carnet.poser(controle, champ);
      carnet.annoncer("champ", { controle, champ });
    }
  });
}

function oublier(carnet, controle, lot, operation) {
  carnet.enRoute.delete(operation.id);
  if (!lot.volatile) return;
  const file = carnet.volatiles.get(controle);
  file.operations = file.operations.filter((o) => o.id !== operation.id);
  for (const [id, o] of carnet.enRoute) if (operation.ordres.includes(o.ordre)) carnet.enRoute.delete(id);
}

async function ecrireLesIssues(carnet, controle, lot, issues, touches, retirees) {
  const saisies = await Promise.all([...touches].map((champ) => carnet.scellerSaisie(controle, champ)));
  for (const o of retirees) carnet.enRoute.delete(o.id);
  const remplacees = lot.volatile ? lot.operations.filter((o) => issues.some((i) => i.id === o.id)).flatMap((o) => o.ordres) : [];
  for (const ordre of remplacees) carnet.remplacees.add(ordre);
  const aRetirer = [...remplacees, ...retirees.map((o) => o.ordre)];
  if (aRetirer.length) await sansPlace(effacer(carnet, "operations", aRetirer)); // à part : effacer se peut même sans place
  const garde = await sansPlace(
    carnet.coffre.ecrire(["saisies", "operations"], async (de) => {
      for (const issue of lot.volatile ? [] : issues) {
        const o = await de("operations").index("id").get(issue.id);
        if (o) await de("operations").put({ ...o, etat: issue.issue === "appliquee" ? "recue" : issue.issue });
      }
      for (const s of saisies) await de("saisies").put(s);
    }),
  );
  const prises = [...touches].filter((champ) => garde || carnet.saisie(controle, champ).etat === "lue").map((champ) => cleDe(controle, champ));
  for (const cle of prises) carnet.nonGardes.delete(cle); // sur l’appareil ou sur le portail, elles sont quelque part
  if (garde) return;
  // Ce que le portail a pris et que le coffre, plein, croit encore à envoyer : l’effacer se peut, et rien ne repart.
  const acquittees = lot.volatile ? [] : lot.operations.filter((o) => issues.some((i) => i.id === o.id)).map((o) => o.ordre);
  for (const ordre of acquittees) carnet.remplacees.add(ordre);
  await sansPlace(effacer(carnet, "operations", acquittees));
  await sansPlace(effacer(carnet, "saisies", prises));
}

function effacer(carnet, magasin, cles) {
  return carnet.coffre.ecrire([magasin], async (de) => {
    for (const cle of cles) await de(magasin).delete(cle);
  });
}

// Le portail ne veut pas de cette opération : elle attend à part, et les suivantes, jamais reçues, reprennent son rang.
export function refuser(carnet, controle, lot, operation, phrase) {
  return carnet.enchainer(async () => {
    const saisie = carnet.saisie(controle, operation.champ);
    if (saisie.etat === "attente") Object.assign(saisie, { etat: "refusee", phrase });
    if (lot.volatile) {
      oublier(carnet, controle, lot, operation);
      const file = carnet.volatiles.get(controle);
      file.prochain = operation.rang;
      for (const o of file.operations) o.rang = 0;
    } else {
      const gardee = await carnet.scellerSaisie(controle, operation.champ);
      const ecriture = carnet.coffre.ecrire(["operations", "files", "saisies"], async (de) => {
        for (const o of await de("operations").index("controle").getAll(controle)) {
          if (o.id === operation.id) await de("operations").put({ ...o, rang: null, etat: "erreur" });
          else if (o.etat === "partie" && o.rang > operation.rang) await de("operations").put({ ...o, rang: null, etat: "attente" });
        }
        await de("files").put({ ...(await de("files").get(controle)), prochain: operation.rang });
        await de("saisies").put(gardee);
      });
      await sansPlace(ecriture);
      await carnet.relireLaFile();
    }
    carnet.annoncer("champ", { controle, champ: operation.champ });
  });
}

// Le portail attend un rang plus ancien : si l’appareil l’a encore, il repart de là.
export function reprendreDepuis(carnet, controle, attendu) {
  return carnet.enchainer(async () => {
    const operations = (await carnet.coffre.tous("operations", "controle", controle)).filter((o) => o.rang >= attendu);
    if (!operations.some((o) => o.rang === attendu)) return false;
    const ecriture = carnet.coffre.ecrire(["operations"], async (de) => {
      for (const o of operations) await de("operations").put({ ...o, etat: "partie" });
    });
    const fait = await sansPlace(ecriture);
    await carnet.relireLaFile();
    return fait;
  });
}

// La file d’un contrôle s’arrête, et dit pourquoi ; rien ne s’efface.
export function bloquer(carnet, controle, phrase) {
  return carnet.enchainer(async () => {
    const file = { ...carnet.files.get(controle), bloquee: phrase };
    carnet.files.set(controle, file);
    await sansPlace(carnet.coffre.ecrire(["files"], (de) => de("files").put(file)));
    carnet.annoncer("file");
  });
}

// ``neuf`` : sous un nouvel appareil, avec de nouvelles clés. Ce que le portail avait déjà ne se réécrit pas en silence.
export function debloquer(carnet, controle, { neuf }) {
  return carnet.enchainer(async () => {
    const file = { ...carnet.files.get(controle), bloquee: "", ...(neuf ? { appareil: crypto.randomUUID(), prochain: 1 } : {}) };
    const enCause = (await carnet.coffre.tous("operations", "controle", controle)).filter((o) => [...EN_FILE, "erreur"].includes(o.etat));
    const reprises = [];
    for (const [o, objet] of await ouvrirLaFile(carnet, enCause)) {
      const saisie = carnet.saisie(controle, o.champ);
      if (o.etat === "erreur" && saisie.etat === "refusee") Object.assign(saisie, { etat: "attente", phrase: "" });
      if (!neuf) reprises.push(o.etat === "erreur" ? { ...o, etat: "attente", rang: null } : o);
      else {
        const id = crypto.randomUUID();
        const scelle = await carnet.coffre.sceller("operations", nomOperation({ id, champ: o.champ }), objet);
        reprises.push({ ...o, ...scelle, id, etat: "attente", rang: null });
      }
    }
    const saisies = await Promise.all([...new Set(reprises.map((o) => o.champ))].map((champ) => carnet.scellerSaisie(controle, champ)));
    await carnet.coffre.ecrire(["operations", "files", "saisies"], async (de) => {
      for (const o of reprises) await de("operations").put(o);
      for (const s of saisies) await de("saisies").put(s);
      await de("files").put(file);
    });
    carnet.files.set(controle, file);
    await carnet.relireLaFile();
    for (const { champ } of reprises) carnet.annoncer("champ", { controle, champ });
    carnet.annoncer("file");
  });
}
