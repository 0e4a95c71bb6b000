// Where a job stands while it runs: state, place in line, estimate, progress.

import { h, replace } from "../dom.js";
import { duration, t } from "../i18n.js";
import { progressBar } from "../progress.js";
import { isCall, isOver, share, stateWord, tone } from "../states.js";

const STEPS = { async: ["QUEUED", "PENDING", "RUNNING", "SUCCEEDED"], sync: ["QUEUED", "SUBMITTING", "SUCCEEDED"] };
const TICK = 500;

/** {element, update, stop} */
export function stateCard(model) {
  const word = h("strong", { class: "state-word" });
  const more = h("span", { class: "state-more" });
  const bar = progressBar();
  const steps = h("ol", { class: "steps", "aria-hidden": "true" });
  const element = h("section", { class: "card state-card" }, h("div", { class: "state-line" }, word, more), bar.element, steps);
  const card = { state: null, since: Date.now(), timer: null };
  const tick = () => bar.set(share(card.state, (Date.now() - card.since) / 1000, model?.typical ?? 30, model));
  const stop = () => clearInterval(card.timer);
  const update = (job) => {
    if (job.state !== card.state) Object.assign(card, { state: job.state, since: startOf(job) });
    element.dataset.tone = tone(job.state);
    word.textContent = stateWord(model, job.state);
    more.textContent = isCall(model, job.state) ? t("job.noCancel") : wait(job);
    replace(steps, stepItems(model, job.state));
    steps.hidden = bar.element.hidden = isOver(job.state);
    stop();
    if (!isOver(job.state)) card.timer = setInterval(tick, TICK);
    tick();
  };
  return { element, update, stop };
}

/** The moment the state began, if the job tells and the clocks agree; now otherwise. */
function startOf(job) {
  const at = new Date(job.at ?? "").getTime();
  const age = Date.now() - at;
  return age >= 0 && age < 3_600_000 ? at : Date.now();
}

function wait(job) {
  if (isOver(job.state)) return "";
  const words = [];
  if (job.position === 1) words.push(t("job.next"));
  else if (job.position > 1) words.push(t("job.position", { n: job.position }));
  if (job.estimated_wait_seconds > 0) words.push(t("job.wait", { time: duration(job.estimated_wait_seconds) }));
  return words.join(" · ");
}

/** The steps a job of the model goes; a state between two of them belongs to the one before. */
function stepItems(model, state) {
  const steps = STEPS[model?.mode] ?? STEPS.async;
  const between = steps === STEPS.sync ? { RUNNING: "SUBMITTING" } : { SUBMITTING: "QUEUED" };
  const now = steps.indexOf(between[state] ?? state);
  const mark = (place) => (place < now ? "past" : place === now ? "now" : "ahead");
  return steps.map((step, place) => h("li", { class: mark(place) }, stateWord(model, step)));
}
