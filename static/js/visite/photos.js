// Une photo : réduite sur l’appareil et débarrassée de ce qu’elle cache, sauf si l’on demande d’en garder le lieu.
import { ajouterPhoto, changerPhoto } from "./album.js";
import { bouton, cleUnique, demander, el } from "./dom.js";
import { moment } from "./heures.js";

const COTE_MAX = 1600;
const COTE_VIGNETTE = 240;
const QUALITE = 0.8;
const POIDS_MAX = 20 * 1024 * 1024;
const HEIC = ["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1", "avif"];
const PHRASE_HEIC = "Cette photo est au format HEIC : réglez l’appareil sur « le plus compatible » (JPEG), puis reprenez-la.";

export class PhotoRefusee extends Error {}

// Le format que disent les premiers octets, quel que soit le nom du fichier.
async function reconnaitre(fichier) {
  const tete = new Uint8Array(await fichier.slice(0, 12).arrayBuffer());
  const lettres = String.fromCharCode(...tete);
  if (lettres.slice(4, 8) === "ftyp" && HEIC.includes(lettres.slice(8, 12))) return "heic";
  if (tete[0] === 0xff && tete[1] === 0xd8) return "image/jpeg";
  if (lettres.startsWith("\x89PNG")) return "image/png";
  if (lettres.startsWith("RIFF") && lettres.endsWith("WEBP")) return "image/webp";
  return "";
}

async function reduire(image, cote) {
  const echelle = Math.min(1, cote / Math.max(image.width, image.height));
  const toile = el("canvas", { width: Math.max(1, Math.round(image.width * echelle)), height: Math.max(1, Math.round(image.height * echelle)) });
  const pinceau = toile.getContext("2d");
  pinceau.fillStyle = "#fff"; // un PNG transparent devient un JPEG sur fond blanc
  pinceau.fillRect(0, 0, toile.width, toile.height);
  pinceau.imageSmoothingQuality = "high";
  pinceau.drawImage(image, 0, 0, toile.width, toile.height);
  return toile;
}

const enJpeg = (toile) => new Promise((rendre) => toile.toBlob(rendre, "image/jpeg", QUALITE));

// Rend { image, type, vignette }. Lève PhotoRefusee, phrase à montrer.
export async function preparer(fichier, garderLieu) {
  if (!fichier.size) throw new PhotoRefusee("Cette photo est vide (0 octet) : reprenez-la.");
  const type = await reconnaitre(fichier);
  if (!type) throw new PhotoRefusee("Ce fichier n’est pas une photo : choisissez une image JPEG ou PNG.");
  if (garderLieu) {
    if (type === "heic") throw new PhotoRefusee(PHRASE_HEIC);
    if (type === "image/webp") throw new PhotoRefusee("Pour garder le lieu, il faut une photo JPEG ou PNG : décochez la case, ou reprenez-la.");
    if (fichier.size > POIDS_MAX) throw new PhotoRefusee(`Cette photo pèse ${Math.ceil(fichier.size / 1024 / 1024)} Mo ; avec son lieu, la limite est 20 Mo. Décochez la case pour la réduire.`);
  }
  let ouverte;
  try {
    ouverte = await createImageBitmap(fichier, { imageOrientation: "from-image" });
  } catch {
    throw new PhotoRefusee(type === "heic" ? PHRASE_HEIC : "Cette photo est abîmée : reprenez-la.");
  }
  const vignette = (await reduire(ouverte, COTE_VIGNETTE)).toDataURL("image/jpeg", 0.7);
  const image = garderLieu ? fichier.slice(0, fichier.size, type) : await enJpeg(await reduire(ouverte, COTE_MAX));
  ouverte.close();
  if (!image) throw new PhotoRefusee("Cette photo est trop grande pour cet appareil : reprenez-la en plus petit.");
  return { image, type: image.type, vignette };
}

const ETATS = { attente: "À envoyer", recue: "Envoyée", erreur: "Pas envoyée" };

