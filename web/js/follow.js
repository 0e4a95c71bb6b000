// Following a job to its end by long polls.

import { ApiError, getJob, Unauthorised } from "./api.js";
import { isOver } from "./states.js";

const WAIT = 20;
const AT_LEAST = 300;
const UNCHANGED = 2000;
const AFTER_ERROR = 3000;

/**
 * Calls onJob with every change until the job is over or `signal` ends it; onError with each
 * error, after which it goes on if that can help.
 */
export async function follow(id, { onJob, onError, signal }) {
  let etag = null;
  let wait = 0;
  while (!signal.aborted) {
    const started = Date.now();
    try {
      const answer = await getJob(id, { wait, etag, signal });
      if (signal.aborted) return;
      etag = answer.etag;
      wait = WAIT;
      if (answer.job) onJob(answer.job);
      if (answer.job && isOver(answer.job.state)) return;
      // Where too many requests wait already, one more is answered at once.
      await pause((answer.job ? AT_LEAST : UNCHANGED) - (Date.now() - started), signal);
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      if (error instanceof Unauthorised || isFinal(error)) return;
      wait = 0;
      await pause(AFTER_ERROR, signal);
    }
  }
}

function isFinal(error) {
  return error instanceof ApiError && [400, 403, 404].includes(error.status);
}

function pause(milliseconds, signal) {
  if (milliseconds <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
