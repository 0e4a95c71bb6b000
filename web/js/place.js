// Where a person creates: #/create/<task>, #/create/<task>/<model> or #/create/<model>.

import { findModel, findTask, isDead, loadModels } from "./catalogue.js";
import { does, modelsFor } from "./tasks.js";

const KEPT = "wanx-place";
const chosen = new Map(); // by task: the name of the model that was used for it last

export const addressOf = (task, model) => ["#/create", task?.id, model?.name].filter(Boolean).map((one, at) => (at ? encodeURIComponent(one) : one)).join("/");

/** {task, model}, either may be null; without names the last place of this tab. */
export async function placeOf(first, second) {
  const models = await loadModels();
  if (!first) [first, second] = (sessionStorage.getItem(KEPT) ?? "").split("/");
  const task = findTask(first) ?? null;
  const named = findModel(second ?? (task ? chosen.get(task.id) : first)) ?? null;
  const model = !task || (named && does(named, task)) ? named : modelsFor(task, models)[0];
  return { task, model };
}

/** A model at its end is not begun with again. */
export function keepPlace(task, model) {
  if (isDead(model)) return sessionStorage.removeItem(KEPT);
  if (task) chosen.set(task.id, model.name);
  return sessionStorage.setItem(KEPT, [task?.id, model.name].filter(Boolean).join("/"));
}
