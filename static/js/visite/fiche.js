// La fiche d’une visite : tout ce qu’il faut debout, d’une main, sans réseau.
import { champChoix, champHeure, champTexte } from "./champs.js";
import { dicter } from "./dictee.js";
import { bouton, cleUnique, el } from "./dom.js";
import { direHorloge, faussee, heure, pluriel, pourChamp, quand } from "./heures.js";
import { avecUnite, direDifference, enClair, lireMontant } from "./montants.js";
import { blocPhotos } from "./photos.js";
import { champSignature } from "./signature.js";

const NATURES = [["conforme", "Conforme"], ["observation", "Observation"], ["ecart", "Écart"], ["manquement", "Manquement"], ["non_verifie", "Non vérifié"]];
const A_DIRE = ["observation", "ecart", "manquement"];
const THEME_LIBRE = "Constats ajoutés sur place";

function grouper(elements, cle) {
  const groupes = {};
  for (const e of elements) (groupes[cle(e)] ??= []).push(e);
  return groupes;
}

const centimes = (texte) => {
  try {
    return lireMontant(texte);
  } catch {
    return null;
  }
};

// Rend [titre, élément]. ``page`` : { carnet, controle, surChamp, surPhotos }, à rafraîchir par l’écran.
export function fiche(page) {
  const { carnet, controle } = page;
  const visite = carnet.visites.get(controle);
  const surChamps = [];
  page.surPhotos = [];
  page.surChamp = (nom) => surChamps.forEach((geste) => geste(nom));
  const groupes = grouper(visite.points, (p) => p.theme);
  const libres = [...(groupes[THEME_LIBRE] ?? []), ...carnet.libres(controle)];
  delete groupes[THEME_LIBRE];
  const themes = [...Object.entries(groupes), [THEME_LIBRE, libres]];
  const sections = [
    ["heures", "Arrivée et départ", () => heures(page)],
    ...(visite.pieces.length ? [["pieces", "Pièces à voir", () => pieces(page, visite.pieces)]] : []),
    ...themes.map(([theme, points], i) => [`points-${i + 1}`, theme, (suivre) => bloc(page, theme, points, surChamps, suivre)]),
    ["notes", "Notes et photos", () => notes(page)],
    ["signatures", "Signatures", () => signatures(page)],
  ];
  const ancre = (cle) => `#visite/${controle}/${cle}`;
  const sommaire = el("ol", { class: "sommaire-visite" });
  const corps = el("div", { class: "sections" });
  for (const [cle, titre, contenu] of sections) {
    const compte = el("span", { class: "compte" });
    const suivre = (calcul) => {
      const dire = () => (compte.textContent = calcul());
      surChamps.push(dire);
      dire();
    };
    sommaire.append(el("li", {}, el("a", { href: ancre(cle) }, el("span", {}, titre), compte)));
    corps.append(el("section", { class: "section-visite", id: `section-${cle}`, "aria-labelledby": `titre-${cle}` }, el("h2", { id: `titre-${cle}`, tabindex: -1 }, titre), contenu(suivre)));
  }
  const titre = `${visite.structure}, contrôle ${visite.numero}`;
  return [
    titre,
    el(
      "div",
      { class: "fiche-visite" },
      el("p", { class: "fil" }, el("a", { href: "#", class: "retour" }, "‹ Mes visites")),
      entete(visite, carnet.horsSemaine.has(controle)),
      rappels(visite),
      el("nav", { class: "nav-visite", "aria-label": "Parties de la fiche" }, pliDuSommaire(sommaire)),
      corps,
    ),
  ];
}

// Replié au téléphone, ouvert à côté de la fiche sur un grand écran.
function pliDuSommaire(sommaire) {
  const large = matchMedia("(min-width: 62rem)");
  const pli = el("details", { open: large.matches }, el("summary", {}, "Parties de la fiche"), sommaire);
  large.addEventListener("change", () => (pli.open = large.matches));
  return pli;
}

function entete(visite, horsSemaine) {
  const lignes = [["Visite", quand(visite)], ["Lieu", visite.lieu || visite.adresse], ["Gestionnaire", visite.gestionnaire], ["Objet", visite.objet], ["Exercices", visite.exercices.join(", ")]];
  return el(
    "header",
    { class: "panneau entete-visite" },
    el("p", { class: "discret numero" }, visite.numero, " · ", el("span", { class: "etat etat-cours" }, visite.etat_dit)),
    el("h1", { tabindex: -1 }, visite.structure),
    horsSemaine && el("p", { class: "alert alert-warning" }, "Cette visite n’est plus dans votre semaine : elle s’effacera de l’appareil dès que tout sera envoyé."),
    el("dl", { class: "fiche" }, lignes.filter(([, v]) => v).flatMap(([nom, v]) => [el("dt", {}, nom), el("dd", {}, v)])),
    el("p", { class: "discret" }, el("a", { href: visite.url, class: "retour" }, "La fiche en ligne"), " (avec le réseau)"),
  );
}