// Le bloc de photos d’un point (``point`` : son uid, vide pour la visite entière).
export function blocPhotos(page, point, titre) {
  const { carnet, controle } = page;
  const id = cleUnique("photos");
  const legende = el("input", { type: "text", class: "form-control", id: `${id}-legende`, maxlength: 200, autocomplete: "off" });
  const lieu = el("input", { type: "checkbox", class: "form-check-input", id: `${id}-lieu` });
  const erreur = el("p", { class: "erreur", role: "alert" });
  const liste = el("ul", { class: "cliches" });

  async function prendre(evenement) {
    const fichiers = [...evenement.target.files];
    evenement.target.value = "";
    erreur.textContent = "";
    for (const fichier of fichiers) {
      try {
        const prete = await preparer(fichier, lieu.checked);
        await ajouterPhoto(carnet, controle, { ...prete, point, legende: legende.value.trim(), prise_le: new Date().toISOString(), garder_lieu: lieu.checked });
        legende.value = "";
      } catch (faute) {
        if (!(faute instanceof PhotoRefusee)) throw faute;
        erreur.textContent = faute.message;
      }
    }
  }

  const entree = (libelle, attributs, classe) => {
    const champ = el("input", { type: "file", accept: "image/*", class: "visually-hidden", onchange: prendre, "aria-describedby": `${id}-titre`, ...attributs });
    return el("label", { class: `btn ${classe} bouton-fichier` }, champ, el("span", {}, libelle));
  };

  async function retirer(photo) {
    const reponse = await demander({ titre: "Retirer cette photo ?", phrases: ["Elle n’est pas encore envoyée : elle sera perdue."], choix: [["non", "La garder", "btn-primary"], ["oui", "La retirer", "btn-outline-danger"]] });
    if (reponse === "oui") await changerPhoto(carnet, photo, "retiree");
  }

  function ligne(photo) {
    const nom = photo.legende || `Photo de ${moment(new Date(photo.prise_le))}`;
    return el(
      "li",
      { class: `cliche cliche-${photo.etat}` },
      el("img", { src: photo.vignette, alt: nom, width: 96, height: 72, loading: "lazy" }),
      el("div", {},
        el("p", { class: "cliche-nom" }, nom),
        el("p", { class: "statut-champ" }, carnet.nonGardes.has(`photo/${photo.id}`) ? "Pas gardée sur l’appareil, faute de place." : ETATS[photo.etat], photo.garder_lieu ? " · avec son lieu" : ""),
        photo.phrase && el("p", { class: "erreur" }, photo.phrase),
        photo.etat !== "recue" &&
          el("div", { class: "actions" },
            photo.etat === "erreur" && bouton("Réessayer", () => changerPhoto(carnet, photo, "attente"), "btn btn-sm btn-outline-primary"),
            bouton("Retirer", () => retirer(photo), "btn btn-sm btn-outline-secondary")),
      ),
    );
  }

  page.surPhotos.push(() => {
    const miennes = carnet.photosDe(controle).filter((p) => p.point === point);
    const connues = new Set(miennes.map((p) => p.id));
    const ailleurs = (carnet.visites.get(controle)?.photos_recues ?? []).filter((p) => (p.point ?? "") === point && !connues.has(p.id));
    liste.replaceChildren(
      ...miennes.map(ligne),
      ...ailleurs.map((p) => el("li", { class: "cliche" }, el("p", { class: "cliche-nom" }, p.legende || "Photo"), el("p", { class: "statut-champ" }, "Déjà sur le portail"))),
    );
    liste.hidden = !liste.childElementCount;
  });

  return el(
    "div",
    { class: "bloc-photos" },
    el("p", { class: "form-label", id: `${id}-titre` }, titre),
    liste,
    el("div", { class: "prise" },
      el("div", {}, el("label", { for: `${id}-legende` }, "Légende de la prochaine photo"), legende),
      el("div", { class: "form-check case" }, lieu, el("label", { class: "form-check-label", for: `${id}-lieu` }, "Garder le lieu de la photo")),
      el("div", { class: "actions" }, entree("Prendre une photo", { capture: "environment" }, "btn-outline-primary"), entree("Choisir une image", { multiple: true }, "btn-outline-secondary")),
    ),
    erreur,
  );
}
