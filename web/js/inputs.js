// The pictures a job was made from: from its view if the API gives them, from this browser's
// memory otherwise.

import { pictureFields, valueAt } from "./catalogue.js";
import { keptPicture } from "./keptpictures.js";
import { flatSpec } from "./nativeform.js";

/**
 * [{field, place, url, address, blob, name, rule}] for every picture of the job, or of `written` if
 * it was written for another model.
 */
export async function inputPictures(job, model, written = job.spec ?? {}) {
  const found = [];
  const spec = model ? flatSpec(model, written) : written;
  for (const { name: field, rule } of model ? pictureFields(model) : []) {
    const value = valueAt(spec.input, field);
    if (!value) continue;
    const urls = Array.isArray(value) ? value : [value];
    for (const [place, url] of urls.entries()) found.push(await pictureOf(job, { field, place, url, rule }));
  }
  return found;
}

async function pictureOf(job, one) {
  if (/^data:image\//.test(one.url)) return { ...one, ...inlinePicture(one) };
  const kept = await keptPicture(one.url);
  if (kept) return { ...one, blob: kept.blob, name: kept.name, address: URL.createObjectURL(kept.blob) };
  const given = givenAddress(job, one);
  return { ...one, blob: null, name: (String(one.url).split("/").pop() ?? "").slice(0, 80), address: given };
}

/** A picture that stands in the job itself is uploaded like one that was chosen. */
function inlinePicture({ field, url }) {
  const [head, data] = url.split(",");
  const [type] = head.replace(/^data:/, "").split(";");
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const blob = new Blob([bytes], { type });
  return { url: null, blob, type, name: `${field}.${type.split("/")[1]}`, address: URL.createObjectURL(blob) };
}

/** The API may name signed addresses of the inputs, by JSON Pointer into the job as it was written. */
function givenAddress(job, { url, field, place }) {
  const pointer = pointerTo(url, job.spec?.input, "/input") ?? "";
  const places = [pointer, pointer.replace(/\/\d+$/, ""), `/input/${field}/${place}`, `/input/${field}`];
  const given = places.map((one) => job.inputs?.[one]).find(Boolean);
  return (typeof given === "string" ? given : given?.url) ?? null;
}

function pointerTo(url, value, place) {
  if (value === url) return place;
  if (value === null || typeof value !== "object") return undefined;
  return Object.entries(value).map(([step, inner]) => pointerTo(url, inner, `${place}/${step}`)).find(Boolean);
}

/** What the result is compared with: the picture of the first field, of a list the last one. */
export function beforePicture(pictures) {
  const shown = pictures.filter((one) => !one.rule.sameSizeAs && one.address);
  return shown.filter((one) => one.field === shown[0].field).at(-1) ?? null;
}
