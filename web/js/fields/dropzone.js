// The place where picture files are chosen or dropped, and what is said of them there.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { bytes, fieldTitle, number, t } from "../i18n.js";
import { acceptOf } from "../picture.js";

/**
 * {element, input}
 * @param {import("./shell.js").FieldContext} context
 * @param {boolean} several whether more than one file may be chosen at once
 * @param {(files: File[]) => void} onFiles
 */
export function dropZone(context, several, onFiles) {
  const title = context.title ?? fieldTitle(context.name, context.schema);
  const input = h("input", {
    type: "file", accept: acceptOf(context.rule), multiple: several,
    class: "visually-hidden", "aria-label": t("image.chooseFor", { name: title }),
    onchange: () => {
      const files = [...input.files];
      input.value = "";
      onFiles(files);
    },
  });
  const words = h(
    "span",
    { class: "drop-words" },
    h("span", {}, t("image.drop"), " ", h("span", { class: "link" }, t("image.choose"))),
    h("span", { class: "help by-keyboard" }, t("image.paste")),
    h("span", { class: "help limits" }, limits(context.rule)),
  );
  const element = h("label", { class: "drop-zone" }, input, h("span", { class: "drop-icon" }, icon("image")), words);
  return { element, input };
}

function limits(rule) {
  const words = { formats: rule.accept.join(", "), min: number(rule.min), max: number(rule.max), bytes: bytes(rule.maxBytes) };
  const unusual = rule.max === Infinity ? ".open" : rule.exclusive ? ".exclusive" : rule.advised ? ".advised" : rule.min <= 1 ? ".most" : "";
  return t(`image.limits${unusual}`, words) + (rule.rgba ? t("image.limits.rgba") : "");
}
