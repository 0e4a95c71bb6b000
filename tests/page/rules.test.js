import assert from "node:assert/strict";
import { test } from "node:test";
import { modelOf } from "./kit.js";
import { boundSchema, found, holds, settled } from "../../web/js/rules.js";

const job = (parameters, input = {}) => ({ model: "painter", input, parameters });

test("a pattern with a star finds every item", () => {
  const places = found(job({}, { images: ["a", "b"] }), "/input/images/*");
  assert.deepEqual(places, [{ pointer: "/input/images/0", value: "a" }, { pointer: "/input/images/1", value: "b" }]);
  assert.deepEqual(found(job({}), "/input/images/*"), []);
});

test("a field that is left out counts as its default", () => {
  const when = { at: "/parameters/n", equals: 1 };
  assert.equal(holds(when, job({}), modelOf()), true);
  assert.equal(holds(when, job({ n: 2 }), modelOf()), false);
  assert.equal(holds([when, { at: "/input/prompt", present: true }], job({}), modelOf()), false);
});

test("what has no effect is left out of the job and its reason is said", () => {
  const model = modelOf({ rules: [{ kind: "forbidden_if", at: "/parameters/seed", when: { at: "/parameters/n", in: [2, 3] }, reason: "one image alone" }] });
  const { job: kept, states } = settled(model, job({ n: 2, seed: 7 }));
  assert.deepEqual(kept.parameters, { n: 2 });
  assert.equal(states.get("/parameters/seed").off, "one image alone");
  assert.deepEqual(settled(model, job({ seed: 7 })).job.parameters, { seed: 7 });
});

test("bounds of a rule narrow those of the schema, and the default moves inside", () => {
  const schema = { type: "integer", minimum: 1, maximum: 12, default: 8 };
  const bound = boundSchema(schema, { max: 4 });
  assert.deepEqual([bound.minimum, bound.maximum, bound.default], [1, 4, 4]);
  assert.equal(schema.default, 8);
});
