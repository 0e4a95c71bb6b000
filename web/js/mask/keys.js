// What the keyboard does at the painter. Letters work on its buttons as well; what moves the focus or
// presses a button stays with the browser there.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const OF_BUTTONS = new Set(["Enter", " ", "Delete", "Backspace", ...Object.keys(ARROWS)]);

/**
 * Calls the painter's commands; whatever is no command of the painter stays with the browser.
 * @param {HTMLElement} whole the painter with its toolbar
 * @param {HTMLElement} stage the canvas in it
 * @param {import("./painter.js").Painter} painter
 */
export function listenToKeys(whole, stage, painter) {
  whole.addEventListener("keydown", (event) => {
    if (event.target !== stage && OF_BUTTONS.has(event.key)) return;
    const command = commandOf(event, painter);
    if (!command) return;
    event.preventDefault();
    command();
  });
  stage.addEventListener("keyup", (event) => {
    if (event.key === " ") painter.holdPan(false);
  });
  stage.addEventListener("blur", () => painter.holdPan(false));
}

function commandOf(event, painter) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.altKey) return null;
  if (event.ctrlKey || event.metaKey) return withControl(key, event.shiftKey, painter);
  if (key in ARROWS) {
    const [dx, dy] = ARROWS[key];
    return () => painter.nudge(dx, dy, event.shiftKey);
  }
  return plain(key, painter);
}

function withControl(key, shift, painter) {
  if (key === "z") return () => (shift ? painter.redo() : painter.undo());
  if (key === "y") return () => painter.redo();
  return null;
}

function plain(key, painter) {
  const commands = {
    b: () => painter.choose("brush"),
    e: () => painter.choose("eraser"),
    f: () => painter.choose("fill"),
    h: () => painter.choose("pan"),
    "[": () => painter.resize(1 / 1.25),
    "]": () => painter.resize(1.25),
    "+": () => painter.viewport.zoom(1.25),
    "=": () => painter.viewport.zoom(1.25),
    "-": () => painter.viewport.zoom(1 / 1.25),
    0: () => painter.viewport.fit(),
    i: () => painter.invert(),
    "?": () => painter.showKeys(),
    Delete: () => painter.clear(),
    Backspace: () => painter.clear(),
    Enter: () => painter.dab(),
    " ": () => painter.holdPan(true),
  };
  return commands[key];
}
