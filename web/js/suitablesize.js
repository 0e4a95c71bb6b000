// The output size nearest to the picture's proportions, until a person chooses one: a wide
// photograph should not come back square by default.

const SIZE = /^(\d+)\*(\d+)$/;

/** Chooses it in the draft and in the form; nothing where a size was chosen or any size goes. */
export function suggestSize(model, draft, form) {
  const schema = model.parameters.properties?.size;
  const picture = Object.values(draft.pictures).flat().find((one) => one.width);
  if (!picture || draft.chosen.has("size") || !(schema?.enum?.length > 1)) return;
  const best = nearest(schema.enum, picture.width / picture.height);
  if (best === schema.default) delete draft.parameters.size;
  else draft.parameters.size = best;
  const inputs = form.querySelectorAll('[data-pointer="/parameters/size"] input[type="radio"]');
  for (const input of inputs) input.checked = input.value === best;
}

function nearest(sizes, aspect) {
  const distance = (size) => {
    const [, width, height] = SIZE.exec(size) ?? [null, 1, 1];
    return Math.abs(Math.log(width / height / aspect));
  };
  return [...sizes].sort((one, other) => distance(one) - distance(other))[0];
}
