// Pictures go to the bucket straight from the browser, by a signed address the API gives.

import { ApiError, askUpload } from "./api.js";
import { t } from "./i18n.js";
import { keepPicture } from "./keptpictures.js";

/** The `oss:///` address of the uploaded blob. `onProgress` gets 0 to 1. Raises ApiError. */
export async function upload(blob, name, type, onProgress = () => {}) {
  const place = await askUpload(name, blob.size, type);
  await put(place.put.url, place.put.headers ?? {}, blob, onProgress);
  await keepPicture(place.url, blob, name);
  return place.url;
}

/** Uploads a picture once, however often it is asked for; after a failure it can be asked again. */
export function uploadPicture(picture, onProgress) {
  if (picture.url) return Promise.resolve(picture.url);
  picture.uploading ??= upload(picture.blob, picture.name, picture.type, onProgress)
    .then((url) => (picture.url = url))
    .finally(() => (picture.uploading = null));
  return picture.uploading;
}

/** @returns {Promise<void>} */
function put(address, headers, blob, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    for (const [name, value] of Object.entries(headers)) {
      if (!/^(host|content-length)$/i.test(name)) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => onProgress(event.loaded / (event.total || 1));
    request.onload = () => (request.status < 300 ? resolve() : reject(refused(request.status)));
    request.onerror = () => reject(new ApiError(0, { detail: t("error.storageOffline") }));
    request.send(blob);
  });
}

function refused(status) {
  return new ApiError(status, { detail: t("error.storage", { status }) });
}
