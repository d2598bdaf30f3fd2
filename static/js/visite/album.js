// Les photos du coffre : l’image chiffrée jusqu’à son envoi, puis la seule vignette.
import { Abime } from "./chiffre.js";
import { Plein } from "./coffre.js";

// ``image`` : le fichier à envoyer ; ``vignette`` : une petite image en data:, pour la revoir sans ouvrir l’autre.
export async function ajouterPhoto(carnet, controle, { image, ...objet }) {
  const id = crypto.randomUUID();
  await carnet.enchainer(async () => {
    try {
      const scelle = await carnet.coffre.sceller("photos", id, objet);
      const octets = await carnet.coffre.chiffrer("images", id, await image.arrayBuffer());
      const ordre = await carnet.coffre.ecrire(["photos", "images", "files"], async (de) => {
        await carnet.assurerLaFile(de("files"), controle);
        await de("images").put({ id, controle, ...octets });
        return de("photos").add({ id, controle, etat: "attente", ...scelle });
      });
      carnet.retenirPhoto({ ordre, id, controle, etat: "attente" }, objet);
    } catch (erreur) {
      if (!(erreur instanceof Plein)) throw erreur;
      carnet.photos.set(id, { ...objet, id, controle, etat: "attente", image }); // en mémoire seulement : elle part sans attendre
      carnet.nonGardes.set(`photo/${id}`, { controle, photo: id });
      carnet.dire("plein", { controle, photo: id });
    }
  });
  carnet.annoncer("photos", { controle });
  return id;
}

// Rend ``null`` si l’image ne s’ouvre plus : elle est mise de côté.
export async function imageDe(carnet, photo) {
  if (photo.image) return photo.image;
  const gardee = await carnet.coffre.base.get("images", photo.id);
  if (!gardee) return null;
  try {
    return new Blob([await carnet.coffre.dechiffrer("images", photo.id, gardee)], { type: photo.type });
  } catch (erreur) {
    if (!(erreur instanceof Abime)) throw erreur;
    await carnet.coffre.ecarter("images", gardee);
    await carnet.compterLesEcartes();
    return null;
  }
}

// ``etat`` : attente, recue, erreur (``phrase`` dit pourquoi) ou retiree.
export async function changerPhoto(carnet, photo, etat, phrase = "") {
  await carnet.enchainer(async () => {
    Object.assign(photo, { etat, phrase });
    if (etat === "recue" || etat === "retiree") {
      carnet.nonGardes.delete(`photo/${photo.id}`);
      delete photo.image;
    }
    if (etat === "retiree") carnet.photos.delete(photo.id);
    if (!photo.ordre) return;
    const { ordre: _ordre, id: _id, controle: _controle, etat: _etat, ...objet } = photo;
    const scelle = await carnet.coffre.sceller("photos", photo.id, objet);
    try {
      if (etat === "recue" || etat === "retiree") await carnet.coffre.ecrire(["images"], (de) => de("images").delete(photo.id));
      await carnet.coffre.ecrire(["photos"], async (de) => {
        const p = await de("photos").get(photo.ordre);
        if (etat === "retiree") await de("photos").delete(photo.ordre);
        else if (p) await de("photos").put({ ...p, ...scelle, etat });
      });
    } catch (erreur) {
      if (!(erreur instanceof Plein)) throw erreur; // renvoyée à la prochaine ouverture, elle ne comptera qu’une fois
    }
  });
  carnet.annoncer("photos", { controle: photo.controle });
}
