// The images of a job: large with its "before", the others to choose from.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { beforePicture } from "../inputs.js";
import { language, number, t } from "../i18n.js";
import { compare } from "./compare.js";
import { compareImages, imagesOf } from "./comparetwo.js";
import { lightbox } from "./lightbox.js";

export function results(job, pictures) {
  const images = shownOf(job);
  const written = texts(job);
  if (!images.length) return written.length ? h("section", { class: "card results" }, written) : null;
  const before = beforePicture(pictures);
  const large = h("div", { class: "result-large" });
  const toCompare = [...images, ...(before ? [{ url: before.address, name: t("compare.before") }] : [])];
  const show = (place) => {
    const open = () => lightbox(images, place, (now) => choices[now]?.querySelector("input").click());
    const others = images.length > 1 ? () => compareImages(toCompare, place, place ? 0 : 1) : null;
    showLarge(large, before, images[place], { place, open, others });
  };
  const choices = images.map((image, place) => choice(image, place, images.length, show));
  show(0);
  return h(
    "section",
    { class: "card results" },
    large,
    images.length > 1 ? h("div", { class: "result-choices", role: "radiogroup", "aria-label": t("job.result", { n: "" }) }, choices) : null,
    failedImages(job),
    written,
    rewritten(images),
  );
}

/** The manifest's facts (number, prompt, bytes) joined with the signed addresses. */
function shownOf(job) {
  const facts = new Map((job.result?.images ?? []).map((image) => [image.key, image]));
  return imagesOf([job]).map((image, place) => ({ ...facts.get(image.key), ...image, name: t("job.result", { n: place + 1 }) }));
}

function showLarge(large, before, image, { place, open, others }) {
  const n = image.number ?? place + 1;
  const alt = t("job.result", { n });
  const shown = before
    ? compare(before.address, image, alt)
    : h("button", { type: "button", class: "result-open", "aria-label": `${alt}: ${t("lightbox.open")}`, onclick: open }, h("img", { class: "result-image", src: image.url, alt }));
  const full = h("button", { type: "button", class: "button", onclick: open }, icon("fit"), t("lightbox.open"));
  const compared = others ? h("button", { type: "button", class: "button", onclick: others }, icon("compare"), t("select.compare")) : null;
  const link = h(
    "a",
    { class: "button", href: image.download_url ?? image.url, download: image.key?.split("/").pop() ?? "", "aria-label": t("job.downloadNamed", { n }) },
    icon("download"), t("job.download"),
  );
  const size = image.width ? `${number(image.width)} × ${number(image.height)}` : "";
  replace(large, shown, h("div", { class: "result-foot" }, h("span", { class: "facts" }, [alt, size].filter(Boolean).join(" · ")), h("div", { class: "job-buttons" }, full, compared, link)));
}

function choice(image, place, total, choose) {
  const input = h("input", { type: "radio", name: "result", checked: place === 0, onchange: () => choose(place) });
  const alt = `${t("job.result", { n: image.number ?? place + 1 })}, ${t("job.of", { n: place + 1, total })}`;
  return h("label", { class: "result-choice" }, input, h("img", { src: image.url, alt, loading: "lazy" }));
}

function failedImages(job) {
  const failed = job.result?.failed_images ?? [];
  if (!failed.length) return null;
  const hint = (language() === "zh" ? failed[0].hint_zh : null) ?? failed[0].hint ?? "";
  const text = t("job.failedImages", { n: failed.length, reason: failed[0].message ?? failed[0].code });
  return h("p", { class: "notice" }, icon("alert"), h("span", {}, text, " ", hint));
}

/** What the model wrote beside its images, if it is more than the prompt, and what the service remarked. */
function texts(job) {
  const { texts: written = [], message } = job.result ?? {};
  const isNews = (one) => one && one !== job.spec?.input?.prompt;
  return [...written, message].filter(isNews).map((one) => h("blockquote", { class: "result-text" }, one));
}

function rewritten(images) {
  const prompt = images.map((image) => image.actual_prompt).find(Boolean);
  if (!prompt) return null;
  return h("details", { class: "rewritten" }, h("summary", {}, t("job.rewritten")), h("p", {}, prompt));
}
