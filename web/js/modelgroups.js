// The models as they are listed: by group, each with its fixed versions behind it.

/** [{name, order, en, zh, models}], only those that hold a model, each in the order of `models`. */
export function groupsOf(models) {
  const groups = new Map();
  for (const model of models.filter((one) => mainOf(one, models) === one)) {
    const { name } = model.group;
    if (!groups.has(name)) groups.set(name, { ...model.group, models: [] });
    groups.get(name).models.push(model);
  }
  return [...groups.values()].sort((one, other) => one.order - other.order);
}

/** The model whose fixed version it is, if that is offered, or the model itself. */
export function mainOf(model, models) {
  return models.find((one) => one.name === model.snapshot_of) ?? model;
}

/** A model and its fixed versions, the newest first. */
export function versionsOf(main, models) {
  return [main, ...models.filter((one) => one !== main && mainOf(one, models) === main).reverse()];
}
