// A job in the gallery.

import { findModel } from "../catalogue.js";
import { h } from "../dom.js";
import { icon } from "../icons.js";
import { either, inPageLanguage, t, when } from "../i18n.js";
import { stateWord, tone } from "../states.js";

export function tile(job) {
  const model = findModel(job.model);
  const state = stateWord(model, job.state);
  const image = (job.images ?? []).find((one) => one.url);
  const count = (job.images ?? []).length;
  const picture = image
    ? h("img", { src: image.url, alt: "", loading: "lazy" })
    : h("span", { class: "tile-blank" }, icon(tone(job.state) === "bad" ? "alert" : tone(job.state) === "busy" ? "clock" : "image"));
  return h(
    "div",
    { role: "listitem", class: "tile-item" },
    h(
      "a",
      { class: "tile", href: `#/jobs/${encodeURIComponent(job.job)}`, "aria-label": t("gallery.open", { job: job.prompt || job.job, state }) },
      h("span", { class: "tile-picture" }, picture, count > 1 ? h("span", { class: "badge" }, icon("layers"), String(count)) : null),
      h("span", { class: "tile-prompt" }, job.prompt || job.job),
      h("span", { class: "tile-facts" }, h("span", { class: "pill", "data-tone": tone(job.state) }, state), h("span", {}, when(job.created_at))),
      job.error?.message ? h("span", { class: "tile-error" }, inPageLanguage(job.error, "message")) : null,
      h("span", { class: "tile-model" }, model ? either(model.title) : job.model),
    ),
  );
}
