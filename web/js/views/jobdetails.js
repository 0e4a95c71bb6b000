// The small print of a job: facts, warnings, and its records when asked for.

import { getEvents, redeliver } from "../api.js";
import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { clock, either, inPageLanguage, t, when } from "../i18n.js";
import { announce, complain, reasonOf } from "../notices.js";
import { isOver } from "../states.js";
import { costOfJob } from "./jobcost.js";
import { labelLinks } from "./labels.js";

export function details(job, model) {
  const events = h("ol", { class: "events" });
  const told = h("div", { class: "told" });
  const box = h("details", { ontoggle: () => box.open && loadEvents(job, events, told) }, h("summary", {}, t("job.events")), events, told);
  return [warnings(job, model), h("section", { class: "card details" }, facts(job, model), box)];
}

/** What the form has said already, the notices of the model, is not said again. */
function warnings(job, model) {
  const said = (model?.notices ?? []).map((notice) => notice.en);
  const found = (job.warnings ?? []).filter((one) => !said.some((text) => String(one.message ?? one).includes(text)));
  if (!found.length) return null;
  const items = found.map((one) => h("li", {}, inPageLanguage(one, "message") ?? one));
  return h("div", { class: "notice" }, icon("alert"), h("div", {}, h("strong", {}, t("job.warnings")), h("ul", {}, items)));
}

function facts(job, model) {
  const labels = labelLinks(job);
  const rows = [
    ["job.id", job.job],
    ["job.retriedFrom", job.retried_from],
    ["job.model", model ? `${either(model.title)} (${job.model})` : job.model],
    ["job.created", when(job.created_at)],
    ["job.size", job.spec?.parameters?.size],
    ["job.seed", job.spec?.parameters?.seed?.toString()],
    ["job.price", costOfJob(job, model)],
    ["job.labels", labels.length ? labels : null],
    ["job.task", job.task_id ?? job.result?.task?.id],
  ];
  const shown = rows.filter(([, value]) => value);
  return h("dl", {}, shown.map(([word, value]) => h("div", {}, h("dt", {}, t(word)), h("dd", {}, value))));
}

async function loadEvents(job, list, told) {
  try {
    const { events, deliveries = [] } = await getEvents(job.job);
    replace(list, events.map((event) => h("li", {}, h("time", {}, clock(event.at)), h("span", {}, t(`state.${event.state}`)))));
    replace(told, ...deliveriesOf(job, deliveries));
  } catch (error) {
    replace(list, h("li", {}, reasonOf(error)));
  }
}

/** Who was told of the job, and a way to tell once more, which needs an admin's token. */
function deliveriesOf(job, deliveries) {
  if (!deliveries.length && !job.spec?.job?.webhook) return [];
  const columns = ["told.when", "told.what", "told.whom", "told.outcome"];
  const rows = deliveries.map((one) =>
    h("tr", {}, h("td", {}, clock(one.at)), h("td", {}, one.event), h("td", {}, one.host), h("td", {}, outcome(one))));
  const table = h("table", {}, h("thead", {}, h("tr", {}, columns.map((word) => h("th", {}, t(word))))), h("tbody", {}, rows));
  const again = h("button", { type: "button", class: "button quiet", onclick: () => tellAgain(job, again) }, icon("refresh"), t("told.again"));
  return [h("h3", {}, t("told.title")), rows.length ? table : h("p", {}, t("told.nobody")), isOver(job.state) ? again : null];
}

function outcome(one) {
  const why = one.why ?? (one.status ? String(one.status) : "");
  return [t(`told.${one.outcome}`), why && one.outcome !== "delivered" ? ` (${why})` : ""].join("");
}

async function tellAgain(job, button) {
  button.disabled = true;
  try {
    await redeliver(job.job);
    announce(t("told.sent"));
  } catch (error) {
    complain(reasonOf(error));
  } finally {
    button.disabled = false;
  }
}
