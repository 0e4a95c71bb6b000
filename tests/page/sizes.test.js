import assert from "node:assert/strict";
import { test } from "node:test";
import { draftWith, modelOf } from "./kit.js";
import { areaOf, isSize, sizesOf, suggestSize } from "../../web/js/sizes.js";

const SIZE = { type: "string", pattern: "^(1K|2K|\\d+\\*\\d+)$", default: "1024*1024" };
const noForm = { querySelectorAll: () => [] };

test("a size is width*height and nothing else", () => {
  assert.equal(isSize(SIZE), true);
  assert.equal(isSize({ type: "string", pattern: "\\S" }), false);
  assert.equal(areaOf("640*480"), 307200);
  assert.ok(Number.isNaN(areaOf("2K")));
});

test("levels come first, the default is always there", () => {
  assert.deepEqual(sizesOf(modelOf(), SIZE), ["1K", "2K", "1024*1024"]);
});

test("no size is offered that a rule forbids", () => {
  const schema = { type: "string", pattern: "^\\d+\\*\\d+$", default: "1024*1024" };
  const model = modelOf({ rules: [{ kind: "aspect", at: "/parameters/size", min: 1, max: 1.4 }] });
  const offered = sizesOf(model, schema);
  assert.ok(offered.length > 1);
  for (const size of offered) {
    const [width, height] = size.split("*").map(Number);
    assert.ok(width / height >= 1 && width / height <= 1.4, size);
  }
});

test("a wide picture suggests a wide size, until a person chooses one", () => {
  const schema = { enum: ["1024*1024", "1280*720", "720*1280"], default: "1024*1024" };
  const draft = draftWith({ pictures: { base: [{ width: 1600, height: 900 }] }, chosen: new Set() });
  suggestSize(modelOf(), draft, schema, noForm);
  assert.equal(draft.parameters.size, "1280*720");
  draft.chosen.add("size");
  draft.parameters.size = "720*1280";
  suggestSize(modelOf(), draft, schema, noForm);
  assert.equal(draft.parameters.size, "720*1280");
});
