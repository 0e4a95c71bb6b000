// The pictures a job was made from: from its view if the API gives them, from this browser's
// memory otherwise.

import { imageRule } from "./catalogue.js";
import { keptPicture } from "./keptpictures.js";

/** [{field, place, url, address, blob, name, rule}] for every picture of the job. */
export async function inputPictures(job, model) {
  const spec = job.spec ?? {};
  const found = [];
  for (const [field, value] of Object.entries(spec.input ?? {})) {
    const rule = model && imageRule(model, field);
    if (!rule) continue;
    const urls = Array.isArray(value) ? value : [value];
    for (const [place, url] of urls.entries()) found.push(await pictureOf(job, { field, place, url, rule }));
  }
  return found;
}

async function pictureOf(job, one) {
  const kept = await keptPicture(one.url);
  if (kept) return { ...one, blob: kept.blob, name: kept.name, address: URL.createObjectURL(kept.blob) };
  const given = givenAddress(job.inputs, one);
  return { ...one, blob: null, name: String(one.url).split("/").pop().slice(0, 80), address: given };
}

/** The API may name signed addresses of the inputs, by JSON Pointer. */
function givenAddress(inputs, { field, place }) {
  const given = inputs?.[`/input/${field}`] ?? inputs?.[`/input/${field}/${place}`];
  return (typeof given === "string" ? given : given?.url) ?? null;
}

/** What the result is compared with: the picture painted over, or the last one of a list. */
export function beforePicture(pictures) {
  return pictures.filter((one) => !one.rule.sameSizeAs && one.address).at(-1) ?? null;
}
