// The first view: the token, asked for once.

import { Unauthorised } from "../api.js";
import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { reasonOf } from "../notices.js";
import { signIn, takeOffered } from "../session.js";

export function signInView(onDone, message = "") {
  const offered = takeOffered();
  const error = h("p", { class: "error", id: "token-error", role: "alert" }, offered.message || message);
  const input = h("input", {
    id: "token", type: "password", autocomplete: "current-password", spellcheck: "false", required: true,
    "aria-describedby": "token-error token-help",
  });
  input.value = offered.token;
  const stay = h("input", { type: "checkbox", id: "stay" });
  const button = h("button", { class: "button primary wide" }, t("signin.button"));
  const form = h(
    "form",
    { class: "card signin", novalidate: true, onsubmit: (event) => submit(event, { input, stay, button, error, onDone }) },
    h("div", { class: "signin-art", "aria-hidden": "true" }, icon("image"), icon("brush"), icon("wand")),
    h("h1", {}, t("signin.title")),
    h("p", { class: "lead" }, t("signin.lead")),
    h("label", { for: "token" }, t("signin.token")),
    input, error,
    h("label", { class: "stay", for: "stay" }, stay, h("span", {}, t("signin.stay"))),
    button,
    h("p", { class: "help", id: "token-help" }, t("signin.help")),
  );
  return { element: form, focus: () => input.focus() };
}

async function submit(event, { input, stay, button, error, onDone }) {
  event.preventDefault();
  const token = input.value.trim();
  if (!token) return replace(error, t("signin.empty"));
  button.disabled = true;
  button.textContent = t("signin.busy");
  try {
    await signIn(token, stay.checked);
    return onDone();
  } catch (problem) {
    replace(error, problem instanceof Unauthorised ? t("signin.wrong") : reasonOf(problem));
    input.setAttribute("aria-invalid", "true");
    return input.select();
  } finally {
    button.disabled = false;
    button.textContent = t("signin.button");
  }
}