function rappels(visite) {
  if (!visite.recommandations.length) return null;
  return el(
    "details",
    { class: "panneau rappels" },
    el("summary", {}, `${pluriel(visite.recommandations.length, "recommandation")} de contrôles précédents à suivre`),
    el("ul", {}, visite.recommandations.map((r) => el("li", {}, r.libelle, el("span", { class: "discret" }, ` (${r.etat}, pour le ${r.echeance.split("-").reverse().join("/")})`)))),
  );
}

function heures(page) {
  const horloge = el("p", { class: "discret horloge" });
  const dire = () => {
    const { decalage } = page.carnet.etat;
    horloge.classList.toggle("attention", faussee(decalage));
    horloge.textContent = faussee(decalage)
      ? `${direHorloge(decalage)} « Noter l’heure » note celle du portail.`
      : `Il est ${heure(new Date())} sur cet appareil.`;
  };
  const minuterie = setInterval(() => (horloge.isConnected ? dire() : clearInterval(minuterie)), 15_000);
  dire();
  page.direHorloge = dire;
  const noter = () => pourChamp(new Date(Date.now() - (faussee(page.carnet.etat.decalage) ? page.carnet.etat.decalage : 0)));
  return el("div", { class: "panneau" }, horloge, el("div", { class: "deux-champs" }, champHeure(page, "visite.arrivee", { libelle: "Arrivée", noter }), champHeure(page, "visite.depart", { libelle: "Départ", noter })));
}

function pieces(page, liste) {
  return el(
    "div",
    { class: "panneau liste-pieces" },
    liste.map((p) => el("div", { class: "piece" }, p.remise && el("span", { class: "etat etat-succes" }, "Déposée en ligne"), champChoix(page, `piece.${p.id}`, { legende: p.libelle, options: [["vue", "Vue"], ["absente", "Absente"]] }))),
  );
}

function bloc(page, theme, points, surChamps, suivre) {
  const corps = el("div", { class: "points" });
  const cartes = [...points];
  const parExercice = Object.entries(grouper(points, (p) => p.exercice ?? ""));
  for (const [exercice, siens] of parExercice) {
    if (exercice && !theme.includes(exercice)) corps.append(el("h3", { class: "exercice" }, `Exercice ${exercice}`));
    for (const p of siens) corps.append(point(page, p, exercice && !theme.includes(exercice) ? "h4" : "h3", surChamps));
  }
  suivre(() => {
    const dits = cartes.filter((p) => page.carnet.saisie(page.controle, `point.${p.uid}.constat`).valeur).length;
    return cartes.length ? `${dits} sur ${cartes.length}` : "";
  });
  if (theme === THEME_LIBRE) corps.append(ajout(page, (p) => {
    cartes.push(p);
    const carte = point(page, p, "h3", surChamps);
    corps.lastChild.before(carte);
    page.surPhotos.at(-1)();
    page.surChamp("");
    carte.querySelector("input[type=radio]").focus();
  }));
  return corps;
}

function point(page, p, niveau, surChamps) {
  const { carnet, controle } = page;
  const racine = `point.${p.uid}`;
  const id = `point-${p.uid}`;
  const titre = el(niveau, { class: "titre-point", id: `${id}-titre` }, p.libelle);
  const suite = el("details", { class: "suite-point" }, el("summary", {}, "Faits, recommandation, photos"));
  suite.append(
    champTexte(page, `${racine}.faits`, { libelle: "Faits constatés" }),
    champTexte(page, `${racine}.recommandation`, { libelle: "Recommandation", lignes: 2 }),
    blocPhotos(page, p.uid, "Photos de ce point"),
  );
  const valeur = (attribut) => carnet.saisie(controle, `${racine}.${attribut}`).valeur;
  const carte = el("article", { class: "panneau point", id, "aria-labelledby": `${id}-titre` }, titre);
  const ouvrir = () => {
    const nature = valeur("constat");
    carte.dataset.nature = nature;
    if (A_DIRE.includes(nature) || valeur("faits") || valeur("recommandation") || carnet.photosDe(controle).some((q) => q.point === p.uid)) suite.open = true;
  };
  if (p.libre) carte.append(champTexte(page, `libre.${p.uid}.libelle`, { libelle: "Titre du constat", court: true, attributs: { maxlength: 300 } }));
  carte.append(
    ...[
      p.deja && el("p", {}, el("span", { class: "etat etat-attente" }, p.deja[0].toUpperCase() + p.deja.slice(1))),
      p.regle && el("p", { class: "discret" }, `Règle : ${p.regle}`),
      p.declare !== null && p.declare !== undefined && montant(page, p, `${racine}.releve`, surChamps),
      champChoix(page, `${racine}.constat`, { legende: "Nature du constat", options: NATURES }),
      suite,
    ].filter(Boolean),
  );
  surChamps.push((nom) => {
    if (nom === `${racine}.constat` || !nom) ouvrir();
    if (p.libre && nom === `libre.${p.uid}.libelle`) titre.textContent = carnet.saisie(controle, nom).valeur || "Constat sans titre";
  });
  ouvrir();
  return carte;
}

