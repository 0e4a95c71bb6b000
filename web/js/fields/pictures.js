// The field for one picture or several: choose, drop or paste, see, order, remove.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { bytes, fieldTitle, number, t } from "../i18n.js";
import { say } from "../notices.js";
import { BadPicture, fixPicture, readPicture } from "../picture.js";
import { drawingArea, startDrawing } from "./drawingfield.js";
import { setValue, shell, showError } from "./shell.js";
import { thumbnail } from "./thumbnail.js";

export function picturesField(context) {
  const { draft, name, schema, rule } = context;
  const most = schema.type === "array" ? schema.maxItems ?? 20 : 1;
  const list = h("div", { class: "thumbnails" });
  draft.pictures[name] ??= [];
  const field = { context, most, list, draw: () => draw(field) };
  field.zone = dropZone(field);
  field.canvas = h("div", { class: "pictures-canvas" });
  field.pen = context.drawable ? penButton(field) : null;
  field.element = shell(context, () => h("div", { class: "pictures" }, list, field.zone, field.pen, field.canvas), { group: true });
  field.limits = h("p", { class: "help limits" }, limits(rule));
  field.element.append(field.limits);
  acceptDrops(field);
  draw(field);
  return field.element;
}

function draw(field) {
  const { context, most, list } = field;
  const pictures = context.draft.pictures[context.name];
  const drawn = Boolean(context.drawable && context.draft.drawings[context.name]?.active);
  replace(list, drawn ? null : pictures.map((picture, place) => thumbnail(field, picture, place)));
  replace(field.canvas, drawn ? drawingArea(context, () => leaveDrawing(field)) : null);
  if (field.pen) field.pen.hidden = drawn || pictures.length > 0;
  field.limits.hidden = drawn;
  field.zone.hidden = drawn || pictures.length >= most;
  field.zone.classList.toggle("small", pictures.length > 0);
}

/** Takes files in; the first that does not fit is named under the field. */
export async function takeFiles(field, files) {
  const { context, most } = field;
  showError(field.element, null);
  const pictures = context.draft.pictures[context.name];
  const chosen = most === 1 ? files.slice(0, 1) : files;
  if (most === 1 && chosen.length) pictures.length = 0;
  for (const file of chosen) {
    if (pictures.length >= most) {
      showError(field.element, t("image.tooMany", { max: most }));
      break;
    }
    await take(field, pictures, file, readPicture);
  }
  field.draw();
  setValue(context, undefined);
}

async function take(field, pictures, file, read) {
  try {
    pictures.push(await read(file, field.context.rule));
  } catch (error) {
    if (!(error instanceof BadPicture)) throw error;
    showError(field.element, error.message);
    say(error.message);
    if (error.fixable) offerToFix(field, file);
  }
}

function offerToFix(field, file) {
  const fix = async () => {
    showError(field.element, null);
    const pictures = field.context.draft.pictures[field.context.name];
    await take(field, pictures, file, fixPicture);
    field.draw();
    setValue(field.context, undefined);
    const made = pictures.at(-1);
    if (made?.width) say(t("image.fixed", { width: made.width, height: made.height }));
  };
  const button = h("button", { type: "button", class: "chip-button", onclick: fix }, icon("wand"), t("image.fix"));
  field.element.querySelector(":scope > .error").append(button);
}

/** What is drawn here is a sketch, so the parameter that says so is set as well. */
function penButton(field) {
  const { context } = field;
  const draw = () => {
    startDrawing(context);
    showError(field.element, null);
    field.draw();
    sayItIsASketch(context, true);
    field.element.querySelector(".painter-stage").focus();
  };
  return h("button", { type: "button", class: "button", onclick: draw }, icon("pencil"), t("draw.start"));
}

function leaveDrawing(field) {
  field.context.draft.drawings[field.context.name].active = false;
  field.draw();
  sayItIsASketch(field.context, false);
  (field.pen.hidden ? field.element.querySelector("button") : field.pen)?.focus();
}

function sayItIsASketch(context, is) {
  const { drawable, draft, name } = context;
  if (drawable !== true) draft.parameters[drawable] = is;
  context.onChange(`/input/${name}`, { makeAgain: `/parameters/${drawable}` });
}

function dropZone(field) {
  const { context, most } = field;
  const title = context.title ?? fieldTitle(context.name, context.schema);
  const input = h("input", {
    type: "file", accept: context.rule.accept.map((format) => `image/${format.toLowerCase()}`).join(","), multiple: most > 1,
    class: "visually-hidden", "aria-label": t("image.chooseFor", { name: title }),
    onchange: () => {
      const files = [...input.files];
      input.value = "";
      takeFiles(field, files);
    },
  });
  return h(
    "label",
    { class: "drop-zone" },
    input,
    h("span", { class: "drop-icon" }, icon("image")),
    h("span", {}, t("image.drop"), " ", h("span", { class: "link" }, t("image.choose"))),
  );
}

function acceptDrops(field) {
  const { element } = field;
  const mark = (on) => element.classList.toggle("dragging", on);
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  element.addEventListener("dragleave", () => mark(false));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    takeFiles(field, [...event.dataTransfer.files]);
  });
  element.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) takeFiles(field, files);
  });
}

function limits(rule) {
  const words = { formats: rule.accept.join(", "), min: number(rule.min), max: number(rule.max), bytes: bytes(rule.maxBytes) };
  const unusual = rule.max === Infinity ? ".open" : rule.exclusive ? ".exclusive" : rule.advised ? ".advised" : rule.min <= 1 ? ".most" : "";
  return t(`image.limits${unusual}`, words) + (rule.rgba ? t("image.limits.rgba") : "");
}
