// Several jobs of the gallery at once: which are chosen, and what can be done with them.

import { isAdmin, Unauthorised } from "../api.js";
import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { canRetry, erasedAt, isOver } from "../states.js";
import { compareImages, imagesOf } from "./comparetwo.js";
import { askAndErase, download, hide, retry, show } from "./manyactions.js";

export class Selection {
  /** `view` holds the `jobs` and `tiles` by name, in their order, and the `app`. */
  constructor(view, { onGone, onMade }) {
    this.view = view;
    this.onGone = onGone;
    this.onMade = onMade;
    /** @type {Set<string>} names of jobs */
    this.chosen = new Set();
    /** @type {string|null} the name of the job that was pressed last */
    this.last = null;
    /** @type {boolean|null} whether the token is an admin's, null before that was asked */
    this.admin = null;
    this.busy = false;
    this.status = h("span", { class: "selection-status", role: "status" });
    this.buttons = h("div", { class: "selection-buttons" });
    this.element = h("div", { class: "selection card", role: "region", "aria-label": t("select.label"), hidden: true }, this.status, this.buttons);
  }

  has(job) {
    return this.chosen.has(job);
  }

  get jobs() {
    return [...this.chosen].map((name) => this.view.jobs.get(name)).filter(Boolean);
  }

  /** With the Shift key all from the last one to this. */
  choose(job, on, withShift = false) {
    for (const name of withShift ? this.range(job) : [job]) {
      if (on) this.chosen.add(name);
      else this.chosen.delete(name);
      this.view.tiles.get(name).querySelector("input").checked = on;
    }
    this.last = job;
    this.draw();
  }

  range(job) {
    const names = [...this.view.grid.children].map((tile) => tile.dataset.job);
    const [one, other] = [names.indexOf(job), names.indexOf(this.last)];
    return other < 0 ? [job] : names.slice(Math.min(one, other), Math.max(one, other) + 1);
  }

  chooseAll() {
    for (const name of this.view.jobs.keys()) this.choose(name, true);
  }

  clear() {
    for (const name of this.chosen) {
      const box = this.view.tiles.get(name)?.querySelector("input");
      if (box) box.checked = false;
    }
    this.chosen.clear();
    this.last = null;
    this.draw();
  }

  async draw() {
    this.element.hidden = !this.chosen.size;
    if (!this.chosen.size || this.busy) return;
    this.status.textContent = t("select.count", { n: this.chosen.size });
    replace(this.buttons, this.actions());
    if (this.admin !== null) return;
    this.admin = false;
    this.admin = await isAdmin().catch(() => false);
    if (this.admin) this.draw();
  }

  actions() {
    const { jobs } = this;
    const whole = jobs.filter((job) => !erasedAt(job));
    const hidden = this.view.isHidden();
    const images = imagesOf(jobs);
    return [
      images.length ? this.button("select.download", "download", download) : null,
      images.length > 1 ? this.button("select.compare", "compare", () => compareImages(images)) : null,
      whole.some((job) => canRetry(job.state)) ? this.button("job.retry", "refresh", retry) : null,
      hidden ? this.button("select.show", "eye", show) : this.button("select.hide", "eyeoff", hide),
      this.admin && whole.some((job) => isOver(job.state)) ? this.button("select.erase", "trash", askAndErase) : null,
      this.chosen.size < this.view.jobs.size ? this.button("select.all", "check", () => this.chooseAll()) : null,
      this.button("select.none", "x", () => this.clear()),
    ];
  }

  button(word, symbol, action) {
    return h("button", { type: "button", class: "button", title: t(word), onclick: () => this.run(action) }, icon(symbol), h("span", {}, t(word)));
  }

  /** An action gets the selection and says what came of it by its own words. */
  async run(action) {
    this.busy = true;
    for (const button of this.buttons.children) button.disabled = true;
    try {
      await action(this);
    } catch (error) {
      if (error instanceof Unauthorised) this.view.app.signedOut();
      else throw error;
    } finally {
      this.busy = false;
      this.draw();
    }
  }

  say(text) {
    this.status.textContent = text;
  }
}
