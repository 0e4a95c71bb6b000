// What can be done with a job.

import { cancelJob, retryJob, Unauthorised } from "../api.js";
import { copyText } from "../clipboard.js";
import { t } from "../i18n.js";
import { announce, complain } from "../notices.js";
import { fillFrom, fillSuccessor } from "../rerun.js";
import { toYaml } from "../yaml.js";

export const cancel = (view, button) =>
  guarded(view, button, async () => {
    await cancelJob(view.id);
    announce(t("job.canceled"));
    await view.refresh();
  });

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

export const rerunWith = (successor) => (view, button) =>
  guarded(view, button, async () => view.app.go(`#/create/${encodeURIComponent(await fillSuccessor(view.job, successor))}`));

export const copyJobFileOf = (view) => copyText(toYaml(view.job.spec ?? {}));

async function guarded(view, button, action) {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    if (error instanceof Unauthorised) view.app.signedOut();
    else complain(error.message);
  } finally {
    button.disabled = false;
  }
}
