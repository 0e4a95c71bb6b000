// The token lives in this tab alone and goes when the tab does.

const KEPT = "wanx-token";

export function token() {
  return sessionStorage.getItem(KEPT);
}

export function signIn(value) {
  sessionStorage.setItem(KEPT, value);
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
}

/**
 * A link may carry the token after the #, which no server sees; it is taken out of the address at
 * once. Whoever is signed in stays so: a link cannot move somebody's work to another token.
 */
export function takeTokenFromAddress() {
  const match = /^#token=([\w.~-]+)$/.exec(location.hash);
  if (!match) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (!token()) signIn(match[1]);
}
