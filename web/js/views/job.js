// One job: how it goes, what came out, what can be done.

import { findModel, isDead, loadModels } from "../catalogue.js";
import { h, replace } from "../dom.js";
import { Following } from "../follow.js";
import { icon } from "../icons.js";
import { inputPictures } from "../inputs.js";
import { either, t } from "../i18n.js";
import { say } from "../notices.js";
import { canCancel, canRetry, isOver, stateWord } from "../states.js";
import { getJob, Unauthorised } from "../api.js";
import { cancel, copyJobFileOf, rerun, rerunWith, retry } from "./jobactions.js";
import { details } from "./jobdetails.js";
import { failure } from "./jobfailure.js";
import { results } from "./jobresults.js";
import { stateCard } from "./jobstate.js";

export async function jobView(app, id) {
  await loadModels();
  const stop = new AbortController();
  const view = { app, id, stop, parts: {}, job: null };
  for (const part of ["head", "state", "outcome", "details", "lost"]) view.parts[part] = h("div", { class: `job-${part}` });
  const { head, state, outcome, lost } = view.parts;
  const element = h("div", { class: "job" }, head, lost, state, outcome, view.parts.details);
  const onJob = (job) => show(view, job);
  view.refresh = async () => onJob(await getJob(id, { signal: stop.signal }));
  const onAgain = () => replace(view.parts.lost);
  const following = new Following({ onJob, onAgain, onError: (error) => showError(view, error) });
  following.add([[id, null]]);
  return { element, title: t("job.title", { job: id }), close: () => { stop.abort(); following.stop(); view.card?.stop(); } };
}

async function show(view, job) {
  const news = view.job?.state !== job.state;
  view.job = job;
  view.model = findModel(job.model);
  replace(view.parts.lost);
  if (!view.card || news) drawAll(view);
  view.card.update(job);
  if (news) say(`${t("job.title", { job: job.job })}: ${stateWord(view.model, job.state)}`);
  if (news && isOver(job.state)) await drawOutcome(view);
}

function drawAll(view) {
  const { job, parts } = view;
  view.card?.stop();
  view.card = stateCard(view.model);
  replace(parts.state, isOver(job.state) && job.state === "SUCCEEDED" ? null : view.card.element);
  replace(parts.head, heading(view), buttons(view));
  replace(parts.details, details(job, view.model));
}

function heading({ job, model }) {
  const prompt = job.spec?.input?.prompt ?? job.prompt;
  return h(
    "div",
    { class: "job-heading" },
    h("a", { class: "back", href: "#/jobs" }, icon("arrowleft"), t("job.back")),
    h("h1", { tabindex: "-1" }, prompt || job.job),
    h("p", { class: "sub" }, model ? either(model.title) : job.model, " · ", h("code", {}, job.job)),
  );
}

function buttons(view) {
  const { model, job: { state, error } } = view;
  const gone = model?.status?.state === "retired";
  const successor = findModel(model?.status?.successor);
  const again = canRetry(state) && error?.retryable !== false;
  const mine = !(successor && isDead(model));
  const make = (word, symbol, action, kind = "", values = {}) =>
    h("button", { type: "button", class: `button ${kind}`, onclick: (event) => action(view, event.currentTarget) }, icon(symbol), t(word, values));
  return h(
    "div",
    { class: "job-buttons" },
    canCancel(state, model) ? make("job.cancel", "x", cancel) : null,
    canRetry(state) && !gone ? make("job.retry", "refresh", retry, again && mine ? "primary" : "") : null,
    gone ? null : make("job.rerun", "pencil", rerun, isOver(state) && !again && mine ? "primary" : ""),
    successor ? make("job.rerunWith", "wand", rerunWith(successor), isOver(state) && !mine ? "primary" : "", { model: either(successor.title) }) : null,
    make("job.copy", "copy", copyJobFileOf, "quiet"),
  );
}

async function drawOutcome(view) {
  const { job, model, parts } = view;
  const pictures = await inputPictures(job, model);
  if (view.stop.signal.aborted) return;
  replace(parts.outcome, failure(job, model), results(job, pictures));
}

function showError(view, error) {
  if (error instanceof Unauthorised) {
    view.app.signedOut();
    return;
  }
  const text = error.status === 404 ? t("job.missing") : error.status === 0 ? t("job.lost") : error.message;
  replace(view.parts.lost, h("p", { class: "notice", role: "alert" }, icon("alert"), h("span", {}, text)));
}
