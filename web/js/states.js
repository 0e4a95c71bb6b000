// What the states of a job mean for the page.

import { t } from "./i18n.js";

export const STATES = [
  "QUEUED", "SUBMITTING", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "REJECTED", "CANCELED",
  "EXPIRED", "NEEDS_ATTENTION",
];

const WAITING = new Set(["QUEUED", "SUBMITTING", "PENDING"]);
const OVER = new Set(["SUCCEEDED", "FAILED", "CANCELED", "REJECTED", "EXPIRED", "NEEDS_ATTENTION"]);
/** A call of a synchronous model: while it is open nothing can be taken back. */
export const isCall = (model, state) => model?.mode === "sync" && state === "SUBMITTING";

const RETRYABLE = new Set(["FAILED", "CANCELED", "EXPIRED", "NEEDS_ATTENTION"]);
const SHARE = { QUEUED: 0.06, SUBMITTING: 0.15, PENDING: 0.22, RUNNING: 0.35 };

export const isOver = (state) => OVER.has(state);
export const canCancel = (state, model) => WAITING.has(state) && !isCall(model, state);
export const canRetry = (state) => RETRYABLE.has(state);

/** When the pictures and texts of a job were erased; null if they were not. In a list and in a job alike. */
export const erasedAt = (job) => job.erased_at ?? job.result?.erased_at ?? null;

/** The word for a state, as it is with this model. */
export const stateWord = (model, state) => t(isCall(model, state) ? "state.CALL" : `state.${state}`);

/** good, busy, bad or quiet: how a state looks. */
export function tone(state) {
  if (state === "SUCCEEDED") return "good";
  if (!OVER.has(state)) return "busy";
  return state === "CANCELED" || state === "EXPIRED" ? "quiet" : "bad";
}

/**
 * How far a job is, 0 to 1: the state gives the start, and time creeps on from there, slower and
 * slower, as nobody knows the end. `seconds` is the time in this state.
 */
export function share(state, seconds, typical, model) {
  if (OVER.has(state)) return 1;
  const start = SHARE[state] ?? 0;
  if (state !== "RUNNING" && !isCall(model, state)) return start;
  return start + (0.97 - start) * (1 - Math.exp((-1.6 * seconds) / typical));
}
