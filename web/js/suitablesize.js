// The output size nearest to the picture's proportions, until a person chooses one: a wide
// photograph should not come back square by default.

const ALIKE = 0.2;
const SIZE = /^(\d+)\*(\d+)$/;

/** Chooses it in the draft and in the form; nothing where a size was chosen or any size goes. */
export function suggestSize(model, draft, form) {
  const schema = model.parameters.properties?.size;
  const picture = Object.values(draft.pictures).flat().find((one) => one.width);
  const sizes = sizesToChooseFrom(schema);
  if (!picture || draft.chosen.has("size") || sizes.length < 2) return;
  const best = nearest(sizes, picture.width / picture.height);
  if (best === schema.default) delete draft.parameters.size;
  else draft.parameters.size = best;
  const inputs = form.querySelectorAll('[data-pointer="/parameters/size"] input[type="radio"]');
  for (const input of inputs) input.checked = input.value === best;
}

/** All there are, or the recommended ones about as large as the default, as a larger one may cost more. */
function sizesToChooseFrom(schema) {
  if (schema?.enum) return schema.enum;
  const area = areaOf(schema?.default);
  return (schema?.["x-recommended"] ?? []).filter((size) => Math.abs(areaOf(size) / area - 1) < ALIKE);
}

function areaOf(size) {
  const [, width, height] = SIZE.exec(size ?? "") ?? [];
  return width ? width * height : NaN;
}

function nearest(sizes, aspect) {
  const distance = (size) => {
    const [, width, height] = SIZE.exec(size) ?? [null, 1, 1];
    return Math.abs(Math.log(width / height / aspect));
  };
  return [...sizes].sort((one, other) => distance(one) - distance(other))[0];
}
