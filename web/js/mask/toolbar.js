// The painter's buttons.

import { h, uid } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { keyHelp } from "./keyhelp.js";
import { exportMask, importMask } from "./maskfile.js";
import { penColours } from "./pens.js";

const KEYS = { brush: "B", pencil: "B", eraser: "E", fill: "F", pan: "H", undo: "Ctrl Z", redo: "Ctrl Shift Z", invert: "I", clear: "Delete", zoomIn: "+", zoomOut: "−", fit: "0" };

/**
 * {element, foot, pens, help, refresh}: `foot` are the buttons of the zoom, which belong below the
 * picture; `pens` the colours of a drawing, which the caller places.
 */
export function toolbar(painter) {
  const tools = ["brush", "eraser", "fill", "pan"].map((tool) => toolButton(painter, tool));
  const undo = button("undo", () => painter.undo());
  const redo = button("redo", () => painter.redo());
  const size = sizeSlider(painter);
  const colours = painter.kind.colours ? penColours(painter) : null;
  const help = keyHelp(painter.kind);
  const invert = painter.kind.inverts ? button("invert", () => painter.invert()) : null;
  const element = h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": t("mask.tools") },
    h("div", { class: "tool-group" }, tools),
    size.element,
    h("div", { class: "tool-group" }, undo, redo, invert, button("clear", () => painter.clear(), "trash")),
    h("div", { class: "tool-group" }, fileButtons(painter), help.button),
    help.panel,
  );
  const refresh = () => {
    for (const one of tools) one.setAttribute("aria-pressed", String(one.dataset.tool === painter.tools.tool));
    undo.disabled = !painter.mask.history.canUndo;
    redo.disabled = !painter.mask.history.canRedo;
    size.refresh();
    colours?.refresh();
  };
  return { element, foot: zoomButtons(painter), pens: colours?.element, help: help.panel, refresh };
}

function button(word, onclick, symbol = word) {
  const label = t(`mask.${word}`);
  const title = KEYS[word] ? `${label} (${KEYS[word]})` : label;
  return h("button", { type: "button", class: "tool", title, "aria-label": label, onclick }, icon(symbol));
}

function toolButton(painter, tool) {
  const symbol = { pan: "hand", brush: painter.kind.pen }[tool] ?? tool;
  const word = tool === "brush" ? painter.kind.pen : tool;
  const made = button(word, () => painter.choose(tool), symbol);
  made.dataset.tool = tool;
  return made;
}

function sizeSlider(painter) {
  const id = uid("size");
  const input = h("input", {
    id, type: "range", min: "2", max: painter.largest, "aria-label": t("mask.size"),
    oninput: () => painter.setSize(Number(input.value)),
  });
  const shown = h("output", { for: id });
  const refresh = () => {
    input.value = painter.tools.size;
    const text = t("mask.sizeValue", { n: painter.tools.size });
    input.setAttribute("aria-valuetext", text);
    shown.textContent = text;
  };
  const element = h("label", { class: "tool-size", for: id, title: `${t("mask.size")} ([ ])` }, input, shown);
  return { element, refresh };
}

function zoomButtons(painter) {
  const { viewport } = painter;
  return h(
    "div",
    { class: "tool-group zoom" },
    button("zoomOut", () => viewport.zoom(1 / 1.25), "minus"),
    button("fit", () => viewport.fit()),
    button("zoomIn", () => viewport.zoom(1.25), "plus"),
  );
}

function fileButtons(painter) {
  const save = button("export", () => exportMask(painter), "download");
  if (!painter.kind.imports) return save;
  const input = h("input", {
    type: "file", accept: "image/png,image/jpeg,image/bmp", class: "visually-hidden", tabindex: "-1", "aria-label": t("mask.import"),
    onchange: async () => {
      const [file] = input.files;
      input.value = "";
      if (file) await importMask(painter, file);
    },
  });
  return [input, button("import", () => input.click(), "upload"), save];
}
