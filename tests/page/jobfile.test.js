import assert from "node:assert/strict";
import { test } from "node:test";
import { draftWith, modelOf } from "./kit.js";

const { canvasOf, jobOf } = await import("../../web/js/jobfile.js");
const painted = (parts) => ({ isEmpty: () => false, ...parts });
const blank = { isEmpty: () => true };
const masked = () =>
  modelOf({
    input: { properties: { base: { type: "string" }, mask: { type: "string" } } },
    images: [{ at: "/input/base", sameSizeAs: null, marks: null }, { at: "/input/mask", sameSizeAs: "/input/base", marks: null }],
  });

test("what decides the cost is written out, what is empty is left out", () => {
  const draft = draftWith({ input: { prompt: "a hat" }, pictures: { images: [] } });
  assert.deepEqual(jobOf(modelOf(), draft), { model: "painter", input: { prompt: "a hat" }, parameters: { n: 1 } });
});

test("pictures keep their order", () => {
  const pictures = { images: [{ url: "oss:///b" }, { url: "oss:///a" }] };
  assert.deepEqual(jobOf(modelOf(), draftWith({ pictures })).input.images, ["oss:///b", "oss:///a"]);
});

test("fields inside an object go back into it", () => {
  const model = modelOf({ input: { properties: { edge: { type: "object", properties: { left: { type: "string" } } } } }, images: [] });
  assert.deepEqual(jobOf(model, draftWith({ input: { "edge/left": "leaves" } })).input, { edge: { left: "leaves" } });
});

test("the mask of an earlier job holds until something is painted", () => {
  const pictures = { base: [{ url: "oss:///cat" }], mask: [{ url: "oss:///earlier" }] };
  const before = draftWith({ pictures, masks: { mask: blank } });
  assert.equal(canvasOf(before, "mask"), undefined);
  assert.equal(jobOf(masked(), before).input.mask, "oss:///earlier");
  const after = draftWith({ pictures, masks: { mask: painted({ url: "oss:///new" }) } });
  assert.equal(jobOf(masked(), after).input.mask, "oss:///new");
});

test("a drawing that is being made comes before a picture that was chosen", () => {
  const drawings = { base: { active: true, sheet: painted({ url: "oss:///drawn" }) } };
  const draft = draftWith({ pictures: { base: [{ url: "oss:///photo" }] }, drawings });
  assert.equal(jobOf(masked(), draft).input.base, "oss:///drawn");
  drawings.base.active = false;
  assert.equal(jobOf(masked(), draft).input.base, "oss:///photo");
});

test("name and label are the job's own", () => {
  const draft = draftWith({ input: { prompt: "a" }, id: " cat-1 ", label: "shop" });
  assert.deepEqual(jobOf(modelOf(), draft).job, { id: "cat-1", labels: { label: "shop" } });
});
