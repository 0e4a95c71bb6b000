// Choosing a model, filling in its form, submitting.

import { findModel, loadModels } from "../catalogue.js";
import { draftOf, imageCount } from "../draft.js";
import { h, replace } from "../dom.js";
import { buildForm } from "../form.js";
import { icon } from "../icons.js";
import { duration, either, fromCatalogue, t } from "../i18n.js";
import { eachOf, priceOf } from "../price.js";
import { copyJobFile, submitForm } from "../submitting.js";

const KEPT = "wanx-model";

export async function createView(app, name) {
  const models = await loadModels();
  const model = findModel(name) ?? findModel(sessionStorage.getItem(KEPT)) ?? models[0];
  sessionStorage.setItem(KEPT, model.name);
  const element = h(
    "div",
    { class: "create" },
    h("h1", {}, t("models.title")),
    modelCards(models, model, app),
    notices(model),
    formOf(model, app),
  );
  return { element, title: either(model.title) };
}

function modelCards(models, chosen, app) {
  return h(
    "div",
    { class: "model-cards", role: "radiogroup", "aria-label": t("models.title") },
    models.map((model) => modelCard(model, model === chosen, app)),
  );
}

function modelCard(model, isChosen, app) {
  const input = h("input", {
    type: "radio", name: "model", value: model.name, checked: isChosen,
    onchange: () => app.go(`#/create/${encodeURIComponent(model.name)}`, { keepFocus: `input[value="${CSS.escape(model.name)}"]` }),
  });
  return h(
    "label",
    { class: "model-card" },
    input,
    h("span", { class: "model-icon" }, icon(symbolOf(model))),
    h("span", { class: "model-title" }, either(model.title)),
    h("span", { class: "model-text" }, fromCatalogue(model.description ?? "")),
    h("span", { class: "model-facts" }, h("span", {}, eachOf(model)), h("span", {}, icon("clock"), t("models.help", { time: duration(model.typical) }))),
  );
}

/** A brush where one paints, layers where several pictures go in, a pencil otherwise. */
function symbolOf(model) {
  if (model.images.some((rule) => rule.sameSizeAs)) return "brush";
  return model.images.some((rule) => rule.at.endsWith("/*")) ? "layers" : "pencil";
}

function notices(model) {
  return model.notices.map((notice) => h("p", { class: "notice" }, icon("alert"), h("span", {}, either(notice))));
}

function formOf(model, app) {
  const draft = draftOf(model);
  const price = h("div", { class: "price", "aria-live": "polite" });
  const problems = h("div", { class: "problems", role: "alert" });
  const showPrice = () => {
    const { headline, detail } = priceOf(model, imageCount(model, draft));
    replace(price, h("strong", {}, headline), h("span", {}, detail));
  };
  const submit = h("button", { type: "submit", class: "button primary" }, t("submit"));
  const copy = h("button", { type: "button", class: "button quiet", onclick: () => copyJobFile(context) }, icon("copy"), t("copy.yaml"));
  const foot = h("div", { class: "submit-bar" }, price, h("div", { class: "submit-buttons" }, copy, submit));
  const form = buildForm(model, draft, showPrice, [problems, foot]);
  const context = { app, model, draft, form, problems, submit, copy };
  showPrice();
  if (draft.violations.length) form.showViolations(draft.violations);
  draft.violations = [];
  return h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); submitForm(context); } }, form.element);
}
