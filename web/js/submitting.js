// From the button to the job.

import { submitJob, submitJobs, Unauthorised } from "./api.js";
import { violationsOf } from "./check.js";
import { copyText } from "./clipboard.js";
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";
import { inPageLanguage, t } from "./i18n.js";
import { finishedJob } from "./jobfile.js";
import { keepSoon } from "./keptdrafts.js";
import { announce } from "./notices.js";
import { seeded } from "./seed.js";
import { allJobs, jobCount, MOST } from "./several.js";
import { toYaml } from "./yaml.js";

export async function submitForm(context) {
  const { app, draft, submit } = context;
  if (submit.disabled) return;
  await working(context, async () => {
    const job = seeded(context.model, draft, await finishedJob(context.model, draft));
    const several = jobCount(context.model, draft) > 1;
    const jobs = several ? await allJobs(context.model, draft, job, draft.label.trim() || context.batch) : [job];
    submit.textContent = t("submit.busy");
    const key = idempotencyKey(draft, jobs);
    keepSoon(context.model.name, draft);
    const answer = several ? await submitJobs(jobs, key) : await submitJob(job, key);
    draft.sent = draft.rolled = null;
    draft.id = "";
    keepSoon(context.model.name, draft);
    if (!several) return app.go(`#/jobs/${encodeURIComponent(answer.job)}`);
    announce(t("several.sent", { n: jobs.length, label: jobs[0].job.labels.label }));
    return app.go("#/jobs");
  });
}

export async function copyJobFile(context) {
  await working(context, async () => copyText(toYaml(await finishedJob(context.model, context.draft))));
}

async function working(context, action) {
  const { model, draft, form, submit, copy, problems } = context;
  replace(problems);
  context.shown = [];
  const found = [...violationsOf(model, draft), ...tooMany(model, draft)];
  const wrong = form.showViolations(found);
  if (found.length) return report(context, found, wrong);
  submit.disabled = copy.disabled = true;
  submit.textContent = t("submit.uploading");
  try {
    return await action();
  } catch (error) {
    if (error instanceof Unauthorised) return context.app.signedOut();
    return refused(context, error);
  } finally {
    submit.disabled = copy.disabled = false;
    submit.textContent = t("submit");
  }
}

function tooMany(model, draft) {
  const n = jobCount(model, draft);
  return n > MOST ? [{ pointer: "/several", message: t("several.tooMany", { n, most: MOST }) }] : [];
}

/** A second press after a lost answer sends the same key, so that nothing is paid twice. */
function idempotencyKey(draft, job) {
  const text = JSON.stringify(job);
  if (draft.sent?.text !== text) draft.sent = { text, key: randomKey() };
  return draft.sent.key;
}

function randomKey() {
  const parts = crypto.getRandomValues(new Uint8Array(16));
  return [...parts].map((part) => part.toString(16).padStart(2, "0")).join("");
}

function report(context, found, wrong) {
  context.shown = found.map((one) => ({ ...one, isOurs: true }));
  list(context, t("form.check", { n: found.length }));
  focusFirst(wrong);
}

function refused(context, error) {
  context.shown = error.violations ?? [];
  const wrong = context.form.showViolations(context.shown);
  list(context, context.shown.length ? t("submit.failed") : error.message);
  focusFirst(wrong);
}

function list({ problems, shown }, heading) {
  const items = shown.map((one) => h("li", {}, inPageLanguage(one, "message")));
  replace(problems, icon("alert"), h("div", {}, h("p", {}, heading), items.length ? h("ul", {}, items) : null));
}

/** After a change: what was said of the form and does not hold any more goes away. */
export function lookAgain(context, pointer) {
  const { model, draft, form, problems, shown = [] } = context;
  if (!shown.length) return;
  const now = [...violationsOf(model, draft), ...tooMany(model, draft)];
  const about = (one) => one.pointer === pointer || one.pointer?.startsWith(`${pointer}/`);
  const isStill = (one) => (one.isOurs ? now.some(({ pointer: at, message }) => at === one.pointer && message === one.message) : !about(one));
  const left = shown.filter(isStill);
  if (left.length === shown.length) return;
  context.shown = left;
  form.showViolations(left);
  if (left.length) list(context, t("form.check", { n: left.length }));
  else replace(problems);
}

function focusFirst(fields) {
  const field = fields[0];
  if (!field) return;
  const control = field.querySelector("textarea, input:not([hidden]), button, .painter-stage");
  control?.focus({ preventScroll: true });
  field.scrollIntoView({ block: "center", behavior: "auto" });
}
