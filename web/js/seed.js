// The seed of a job that a person left to chance. The service does not say which one it took, so
// the page takes one itself: it can be seen afterwards, and used again.

import { settledJob } from "./jobfile.js";

/** Image k of a job may use seed + k, which must stay below the maximum. */
const ROOM = 1000;

/** The job with a seed where its model has one. A second press sends the same, see `idempotencyKey`. */
export function seeded(model, draft, job) {
  const schema = model.parameters.properties?.seed;
  if (schema?.maximum === undefined || job.parameters?.seed !== undefined) return job;
  if (settledJob(model, draft).states.get("/parameters/seed")?.off) return job;
  const { minimum = 0, maximum } = schema;
  draft.rolled ??= minimum + Math.floor(Math.random() * (maximum - minimum - ROOM));
  return { ...job, parameters: { ...job.parameters, seed: draft.rolled } };
}
