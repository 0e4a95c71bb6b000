import assert from "node:assert/strict";
import { test } from "node:test";
import { Viewport } from "../../web/js/mask/viewport.js";

function viewport({ stage = [800, 400], picture = [1600, 1600] } = {}) {
  const made = new Viewport({ clientWidth: stage[0], clientHeight: stage[1] }, { style: {} }, ...picture);
  made.fit();
  return made;
}

test("fitted, the whole picture is in the middle of the stage", () => {
  const { scale, x, y } = viewport();
  assert.deepEqual([scale, x, y], [0.25, 200, 0]);
});

test("zooming keeps the point under the pointer", () => {
  const view = viewport();
  const at = { x: 380, y: 150 };
  const before = view.toPicture(at);
  view.zoom(4, at);
  const after = view.toPicture(at);
  assert.ok(Math.abs(before.x - after.x) < 1e-9 && Math.abs(before.y - after.y) < 1e-9);
});

test("zooming out ends where the picture fits, zooming in at sixteen times", () => {
  const view = viewport();
  view.zoom(1e-6);
  assert.deepEqual([view.scale, view.fitted], [0.25, true]);
  view.zoom(1e6);
  assert.equal(view.scale, 16);
});

test("the picture cannot be pushed out of the stage", () => {
  const view = viewport();
  view.zoom(8);
  view.pan(1e6, 1e6);
  assert.deepEqual([view.x, view.y], [0, 0]);
  view.pan(-1e6, -1e6);
  assert.deepEqual([view.x, view.y], [800 - 1600 * view.scale, 400 - 1600 * view.scale]);
});

test("a point that the keyboard moves to is brought into sight", () => {
  const view = viewport();
  view.zoom(8);
  view.reveal({ x: 1590, y: 1590 });
  const [right, bottom] = [view.x + 1590 * view.scale, view.y + 1590 * view.scale];
  assert.ok(right <= 800 && bottom <= 400 && right > 700 && bottom > 300);
});
