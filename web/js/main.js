// The page: which view is shown, and the frame around it.

import { Unauthorised } from "./api.js";
import { catchFiles } from "./catchfiles.js";
import { h, replace } from "./dom.js";
import { frame } from "./frame.js";
import { icon } from "./icons.js";
import { language, setLanguage, t } from "./i18n.js";
import { allKept, keepNow } from "./keptdrafts.js";
import { isMine, token } from "./person.js";
import { loseToken, signOut, startOver, takeFromAddress, watchPerson } from "./session.js";
import { applyTheme } from "./theme.js";
import { createView } from "./views/create.js";
import { galleryView, labelView } from "./views/gallery.js";
import { jobView } from "./views/job.js";
import { startView } from "./views/start.js";
import { signInView } from "./views/signin.js";

const app = { go, redraw, signedOut, signOut };
/** @typedef {{element: HTMLElement, title?: string, focus?: () => void, close?: () => void}} View */

/** @type {View|null} */
let current = null;
let round = 0;
let navigated = false;

function go(address, { keepFocus = null } = {}) {
  app.keepFocus = keepFocus;
  if (location.hash === address) redraw();
  else location.hash = address;
}

function signedOut() {
  loseToken();
  redraw(t("error.signedOut"));
}

/** Draws the view the address names. A view that comes late, after another was asked for, is dropped. */
async function redraw(message = "") {
  if (!isMine()) return startOver();
  const mine = (round += 1);
  /** @type {View} */
  let view;
  try {
    view = token() ? await viewOf(location.hash) : signInView(() => redraw(), message);
  } catch (error) {
    if (error instanceof Unauthorised) return signedOut();
    view = errorView(error);
  }
  if (mine !== round) return view.close?.();
  current?.close?.();
  current = view;
  const focus = app.keepFocus;
  app.keepFocus = null;
  document.title = view.title ? `${view.title} · ${t("app.name")}` : t("app.name");
  replace(document.getElementById("app"), frame(app, view.element));
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
  else if (view.focus) view.focus();
  else if (navigated) document.getElementById("content")?.focus({ preventScroll: true });
  navigated = false;
  return null;
}

function viewOf(hash) {
  const [page, ...names] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (page === "jobs" && names[0]) return jobView(app, names[0]);
  if (page === "jobs") return galleryView(app);
  if (page === "labels" && names[0]) return labelView(app, names[0]);
  if (page === "create") return createView(app, ...names);
  return startView(page ? t("error.noPage", { address: hash }) : "");
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function errorView(error) {
  const again = h("button", { type: "button", class: "button primary", onclick: () => redraw() }, icon("refresh"), t("error.again"));
  return { element: h("div", { class: "card empty", role: "alert" }, icon("alert"), h("p", {}, error.message), again) };
}

/** A draft that is not on the disk yet is written when the page goes out of sight; leaving waits for it. */
function watchLeaving() {
  addEventListener("pagehide", keepNow);
  document.addEventListener("visibilitychange", () => document.hidden && keepNow());
  addEventListener("beforeunload", (event) => {
    if (allKept()) return;
    keepNow();
    event.preventDefault();
  });
}

/** Ctrl+Enter submits the form of the view, wherever the focus is; not from behind a dialog. */
function watchKeys() {
  document.addEventListener("keydown", (event) => {
    const form = document.querySelector("form[data-model]");
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !(form instanceof HTMLFormElement)) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (!event.repeat) form.requestSubmit();
  });
}

watchLeaving();
watchPerson();
watchKeys();
catchFiles();
setLanguage(language());
applyTheme();
addEventListener("hashchange", async () => {
  await takeFromAddress();
  navigated = true;
  if (!app.keepFocus) scrollTo(0, 0);
  redraw();
});
takeFromAddress().then(() => redraw());
