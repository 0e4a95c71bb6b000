// Following jobs to their end, and hearing of new ones: one request at a time, however many there are.

import { ApiError, getChanges, Unauthorised } from "./api.js";
import { t } from "./i18n.js";
import { isOver } from "./states.js";

const WAIT = 20;
const AT_LEAST = 300;
const UNCHANGED = 2000;
const AFTER_ERROR = 3000;
const LONGEST_PAUSE = 60_000;
/** Between two looks for new jobs while there is nothing else to wait for: such a look is short, and an
 * open request would keep a function running. */
const IDLE = 4000;
const LONGEST_IDLE = 30_000;
/** As many as the endpoint takes in one question. */
const MOST = 50;

/**
 * Follows jobs until `stop`. `onJob` gets each job that is not as it was known; `onError` gets each
 * error, after which it goes on if that can help, and `onAgain` is called when there is an answer
 * again. While the page is hidden nothing is asked, unless `evenHidden` says so. `newer` gives what
 * new jobs are asked for, or null; `onNew` gets their names.
 */
export class Following {
  /**
   * @param {object} how
   * @param {(job: any) => void} how.onJob
   * @param {(error: any, id?: string) => void} how.onError
   * @param {() => void} [how.onAgain]
   * @param {() => {since: string, seen: string[]} | null} [how.newer]
   * @param {(names: string[]) => unknown} [how.onNew]
   * @param {() => boolean} [how.evenHidden]
   */
  constructor({ onJob, onError, onAgain = () => {}, newer = () => null, onNew = () => {}, evenHidden = () => false }) {
    this.onJob = onJob;
    this.onError = onError;
    this.onAgain = onAgain;
    this.newer = newer;
    this.onNew = onNew;
    this.evenHidden = evenHidden;
    /** @type {Map<string, string|null>} by job: what is known of it */
    this.known = new Map();
    /** @type {AbortController|null} */
    this.asking = null;
    this.failures = 0;
    this.idle = IDLE;
    this.stopped = false;
    this.onVisibility = () => (this.isAway() ? this.interrupt() : this.goOn());
    document.addEventListener("visibilitychange", this.onVisibility);
  }

  /** More jobs, each with what is known of it: an ETag, a state, or null to be told at once. */
  add(jobs) {
    const before = this.known.size;
    for (const [id, known] of jobs) if (!this.known.has(id)) this.known.set(id, known);
    if (this.known.size === before) return;
    this.interrupt();
    this.goOn();
  }

  stop() {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.interrupt();
  }

  interrupt() {
    this.asking?.abort();
    this.asking = null;
  }

  /** While nobody looks, new jobs can wait. */
  isAway() {
    return document.hidden && !(this.known.size && this.evenHidden());
  }

  goOn() {
    this.idle = IDLE;
    if (this.asking || this.stopped || this.isAway()) return;
    this.asking = new AbortController();
    this.ask(this.asking.signal);
  }

  async ask(signal) {
    while (!signal.aborted && !this.isAway() && (this.known.size || this.newer())) {
      const started = Date.now();
      let least;
      try {
        const wait = this.failures || !this.known.size ? 0 : WAIT;
        const answer = await getChanges(this.question(), { wait, signal, newer: this.newer() ?? undefined });
        if (signal.aborted) return;
        if (this.failures) this.onAgain();
        this.failures = 0;
        this.take(answer);
        if (answer.new?.length) await this.onNew(answer.new);
        least = this.pauseFor(answer);
      } catch (error) {
        if (signal.aborted) return;
        this.onError(error);
        if (error instanceof Unauthorised || isFinal(error)) return;
        least = Date.now() - started + pauseAfter(this.failures++);
      }
      await pause(least - (Date.now() - started), signal);
    }
    if (!signal.aborted) this.asking = null;
  }

  /** Where too many requests wait already, one more is answered at once. */
  pauseFor({ jobs, new: news = [] }) {
    const quiet = !jobs.length && !news.length;
    if (!quiet) this.idle = IDLE;
    if (this.known.size) return quiet ? UNCHANGED : AT_LEAST;
    const least = quiet ? this.idle : AT_LEAST;
    if (quiet) this.idle = Math.min(this.idle * 1.5, LONGEST_IDLE);
    return least;
  }

  /** The jobs that have been followed for longest, which are over first. */
  question() {
    return Object.fromEntries([...this.known].slice(0, MOST));
  }

  take({ jobs, missing }) {
    for (const job of jobs) {
      if (isOver(job.state)) this.known.delete(job.job);
      else this.known.set(job.job, job.etag);
      this.onJob(job);
    }
    for (const id of missing) {
      this.known.delete(id);
      this.onError(new ApiError(404, { detail: t("job.missing") }), id);
    }
  }
}

/** Longer and longer, and not the same for all: those who were cut off together part. */
function pauseAfter(failures) {
  return Math.min(AFTER_ERROR * 2 ** failures, LONGEST_PAUSE) * (0.75 + Math.random() / 2);
}

function isFinal(error) {
  return error instanceof ApiError && [400, 403, 404, 405, 413, 422].includes(error.status);
}

/** @returns {Promise<void>} */
function pause(milliseconds, signal) {
  if (milliseconds <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
