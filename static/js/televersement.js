// Glisser un fichier sur le cadre ; le champ ordinaire reste là et fait la même chose.
for (const cadre of document.querySelectorAll("[data-depot]")) {
  const champ = cadre.querySelector("input[type=file]");
  for (const nom of ["dragover", "dragenter"]) cadre.addEventListener(nom, (e) => { e.preventDefault(); cadre.classList.add("survol"); });
  for (const nom of ["dragleave", "drop"]) cadre.addEventListener(nom, () => cadre.classList.remove("survol"));
  cadre.addEventListener("drop", (e) => {
    e.preventDefault();
    if (!e.dataTransfer.files.length) return;
    champ.files = e.dataTransfer.files;
    champ.form.requestSubmit();
  });
  champ.addEventListener("change", () => champ.files.length && champ.form.requestSubmit());
}
