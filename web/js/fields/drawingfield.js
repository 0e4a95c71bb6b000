// Drawing a picture instead of choosing one: paper, pen, and a photograph to trace if wanted.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { Drawing, paperSize } from "../mask/drawing.js";
import { Painter } from "../mask/painter.js";
import { BadPicture, fixPicture, readPicture } from "../picture.js";
import { setValue, showError } from "./shell.js";

const PAPERS = { square: 1, landscape: 4 / 3, portrait: 3 / 4 };
const PEN_SHARE = 170;

/** Begins a drawing, or goes on with the one there was. */
export function startDrawing({ draft, name, rule }) {
  const drawing = (draft.drawings[name] ??= { sheet: newSheet(PAPERS.square, rule), guide: null });
  drawing.active = true;
  draft.pens.size = Math.max(2, Math.round(drawing.sheet.width / PEN_SHARE));
}

const newSheet = (aspect, rule) => {
  const { width, height } = paperSize(aspect, rule);
  return new Drawing(width, height);
};

/** The place to draw in; `onLeave` is called when a person goes back to choosing a picture. */
export function drawingArea(context, onLeave) {
  const { draft, name } = context;
  const drawing = draft.drawings[name];
  const place = h("div", { class: "drawing-place" });
  const draw = () => {
    const onChange = () => setValue(context, undefined);
    const painter = new Painter({ kind: "drawing", picture: drawing.guide, mask: drawing.sheet, tools: draft.pens, fileName: "drawing.png", onChange });
    replace(place, paperBar(context, drawing, draw, onLeave), painter.element);
  };
  draw();
  return place;
}

function paperBar(context, drawing, draw, onLeave) {
  const take = (aspect) => {
    const sheet = newSheet(aspect, context.rule);
    sheet.take(drawing.sheet);
    drawing.sheet = sheet;
    draw();
    setValue(context, undefined);
  };
  const papers = allowedPapers(context.rule).map(([word, aspect]) => {
    const { width, height } = paperSize(aspect, context.rule);
    const pressed = drawing.sheet.width === width && drawing.sheet.height === height;
    return h("button", { type: "button", class: "chip-button", "aria-pressed": String(pressed), onclick: () => take(aspect) }, t(`draw.paper.${word}`));
  });
  return h(
    "div",
    { class: "paper-bar" },
    papers.length > 1 ? h("div", { class: "papers", role: "group", "aria-label": t("draw.paper") }, papers) : null,
    traceButton(context, drawing, take, draw),
    h("button", { type: "button", class: "link", onclick: onLeave }, t("draw.leave")),
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

function traceButton(context, drawing, take, draw) {
  if (drawing.guide) {
    const remove = () => {
      drawing.guide = null;
      draw();
    };
    return h("button", { type: "button", class: "chip-button", onclick: remove }, icon("x"), t("draw.untrace"));
  }
  const input = h("input", {
    type: "file", accept: "image/jpeg,image/png,image/bmp,image/webp", class: "visually-hidden", tabindex: "-1", "aria-label": t("draw.trace"),
    onchange: () => trace(context, drawing, input, take),
  });
  return [input, h("button", { type: "button", class: "chip-button", title: t("draw.trace.help"), onclick: () => input.click() }, icon("image"), t("draw.trace"))];
}

/** The photograph lies under the paper, which takes its proportions. It is never uploaded. */
async function trace(context, drawing, input, take) {
  const [file] = input.files;
  input.value = "";
  if (!file) return;
  try {
    const guide = await readPicture(file, context.rule).catch((error) => {
      if (error.fixable) return fixPicture(file, context.rule);
      throw error;
    });
    drawing.guide = guide;
    take(guide.width / guide.height);
  } catch (error) {
    if (!(error instanceof BadPicture)) throw error;
    showError(input.closest(".field"), error.message);
  }
}
