// Where everything begins: what people may want to do.

import { allTasks, loadModels } from "../catalogue.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { either, t } from "../i18n.js";
import { addressOf } from "../place.js";

export async function startView(missing = "") {
  await loadModels();
  const element = h(
    "div",
    { class: "start" },
    missing ? h("p", { class: "notice", role: "status" }, icon("alert"), h("span", {}, missing)) : null,
    h("h1", {}, t("models.title")),
    h("ul", { class: "task-tiles" }, allTasks().map((task) => h("li", {}, taskTile(task)))),
  );
  return { element, title: "" };
}

function taskTile(task) {
  const { title, text } = either(task);
  return h(
    "a",
    { class: "task-tile", href: addressOf(task), "data-task": task.id },
    h("span", { class: "task-icon" }, icon(task.icon)),
    h("span", { class: "task-words" }, h("strong", {}, title), h("span", {}, text)),
  );
}

/** The same in one line, above the form. */
export function taskStrip(chosen) {
  const link = (task) =>
    h(
      "a",
      { class: "task", href: addressOf(task), "data-task": task.id, title: either(task).text, "aria-current": task === chosen ? "page" : null },
      h("span", { class: "task-icon" }, icon(task.icon)),
      h("span", {}, either(task).title),
    );
  return h("nav", { class: "task-strip", "aria-label": t("models.title") }, allTasks().map(link));
}
