// One chosen picture: preview, name, how its upload goes.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { bytes, t } from "../i18n.js";
import { uploadPicture } from "../upload.js";
import { setValue } from "./shell.js";

export function thumbnail(field, picture, place) {
  const status = h("span", { class: "upload-status" });
  const preview = picture.address
    ? h("img", { src: picture.address, alt: t("image.alt", { name: picture.name }) })
    : h("span", { class: "no-preview" }, icon("image"));
  const number = field.most > 1 ? h("span", { class: "badge" }, t("image.number", { n: place + 1 })) : null;
  start(picture, status);
  return h(
    "figure",
    { class: "thumbnail" },
    h("div", { class: "preview" }, preview, number),
    h("figcaption", {}, h("span", { class: "name" }, picture.name), facts(picture), status, notes(picture)),
    h("div", { class: "thumb-buttons" }, buttons(field, picture, place)),
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

function buttons(field, picture, place) {
  const pictures = field.context.draft.pictures[field.context.name];
  const change = (action) => () => {
    action();
    field.draw();
    setValue(field.context, undefined);
    (field.element.querySelector("input:not([hidden])") ?? field.element).focus?.();
  };
  const remove = change(() => pictures.splice(place, 1));
  const forward = change(() => pictures.splice(0, 0, ...pictures.splice(place, 1)));
  const make = (label, symbol, onclick) =>
    h("button", { type: "button", class: "tool small", title: label, "aria-label": label, onclick }, icon(symbol));
  return [
    place > 0 ? make(t("image.earlier", { name: picture.name }), "arrowleft", forward) : null,
    make(t("image.remove", { name: picture.name }), "x", remove),
  ];
}

/** The upload begins as soon as a picture is there; submitting waits for it. */
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
