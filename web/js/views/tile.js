// A job in the gallery.

import { findModel } from "../catalogue.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { either, inPageLanguage, t, when } from "../i18n.js";
import { erasedAt, isOver, stateWord, tone } from "../states.js";
import { labelsOf, labelTitle } from "./labels.js";
import { star } from "./star.js";

/** `isSelected` says how the box begins; `onSelect` gets whether it is checked, and the event. */
export function tile(job, { isSelected, onSelect }) {
  const state = erasedAt(job) ? t("state.erased") : stateWord(findModel(job.model), job.state);
  const name = job.prompt || job.job;
  const select = h("input", {
    type: "checkbox", checked: isSelected, "aria-label": t("select.one", { job: name }),
    onclick: (event) => onSelect(select.checked, event),
  });
  return h(
    "div",
    { role: "listitem", class: "tile-item", "data-job": job.job },
    link(job, state),
    h("label", { class: "tile-check" }, select),
    star(job.job, "tile-star"),
  );
}

function link(job, state) {
  const model = findModel(job.model);
  return h(
    "a",
    { class: "tile", href: `#/jobs/${encodeURIComponent(job.job)}` },
    picture(job),
    h("span", { class: "tile-prompt" }, job.prompt || job.job),
    h("span", { class: "tile-facts" }, h("span", { class: "pill", "data-tone": toneOf(job) }, state), h("span", {}, when(job.created_at))),
    job.error?.message && !erasedAt(job) ? h("span", { class: isOver(job.state) ? "tile-error" : "tile-error tile-why" }, inPageLanguage(job.error, "message")) : null,
    h("span", { class: "tile-model" }, [...labelsOf(job).map(labelTitle), model ? either(model.title) : job.model].join(" · ")),
  );
}

const toneOf = (job) => (erasedAt(job) ? "quiet" : tone(job.state));

function picture(job) {
  const images = job.images ?? [];
  const shown = images.find((one) => one.url);
  const symbol = erasedAt(job) ? "trash" : { bad: "alert", busy: "clock" }[tone(job.state)] ?? "image";
  return h(
    "span",
    { class: "tile-picture" },
    shown ? h("img", { src: shown.url, alt: "", loading: "lazy" }) : h("span", { class: "tile-blank" }, icon(symbol)),
    images.length > 1 ? h("span", { class: "badge" }, icon("layers"), String(images.length)) : null,
  );
}
