// La dernière requête réussie, partagée entre onglets : c’est elle qui repousse la fin de session.
export const CLE = "portail-derniere-activite";

export function activite() {
  localStorage.setItem(CLE, String(Date.now()));
}
