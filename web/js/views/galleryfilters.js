// What a gallery is narrowed by.

import { loadModels } from "../catalogue.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { either, t } from "../i18n.js";
import { STATES } from "../states.js";
import { labelsOf, labelTitle } from "./labels.js";

const TYPING = 400;
/** As many labels as a person still chooses from; the search finds the others. */
const MOST_LABELS = 100;
const AGES = [["1", "gallery.day"], ["7", "gallery.week"], ["30", "gallery.month"]];

/** {element, learn}: changes `kept` and calls `onChange`; `learn` gets jobs whose labels can be chosen from then on. */
export async function galleryFilters(kept, onChange) {
  const models = (await loadModels()).filter((model) => !model.snapshot_of);
  const select = (name, word, options) => selectOf(kept, name, word, options, onChange);
  const labels = labelSelect(kept, onChange);
  const element = h(
    "div",
    { class: "filters", role: "search" },
    searchBox(kept, onChange),
    select("show", "gallery.show", [["", t("gallery.everything")], ["favourites", t("gallery.favourites")], ["hidden", t("gallery.hidden")]]),
    select("state", "gallery.state", [["", t("gallery.all")], ...STATES.map((state) => [state, t(`state.${state}`)])]),
    select("model", "gallery.model", [["", t("gallery.models")], ...models.map((model) => [model.name, either(model.title)])]),
    labels.element,
    select("age", "gallery.age", [["", t("gallery.ages")], ...AGES.map(([days, word]) => [days, t(word)])]),
  );
  return { element, learn: labels.learn };
}

/** Hidden as long as no job has a label. */
function labelSelect(kept, onChange) {
  const known = new Set();
  const element = selectOf(kept, "label", "gallery.label", [["", t("gallery.labels")]], onChange);
  const add = (label) => {
    if (known.has(label) || known.size >= MOST_LABELS) return;
    known.add(label);
    element.append(h("option", { value: label, selected: label === kept.label }, labelTitle(label)));
    element.hidden = false;
  };
  element.hidden = true;
  if (kept.label) add(kept.label);
  return { element, learn: (jobs) => jobs.flatMap(labelsOf).forEach(add) };
}

function searchBox(kept, onChange) {
  let timer;
  const search = h("input", {
    type: "search", value: kept.search, placeholder: t("gallery.search"), "aria-label": t("gallery.search"), maxlength: 200,
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => { kept.search = search.value; onChange(); }, TYPING);
    },
  });
  return h("span", { class: "search" }, icon("search"), search);
}

function selectOf(kept, name, word, options, onChange) {
  const choices = options.map(([value, text]) => h("option", { value, selected: value === kept[name] }, text));
  const select = h("select", { "aria-label": t(word), onchange: () => { kept[name] = select.value; onChange(); } }, choices);
  return select;
}
