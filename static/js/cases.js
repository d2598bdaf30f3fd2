// Une longue liste de cases : chercher par nom, sans accents, et voir combien sont cochées. Sans ce module, tout est là.
const nu = (texte) => texte.normalize("NFD").replaceAll(/[\u0300-\u036f]/g, "").toLowerCase();

for (const groupe of document.querySelectorAll("[data-cases]")) {
  const champ = groupe.querySelector("[data-chercher]");
  const compte = groupe.querySelector("[data-compte]");
  const cases = [...groupe.querySelectorAll(".form-check")];
  const ouverts = new Map([...groupe.querySelectorAll("details")].map((d) => [d, d.open]));
  groupe.querySelector("[data-avec-js]").hidden = false;

  const compter = () => {
    const cochees = cases.filter((c) => c.querySelector("input").checked).length;
    compte.textContent = `${cochees} commune${cochees > 1 ? "s" : ""} choisie${cochees > 1 ? "s" : ""}`;
  };
  champ.addEventListener("input", () => {
    const cherche = nu(champ.value.trim());
    for (const c of cases) c.hidden = cherche !== "" && !nu(c.textContent).includes(cherche);
    for (const [details, depart] of ouverts) {
      const visibles = [...details.querySelectorAll(".form-check")].some((c) => !c.hidden);
      details.hidden = !visibles;
      details.open = cherche ? visibles : depart;
    }
  });
  champ.addEventListener("keydown", (e) => e.key === "Enter" && e.preventDefault());
  groupe.addEventListener("change", compter);
  compter();
}
