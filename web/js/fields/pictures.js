// The field for one picture or several: choose, drop or paste, see large, arrange, remove.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { say } from "../notices.js";
import { BadPicture, fittingPicture } from "../picture.js";
import { drawingArea, drawOn, startDrawing } from "./drawingfield.js";
import { dropZone } from "./dropzone.js";
import { imageOf, pictureFacts } from "./picturefacts.js";
import { pictureStrip } from "./picturestrip.js";
import { setValue, shell, showError } from "./shell.js";

/** Which picture of a list is shown large; it survives that the field is made again. */
const chosenOf = new WeakMap();

/**
 * {element, take}: `take(files)` is what a drop anywhere on the form calls. With `context.compact` the
 * picture is shown large elsewhere: under the mask that belongs to it.
 * @param {import("./shell.js").FieldContext} context
 */
export function picturesField(context) {
  const { draft, name, schema } = context;
  const most = schema.type === "array" ? schema.maxItems ?? 20 : 1;
  draft.pictures[name] ??= [];
  const field = { context, most, list: h("div", { class: "picture-list" }), draw: () => draw(field) };
  field.zone = dropZone(context, most > 1, (files) => takeFiles(field, files));
  field.pen = context.drawable ? penButton(field) : null;
  field.start = h("div", { class: "pictures-start" }, field.pen, field.zone.element);
  field.strip = h("div", { class: "strip-place" });
  field.element = shell(context, () => h("div", { class: "pictures" }, field.list, field.strip, field.start), { group: true });
  field.element.classList.toggle("compact", Boolean(context.compact));
  markDrops(field.element);
  draw(field);
  const room = () => most > 1 ? draft.pictures[name].length < most : !draft.pictures[name].length;
  return { element: field.element, take: (files) => (field.area ? field.area.trace(files[0]) : takeFiles(field, files)), room };
}

function draw(field) {
  const { context, most, list } = field;
  const pictures = context.draft.pictures[context.name];
  const drawn = Boolean(context.drawable && context.draft.drawings[context.name]?.active);
  field.area = drawn ? drawingArea(context, () => leaveDrawing(field)) : null;
  const at = Math.min(chosenOf.get(pictures) ?? pictures.length - 1, pictures.length - 1);
  const listed = most > 1 && pictures.length > 0;
  replace(list, field.area?.element ?? (pictures.length ? shown(field, pictures, at) : null));
  replace(field.strip, listed ? pictureStrip(pictures, at, acts(field, pictures)) : null);
  list.parentElement?.classList.toggle("listed", listed);
  if (field.pen) field.pen.hidden = pictures.length > 0;
  field.start.hidden = drawn || pictures.length >= most;
  field.element.classList.toggle("filled", drawn || pictures.length > 0);
}

/** The chosen picture large, with what is known of it. */
function shown(field, pictures, at) {
  const picture = pictures[at];
  const large = h("div", { class: "picture-stage" }, imageOf(picture), field.most > 1 ? h("span", { class: "badge" }, t("image.number", { n: at + 1 })) : null);
  if (picture.width) large.style.aspectRatio = `${picture.width} / ${picture.height}`;
  return h("figure", { class: "picture" }, large, pictureFacts(picture, buttons(field, pictures, at)));
}

/** What can be done with the pictures of a list; the focus stays where it was. */
function acts(field, pictures) {
  const choose = (at) => {
    chosenOf.set(pictures, at);
    field.draw();
    field.strip.querySelector('.thumbnail[aria-selected="true"]')?.focus();
  };
  const changed = (at) => {
    choose(Math.max(0, at));
    setValue(field.context, undefined);
  };
  const move = (from, to) => {
    pictures.splice(to, 0, ...pictures.splice(from, 1));
    changed(to);
  };
  const remove = (at) => {
    pictures.splice(at, 1);
    changed(Math.min(at, pictures.length - 1));
    if (pictures.length < 2) field.zone.input.focus();
  };
  return { choose, move, remove };
}

function buttons(field, pictures, at) {
  const { name } = pictures[at];
  const { move, remove } = acts(field, pictures);
  const make = (label, symbol, onclick, title = label) =>
    h("button", { type: "button", class: "tool small", title, "aria-label": label, onclick }, icon(symbol));
  return [
    at > 0 ? make(t("image.earlier", { name }), "arrowleft", () => move(at, at - 1)) : null,
    at < pictures.length - 1 ? make(t("image.later", { name }), "arrowright", () => move(at, at + 1)) : null,
    field.pen && pictures[at].blob ? make(t("draw.over"), "pencil", () => drawOnIt(field, pictures[at])) : null,
    field.most === 1 ? make(t("image.replace", { name }), "refresh", () => field.zone.input.click()) : null,
    make(t("image.remove", { name }), "x", () => remove(at)),
  ];
}

/** Takes files in, converted where only that makes them fit; the first that cannot be is named under the field. */
async function takeFiles(field, files) {
  const { context, most } = field;
  const pictures = context.draft.pictures[context.name];
  const errors = [];
  for (const file of most === 1 ? files.slice(0, 1) : files) {
    if (most > 1 && pictures.length >= most) {
      errors.push({ message: t("image.tooMany", { max: most }) });
      break;
    }
    const error = await take(field, file);
    if (error) errors.push(error);
  }
  field.draw();
  setValue(context, undefined);
  showError(field.element, errors[0]?.message);
  if (errors[0]) say(errors[0].message);
}

/** The BadPicture if it cannot be taken; a single picture that is replaced stays until then. */
async function take(field, file) {
  const { draft, name, rule } = field.context;
  try {
    const picture = await fittingPicture(file, rule);
    const pictures = draft.pictures[name];
    if (field.most === 1) pictures.length = 0;
    pictures.push(picture);
    chosenOf.set(pictures, pictures.length - 1);
    if (picture.notes.length) say(picture.notes.join(" "));
    return null;
  } catch (error) {
    if (!(error instanceof BadPicture)) throw error;
    return error;
  }
}

/** What is drawn here is a sketch, so the parameter that says so is set as well. */
function penButton(field) {
  const start = () => {
    startDrawing(field.context);
    beginDrawing(field);
  };
  return h("button", { type: "button", class: "button draw-start", onclick: start }, icon("pencil"), t("draw.start"));
}

async function drawOnIt(field, picture) {
  await drawOn(field.context, picture);
  beginDrawing(field);
}

function beginDrawing(field) {
  showError(field.element);
  field.draw();
  sayItIsASketch(field.context, true);
  field.element.querySelector(".painter-stage").focus();
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

/** The form takes the files that are dropped; the field shows that it is the one under them. */
function markDrops(element) {
  element.addEventListener("dragover", () => element.classList.add("dragging"));
  for (const name of ["dragleave", "drop"]) element.addEventListener(name, () => element.classList.remove("dragging"));
}
