// What is said of a chosen picture: its name and size, and how its upload goes.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { bytes, t } from "../i18n.js";
import { uploadPicture } from "../upload.js";

/**
 * The upload begins as soon as a picture is there; submitting waits for it.
 * @param {import("../picture.js").Picture} picture
 * @param {(HTMLElement|null)[]} buttons
 */
export function pictureFacts(picture, buttons) {
  const status = h("span", { class: "upload-status" });
  start(picture, status);
  return h(
    "figcaption",
    { class: "picture-facts" },
    h("div", { class: "picture-words" }, h("span", { class: "name" }, picture.name), facts(picture), status, notes(picture)),
    h("div", { class: "picture-buttons" }, buttons),
  );
}

function facts(picture) {
  if (!picture.width) return null;
  const size = picture.blob ? ` · ${bytes(picture.blob.size)}` : "";
  return h("span", { class: "facts" }, `${picture.width} × ${picture.height}${size}`);
}

function notes(picture) {
  return (picture.notes ?? []).map((note) => h("span", { class: "note" }, note));
}

function start(picture, status) {
  if (picture.url) {
    replace(status, icon("check"), picture.blob ? t("image.uploaded") : t("image.kept", { name: picture.url }));
    return;
  }
  const progress = (share) => {
    picture.share = share;
    status.textContent = t("image.uploading", { percent: Math.round(share * 100) });
  };
  progress(picture.share ?? 0);
  uploadPicture(picture, progress).then(
    () => replace(status, icon("check"), t("image.uploaded")),
    (error) => {
      const again = h("button", { type: "button", class: "link", onclick: () => start(picture, status) }, t("image.again"));
      replace(status, icon("alert"), t("image.failed", { reason: error.message }), " ", again);
    },
  );
}

/** The picture itself, or a sign for one that this browser cannot show. */
export function imageOf(picture) {
  return picture.address
    ? h("img", { src: picture.address, alt: t("image.alt", { name: picture.name }), draggable: "false" })
    : h("span", { class: "no-preview" }, icon("image"));
}
