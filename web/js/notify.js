// Word of jobs that end while nobody looks: a notification, if it was asked for, and the title.

import { t } from "./i18n.js";
import { isOver, stateWord } from "./states.js";

const WANTED = "wanx-notify";
const COUNT = /^\(\d+\) /;

export const canNotify = () => "Notification" in globalThis && Notification.permission !== "denied";

export const isNotifying = () => canNotify() && Notification.permission === "granted" && localStorage.getItem(WANTED) === "yes";

/** Asks the browser's permission, which it gives on a click alone; whether notifications are on now. */
export async function setNotifying(on) {
  const granted = on && (await Notification.requestPermission()) === "granted";
  localStorage.setItem(WANTED, granted ? "yes" : "no");
  return isNotifying();
}

/** Tells that a job is over, unless somebody looks at the page. */
export function notifyOf(job, model) {
  if (!isOver(job.state) || !document.hidden || !isNotifying()) return;
  const title = `${stateWord(model, job.state)}: ${job.spec?.input?.prompt?.slice(0, 60) ?? job.job}`;
  const shown = new Notification(title, { body: t("notify.body", { job: job.job }), tag: job.job });
  shown.onclick = () => { focus(); location.hash = `#/jobs/${encodeURIComponent(job.job)}`; shown.close(); };
}

export const withCount = (title, count) => (count ? `(${count}) ${title}` : title);

/** How many jobs are under way, in front of the title; none for 0. */
export function showCount(count) {
  document.title = withCount(document.title.replace(COUNT, ""), count);
}
