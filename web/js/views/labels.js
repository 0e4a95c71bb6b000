// Labels of jobs as the API filters by them, `name:value`, and as people read them.

import { h } from "../dom.js";

/** The name under which the form writes the one label that it asks for. */
const OWN = "label";

export const labelsOf = (job) => Object.entries(job.labels ?? {}).map(([name, value]) => `${name}:${value}`);

/** The name of the form's own label goes without saying. */
export function labelTitle(label) {
  const at = label.indexOf(":");
  const [name, value] = [label.slice(0, at), label.slice(at + 1)];
  return name === OWN ? value : `${name}: ${value}`;
}

/** Each leads to the jobs that have it. */
export const labelLinks = (job) =>
  labelsOf(job).flatMap((label, at) => [at ? ", " : null, h("a", { href: `#/labels/${encodeURIComponent(label)}` }, labelTitle(label))]);
