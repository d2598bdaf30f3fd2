// Garde la coquille des visites (page, scripts, styles, polices, icônes) et rien d’autre : aucune donnée, aucun envoi.
// La vue écrit au-dessus VERSION, COQUILLE (l’adresse de la page) et ADRESSES (tout ce qui se garde).
const PREFIXE = "visites-coquille-";
const CACHE = PREFIXE + VERSION;

async function garder(adresses) {
  const cache = await caches.open(CACHE);
  await Promise.all(
    adresses.map(async (adresse) => {
      const reponse = await fetch(adresse, { cache: "reload", credentials: "same-origin" });
      if (!reponse.ok || reponse.redirected) throw new Error(`${adresse} : ${reponse.status}`);
      await cache.put(adresse, reponse);
    }),
  );
}

async function completer() {
  const cache = await caches.open(CACHE);
  const gardees = new Set((await cache.keys()).map((requete) => new URL(requete.url).pathname));
  await garder(ADRESSES.filter((adresse) => !gardees.has(adresse)));
}

self.addEventListener("install", (evenement) => evenement.waitUntil(garder(ADRESSES)));

self.addEventListener("activate", (evenement) =>
  evenement.waitUntil(
    (async () => {
      for (const nom of await caches.keys()) if (nom.startsWith(PREFIXE) && nom !== CACHE) await caches.delete(nom);
      await self.clients.claim();
    })(),
  ),
);

// Une version neuve attend que la page ait tout gardé et le demande.
self.addEventListener("message", (evenement) => {
  if (evenement.data?.quoi === "prendre") self.skipWaiting();
  if (evenement.data?.quoi === "completer") evenement.waitUntil(completer());
});

async function depuisLaCoquille(requete, adresse) {
  const gardee = await caches.match(adresse, { cacheName: CACHE });
  return gardee ?? fetch(requete);
}

self.addEventListener("fetch", (evenement) => {
  const { request } = evenement;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (ADRESSES.includes(url.pathname)) return evenement.respondWith(depuisLaCoquille(request, url.pathname));
  if (request.mode === "navigate" && url.pathname.startsWith(COQUILLE))
    evenement.respondWith(fetch(request).catch(async () => (await caches.match(COQUILLE, { cacheName: CACHE })) ?? Response.error()));
});
