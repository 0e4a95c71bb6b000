// Several jobs in one submission: every picture with every prompt.

import { pictureFields, valueAt } from "./catalogue.js";
import { settledJob } from "./jobfile.js";
import { uploadPicture } from "./upload.js";

export const MOST = 100;
const MORE = "more pictures"; // among the pictures of a draft; no field is called so

export const morePictures = (draft) => (draft.pictures[MORE] ??= []);

export const morePrompts = (draft) => draft.prompts.split("\n").map((one) => one.trim()).filter(Boolean);

/** The field whose picture changes from job to job; undefined where a mask belongs to the picture. */
export function changingField(model, draft) {
  const { states } = settledJob(model, draft);
  const fields = pictureFields(model);
  if (fields.some(({ rule, name }) => rule.sameSizeAs && !states.get(`/input/${name}`)?.off)) return undefined;
  return fields.find(({ rule, schema, name }) => !rule.sameSizeAs && !name.includes("/") && (schema.minItems ?? 0) <= 1);
}

/** How many jobs the form is for. */
export function jobCount(model, draft) {
  const pictures = changingField(model, draft) ? morePictures(draft).length : 0;
  const prompts = model.input.properties.prompt ? morePrompts(draft).length : 0;
  return (1 + pictures) * (1 + prompts);
}

/** The job of the form once for every picture and prompt, all with one label. Raises ApiError. */
export async function allJobs(model, draft, job, label) {
  const field = changingField(model, draft);
  const more = field ? await Promise.all(morePictures(draft).map((one) => uploadPicture(one))) : [];
  const first = field && valueAt(job.input, field.name);
  const pictures = [first, ...more.map((url) => (field.schema.type === "array" ? [url] : url))];
  const prompts = model.input.properties.prompt ? [job.input.prompt, ...morePrompts(draft)] : [undefined];
  const { id, ...own } = job.job ?? {};
  return pictures.flatMap((picture, row) =>
    prompts.map((prompt, column) => {
      const input = { ...job.input };
      if (picture !== undefined) input[field.name] = picture;
      if (prompt !== undefined) input.prompt = prompt;
      const named = id ? { id: `${id}-${row * prompts.length + column + 1}` } : {};
      return { ...job, input, job: { ...own, ...named, labels: { ...own.labels, label } } };
    }),
  );
}
