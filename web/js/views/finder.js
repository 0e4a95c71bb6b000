// Finding the jobs a gallery shows: page by page from the API, which looks at a bounded number at once,
// or the favourites of this browser.

import { getChanges, listJobs } from "../api.js";
import { labelsOf } from "./labels.js";
import { favourites } from "./star.js";

export const PAGE = 24;
/** As many whole jobs as one answer holds. */
const WHOLE = 10;

export const NO_FILTERS = { search: "", state: "", model: "", label: "", age: "", show: "" };

export const isFiltered = (filters) => Object.entries(NO_FILTERS).some(([name, none]) => filters[name].trim() !== none);

/** The query of `GET /jobs`, without what says which page. */
export function queryOf({ search, state, model, label, age, show }) {
  const since = age ? new Date(Date.now() - Number(age) * 86_400_000).toISOString() : "";
  const all = { search: search.trim(), state, model, label, since, hidden: show === "hidden" ? "true" : "" };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
}

export class Finder {
  constructor(filters) {
    this.ask = filters.show === "favourites" ? ofFavourites(filters) : ofAll(queryOf(filters));
    this.isDone = false;
    this.searched = 0;
    this.isStopped = false;
  }

  stop() {
    this.isStopped = true;
  }

  /** Goes on until there are as many as a page holds, or no more; `onFound` gets each few. */
  async more(onFound) {
    this.isStopped = false;
    for (let left = PAGE; left > 0 && !this.isDone && !this.isStopped; ) {
      const { jobs, searched, isLast } = await this.ask(left);
      this.isDone = isLast;
      this.searched += searched;
      left -= jobs.length;
      onFound(jobs);
    }
  }
}

/** Asks for the next jobs, `limit` at most, each time it is called; after an error for the same ones. */
function ofAll(query) {
  let cursor = null;
  return async (limit) => {
    const { jobs, next = null, searched = jobs.length } = await listJobs({ ...query, limit, ...(cursor ? { cursor } : {}) });
    cursor = next;
    return { jobs, searched, isLast: next === null };
  };
}

function ofFavourites(filters) {
  const { search = "", state, model, label, since = "" } = queryOf(filters);
  const names = favourites();
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (job) => JSON.stringify([job.job, job.model, job.labels, job.spec]).toLowerCase();
  const fits = (job) => (!state || job.state === state) && (!model || job.model === model) && (!label || labelsOf(job).includes(label)) && job.created_at >= since && words.every((word) => text(job).includes(word));
  let place = 0;
  return async () => {
    const asked = names.slice(place, place + WHOLE);
    const found = asked.length ? (await getChanges(Object.fromEntries(asked.map((name) => [name, null])), { wait: 0 })).jobs : [];
    place += WHOLE;
    const jobs = asked.flatMap((name) => found.filter((job) => job.job === name));
    const rows = jobs.filter(fits).map((job) => ({ ...job, prompt: job.spec?.input?.prompt ?? "" }));
    return { jobs: rows, searched: jobs.length, isLast: place >= names.length };
  };
}
