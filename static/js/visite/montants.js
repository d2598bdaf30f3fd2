// Des centimes en entiers, jamais de virgule flottante : la même lecture et le même rendu que ``socle/montants.py``.
const MAXIMUM = 99999999999n; // 999 999 999,99

// Rend des centimes (BigInt), ou lève une phrase à montrer à côté du champ.
export function lireMontant(saisie) {
  const nu = saisie.replaceAll(/[\s\u00a0\u202f€]/g, "").replace(",", ".").replace("−", "-");
  if (!/^[+-]?\d+(\.\d+)?$/.test(nu)) throw new Error("Écrivez un montant, par exemple 1 234,50.");
  if (nu.startsWith("-")) throw new Error("Écrivez un montant positif.");
  const [entier, decimales = ""] = nu.replace("+", "").split(".");
  if (decimales.length > 2) throw new Error("Écrivez 2 chiffres au plus après la virgule.");
  const centimes = BigInt(entier) * 100n + BigInt(decimales.padEnd(2, "0"));
  if (centimes > MAXIMUM) throw new Error("Ce montant dépasse 999 999 999,99 : vérifiez le nombre de zéros.");
  return centimes;
}

// « 1234.50 », la forme que le portail garde.
export function enPoint(centimes) {
  return `${centimes / 100n}.${String(centimes % 100n).padStart(2, "0")}`;
}

// « 1 234,50 », espace fine insécable.
export function enClair(centimes) {
  const absolu = centimes < 0n ? -centimes : centimes;
  const entier = String(absolu / 100n).replaceAll(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${centimes < 0n ? "−" : ""}${entier},${String(absolu % 100n).padStart(2, "0")}`;
}

export function avecUnite(centimes, unite) {
  return unite ? `${enClair(centimes)}\u00a0${unite}` : enClair(centimes);
}

// « 1 234,50 € de moins que le déclaré », ou « aucune différence ».
export function direDifference(releve, declare, unite) {
  if (releve === declare) return "Aucune différence avec le déclaré.";
  const ecart = releve > declare ? releve - declare : declare - releve;
  return `Différence : ${avecUnite(releve - declare, unite)} (${avecUnite(ecart, unite)} de ${releve > declare ? "plus" : "moins"} que le déclaré).`;
}
