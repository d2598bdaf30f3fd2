// Prévenir qu’un collègue écrit dans la même section. L’écran bat tant que la personne y est active.
import { activite } from "./activite.js";

const BATTEMENT = 20_000;
const REPOS = 120_000; // sans frappe ni clic, on n’écrit plus : ni présence annoncée, ni session prolongée
const zone = document.querySelector("[data-presence]");
let derniere = Date.now();
let minuterie;
let present = false;

const corps = (champs) => new URLSearchParams({ csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value, ...champs });
const actif = () => !document.hidden && Date.now() - derniere < REPOS;

function dire(phrase) {
  if (zone.textContent !== phrase) zone.textContent = phrase;
}

function attendre() {
  clearTimeout(minuterie);
  minuterie = setTimeout(battre, BATTEMENT * (0.75 + Math.random() / 2)); // les écrans ne battent pas ensemble
}

async function battre() {
  attendre();
  if (!actif()) return partir();
  present = true;
  const reponse = await fetch(zone.dataset.presence, { method: "POST", headers: { Accept: "application/json" }, body: corps({}) }).catch(() => null);
  if (!reponse?.ok) return dire("");
  activite();
  const donnees = await reponse.json().catch(() => ({}));
  if (present) dire(donnees.phrase ?? "");
}

function partir() {
  if (!present) return;
  present = false;
  dire("");
  navigator.sendBeacon(zone.dataset.presence, corps({ depart: "1" }));
}

function revenir() {
  derniere = Date.now();
  if (!present) battre();
}

if (zone) {
  for (const nom of ["input", "keydown", "pointerdown"]) document.addEventListener(nom, revenir, { passive: true });
  document.addEventListener("visibilitychange", () => (document.hidden ? partir() : revenir()));
  window.addEventListener("pagehide", partir);
  window.addEventListener("pageshow", (evenement) => evenement.persisted && revenir());
  battre();
}
