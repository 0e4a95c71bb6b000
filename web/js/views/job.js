// One job: how it goes, what came out, what can be done.

import { findModel, isDead, loadModels } from "../catalogue.js";
import { h, replace } from "../dom.js";
import { Following } from "../follow.js";
import { icon } from "../icons.js";
import { inputPictures } from "../inputs.js";
import { either, t, when } from "../i18n.js";
import { say } from "../notices.js";
import { isNotifying, notifyOf, showCount } from "../notify.js";
import { remember } from "../remembered.js";
import { canCancel, canRetry, erasedAt, isOver, stateWord } from "../states.js";
import { getJob, isAdmin, Unauthorised } from "../api.js";
import { cancel, copyJobFileOf, erase, hideOrShow, rerun, rerunWith, retry, sameSeed } from "./jobactions.js";
import { details } from "./jobdetails.js";
import { failure } from "./jobfailure.js";
import { results } from "./jobresults.js";
import { stateCard } from "./jobstate.js";
import { waitingPictures } from "./jobwaiting.js";
import { notifyButton } from "./notifybutton.js";
import { star } from "./star.js";

export async function jobView(app, id) {
  await loadModels();
  const stop = new AbortController();
  const view = { app, id, stop, parts: {}, job: null, model: null };
  for (const part of ["head", "state", "waiting", "outcome", "details", "lost"]) view.parts[part] = h("div", { class: `job-${part}` });
  const { head, state, waiting, outcome, lost } = view.parts;
  const element = h("div", { class: "job" }, head, lost, state, waiting, outcome, view.parts.details);
  view.drawButtons = () => replace(head, heading(view), buttons(view));
  const onJob = (job) => show(view, job);
  view.refresh = async () => onJob(await getJob(id, { signal: stop.signal }));
  const onAgain = () => replace(view.parts.lost);
  const following = new Following({ onJob, onAgain, onError: (error) => showError(view, error), evenHidden: isNotifying });
  following.add([[id, null]]);
  return { element, title: t("job.title", { job: id }), close: () => { stop.abort(); following.stop(); view.card?.stop(); showCount(0); } };
}

async function show(view, job) {
  const news = view.job?.state !== job.state;
  view.job = job;
  view.model = findModel(job.model);
  if (news) remember("prompts", job.spec?.input?.prompt);
  replace(view.parts.lost);
  if (!view.card || news) drawAll(view);
  view.card.update(job);
  showCount(isOver(job.state) ? 0 : 1);
  notifyOf(job, view.model);
  if (news) say(`${t("job.title", { job: job.job })}: ${stateWord(view.model, job.state)}`);
  if (news && isOver(job.state)) await drawOutcome(view);
  else if (!view.parts.waiting.firstChild) await drawWaiting(view);
}

function drawAll(view) {
  const { job, parts } = view;
  view.card?.stop();
  view.card = stateCard(view.model);
  replace(parts.state, isOver(job.state) ? null : view.card.element);
  view.drawButtons();
  if (isOver(job.state)) askWhetherAdmin(view);
  replace(parts.details, details(job, view.model));
}

const back = () => h("a", { class: "back", href: "#/jobs" }, icon("arrowleft"), t("job.back"));

function heading({ job, model }) {
  const prompt = job.spec?.input?.prompt ?? job.prompt;
  return h(
    "div",
    { class: "job-heading" },
    back(),
    h("div", { class: "job-name" }, h("h1", { tabindex: "-1" }, prompt || job.job), star(job.job, "")),
    h("p", { class: "sub" }, model ? either(model.title) : job.model, " · ", h("code", {}, job.job)),
  );
}

function buttons(view) {
  const { model, job } = view;
  const { state, error } = job;
  const gone = model?.status?.state === "retired";
  const successor = findModel(model?.status?.successor);
  const again = canRetry(state) && error?.retryable !== false;
  const mine = !(successor && isDead(model));
  const hiding = () => make(view.isHidden ? "select.show" : "select.hide", view.isHidden ? "eye" : "eyeoff", hideOrShow, "quiet");
  const make = (word, symbol, action, kind = "", values = {}) =>
    h("button", { type: "button", class: `button ${kind}`, onclick: (event) => action(view, event.currentTarget) }, icon(symbol), t(word, values));
  if (erasedAt(job)) return h("div", { class: "job-buttons" }, hiding());
  return h(
    "div",
    { class: "job-buttons" },
    canCancel(state, model) ? make("job.cancel", "x", cancel) : null,
    canRetry(state) && !gone ? make("job.retry", "refresh", retry, again && mine ? "primary" : "") : null,
    gone ? null : make("job.rerun", "pencil", rerun, isOver(state) && !again && mine ? "primary" : ""),
    successor ? make("job.rerunWith", "wand", rerunWith(successor), isOver(state) && !mine ? "primary" : "", { model: either(successor.title) }) : null,
    job.spec?.parameters?.seed === undefined || gone || !isOver(state) ? null : make("job.sameSeed", "dice", sameSeed, "quiet"),
    make("job.copy", "copy", copyJobFileOf, "quiet"),
    hiding(),
    isOver(state) && view.isAdmin ? make("select.erase", "trash", erase, "quiet") : null,
    isOver(state) ? null : notifyButton(),
  );
}

/** What it is made from, until the outcome is there. */
async function drawWaiting(view) {
  const { job, model, parts } = view;
  const pictures = await inputPictures(job, model);
  if (!view.stop.signal.aborted && !isOver(view.job.state)) replace(parts.waiting, waitingPictures(pictures));
}

async function askWhetherAdmin(view) {
  if (view.isAdmin !== undefined) return;
  view.isAdmin = await isAdmin().catch(() => false);
  if (view.isAdmin && !view.stop.signal.aborted) view.drawButtons();
}

async function drawOutcome(view) {
  const { job, model, parts } = view;
  if (erasedAt(job)) {
    replace(parts.outcome, h("p", { class: "card empty" }, icon("trash"), t("job.erased", { time: when(erasedAt(job)) })));
    return;
  }
  const pictures = await inputPictures(job, model);
  if (view.stop.signal.aborted) return;
  replace(parts.waiting);
  replace(parts.outcome, failure(job, model), results(job, pictures));
}

function showError(view, error) {
  if (error instanceof Unauthorised) {
    view.app.signedOut();
    return;
  }
  const text = error.status === 404 ? t("job.missing") : error.status === 0 ? t("job.lost") : error.message;
  if (!view.job) replace(view.parts.head, back());
  replace(view.parts.lost, h("p", { class: "notice", role: "alert" }, icon("alert"), h("span", {}, text)));
}
