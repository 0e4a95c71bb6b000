import assert from "node:assert/strict";
import { test } from "node:test";
import { pixelContext } from "./kit.js";
import { History, opacityOf, WHOLE } from "../../web/js/mask/history.js";

const RED = [255, 0, 0, 255];
const BLUE = [0, 0, 255, 255];
const NOTHING = [0, 0, 0, 0];

function painted(history, context, x, y, rgba) {
  history.begin();
  history.touch(x, y, 1, 1);
  context.set(x, y, rgba);
  history.end();
}

test("a step goes back and comes again, with its colours", () => {
  const context = pixelContext(300, 20);
  const history = new History(context, WHOLE);
  painted(history, context, 2, 3, RED);
  painted(history, context, 2, 3, BLUE);
  history.undo();
  assert.deepEqual(context.get(2, 3), RED);
  history.undo();
  assert.deepEqual(context.get(2, 3), NOTHING);
  history.redo();
  history.redo();
  assert.deepEqual(context.get(2, 3), BLUE);
  assert.equal(history.canRedo, false);
});

test("a step over the border of two tiles goes back on both", () => {
  const context = pixelContext(300, 20);
  const history = new History(context, WHOLE);
  history.begin();
  history.touch(250, 5, 12, 1);
  for (let x = 250; x < 262; x += 1) context.set(x, 5, RED);
  history.end();
  history.undo();
  for (let x = 250; x < 262; x += 1) assert.deepEqual(context.get(x, 5), NOTHING);
});

test("what is painted after an undo ends the way forward", () => {
  const context = pixelContext(10, 10);
  const history = new History(context, WHOLE);
  painted(history, context, 1, 1, RED);
  history.undo();
  painted(history, context, 2, 2, BLUE);
  assert.equal(history.canRedo, false);
});

test("an abandoned step leaves nothing, in the picture and in the history", () => {
  const context = pixelContext(10, 10);
  const history = new History(context, WHOLE);
  history.begin();
  history.touch(4, 4, 1, 1);
  context.set(4, 4, RED);
  history.abandon();
  assert.deepEqual(context.get(4, 4), NOTHING);
  assert.equal(history.canUndo, false);
});

test("a mask keeps one byte a pixel and its colour comes back", () => {
  const context = pixelContext(8, 8);
  const history = new History(context, opacityOf(0x0000ff));
  painted(history, context, 3, 3, [255, 0, 0, 200]);
  assert.equal(history.done[0][0].kept.length, 64);
  history.undo();
  history.redo();
  assert.deepEqual(context.get(3, 3), [255, 0, 0, 200]);
});
