// Any two images side by side under one divide.

import { openDialog } from "../dialog.js";
import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { compare } from "./compare.js";

/** The images of jobs, each with a name for people. */
export function imagesOf(jobs) {
  return jobs.flatMap((job) => {
    const shown = (job.images ?? []).filter((image) => image.url);
    const stem = (job.prompt || job.job).slice(0, 40);
    return shown.map((image, place) => ({ ...image, name: shown.length > 1 ? `${stem} · ${t("job.result", { n: place + 1 })}` : stem }));
  });
}

/** Opens with the first two; each can be another one. */
export function compareImages(images, left = 0, right = 1) {
  const chosen = [left, right];
  const stage = h("div", { class: "compare-two" });
  const draw = () => {
    const [one, other] = chosen.map((place) => images[place]);
    replace(stage, compare(one.url, other, other.name, { before: one.name, after: other.name }));
  };
  const pick = (side, word) => {
    const options = images.map((image, place) => h("option", { value: place, selected: place === chosen[side] }, `${place + 1} · ${image.name}`));
    const select = h("select", { "aria-label": t(word), onchange: () => { chosen[side] = Number(select.value); draw(); } }, options);
    return select;
  };
  const close = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, icon("x"), t("lightbox.close"));
  draw();
  const content = [stage, h("div", { class: "compare-choose" }, pick(0, "compare.left"), pick(1, "compare.right"), close)];
  const dialog = openDialog(t("compare.title"), content, { className: "card wide" });
}
