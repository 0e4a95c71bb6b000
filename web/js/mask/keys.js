// What the keyboard does while the stage has the focus.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Calls the painter's commands; whatever is no command of the painter stays with the browser. */
export function listenToKeys(stage, painter) {
  stage.addEventListener("keydown", (event) => {
    if (event.target !== stage) return;
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
    h: () => painter.choose("pan"),
    "[": () => painter.resize(1 / 1.25),
    "]": () => painter.resize(1.25),
    "+": () => painter.viewport.zoom(1.25),
    "=": () => painter.viewport.zoom(1.25),
    "-": () => painter.viewport.zoom(1 / 1.25),
    0: () => painter.viewport.fit(),
    i: () => painter.invert(),
    Delete: () => painter.clear(),
    Backspace: () => painter.clear(),
    Enter: () => painter.dab(),
    " ": () => painter.holdPan(true),
  };
  return commands[key];
}
