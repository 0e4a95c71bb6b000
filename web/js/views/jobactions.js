// What can be done with a job.

import { ApiError, cancelJob, eraseJob, hideJob, retryJob, Unauthorised, unhideJob } from "../api.js";
import { copyText } from "../clipboard.js";
import { t } from "../i18n.js";
import { announce, complain, reasonOf } from "../notices.js";
import { forget } from "../remembered.js";
import { fillFrom, fillSuccessor } from "../rerun.js";
import { toYaml } from "../yaml.js";
import { askToErase } from "./manyactions.js";

export const cancel = (view, button) =>
  guarded(view, button, async () => {
    await cancelJob(view.id);
    announce(t("job.canceled"));
    await view.refresh();
  }, t("job.cancelLate"));

export const retry = (view, button) =>
  guarded(view, button, async () => {
    const made = await retryJob(view.id);
    view.app.go(`#/jobs/${encodeURIComponent(made.job)}`);
  });

export const rerun = (view, button) =>
  guarded(view, button, async () => {
    const model = await fillFrom(view.job);
    if (model) view.app.go(`#/create/${encodeURIComponent(model)}`);
  });

/** As it was, with the seed it had: the same picture, as far as the model keeps to it. */
export const sameSeed = (view, button) =>
  guarded(view, button, async () => {
    const { seed } = view.job.spec.parameters;
    const model = await fillFrom(view.job, { seed });
    if (model) view.app.go(`#/create/${encodeURIComponent(model)}`);
  });

/** Out of lists, or back into them; the button says what the next press does. */
export const hideOrShow = (view, button) =>
  guarded(view, button, async () => {
    await (view.isHidden ? unhideJob : hideJob)(view.id);
    view.isHidden = !view.isHidden;
    view.drawButtons();
    announce(t(view.isHidden ? "job.hidden" : "job.shown"));
  });

export const erase = (view, button) =>
  guarded(view, button, () =>
    askToErase(1, async () => {
      await eraseJob(view.id);
      forget("favourites", view.id);
      announce(t("erase.done", { n: 1 }));
      view.app.go("#/jobs");
    }));

export const rerunWith = (successor) => (view, button) =>
  guarded(view, button, async () => view.app.go(`#/create/${encodeURIComponent(await fillSuccessor(view.job, successor))}`));

export const copyJobFileOf = (view) => copyText(toYaml(view.job.spec ?? {}));

/** `refused`: what is said where the API refuses, if not its own words. */
async function guarded(view, button, action, refused = "") {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    if (error instanceof Unauthorised) view.app.signedOut();
    else complain((error instanceof ApiError && error.status === 409 && refused) || reasonOf(error));
  } finally {
    button.disabled = false;
  }
}
