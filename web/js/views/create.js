// Choosing a model, filling in its form, submitting.

import { findModel, isDead, loadModels } from "../catalogue.js";
import { draftOf } from "../draft.js";
import { h, replace } from "../dom.js";
import { buildForm } from "../form.js";
import { icon } from "../icons.js";
import { capital, duration, either, fromCatalogue, hasWord, t } from "../i18n.js";
import { settledJob } from "../jobfile.js";
import { groupsOf, mainOf, versionsOf } from "../modelgroups.js";
import { eachOf, priceOf } from "../price.js";
import { copyJobFile, submitForm } from "../submitting.js";

const KEPT = "wanx-model";

export async function createView(app, name) {
  const models = await loadModels();
  const kept = findModel(sessionStorage.getItem(KEPT));
  const model = findModel(name) ?? (kept && !isDead(kept) ? kept : models[0]);
  sessionStorage.setItem(KEPT, model.name);
  const element = h(
    "div",
    { class: "create" },
    h("h1", {}, t("models.title")),
    modelCards(models, mainOf(model, models), app),
    h("p", { class: "model-text" }, fromCatalogue(model.description ?? ""), " ", guidance(model, models)),
    versionChoice(model, models, app),
    ending(model),
    notices(model),
    conversionNotes(draftOf(model)),
    formOf(model, app),
  );
  return { element, title: either(model.title) };
}

function modelCards(models, chosen, app) {
  const groups = groupsOf(models);
  const cards = (group) => h("div", { class: "model-cards" }, group.models.map((model) => modelCard(model, model === chosen, app)));
  const whole = (group) =>
    h(
      "details",
      { class: "model-group", open: group.models.includes(chosen) },
      h("summary", {}, either(group), " ", h("span", { class: "count" }, String(group.models.length))),
      cards(group),
    );
  return h("div", { class: "model-groups", role: "radiogroup", "aria-label": t("models.title") }, groups.length > 1 ? groups.map(whole) : cards(groups[0]));
}

function modelCard(model, isChosen, app) {
  const input = h("input", {
    type: "radio", name: "model", value: model.name, checked: isChosen,
    onchange: () => app.go(`#/create/${encodeURIComponent(model.name)}`, { keepFocus: `input[value="${CSS.escape(model.name)}"]` }),
  });
  return h(
    "label",
    { class: `model-card${isDead(model) ? " dead" : ""}` },
    input,
    h("span", { class: "model-icon" }, icon(symbolOf(model))),
    h("span", { class: "model-title" }, either(model.title), statusMark(model)),
    h("span", { class: "model-facts" }, h("span", {}, eachOf(model)), h("span", {}, icon("clock"), t("models.help", { time: duration(model.typical) }))),
  );
}

/** Which of many to take; the other models that it names are links. */
function guidance(model, models) {
  const names = models.map(({ name }) => name).sort((one, other) => other.length - one.length);
  const named = new RegExp(`(?<![\\w.-])(${names.join("|").replaceAll(".", "\\.")})(?![\\w-]|\\.\\w)`);
  const link = (name) => h("a", { href: `#/create/${encodeURIComponent(name)}` }, name);
  return h("span", { class: "guidance" }, either(model.guidance).split(named).map((part, at) => (at % 2 ? link(part) : part)));
}

/** Which version of the model, if there are fixed ones. */
function versionChoice(model, models, app) {
  const versions = versionsOf(mainOf(model, models), models);
  if (versions.length === 1) return null;
  const option = ({ name }, at) => h("option", { value: name, selected: name === model.name }, at ? name : t("models.newest", { model: name }));
  const choose = ({ target }) => app.go(`#/create/${encodeURIComponent(target.value)}`, { keepFocus: "#model-version" });
  return h(
    "p",
    { class: "model-version" },
    h("label", { for: "model-version" }, t("models.version")),
    h("select", { id: "model-version", onchange: choose }, versions.map(option)),
  );
}

function statusMark(model) {
  const word = `models.status.${model.status?.state}`;
  return hasWord(word) ? h("span", { class: "badge status" }, t(word)) : null;
}

/** What becomes of a model that has no future, and what to use instead. */
function ending(model) {
  if (!model.status) return null;
  const successor = findModel(model.status.successor);
  const link = successor
    ? h("a", { href: `#/create/${encodeURIComponent(successor.name)}` }, t("models.useInstead", { model: either(successor.title) }))
    : model.status.successor ? t("models.successor", { model: model.status.successor }) : null;
  return h("p", { class: "notice" }, icon("alert"), h("span", {}, capital(either(model.status.said ?? model.status.reason)), " ", link));
}

/** A brush where one paints, layers where several pictures go in, a pencil otherwise. */
function symbolOf(model) {
  if (model.images.some((rule) => rule.sameSizeAs)) return "brush";
  return model.images.some((rule) => rule.at.endsWith("/*")) ? "layers" : "pencil";
}

function notices(model) {
  return model.notices.filter((notice) => notice !== model.status?.said).map((notice) => h("p", { class: "notice" }, icon("alert"), h("span", {}, either(notice))));
}

/** Once, after a job of another model was taken over. */
function conversionNotes(draft) {
  if (!draft.notes.length) return null;
  const items = draft.notes.map((note) => h("li", {}, note));
  draft.notes = [];
  return h("div", { class: "notice" }, icon("alert"), h("div", {}, h("strong", {}, t("rerun.notes")), h("ul", {}, items)));
}

function formOf(model, app) {
  const draft = draftOf(model);
  const price = h("div", { class: "price", "aria-live": "polite" });
  const problems = h("div", { class: "problems", role: "alert" });
  const showPrice = () => {
    const { headline, detail } = priceOf(model, settledJob(model, draft).job);
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
  return h("form", { novalidate: true, "data-model": model.name, onsubmit: (event) => { event.preventDefault(); submitForm(context); } }, form.element);
}
