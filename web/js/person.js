// Whose browser this is: one person at a time, in all its tabs.
//
// A person is known by a mark that is derived from the token. The mark in localStorage says whose the
// browser is now; a token of anybody else counts for nothing, in whichever tab it lies. So a tab that
// missed how somebody signed out elsewhere can neither ask nor write any more.

const TOKEN = "wanx-token";
const PERSON = "wanx-person";

const owner = () => localStorage.getItem(PERSON) ?? "";

/** Whom this page was loaded for; it is never anybody else's, see startOver in session.js. */
let mine = owner();

/** The mark of this page's person, "" for nobody. */
export const person = () => mine;

/** Whether the browser is still the one of this page's person. */
export const isMine = () => owner() === mine;

/** The token lives in its tab and goes when the tab does, unless a person wants to stay signed in. */
export function token() {
  if (!isMine()) return null;
  return [sessionStorage, localStorage].map((place) => place.getItem(TOKEN)).find((one) => one !== null && mark(one) === mine) ?? null;
}

/** A token of somebody who has signed out since, in another tab. */
export function dropStrayTokens() {
  for (const place of [sessionStorage, localStorage]) {
    const left = place.getItem(TOKEN);
    if (left !== null && mark(left) !== owner()) place.removeItem(TOKEN);
  }
}

/** Makes the browser that of the token's person; whether it was somebody else's, or nobody's. `stay`: in every tab. */
export function admit(value, stay) {
  const isOther = owner() !== mark(value);
  if (isOther) dismiss();
  sessionStorage.setItem(TOKEN, value);
  if (stay) localStorage.setItem(TOKEN, value);
  localStorage.setItem(PERSON, mark(value)); // last: other tabs are loaded again for it, and find the token
  mine ||= mark(value);
  return isOther;
}

/** Makes the browser nobody's. */
export function dismiss() {
  localStorage.removeItem(PERSON);
  localStorage.removeItem(TOKEN);
  sessionStorage.clear();
}

/** The token is not accepted any more; the browser stays its person's. */
export function dropToken() {
  const refused = token();
  for (const place of [sessionStorage, localStorage]) if (place.getItem(TOKEN) === refused) place.removeItem(TOKEN);
}

/** 32 bits that tell tokens apart and say nothing else of them (FNV-1a). */
function mark(text) {
  let hash = 0x811c9dc5;
  for (const one of text) hash = Math.imul(hash ^ one.codePointAt(0), 0x01000193) >>> 0;
  return hash.toString(16);
}
