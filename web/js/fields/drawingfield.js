// Drawing a picture instead of choosing one: paper, pens, and a photograph to trace if wanted.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { Drawing, paperSize, penFor } from "../mask/drawing.js";
import { Painter } from "../mask/painter.js";
import { BadPicture, fittingPicture } from "../picture.js";
import { aspectShape } from "./choice.js";
import { showError } from "./shell.js";

const PAPERS = { square: 1, landscape: 4 / 3, portrait: 3 / 4 };
const FAINT = 0.4;

/**
 * Begins a drawing, or goes on with the one there was.
 * @param {import("./shell.js").FieldContext} context
 */
export function startDrawing({ draft, name, rule }) {
  const drawing = (draft.drawings[name] ??= { sheet: newSheet(PAPERS.square, rule), guide: null });
  drawing.active = true;
  draft.pens.size = penFor(drawing.sheet);
}

/**
 * A picture that was chosen becomes the drawing: its lines can be erased, and new ones added.
 * @param {import("./shell.js").FieldContext} context
 * @param {{blob: Blob}} picture
 */
export async function drawOn({ draft, name }, picture) {
  const bitmap = await createImageBitmap(picture.blob);
  const sheet = new Drawing(bitmap.width, bitmap.height);
  sheet.load(bitmap);
  bitmap.close();
  draft.drawings[name] = { active: true, sheet, guide: null };
  draft.pens.size = penFor(sheet);
}

const newSheet = (aspect, rule) => {
  const { width, height } = paperSize(aspect, rule);
  return new Drawing(width, height);
};

/**
 * {element, trace}: the place to draw in.
 * @param {import("./shell.js").FieldContext} context
 * @param {() => void} onLeave called when a person goes back to choosing a picture
 */
export function drawingArea(context, onLeave) {
  const { draft, name } = context;
  const drawing = draft.drawings[name];
  const element = h("div", { class: "drawing-place" });
  const draw = () => {
    const onChange = () => changed(context, drawing.sheet);
    const painter = new Painter({ kind: "drawing", picture: drawing.guide, mask: drawing.sheet, tools: draft.pens, fileName: "drawing.png", onChange });
    showGuide(painter, drawing);
    replace(element, paperBar(context, drawing, { draw, onLeave, painter }), painter.element);
  };
  const take = (aspect) => changePaper(context, drawing, aspect, draw);
  draw();
  return { element, trace: (file) => trace(context, drawing, file, take, element) };
}

/** Says which colours the lines have, where the model asks for it. */
function changed(context, sheet) {
  const { draft, rule } = context;
  const pointer = rule.marks?.colours;
  const name = pointer?.split("/").pop();
  let makeAgain = null;
  if (name && !draft.chosen.has(name)) {
    const colours = sheet.colours();
    const before = JSON.stringify(draft.parameters[name]);
    if (colours.some((colour) => colour.some(Boolean))) draft.parameters[name] = colours;
    else delete draft.parameters[name];
    if (JSON.stringify(draft.parameters[name]) !== before) makeAgain = pointer;
  }
  context.onChange(`/input/${context.name}`, { makeAgain });
}

function changePaper(context, drawing, aspect, draw) {
  const sheet = newSheet(aspect, context.rule);
  sheet.take(drawing.sheet);
  drawing.sheet = sheet;
  draw();
  changed(context, sheet);
}

function paperBar(context, drawing, { draw, onLeave, painter }) {
  const papers = allowedPapers(context.rule).map(([word, aspect]) => {
    const { width, height } = paperSize(aspect, context.rule);
    const pressed = drawing.sheet.width === width && drawing.sheet.height === height;
    const onclick = () => changePaper(context, drawing, aspect, draw);
    const label = t(`draw.paper.${word}`);
    return h("button", { type: "button", class: "tool", title: label, "aria-label": label, "aria-pressed": String(pressed), onclick }, aspectShape(`${width}*${height}`));
  });
  return h(
    "div",
    { class: "paper-bar" },
    painter.bar.pens,
    papers.length > 1 ? h("div", { class: "papers", role: "group", "aria-label": t("draw.paper") }, papers) : null,
    drawing.guide ? guideLayer(drawing, draw, painter) : traceButton(context, drawing, draw),
    h("button", { type: "button", class: "link leave", onclick: onLeave }, t("draw.leave")),
  );
}

/** Only papers that the advice of the model's file does not speak against. */
function allowedPapers(rule) {
  const fits = (aspect) =>
    rule.aspect.every(({ smallest, largest, below }) => {
      const share = Math.max(aspect, 1 / aspect);
      return share >= (smallest ?? 0) && share <= (largest ?? Infinity) && share < (below ?? Infinity);
    });
  return Object.entries(PAPERS).filter(([, aspect]) => fits(aspect));
}

function showGuide(painter, { guide, layer = { shown: true, opacity: FAINT } }) {
  if (guide) painter.below.style.opacity = layer.shown ? layer.opacity : 0;
}

/** The photograph as a layer: seen or not, faint or strong, gone. */
function guideLayer(drawing, draw, painter) {
  const layer = (drawing.layer ??= { shown: true, opacity: FAINT });
  const show = () => {
    toggle.setAttribute("aria-pressed", String(layer.shown));
    showGuide(painter, drawing);
  };
  const flip = () => {
    layer.shown = !layer.shown;
    show();
  };
  const toggle = h("button", { type: "button", class: "chip-button", onclick: flip }, icon("image"), t("draw.photo"));
  const opacity = h("input", {
    type: "range", min: "5", max: "100", value: layer.opacity * 100, "aria-label": t("draw.photoOpacity"), title: t("draw.photoOpacity"),
    oninput: () => {
      Object.assign(layer, { shown: true, opacity: Number(opacity.value) / 100 });
      show();
    },
  });
  const remove = () => {
    drawing.guide = null;
    draw();
  };
  const gone = h("button", { type: "button", class: "tool small", title: t("draw.untrace"), "aria-label": t("draw.untrace"), onclick: remove }, icon("x"));
  show();
  return h("div", { class: "photo-layer" }, toggle, opacity, gone);
}

function traceButton(context, drawing, draw) {
  const take = (aspect) => changePaper(context, drawing, aspect, draw);
  const input = h("input", {
    type: "file", accept: "image/jpeg,image/png,image/bmp,image/webp", class: "visually-hidden", tabindex: "-1", "aria-label": t("draw.trace"),
    onchange: () => {
      const [file] = input.files;
      input.value = "";
      if (file) trace(context, drawing, file, take, input);
    },
  });
  return [input, h("button", { type: "button", class: "chip-button", title: t("draw.trace.help"), onclick: () => input.click() }, icon("image"), t("draw.trace"))];
}

/** The photograph lies under the paper, which takes its proportions. It is never uploaded. */
async function trace(context, drawing, file, take, place) {
  const field = place.closest(".field");
  try {
    const guide = await fittingPicture(file, context.rule);
    // This browser cannot show every picture that the model takes.
    if (!guide.width || !guide.height) throw new BadPicture("bad.broken", { name: guide.name });
    drawing.guide = guide;
    take(guide.width / guide.height);
  } catch (error) {
    if (!(error instanceof BadPicture)) throw error;
    showError(field, error.message);
  }
}
