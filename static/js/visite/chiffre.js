// Ce qui reste sur l’appareil est chiffré (AES-GCM, un vecteur neuf par enregistrement) ; la clé ne vit qu’en mémoire.
export const ITERATIONS = 600_000; // OWASP, « Password Storage Cheat Sheet » : PBKDF2-SHA-256
export const CODE_MIN = 8;

const texte = new TextEncoder();

export class Abime extends Error {}

export function depuisBase64(clair) {
  return Uint8Array.from(atob(clair), (signe) => signe.charCodeAt(0));
}

export function importer(octets) {
  return crypto.subtle.importKey("raw", octets, "AES-GCM", false, ["encrypt", "decrypt"]);
}

// ``lien`` dit à quoi l’enregistrement appartient : déplacé ailleurs, il ne s’ouvre plus.
export async function chiffrer(cle, octets, lien) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, donnees: await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: texte.encode(lien) }, cle, octets) };
}

export async function dechiffrer(cle, { iv, donnees }, lien) {
  try {
    return await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: texte.encode(lien) }, cle, donnees);
  } catch (erreur) { // altéré, ou d’une autre clé
    throw new Abime(lien, { cause: erreur });
  }
}

export async function sceller(cle, objet, lien) {
  return chiffrer(cle, texte.encode(JSON.stringify(objet)), lien);
}

export async function desceller(cle, scelle, lien) {
  return JSON.parse(new TextDecoder().decode(await dechiffrer(cle, scelle, lien)));
}

async function cleDuCode(code, sel, iterations) {
  const base = await crypto.subtle.importKey("raw", texte.encode(code.normalize("NFC")), "PBKDF2", false, ["deriveKey"]);
  const facon = { name: "PBKDF2", hash: "SHA-256", salt: sel, iterations };
  return crypto.subtle.deriveKey(facon, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

// Le code ne s’écrit nulle part : il ouvre l’enveloppe où la clé dort.
export async function envelopper(octets, code, personne) {
  const sel = crypto.getRandomValues(new Uint8Array(16));
  return { sel, iterations: ITERATIONS, ...(await chiffrer(await cleDuCode(code, sel, ITERATIONS), octets, `cle/${personne}`)) };
}

// Lève Abime : ce code n’est pas le bon.
export async function ouvrirEnveloppe(enveloppe, code, personne) {
  const octets = new Uint8Array(
    await dechiffrer(await cleDuCode(code, enveloppe.sel, enveloppe.iterations), enveloppe, `cle/${personne}`),
  );
  try {
    return await importer(octets);
  } finally {
    octets.fill(0);
  }
}
