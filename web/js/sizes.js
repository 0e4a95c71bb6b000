// Which output sizes a form offers, and the one nearest to a picture's proportions.

const SIZE = /^([1-9]\d{0,4})\*([1-9]\d{0,4})$/;
const LEVELS = ["1K", "2K", "4K"];
const ASPECTS = [1, 4 / 3, 3 / 4, 3 / 2, 2 / 3, 16 / 9, 9 / 16];
const GRID = 16;
const ALIKE = 0.2;

/** A text for which width*height goes, and not any words. */
export const isSize = (schema) => schema.type === "string" && !schema.enum && accepts(schema, "1024*1024") && !accepts(schema, "words");

const accepts = (schema, value) => Boolean(schema.pattern) && new RegExp(schema.pattern, "u").test(value);

/** Levels and recommended sizes; where there are none, usual proportions as large as the default. */
export function sizesOf(model, schema) {
  const levels = LEVELS.filter((level) => accepts(schema, level));
  const recommended = schema["x-recommended"] ?? (levels.length ? [] : usualSizes(model, schema));
  const standard = schema.default === undefined ? [] : [schema.default];
  return [...new Set([...levels, ...recommended, ...standard])];
}

function usualSizes(model, schema) {
  const original = model.parameters.properties?.size?.default ?? schema.default;
  const area = areaOf(original) || 1024 * 1024;
  const near = (side) => Math.round(side / GRID) * GRID;
  const sizes = ASPECTS.map((aspect) => `${near(Math.sqrt(area * aspect))}*${near(Math.sqrt(area / aspect))}`);
  return sizes.filter((size) => model.rules.every((rule) => allows(rule, size)));
}

function allows(rule, size) {
  const [width, height] = sidesOf(size) ?? [NaN, NaN];
  const measures = { area: [width * height], aspect: [width / height], sides: [width, height] }[rule.kind] ?? [];
  return measures.every((one) => one >= rule.min && one <= rule.max);
}

/** [width, height] of a width*height, undefined of anything else. */
function sidesOf(size) {
  const [, width, height] = SIZE.exec(size ?? "") ?? [];
  return width ? [Number(width), Number(height)] : undefined;
}

/** Pixels of a width*height, NaN of anything else. */
export function areaOf(size) {
  const [width, height] = sidesOf(size) ?? [NaN, NaN];
  return width * height;
}

/**
 * The size for a picture, until a person chooses one: a wide photograph should not come back
 * square. `schema` is as the rules make it now. Nothing where the service follows the picture.
 */
export function suggestSize(model, draft, schema, form) {
  const picture = Object.values(draft.pictures).flat().find((one) => one.width);
  if (!picture || !schema || draft.chosen.has("size")) return;
  const sizes = schema.enum ?? sizesOf(model, schema).filter((size) => Math.abs(areaOf(size) / areaOf(schema.default) - 1) < ALIKE);
  if (sizes.length < 2) return;
  const best = nearest(sizes, picture.width / picture.height);
  if (best === schema.default) delete draft.parameters.size;
  else draft.parameters.size = best;
  const inputs = form.querySelectorAll('[data-pointer="/parameters/size"] input[type="radio"]');
  for (const input of inputs) input.checked = input.value === best;
}

function nearest(sizes, aspect) {
  const distance = (size) => {
    const [width, height] = sidesOf(size) ?? [1, 1];
    return Math.abs(Math.log(width / height / aspect));
  };
  return [...sizes].sort((one, other) => distance(one) - distance(other))[0];
}
