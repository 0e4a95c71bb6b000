// The models that do a task, in a line; the others behind a button, with a search by name.

import { allTasks, isDead } from "../catalogue.js";
import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { duration, either, hasWord, t } from "../i18n.js";
import { eachOf } from "../price.js";
import { does, modelsFor } from "../tasks.js";
import { mainOf, versionsOf } from "../versions.js";

const AT_ONCE = 3;

/** `choose(model, keepFocus)` is called with another model; `aside` is put at the end of the line. */
export function modelChoice({ models, task, model, choose }, aside) {
  const main = mainOf(model, models);
  const kin = task ?? allTasks().find((one) => does(model, one));
  const fit = kin ? modelsFor(kin, models) : [main];
  const first = fit.filter((one) => !isDead(one)).slice(0, AT_ONCE);
  const shown = first.includes(main) ? first : [main, ...first.slice(0, AT_ONCE - 1)];
  return h(
    "div",
    { class: "model-choice" },
    h("div", { class: "model-cards", role: "radiogroup", "aria-label": t("models.which") }, shown.map((one) => modelCard(one, one === main, choose))),
    versionChoice(model, main, models, choose),
    allModels(models.filter((one) => mainOf(one, models) === one), fit, choose),
    notices(model),
    aside,
  );
}

function modelCard(model, isChosen, choose) {
  const onchange = () => choose(model, `.model-card input[value="${CSS.escape(model.name)}"]`);
  return h(
    "label",
    { class: `model-card${isDead(model) ? " dead" : ""}` },
    h("input", { type: "radio", name: "model", value: model.name, checked: isChosen, onchange }),
    h("span", { class: "model-title" }, either(model.title), statusMark(model)),
    facts(model),
  );
}

const facts = (model) =>
  h("span", { class: "model-facts" }, h("span", {}, eachOf(model)), h("span", {}, icon("clock"), t("models.help", { time: duration(model.typical) })));

function statusMark(model) {
  const word = `models.status.${model.status?.state}`;
  return hasWord(word) ? h("span", { class: "badge status" }, t(word)) : null;
}

/** Which version of the model, if there are fixed ones. */
function versionChoice(model, main, models, choose) {
  const versions = versionsOf(main, models);
  if (versions.length === 1) return null;
  const option = (one, at) => h("option", { value: one.name, selected: one === model }, at ? one.name : t("models.newest", { model: one.name }));
  const onchange = ({ target }) => choose(versions.find((one) => one.name === target.value), "#model-version");
  return h("p", { class: "model-version" }, h("label", { for: "model-version" }, t("models.version")), h("select", { id: "model-version", onchange }, versions.map(option)));
}

function allModels(mains, fit, choose) {
  const list = h("div", { class: "model-rows" });
  const search = h("input", { type: "search", "aria-label": t("models.search"), placeholder: t("models.search"), spellcheck: "false", oninput: () => draw() });
  const choices = [...fit, ...mains.filter((one) => !fit.includes(one))];
  const row = (model) => modelRow(model, () => choose(model, ".all-models > summary"));
  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = choices.filter((model) => words.every((word) => textOf(model).includes(word)));
    const [ended, open] = [found.filter(isDead), found.filter((one) => !isDead(one))];
    const parts = words.length ? [[null, open]] : [[t("models.here"), open.filter((one) => fit.includes(one))], [t("models.others"), open.filter((one) => !fit.includes(one))]];
    replace(
      list,
      parts.filter(([, some]) => some.length).map(([head, some]) => [head && h("p", { class: "model-head" }, head), some.map(row)]),
      ended.length ? h("details", { open: words.length > 0 }, h("summary", {}, t("models.ended", { n: ended.length })), ended.map(row)) : null,
      found.length ? null : h("p", { class: "help" }, t("models.none")),
    );
  };
  draw();
  const summary = h("summary", {}, icon("search"), h("span", {}, t("models.all", { n: choices.length })));
  const panel = h("div", { class: "model-panel card" }, search, list);
  const element = h("details", { class: "fold all-models" }, summary, panel);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    list.querySelector(".model-row")?.click();
  });
  return foldAway(element, summary, search);
}

/** Folded: a person who comes every day knows them. */
function notices(model) {
  const said = model.notices.filter((notice) => notice !== model.status?.said).map((notice) => h("li", {}, either(notice)));
  if (!said.length) return null;
  const summary = h("summary", {}, icon("alert"), h("span", {}, t("models.notices", { n: said.length })));
  return foldAway(h("details", { class: "fold model-notices" }, summary, h("ul", { class: "model-panel card" }, said)), summary);
}

/** Escape and a press elsewhere close it; opening it leads to the search, if there is one. */
function foldAway(details, summary, search) {
  const outside = (event) => {
    if (!details.contains(event.target)) details.open = false;
  };
  details.addEventListener("toggle", (event) => {
    if (event.target !== details) return;
    document[details.open ? "addEventListener" : "removeEventListener"]("pointerdown", outside);
    if (details.open) search?.focus();
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    summary.focus();
  });
  return details;
}

function modelRow(model, onclick) {
  return h(
    "button",
    { type: "button", class: "model-row", value: model.name, onclick },
    h("span", { class: "model-title" }, either(model.title), " ", h("code", {}, model.name), statusMark(model)),
    facts(model),
    h("span", { class: "model-guide" }, either(model.guidance)),
  );
}

const textOf = (model) => [model.name, model.title.en, model.title.zh, either(model.guidance)].join(" ").toLowerCase();
