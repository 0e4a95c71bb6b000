// Signing in and out: every way goes through here.

import { forgetModels, loadModels } from "./catalogue.js";
import { forgetPerson } from "./forget.js";
import { t } from "./i18n.js";
import { admit, dismiss, dropStrayTokens, dropToken, isMine, person, token } from "./person.js";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Asks with the token first: a wrong one changes nothing. `stay`: in every tab, until signing out. Raises ApiError. */
export async function signIn(value, stay) {
  forgetModels();
  await loadModels(value);
  await enter(value, stay);
}

export async function signOut() {
  dismiss();
  await forgetPerson();
  startOver();
}

/** After a token was refused, which is not signing out: drafts wait for the same person. */
export function loseToken() {
  dropToken();
  forgetModels();
}

/** What somebody else left in this browser is not for this person. */
async function enter(value, stay) {
  if (admit(value, stay)) await forgetPerson();
  if (!isMine()) startOver();
}

/** Drops all that this page has in memory or on its way: it belongs to the person before. */
export function startOver() {
  if (person()) history.replaceState(null, "", location.pathname);
  location.reload();
}

/** Other tabs sign in and out too; a page from the browser's memory (pageshow) has not heard of it. */
export function watchPerson() {
  dropStrayTokens();
  for (const name of ["storage", "pageshow"]) addEventListener(name, () => isMine() || startOver());
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
  if (answer?.ok) await enter((await answer.json()).token, true);
  else if (!token()) offered = { token: "", message: t("signin.codeUsed") };
}

/** {token, message}: what a link brought, once. */
export function takeOffered() {
  const taken = offered;
  offered = { token: "", message: "" };
  return taken;
}