function montant(page, p, nom, surChamps) {
  const idDifference = cleUnique("difference");
  const difference = el("p", { class: "difference", id: idDifference, "aria-live": "polite" });
  const declare = centimes(p.declare);
  const entree = champTexte(page, nom, { libelle: `Constaté${p.unite ? ` (${p.unite})` : ""}`, court: true, attributs: { inputmode: "decimal", class: "form-control montant", "aria-describedby": idDifference } });
  const saisi = entree.querySelector("input");
  const calculer = () => {
    const releve = saisi.value.trim() ? centimes(saisi.value) : null;
    const texte = releve === null ? "" : direDifference(releve, declare, p.unite);
    difference.dataset.ecart = releve !== null && releve !== declare ? "oui" : "";
    if (difference.textContent !== texte) difference.textContent = texte;
  };
  const embellir = () => {
    const releve = centimes(saisi.value);
    if (document.activeElement !== saisi && releve !== null) saisi.value = enClair(releve);
  };
  saisi.addEventListener("input", calculer);
  saisi.addEventListener("blur", embellir);
  surChamps.push((change) => {
    if (change !== nom && change) return;
    embellir();
    calculer();
  });
  embellir();
  calculer();
  return el("div", { class: "comparaison" }, el("div", { class: "declare" }, el("span", { class: "form-label" }, "Déclaré"), el("strong", {}, avecUnite(declare, p.unite))), entree, difference);
}

function ajout(page, apres) {
  const id = cleUnique("libre");
  const entree = el("input", { type: "text", class: "form-control", id, maxlength: 300, autocomplete: "off" });
  const erreur = el("p", { class: "erreur", role: "alert" });
  const ajouter = async () => {
    const libelle = entree.value.trim();
    erreur.textContent = libelle ? "" : "Donnez un titre à ce constat.";
    if (!libelle) return entree.focus();
    const uid = crypto.randomUUID();
    entree.value = "";
    await page.carnet.saisir(page.controle, `libre.${uid}.libelle`, libelle);
    return apres({ uid, libelle, regle: "", deja: "", declare: null, exercice: null, libre: true });
  };
  entree.addEventListener("keydown", (e) => e.key === "Enter" && ajouter());
  return el("div", { class: "panneau ajout" }, el("label", { class: "form-label", for: id }, "Ajouter un constat"), el("p", { class: "form-text" }, "Son titre, en une ligne ; sa nature et ses faits ensuite."), el("div", { class: "heure" }, entree, bouton("Ajouter", ajouter)), erreur);
}

function notes(page) {
  return el("div", { class: "panneau" }, champTexte(page, "visite.notes", { libelle: "Notes générales", lignes: 5, outils: [dicter] }), blocPhotos(page, "", "Photos de la visite"));
}

function signatures(page) {
  return el(
    "div",
    { class: "panneau" },
    el("p", { class: "discret" }, "Signez du doigt, au stylet ou à la souris. Au clavier, le nom tapé suffit."),
    el(
      "div",
      { class: "deux-champs" },
      el("div", {}, el("h3", {}, "Pour la structure"), champTexte(page, "visite.signataire", { libelle: "Nom et fonction de la personne", court: true, attributs: { maxlength: 200 } }), champSignature(page, "visite.signature_structure", { libelle: "Signature de la structure" }), champTexte(page, "visite.refus_signature", { libelle: "Si elle ne signe pas, pourquoi", lignes: 2 })),
      el("div", {}, el("h3", {}, "Pour la Caf"), el("p", { class: "nom-signataire" }, page.carnet.etat.nom), champSignature(page, "visite.signature_controleur", { libelle: "Signature du contrôleur" })),
    ),
  );
}
