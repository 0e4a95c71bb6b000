// The field for a mask: the painter over the picture it belongs to.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";
import { announce } from "../notices.js";
import { Mask } from "../mask/mask.js";
import { Painter } from "../mask/painter.js";
import { setValue, shell } from "./shell.js";

const BRUSH_SHARE = 12;

/**
 * {element, refresh}: refresh when the picture may have changed.
 * @param {import("./shell.js").FieldContext} context
 */
export function maskField(context) {
  const place = h("div", { class: "mask-place" });
  const element = shell({ ...context, title: t("mask.title") }, () => place, { group: true });
  element.classList.add("mask-field");
  let shown = null;
  const refresh = () => {
    const picture = basePicture(context);
    const key = picture ?? context.draft.pictures[context.name]?.[0] ?? "none";
    if (key === shown) return;
    shown = key;
    replace(place, earlierMask(context), picture ? painterFor(context, picture) : placeholder(context));
  };
  refresh();
  return { element, refresh };
}

/** @param {import("./shell.js").FieldContext} context */
function basePicture({ draft, rule }) {
  const picture = draft.pictures[rule.sameSizeAs.split("/").pop()]?.[0];
  return picture?.address ? picture : null;
}

function painterFor(context, picture) {
  const { draft, name } = context;
  const mask = maskFor(draft, name, picture);
  const onChange = () => setValue(context, undefined);
  const fileName = `${picture.name.replace(/\.[^.]*$/, "")}-mask.png`;
  return new Painter({ picture, mask, tools: draft.tools, fileName, onChange }).element;
}

/** What to do if a mask lies in the bucket and the browser was not allowed to read it. */
function earlierMask({ draft, name }) {
  const [kept] = draft.pictures[name] ?? [];
  if (!kept) return null;
  const link = kept.link ? [" ", h("a", { href: kept.link, target: "_blank", rel: "noopener", download: kept.name }, t("mask.earlier.open"))] : null;
  return h("p", { class: "notice mask-earlier" }, icon("alert"), h("span", {}, t("mask.earlier", { name: kept.name }), link));
}

/** The mask stays as long as the picture has the same size. */
function maskFor(draft, name, picture) {
  const mask = draft.masks[name];
  if (mask?.width === picture.width && mask.height === picture.height) return mask;
  if (mask && !mask.isEmpty()) announce(t("mask.replaced"));
  draft.masks[name] = new Mask(picture.width, picture.height);
  draft.tools.size = Math.round(Math.min(picture.width, picture.height) / BRUSH_SHARE);
  return draft.masks[name];
}

function placeholder({ draft, name }) {
  const text = draft.pictures[name]?.length ? t("mask.noPreview") : t("mask.needsBase");
  return h("div", { class: "mask-empty" }, icon("brush"), h("p", {}, text));
}
