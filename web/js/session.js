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

let offered = "";

/**
 * A link may carry the token after the #, which no server sees; it is taken out of the address at
 * once. It is only offered in the sign-in form: somebody may have sent the link to get the pictures
 * and prompts of whoever opens it, and a new tab knows of no other token.
 */
export function takeTokenFromAddress() {
  const match = /^#token=([\w.~-]+)$/.exec(location.hash);
  if (!match) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (!token()) offered = match[1];
}

/** The token that a link brought, once. */
export function takeOffered() {
  const taken = offered;
  offered = "";
  return taken;
}
