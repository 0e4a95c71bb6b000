// All jobs, newest first; new ones come by themselves.

import { listJobs, Unauthorised } from "../api.js";
import { findModel, loadModels } from "../catalogue.js";
import { h, replace } from "../dom.js";
import { Following } from "../follow.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { say } from "../notices.js";
import { isNotifying, notifyOf, showCount, withCount } from "../notify.js";
import { isOver, stateWord } from "../states.js";
import { Finder, isFiltered, NO_FILTERS, queryOf } from "./finder.js";
import { galleryFilters } from "./galleryfilters.js";
import { isBefore, MOST, Newcomers } from "./newcomers.js";
import { notifyButton } from "./notifybutton.js";
import { Selection } from "./selection.js";
import { tile } from "./tile.js";

const kept = { ...NO_FILTERS };

/** The gallery of the jobs with a label, `name:value`, from the address of a link. */
export function labelView(app, label) {
  Object.assign(kept, NO_FILTERS, { label });
  history.replaceState(null, "", "#/jobs");
  return galleryView(app);
}

export async function galleryView(app) {
  await loadModels();
  const grid = h("div", { class: "gallery-grid", role: "list" });
  const foot = h("div", { class: "gallery-foot" });
  const view = { app, grid, foot, round: 0, jobs: new Map(), tiles: new Map(), isHidden: () => kept.show === "hidden" };
  view.selection = new Selection(view, { onGone: (jobs) => jobs.forEach((job) => remove(view, job)), onMade: () => lookForNew(view) });
  const filters = await galleryFilters(kept, () => reload(view));
  view.learn = filters.learn;
  const head = h("div", { class: "gallery-head" }, h("h1", {}, t("gallery.title")), notifyButton());
  const element = h("div", { class: "gallery" }, head, filters.element, grid, foot, view.selection.element);
  await reload(view);
  return { element, title: withCount(t("gallery.title"), openCount(view)), close: () => close(view) };
}

function close(view) {
  view.round += 1;
  view.finder.stop();
  view.following.stop();
  showCount(0);
}

async function reload(view) {
  view.finder?.stop();
  view.following?.stop();
  view.jobs.clear();
  view.tiles.clear();
  replace(view.grid);
  view.selection.clear();
  view.finder = new Finder(kept);
  view.newcomers = new Newcomers();
  view.following = followed(view);
  await load(view);
}

/** One page more. What comes after the filter was changed again is dropped. */
async function load(view) {
  const round = (view.round += 1);
  const isMine = () => round === view.round;
  const { finder } = view;
  try {
    const show = drawSearching(view);
    await finder.more((jobs) => {
      if (!isMine()) return;
      if (!isFiltered(kept)) hear(view, jobs);
      add(view, jobs);
      show();
    });
    if (!isMine()) return;
    drawFoot(view);
    await listen(view);
  } catch (error) {
    if (isMine()) failed(view, error);
  }
}

function failed(view, error) {
  if (error instanceof Unauthorised) view.app.signedOut();
  else showError(view, error);
}

/** From the first rows on new jobs are heard of; under a filter the newest ones are asked for. */
async function listen(view) {
  const { finder } = view;
  if (!isFiltered(kept) || kept.show || view.isListening === finder) return;
  const { jobs } = await listJobs({ limit: MOST });
  if (finder !== view.finder) return;
  view.following.interrupt();
  hear(view, jobs);
}

/** What is asked from now on is also whether there are newer ones than these. */
function hear(view, rows) {
  if (view.isListening === view.finder) return;
  view.isListening = view.finder;
  view.newcomers.learn(rows);
  view.following.goOn();
}

/** From now on the jobs that are loaded are followed; a job that is gone stays as it was. */
function followed(view) {
  const following = new Following({
    onJob: (job) => update(view, job),
    onError: (error) => { if (error instanceof Unauthorised) view.app.signedOut(); },
    newer: () => (view.isListening === view.finder && !kept.show ? view.newcomers.question() : null),
    onNew: () => lookForNew(view),
    evenHidden: isNotifying,
  });
  return following;
}

/** The new jobs, as far as they fit what is shown. */
async function lookForNew(view) {
  const { finder, newcomers } = view;
  const { since } = newcomers.question();
  const { jobs: all } = await listJobs({ since, limit: MOST });
  const fitting = isFiltered(kept) ? (await listJobs({ ...queryOf(kept), since, limit: MOST })).jobs : all;
  if (finder !== view.finder) return;
  newcomers.learn(all);
  const last = [...view.grid.children].at(-1);
  const isLater = (job) => last && !finder.isDone && isBefore(view.jobs.get(last.dataset.job), job);
  const news = fitting.filter((job) => !view.jobs.has(job.job) && !isLater(job));
  if (!news.length) return;
  add(view, news);
  drawFoot(view);
  say(t("gallery.new", { n: news.length }));
}

