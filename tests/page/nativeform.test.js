import assert from "node:assert/strict";
import { test } from "node:test";
import { modelOf } from "./kit.js";
import { flatSpec } from "../../web/js/nativeform.js";

const message = (...content) => ({ messages: [{ role: "user", content }] });

test("text and images of a message become the fields of the form", () => {
  const spec = { input: message({ image: "oss:///a.png" }, { text: "a hat" }, { image: "oss:///b.png" }), parameters: { n: 2 } };
  assert.deepEqual(flatSpec(modelOf(), spec), {
    input: { prompt: "a hat", images: ["oss:///a.png", "oss:///b.png"] },
    parameters: { n: 2 },
  });
});

test("a parameter that is an input of the form goes there", () => {
  const model = modelOf();
  model.input.properties.negative_prompt = { type: "string" };
  const { input, parameters } = flatSpec(model, { input: message({ text: "a" }), parameters: { negative_prompt: "fog", seed: 7 } });
  assert.equal(input.negative_prompt, "fog");
  assert.deepEqual(parameters, { seed: 7 });
});

test("what is flat already and what cannot be read is no trouble", () => {
  const flat = { input: { prompt: "a" } };
  assert.equal(flatSpec(modelOf(), flat), flat);
  assert.deepEqual(flatSpec(modelOf(), { input: { messages: [] } }).input, {});
  assert.deepEqual(flatSpec(modelOf(), { input: { messages: [{ content: [null, 3] }] } }).input, {});
});
