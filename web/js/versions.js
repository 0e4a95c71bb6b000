// Fixed versions of models: lists show the model that they are versions of.

/** The model whose fixed version it is, if that is offered, or the model itself. */
export function mainOf(model, models) {
  return models.find((one) => one.name === model.snapshot_of) ?? model;
}

/** A model and its fixed versions, the newest first. */
export function versionsOf(main, models) {
  return [main, ...models.filter((one) => one !== main && mainOf(one, models) === main).reverse()];
}
