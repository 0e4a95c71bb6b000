// Where a job stands while it runs: state, place in line, estimate, progress.

import { h, replace } from "../dom.js";
import { duration, inPageLanguage, language, t } from "../i18n.js";
import { progressBar } from "../progress.js";
import { isCall, isOver, share, stateWord, tone } from "../states.js";

const STEPS = { async: ["QUEUED", "PENDING", "RUNNING", "SUCCEEDED"], sync: ["QUEUED", "SUBMITTING", "SUCCEEDED"] };
const TICK = 500;

/** {element, update, stop} */
export function stateCard(model) {
  const word = h("strong", { class: "state-word" });
  const more = h("span", { class: "state-more" });
  const reason = h("p", { class: "help state-why" });
  const bar = progressBar();
  const steps = h("ol", { class: "steps", "aria-hidden": "true" });
  const element = h("section", { class: "card state-card" }, h("div", { class: "state-line" }, word, more), reason, bar.element, steps);
  const card = { state: null, since: Date.now() };
  /** @type {ReturnType<typeof setInterval>|undefined} */
  let timer;
  const tick = () => bar.set(share(card.state, (Date.now() - card.since) / 1000, model?.typical ?? 30, model));
  const stop = () => clearInterval(timer);
  const update = (job) => {
    if (job.state !== card.state) Object.assign(card, { state: job.state, since: startOf(job) });
    element.dataset.tone = tone(job.state);
    word.textContent = stateWord(model, job.state);
    more.textContent = isCall(model, job.state) ? t("job.noCancel") : wait(job);
    reason.textContent = why(job);
    reason.hidden = !reason.textContent;
    replace(steps, stepItems(model, job.state));
    steps.hidden = bar.element.hidden = isOver(job.state);
    stop();
    if (!isOver(job.state)) timer = setInterval(tick, TICK);
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

/** Why it is still here: what the service said to an earlier attempt, and that it is tried again. */
function why(job) {
  if (isOver(job.state) || !job.error?.message) return "";
  const hint = (language() === "zh" ? job.error.hint_zh : null) ?? job.error.hint;
  const said = t("job.why", { reason: inPageLanguage(job.error, "message").replace(/[.。]$/, "") });
  return [said, job.state === "QUEUED" ? hint : ""].filter(Boolean).join(" ");
}

/** The steps a job of the model goes; a state between two of them belongs to the one before. */
function stepItems(model, state) {
  const steps = STEPS[model?.mode] ?? STEPS.async;
  const between = steps === STEPS.sync ? { RUNNING: "SUBMITTING" } : { SUBMITTING: "QUEUED" };
  const now = steps.indexOf(between[state] ?? state);
  const mark = (place) => (place < now ? "past" : place === now ? "now" : "ahead");
  return steps.map((step, place) => h("li", { class: mark(place) }, stateWord(model, step)));
}
