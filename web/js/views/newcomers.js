// What the gallery knows of the newest jobs, so that it hears of those that come after them.

/** A job is listed a moment after it was made, so the last seconds are asked for again and again. */
const OVERLAP = 5000;
/** As many as the endpoint takes in one question, and as a list has on one page. */
export const MOST = 100;

/** Whether one row comes before another in a list: newest first, then by name. */
export const isBefore = (one, other) =>
  one.created_at > other.created_at || (one.created_at === other.created_at && one.job < other.job);

export class Newcomers {
  constructor() {
    this.times = new Map();
    this.since = 0;
  }

  /** Rows of the list of jobs. */
  learn(rows) {
    for (const row of rows) this.times.set(row.job, new Date(row.created_at).getTime() || 0);
    const newest = [...this.times].sort(([, one], [, other]) => other - one);
    const begin = Math.max(0, (newest[0]?.[1] ?? 0) - OVERLAP);
    const recent = newest.filter(([, time]) => time >= begin).slice(0, MOST);
    this.times = new Map(recent);
    // Where there may be more than can be named, the others would be new for ever.
    this.since = recent.length < MOST ? begin : (recent.at(-1)?.[1] ?? begin) + 1;
  }

  question() {
    return { since: new Date(this.since).toISOString(), seen: [...this.times.keys()] };
  }
}
