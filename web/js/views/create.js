// Filling in the form of a model, for a task or for all it can do, and submitting it.

import { carryOver } from "../carry.js";
import { findModel, loadModels } from "../catalogue.js";
import { restoredDraft, startFresh, wasFresh } from "../draft.js";
import { h, replace } from "../dom.js";
import { buildForm } from "../form.js";
import { icon } from "../icons.js";
import { either, sentence, t } from "../i18n.js";
import { settledJob } from "../jobfile.js";
import { keepSoon } from "../keptdrafts.js";
import { complain, reasonOf } from "../notices.js";
import { addressOf, keepPlace, placeOf } from "../place.js";
import { priceOf } from "../price.js";
import { copyJobFile, lookAgain, submitForm } from "../submitting.js";
import { fillSample } from "../sample.js";
import { jobCount } from "../several.js";
import { does, narrowed, prepare } from "../tasks.js";
import { modelChoice } from "./modelchoice.js";
import { severalPart } from "./several.js";
import { startView, taskStrip } from "./start.js";

export async function createView(app, first, second) {
  const models = await loadModels();
  const { task, model } = await placeOf(first, second);
  if (!model) return startView(first ? t("models.unknown", { name: second ?? first }) : "");
  keepPlace(task, model);
  const draft = await restoredDraft(model);
  if (wasFresh(draft)) keepSoon(model.name, draft);
  if (task) prepare(draft, model, task);
  const shown = task ? narrowed(model, task) : model;
  const choose = (other, keepFocus) => changeModel(app, { task, model: shown, draft }, other, keepFocus);
  const element = h(
    "div",
    { class: "create" },
    h("h1", { class: "visually-hidden" }, t("models.title")),
    taskStrip(task),
    modelChoice({ models, task, model, choose }, task ? sampleButton(app, { model: shown, draft, task }) : null),
    h("p", { class: "model-text guidance" }, guidance(model, models, task)),
    ending(model),
    conversionNotes(draft),
    formOf(shown, draft, app),
  );
  return { element, title: task ? either(task).title : either(model.title) };
}

/** What was entered goes along where the other model understands it. */
async function changeModel(app, from, other, keepFocus) {
  const task = from.task && does(other, from.task) ? from.task : null;
  if (task) {
    const draft = await restoredDraft(other);
    const left = await carryOver(from, { model: narrowed(other, task), draft });
    keepSoon(other.name, draft);
    if (left.length) complain(t("models.leftOut", { model: either(other.title), names: left.join(", ") }));
  }
  app.go(addressOf(task, other), { keepFocus });
}

/** For a form without pictures: what is there is not replaced. */
function sampleButton(app, place) {
  if (Object.values(place.draft.pictures).some((all) => all.length)) return null;
  const button = h("button", { type: "button", class: "chip-button", onclick: () => show() }, icon("image"), t("sample.try"));
  const show = async () => {
    button.disabled = true;
    try {
      await fillSample(place);
    } catch (error) {
      return complain(t("sample.failed", { reason: reasonOf(error) }));
    } finally {
      button.disabled = false;
    }
    keepSoon(place.model.name, place.draft);
    return app.redraw();
  };
  return button;
}

/** Which of many to take; the other models that it names are links. */
function guidance(model, models, task) {
  const names = models.map(({ name }) => name).sort((one, other) => other.length - one.length);
  const named = new RegExp(`(?<![\\w.-])(${names.join("|").replaceAll(".", "\\.")})(?![\\w-]|\\.\\w)`);
  const link = (name) => h("a", { href: addressOf(task && does(findModel(name), task) ? task : null, { name }) }, name);
  return either(model.guidance).split(named).map((part, at) => (at % 2 ? link(part) : part));
}

/** What becomes of a model that has no future, and what to use instead. */
function ending(model) {
  if (!model.status) return null;
  const successor = findModel(model.status.successor);
  const link = successor
    ? h("a", { href: addressOf(null, successor) }, t("models.useInstead", { model: either(successor.title) }))
    : model.status.successor ? t("models.successor", { model: model.status.successor }) : null;
  return h("p", { class: "notice" }, icon("alert"), h("span", {}, sentence(either(model.status.reason)), " ", link));
}

/** Once, after a job of another model was taken over. */
function conversionNotes(draft) {
  if (!draft.notes.length) return null;
  const items = draft.notes.map((note) => h("li", {}, note));
  draft.notes = [];
  return h("div", { class: "notice" }, icon("alert"), h("div", {}, h("strong", {}, t("rerun.notes")), h("ul", {}, items)));
}

function formOf(model, draft, app) {
  const price = h("div", { class: "price", "aria-live": "polite" });
  const problems = h("div", { class: "problems", role: "alert" });
  const changed = (pointer) => {
    showPrice();
    if (!pointer) return;
    keepSoon(model.name, draft);
    lookAgain(context, pointer);
  };
  const showPrice = () => {
    const { headline, detail } = priceOf(model, settledJob(model, draft).job, jobCount(model, draft));
    if (price.textContent === headline + detail) return;
    replace(price, h("strong", {}, headline), h("span", {}, detail));
  };
  const submit = h("button", { type: "submit", class: "button primary", "data-keys": t("submit.keys"), "aria-keyshortcuts": "Control+Enter" }, t("submit"));
  const copy = h("button", { type: "button", class: "button quiet", onclick: () => copyJobFile(context) }, icon("copy"), t("copy.yaml"));
  const foot = h("div", { class: "submit-bar" }, problems, price, h("div", { class: "submit-buttons" }, freshButton(model, app), copy, submit));
  const form = buildForm(model, draft, changed, [severalPart({ model, draft }, changed), foot]);
  const context = { app, batch: batchName(), model, draft, form, problems, submit, copy };
  showPrice();
  if (draft.violations.length) form.showViolations((context.shown = draft.violations));
  draft.violations = [];
  return h(
    "form",
    {
      novalidate: true, "data-model": model.name,
      onsubmit: (event) => { event.preventDefault(); submitForm(context); },
    },
    form.element,
  );
}

/** What the jobs of one submission are called together, unless a person calls them otherwise. */
const batchName = () => `batch ${new Date().toISOString().slice(0, 19).replace("T", " ")}`;

/** Empties the form; what was in it is gone, so it asks first. */
function freshButton(model, app) {
  const onclick = () => {
    if (!confirm(t("form.fresh.ask"))) return;
    startFresh(model);
    app.redraw();
  };
  return h("button", { type: "button", class: "tool", title: t("form.fresh"), "aria-label": t("form.fresh"), onclick }, icon("trash"));
}
