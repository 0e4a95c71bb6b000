import assert from "node:assert/strict";
import { test } from "node:test";
import "./kit.js";
import { coloursIn, paperSize, penFor, withoutPaper } from "../../web/js/mask/drawing.js";

const opened = (...rgba) => {
  const data = new Uint8ClampedArray(rgba);
  withoutPaper(data);
  return [...data];
};

test("white is paper, black and colours are lines", () => {
  assert.equal(opened(255, 255, 255, 255)[3], 0);
  assert.deepEqual(opened(0, 0, 0, 255), [0, 0, 0, 255]);
  assert.deepEqual(opened(255, 0, 0, 255), [255, 0, 0, 255]);
});

test("the soft edge of a line is the line's colour, half seen", () => {
  assert.deepEqual(opened(128, 128, 128, 255), [0, 0, 0, 127]);
  assert.deepEqual(opened(255, 128, 128, 255), [255, 0, 0, 127]);
});

test("what is transparent already stays so", () => {
  assert.equal(opened(0, 0, 0, 0)[3], 0);
});

const rule = (parts) => ({ min: 256, max: 2048, exclusive: false, ...parts });

test("paper has the proportions asked for inside the bounds of the model", () => {
  assert.deepEqual(paperSize(1, rule()), { width: 1024, height: 1024 });
  assert.deepEqual(paperSize(4 / 3, rule()), { width: 1024, height: 768 });
  assert.deepEqual(paperSize(1, rule({ max: 800, exclusive: true })), { width: 799, height: 799 });
  assert.deepEqual(paperSize(4, rule({ min: 512 })), { width: 2048, height: 512 });
});

test("a pen suits the paper", () => {
  assert.equal(penFor({ width: 1024 }), 6);
  assert.equal(penFor({ width: 100 }), 2);
});

test("a pen counts as long as one of its pixels is to be seen", () => {
  const [red, blue] = [{ r: 212, g: 35, b: 42 }, { r: 31, g: 111, b: 214 }];
  const data = new Uint8ClampedArray([0, 0, 0, 0, 212, 35, 42, 255]);
  assert.deepEqual(coloursIn(data, [red, blue]), [red]);
  withoutPaper(data);
  assert.deepEqual(coloursIn(data, [red, blue]), [red]);
});
