// Several images as one file. They are fetched one after the other and stored as they are.

import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const FREE_AFTER = 60_000;

/** Saves the images of jobs as a ZIP; `onProgress` gets how many are there. Raises ApiError. */
export async function downloadImages(jobs, onProgress) {
  const images = jobs.flatMap((job) => (job.images ?? []).filter((image) => image.url).map((image, place) => ({ ...image, job: job.job, place })));
  const { zipOf } = await import("./zip.js");
  const problem = {};
  const blob = await zipOf(fetched(images, onProgress, problem)).catch((error) => { throw problem.error ?? error; });
  save(blob, jobs.length === 1 ? `${jobs[0].job}.zip` : "images.zip");
  return images.length;
}

/** What stops it is kept in `problem`, as a stream that breaks tells no reason. */
async function* fetched(images, onProgress, problem) {
  for (const [done, image] of images.entries()) {
    onProgress(done, images.length);
    const input = await body(image).catch((error) => { problem.error = error; throw error; });
    yield { name: `${image.job}/${nameOf(image)}`, input };
  }
}

const nameOf = ({ key, place }) => key?.split("/").pop() ?? `image-${place + 1}.png`;

async function body(image) {
  const answer = await fetch(image.url, { referrerPolicy: "no-referrer" }).catch(() => null);
  if (answer?.ok) return answer.arrayBuffer();
  throw new ApiError(answer?.status ?? 0, { detail: t("select.noImage", { job: image.job }) });
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), FREE_AFTER);
}
