// L’heure se dit et se note à Paris, quel que soit le réglage de l’appareil.
const PARIS = "Europe/Paris";
const SEUIL = 5 * 60_000; // en deçà, l’horloge de l’appareil est tenue pour juste

const morceaux = new Intl.DateTimeFormat("fr-FR", {
  timeZone: PARIS, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const jour = new Intl.DateTimeFormat("fr-FR", { timeZone: PARIS, weekday: "long", day: "numeric", month: "long" });
// le premier du mois se dit « 1er »
const leJour = (instant) => jour.format(instant).replace(/ 1 (?=\p{L})/u, " 1er ");

// « 2027-03-04T09:05 », ce qu’attend un champ de date et d’heure.
export function pourChamp(instant) {
  const m = Object.fromEntries(morceaux.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${m.year}-${m.month}-${m.day}T${m.hour}:${m.minute}`;
}

// « 9 h 05 »
export function heure(instant) {
  const [h, m] = pourChamp(instant).slice(11).split(":");
  return `${Number(h)} h ${m}`;
}

// « jeudi 4 mars, 9 h 05 »
export function moment(instant) {
  return `${leJour(instant)}, ${heure(instant)}`;
}

// « jeudi 4 mars », depuis « 2027-03-04 »
export function jourDit(iso) {
  return iso ? leJour(new Date(`${iso}T12:00:00Z`)) : "";
}

// « vendredi 4 décembre, 9 h 30 », ou le jour seul
export function quand({ visite_le, heure: a }) {
  return [jourDit(visite_le), a && `${Number(a.slice(0, 2))} h ${a.slice(3, 5)}`].filter(Boolean).join(", ");
}

export const pluriel = (n, mot) => `${n} ${mot}${n > 1 ? "s" : ""}`;

export function faussee(decalage) {
  return Math.abs(decalage) > SEUIL;
}

// ``decalage`` en millisecondes : positif, l’appareil avance.
export function direHorloge(decalage, maintenant = Date.now()) {
  const minutes = Math.round(Math.abs(decalage) / 60_000);
  const [n, mot] = minutes >= 1440 ? [Math.round(minutes / 1440), "jour"] : minutes >= 60 ? [Math.round(minutes / 60), "heure"] : [minutes, "minute"];
  const sens = decalage > 0 ? "avance" : "retarde";
  return `L’horloge de cet appareil ${sens} de ${pluriel(n, mot)} ; heure du portail : ${moment(new Date(maintenant - decalage))}.`;
}
