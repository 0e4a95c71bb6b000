// The token lives in this tab and goes when the tab does, unless a person wants to stay signed in.

import { t } from "./i18n.js";

const KEPT = "wanx-token";
const PERSON = "wanx-person";
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export function token() {
  return sessionStorage.getItem(KEPT) ?? localStorage.getItem(KEPT);
}

/** `stay`: in every tab of this browser, until signing out. */
export function signIn(value, stay = false) {
  sessionStorage.setItem(KEPT, value);
  if (stay) localStorage.setItem(KEPT, value);
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
  localStorage.removeItem(KEPT);
}

/** Whether somebody else was signed in here before; what that person left is not for this one. */
export function isSomebodyElse(value) {
  const before = localStorage.getItem(PERSON);
  localStorage.setItem(PERSON, mark(value));
  return before !== null && before !== mark(value);
}

/** 32 bits that tell tokens apart and say nothing else of them (FNV-1a). */
function mark(text) {
  let hash = 0x811c9dc5;
  for (const one of text) hash = Math.imul(hash ^ one.codePointAt(0), 0x01000193) >>> 0;
  return hash.toString(16);
}

let offered = { token: "", message: "" };

/**
 * A link may carry a token or a code after the #, which no server sees; it is taken out of the
 * address at once. A token is only offered in the sign-in form: somebody may have sent the link to
 * get the pictures and prompts of whoever opens it, and a new tab knows of no other token. A code
 * is from the laptop's own server, which gives the token for it once.
 */
export async function takeFromAddress() {
  const [, kind, value] = /^#(token|code)=([\w.~-]+)$/.exec(location.hash) ?? [];
  if (!kind) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (kind === "code") await useCode(value);
  else if (!token()) offered = { token: value, message: t("signin.offered") };
}

async function useCode(code) {
  if (!LOOPBACK.test(location.hostname)) return;
  const body = JSON.stringify({ code });
  /** @type {RequestInit} */
  const options = { method: "POST", body, headers: { "Content-Type": "application/json" }, cache: "no-store" };
  const answer = await fetch(new URL("_runtime/sign-in", document.baseURI), options).catch(() => null);
  if (answer?.ok) signIn((await answer.json()).token, true);
  else if (!token()) offered = { token: "", message: t("signin.codeUsed") };
}

/** {token, message}: what a link brought, once. */
export function takeOffered() {
  const taken = offered;
  offered = { token: "", message: "" };
  return taken;
}