function add(view, jobs) {
  const news = jobs.filter((job) => !view.jobs.has(job.job));
  for (const job of news) {
    view.jobs.set(job.job, job);
    view.tiles.set(job.job, made(view, job));
  }
  for (const job of news) place(view, job);
  view.learn(news);
  const open = news.filter((job) => !isOver(job.state));
  // The oldest first: they are over first.
  view.following.add(open.reverse().map((job) => [job.job, job.state]));
  showCount(openCount(view));
}

/** The tile where its job belongs: nearly always at one of the ends. */
function place(view, job) {
  const others = [...view.grid.children];
  const isAfter = (other) => isBefore(job, view.jobs.get(other.dataset.job));
  const next = others.length && isAfter(others.at(-1)) ? others.find(isAfter) : null;
  view.grid.insertBefore(view.tiles.get(job.job), next);
}

const openCount = (view) => [...view.jobs.values()].filter((job) => !isOver(job.state)).length;

function made(view, job) {
  const { selection } = view;
  return tile(job, { isSelected: selection.has(job.job), onSelect: (on, event) => selection.choose(job.job, on, event.shiftKey) });
}

/** One tile made again, where it is; a person who is at it with the keyboard stays there. */
function update(view, job) {
  const known = view.jobs.get(job.job);
  if (!known) return;
  const now = { ...known, ...job, prompt: known.prompt };
  view.jobs.set(job.job, now);
  const [old, next] = [view.tiles.get(job.job), made(view, now)];
  const focused = ["a", "input", "button"].find((tag) => old.querySelector(tag) === document.activeElement);
  view.tiles.set(job.job, next);
  old.replaceWith(next);
  if (focused) next.querySelector(focused).focus({ preventScroll: true });
  showCount(openCount(view));
  const model = findModel(now.model);
  if (isOver(now.state) && !isOver(known.state)) say(`${now.prompt || now.job}: ${stateWord(model, now.state)}`);
  notifyOf(now, model);
}

function remove(view, job) {
  view.tiles.get(job)?.remove();
  view.tiles.delete(job);
  view.jobs.delete(job);
  drawFoot(view);
}

/** While it looks on: how far it is, and a way to stop it. Returns what brings it up to date. */
function drawSearching({ finder, foot }) {
  if (!isFiltered(kept)) return () => {};
  const text = h("p", { class: "help" });
  const show = () => replace(text, t("gallery.searching", { n: finder.searched }));
  show();
  replace(foot, text, h("button", { type: "button", class: "button", onclick: () => finder.stop() }, t("gallery.stop")));
  return show;
}

function drawFoot(view) {
  const text = t("gallery.count", { n: view.jobs.size });
  const more = h("button", { type: "button", class: "button", onclick: () => load(view) }, t(isFiltered(kept) ? "gallery.goOn" : "gallery.more"));
  const said = isFiltered(kept) ? `${text} · ${t("gallery.searched", { n: view.finder.searched })}` : text;
  replace(view.foot, view.jobs.size ? h("p", { class: "help" }, said) : nothing(view), view.finder.isDone ? null : more);
  say(text);
}

function nothing(view) {
  const filtered = isFiltered(kept);
  const word = !filtered ? "gallery.empty" : view.finder.isDone ? "gallery.nothingAtAll" : "gallery.nothing";
  const text = kept.show && view.finder.isDone ? t(`gallery.no.${kept.show}`) : t(word, { n: view.finder.searched });
  const all = () => { Object.assign(kept, NO_FILTERS); view.app.redraw(); };
  const link = filtered ? h("button", { type: "button", class: "button", onclick: all }, t("gallery.unfiltered")) : h("a", { class: "button primary", href: "#/create" }, t("gallery.create"));
  return h("div", { class: "empty" }, icon("image"), h("p", {}, text), link);
}

function showError(view, error) {
  const again = h("button", { type: "button", class: "button", onclick: () => load(view) }, t("error.again"));
  replace(view.foot, h("p", { class: "notice", role: "alert" }, icon("alert"), h("span", {}, `${t("gallery.failed")} ${error.message}`)), again);
}
