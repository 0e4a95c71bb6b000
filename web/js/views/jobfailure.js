// A job that did not succeed: what happened and what to do.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { hasWord, inPageLanguage, t } from "../i18n.js";
import { stateWord, tone } from "../states.js";

/** null for a job that is well. */
export function failure(job, model) {
  const violations = job.result?.violations ?? job.violations ?? [];
  if (job.state === "SUCCEEDED") return null;
  const error = job.error ?? job.result?.error ?? null;
  return h(
    "section",
    { class: "card failure", "data-tone": tone(job.state) },
    h("strong", { class: "state-word" }, stateWord(model, job.state)),
    error?.message ? h("p", { class: "failure-message" }, error.code ? h("code", {}, error.code) : null, " ", inPageLanguage(error, "message")) : null,
    violations.length ? violationList(violations) : null,
    h("h2", {}, icon("wand"), t("job.whatToDo")),
    advice(job, error, model).map((sentence) => h("p", {}, sentence)),
  );
}

function violationList(violations) {
  const items = violations.map((one) => {
    const source = one.source ? h("small", {}, inPageLanguage(one, "source")) : null;
    const named = one.message?.includes(one.pointer || "/");
    return h("li", {}, named ? null : [h("code", {}, one.pointer || "/"), " "], h("span", {}, inPageLanguage(one, "message") ?? ""), source);
  });
  return [h("h2", {}, t("job.violations")), h("ul", { class: "violations" }, items)];
}

/**
 * The hint of the error in the page's language, then whether a retry helps; of errors whose hint is
 * about the command line, the page's own words alone.
 */
function advice(job, error, model) {
  const hint = inPageLanguage(error, "hint");
  if (model?.status?.state === "retired") return [t("todo.gone")];
  if (error?.code && hasWord(`todo.${error.code}`)) return [t(`todo.${error.code}`)];
  const own = job.state === "FAILED" && error?.retryable ? t("todo.retryable") : t(`todo.${job.state}`);
  return hint ? [hint, error?.retryable ? own : null].filter(Boolean) : [own];
}
