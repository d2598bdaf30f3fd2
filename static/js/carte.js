// La carte double un tableau qui dit la même chose : rien ne s’y trouve qui ne soit écrit à côté.
for (const zone of document.querySelectorAll("[data-carte]")) {
  const points = JSON.parse(document.getElementById(zone.dataset.points).textContent);
  const carte = L.map(zone, { zoomSnap: 0.25, scrollWheelZoom: false });
  carte.attributionControl.setPrefix(false).addAttribution("Contours : IGN Admin Express COG, Licence Ouverte 2.0");
  fetch(zone.dataset.contours).then((r) => r.json()).then((contours) => {
    const fond = L.geoJSON(contours, { interactive: false, style: { color: "#a49a8b", weight: 1, fillColor: "#f2eee6", fillOpacity: 1 } }).addTo(carte);
    carte.fitBounds(fond.getBounds());
    for (const p of points) {
      const texte = document.createElement("span");
      texte.textContent = `${p.nom}, ${p.commune}`;
      L.circleMarker([p.lat, p.lon], { radius: 8, color: "#14284b", weight: 2, fillColor: p.type === "evs" ? "#e0a458" : "#23427a", fillOpacity: 0.9 })
        .bindPopup(texte).addTo(carte);
    }
  });
}
