// What a gallery is narrowed by.

import { loadModels } from "../catalogue.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { either, t } from "../i18n.js";
import { STATES } from "../states.js";

const TYPING = 400;
const AGES = [["1", "gallery.day"], ["7", "gallery.week"], ["30", "gallery.month"]];

/** Changes `kept` and calls `onChange`. */
export async function galleryFilters(kept, onChange) {
  const models = (await loadModels()).filter((model) => !model.snapshot_of);
  const select = (name, word, options) => selectOf(kept, name, word, options, onChange);
  return h(
    "div",
    { class: "filters", role: "search" },
    searchBox(kept, onChange),
    select("show", "gallery.show", [["", t("gallery.everything")], ["favourites", t("gallery.favourites")], ["hidden", t("gallery.hidden")]]),
    select("state", "gallery.state", [["", t("gallery.all")], ...STATES.map((state) => [state, t(`state.${state}`)])]),
    select("model", "gallery.model", [["", t("gallery.models")], ...models.map((model) => [model.name, either(model.title)])]),
    select("age", "gallery.age", [["", t("gallery.ages")], ...AGES.map(([days, word]) => [days, t(word)])]),
  );
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
