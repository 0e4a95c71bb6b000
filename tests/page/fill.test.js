import assert from "node:assert/strict";
import { test } from "node:test";
import { areaAround } from "../../web/js/mask/fill.js";

/** The area as rows of text: # is filled. `x` in the drawing is a line. */
function filled(drawing, start) {
  const [width, height] = [drawing[0].length, drawing.length];
  const area = areaAround(width, height, (index) => drawing[Math.floor(index / width)][index % width] !== "x", start);
  if (!area) return null;
  return drawing.map((row, y) =>
    [...row].map((mark, x) => {
      const [column, line] = [x - area.x, y - area.y];
      const isIn = column >= 0 && line >= 0 && column < area.width && line < area.height && area.inside[line * area.width + column];
      return isIn ? "#" : mark;
    }).join(""));
}

test("a ring keeps the fill inside, and its inner edge is taken along", () => {
  assert.deepEqual(filled([".......", ".xxxxx.", ".x...x.", ".x...x.", ".x...x.", ".xxxxx.", "......."], { x: 3.4, y: 3.9 }), [
    ".......", ".#####.", ".#####.", ".#####.", ".#####.", ".#####.", ".......",
  ]);
});

test("an area that winds around a line is filled whole", () => {
  const rows = filled(["........", ".xxxxxx.", ".x....x.", ".x.xx.x.", "...x..x.", ".xxx.xx.", "........"], { x: 0, y: 0 });
  assert.equal(rows[2].slice(2, 6), "####");
  assert.equal(rows[4][5], "#");
});

test("on a line and beside the picture there is nothing to fill", () => {
  assert.equal(filled(["x.", ".."], { x: 0, y: 0 }), null);
  assert.equal(filled(["x.", ".."], { x: -1, y: 0 }), null);
  assert.equal(filled(["x.", ".."], { x: 0, y: 2 }), null);
});
