// All jobs, newest first.

import { listJobs, Unauthorised } from "../api.js";
import { loadModels } from "../catalogue.js";
import { append, h, replace } from "../dom.js";
import { Following } from "../follow.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { say } from "../notices.js";
import { isOver, STATES } from "../states.js";
import { tile } from "./tile.js";

const PAGE = 24;
const TYPING = 250;

const kept = { search: "", state: "" };

export async function galleryView(app) {
  await loadModels();
  const grid = h("div", { class: "gallery-grid", role: "list" });
  const foot = h("div", { class: "gallery-foot" });
  const view = { app, grid, foot, jobs: [], next: null, round: 0, tiles: new Map() };
  const element = h("div", { class: "gallery" }, h("h1", {}, t("gallery.title")), filters(view), grid, foot);
  await reload(view);
  return { element, title: t("gallery.title"), close: () => view.following.stop() };
}

function filters(view) {
  let timer;
  const search = h("input", {
    type: "search", value: kept.search, placeholder: t("gallery.search"), "aria-label": t("gallery.search"),
    oninput: () => {
      kept.search = search.value;
      clearTimeout(timer);
      timer = setTimeout(() => draw(view), TYPING);
    },
  });
  const select = h(
    "select",
    { "aria-label": t("gallery.state"), onchange: () => { kept.state = select.value; reload(view); } },
    h("option", { value: "" }, t("gallery.all")),
    STATES.map((state) => h("option", { value: state, selected: state === kept.state }, t(`state.${state}`))),
  );
  return h("div", { class: "filters", role: "search" }, h("span", { class: "search" }, icon("search"), search), select);
}

async function reload(view) {
  Object.assign(view, { jobs: [], next: null });
  view.following?.stop();
  view.following = followed(view);
  await load(view);
}

/** One page more. An answer that comes after the filter was changed again is dropped. */
async function load(view) {
  const round = (view.round += 1);
  const query = { limit: PAGE };
  if (kept.state) query.state = kept.state;
  if (view.next) query.cursor = view.next;
  try {
    const answer = await listJobs(query);
    if (round !== view.round) return;
    view.jobs.push(...answer.jobs);
    view.next = answer.next ?? null;
    draw(view);
    const open = answer.jobs.filter((job) => !isOver(job.state));
    // The oldest first: they are over first.
    view.following.add(open.reverse().map((job) => [job.job, job.state]));
  } catch (error) {
    if (error instanceof Unauthorised) view.app.signedOut();
    else showError(view, error);
  }
}

/** From now on the jobs that are loaded are followed; a job that is gone stays as it was. */
function followed(view) {
  return new Following({
    onJob: (job) => update(view, job),
    onError: (error) => { if (error instanceof Unauthorised) view.app.signedOut(); },
  });
}

/** One tile anew, where it is; whoever is at it with the keyboard stays there. */
function update(view, job) {
  const place = view.jobs.findIndex((one) => one.job === job.job);
  if (place < 0) return;
  const prompt = view.jobs[place].prompt;
  view.jobs[place] = { ...view.jobs[place], ...job, prompt };
  const old = view.tiles.get(job.job);
  if (!old) return;
  const made = tile(view.jobs[place]);
  const focused = old.contains(document.activeElement);
  view.tiles.set(job.job, made);
  old.replaceWith(made);
  if (focused) made.querySelector("a").focus({ preventScroll: true });
}

function draw(view) {
  const words = kept.search.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const shown = view.jobs.filter((job) => fits(job, words));
  view.tiles = new Map(shown.map((job) => [job.job, tile(job)]));
  replace(view.grid, [...view.tiles.values()]);
  const text = t("gallery.count", { n: shown.length });
  replace(view.foot, shown.length ? h("p", { class: "help" }, text) : nothing(view, words));
  if (view.next) append(view.foot, [h("button", { type: "button", class: "button", onclick: () => load(view) }, t("gallery.more"))]);
  say(text);
}

function fits(job, words) {
  const text = [job.job, job.prompt, job.model, ...Object.entries(job.labels ?? {}).flat()].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

function nothing(view, words) {
  const filtered = words.length || kept.state;
  const text = filtered ? t(view.next ? "gallery.nothing" : "gallery.nothingAtAll") : t("gallery.empty");
  const link = filtered ? null : h("a", { class: "button primary", href: "#/create" }, t("gallery.create"));
  return h("div", { class: "empty" }, icon("image"), h("p", {}, text), link);
}

function showError(view, error) {
  const again = h("button", { type: "button", class: "button", onclick: () => load(view) }, t("error.again"));
  replace(view.foot, h("p", { class: "notice", role: "alert" }, icon("alert"), h("span", {}, `${t("gallery.failed")} ${error.message}`)), again);
}
