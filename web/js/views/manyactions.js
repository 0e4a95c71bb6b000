// What is done with many jobs: one after the other, and what one refuses does not stop the others.

import { eraseJob, hideJob, retryJob, Unauthorised, unhideJob } from "../api.js";
import { openDialog } from "../dialog.js";
import { h } from "../dom.js";
import { downloadImages } from "../download.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { announce, complain, reasonOf } from "../notices.js";
import { forget } from "../remembered.js";
import { canRetry, erasedAt, isOver } from "../states.js";

export async function download(selection) {
  try {
    const n = await downloadImages(selection.jobs, (done, all) => selection.say(t("select.downloading", { n: done + 1, total: all })));
    announce(t("select.downloaded", { n }));
  } catch (error) {
    complain(reasonOf(error));
  }
}

export async function hide(selection) {
  const hidden = await each(selection, selection.jobs, (job) => hideJob(job.job));
  selection.clear();
  selection.onGone(hidden);
  if (hidden.length) announce(t("select.hidden", { n: hidden.length }));
}

export async function show(selection) {
  const shown = await each(selection, selection.jobs, (job) => unhideJob(job.job));
  selection.clear();
  selection.onGone(shown);
  if (shown.length) announce(t("select.shown", { n: shown.length }));
}

export async function retry(selection) {
  const wanted = selection.jobs.filter((job) => canRetry(job.state) && !erasedAt(job));
  const made = await each(selection, wanted, (job) => retryJob(job.job));
  selection.clear();
  await selection.onMade();
  if (made.length) announce(t("select.retried", { n: made.length }));
}

export function askAndErase(selection) {
  const jobs = selection.jobs.filter((job) => isOver(job.state) && !erasedAt(job));
  return askToErase(jobs.length, async () => {
    const gone = await each(selection, jobs, (job) => eraseJob(job.job));
    for (const job of gone) forget("favourites", job);
    selection.clear();
    selection.onGone(gone);
    if (gone.length) announce(t("erase.done", { n: gone.length }));
  });
}

/**
 * Says what erasing means, and erases if it is still wanted; resolves once that is done or not.
 * @returns {Promise<void>}
 */
export function askToErase(n, erase) {
  return new Promise((resolve, reject) => {
    let wanted = false;
    const yes = h("button", { type: "button", class: "button danger", onclick: () => { wanted = true; dialog.close(); } }, icon("trash"), t("erase.yes"));
    const no = h("button", { type: "button", class: "button", autofocus: true, onclick: () => dialog.close() }, t("erase.no"));
    const texts = ["erase.what", "erase.remains"].map((word) => h("p", {}, t(word)));
    const onClose = () => (wanted ? erase().then(resolve, reject) : resolve());
    const dialog = openDialog(t("erase.title", { n }), [texts, h("div", { class: "dialog-buttons" }, no, yes)], { onClose });
  });
}

/** The names of the jobs for which it went well; the first refusal is said. */
async function each(selection, jobs, act) {
  const done = [];
  /** @type {string|null} */
  let first = null;
  for (const [place, job] of jobs.entries()) {
    selection.say(t("select.working", { n: place + 1, total: jobs.length }));
    try {
      await act(job);
      done.push(job.job);
    } catch (error) {
      if (error instanceof Unauthorised) throw error;
      first ??= `${job.job}: ${reasonOf(error)}`;
    }
  }
  if (first) complain(t("select.failed", { n: jobs.length - done.length, reason: first }));
  return done;
}
