import assert from "node:assert/strict";
import { test } from "node:test";
import { Strokes } from "../../web/js/mask/strokes.js";

/** A sheet that notes the lines of the stroke that counts. */
function sheet() {
  const seen = { lines: [], filled: [], steps: 0 };
  return Object.assign(seen, {
    beginStroke: (erases) => Object.assign(seen, { lines: [], erases }),
    strokeTo: (from, to, width) => seen.lines.push([from.x, from.y, to.x, to.y, width]),
    abandonStroke: () => (seen.lines = []),
    endStroke: () => (seen.steps += 1),
    fill: (point, colour) => seen.filled.push([point.x, point.y, colour]),
  });
}

const at = (x, y) => ({ x, y });

test("a free line goes from point to point", () => {
  const seen = sheet();
  const strokes = new Strokes(seen, { tool: "brush", size: 10 });
  strokes.begin(at(0, 0), {});
  strokes.move(at(5, 0));
  strokes.move(at(5, 5));
  strokes.end();
  assert.deepEqual(seen.lines, [[0, 0, 0, 0, 10], [0, 0, 5, 0, 10], [5, 0, 5, 5, 10]]);
  assert.equal(seen.steps, 1);
});

test("with Shift the line stays straight, however the pointer went", () => {
  const seen = sheet();
  const strokes = new Strokes(seen, { tool: "brush", size: 10 });
  strokes.begin(at(0, 0), { straight: true });
  strokes.move(at(40, 90));
  strokes.move(at(100, 0));
  strokes.end();
  assert.deepEqual(seen.lines, [[0, 0, 100, 0, 10]]);
});

test("a press with Shift goes on from where the last line ended", () => {
  const seen = sheet();
  const strokes = new Strokes(seen, { tool: "brush", size: 10 });
  strokes.begin(at(0, 0), {});
  strokes.move(at(50, 50));
  strokes.end();
  strokes.begin(at(90, 10), { straight: true });
  strokes.end();
  assert.deepEqual(seen.lines, [[50, 50, 90, 10, 10]]);
});

test("a pen that is pressed lightly draws a thinner line", () => {
  const seen = sheet();
  const strokes = new Strokes(seen, { tool: "brush", size: 100 });
  strokes.begin(at(0, 0), { pressure: 1 });
  strokes.move(at(9, 0), { pressure: 0.2 });
  assert.equal(seen.lines[0][4], 100);
  assert.equal(seen.lines[1][4], 40);
});

test("a fill waits for the pointer to be lifted, and a second finger calls it off", () => {
  const seen = sheet();
  const strokes = new Strokes(seen, { tool: "fill", size: 10, colour: "#d4232a" });
  strokes.begin(at(3, 4), {});
  strokes.abandon();
  strokes.end();
  assert.deepEqual(seen.filled, []);
  strokes.begin(at(3, 4), {});
  strokes.end();
  assert.deepEqual(seen.filled, [[3, 4, "#d4232a"]]);
  assert.equal(seen.steps, 0);
});

test("the other end of a pen erases, whatever tool is chosen", () => {
  const seen = sheet();
  const strokes = new Strokes(seen, { tool: "brush", size: 10 });
  strokes.begin(at(0, 0), { erases: true });
  assert.equal(seen.erases, true);
  strokes.end();
  strokes.begin(at(0, 0), {});
  assert.equal(seen.erases, false);
});
