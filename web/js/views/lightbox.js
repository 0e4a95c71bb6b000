// An image over the whole page: fitted or at 100 %, moved and changed by mouse and keys.

import { h, replace } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../i18n.js";

const STEP = 1.25;
const [LEAST, MOST] = [0.1, 8];

/**
 * Opens at one of `images`; `onShow` gets the place of each that is shown. The focus returns.
 * @param {{url: string, name?: string}[]} images
 * @param {number} [place]
 * @param {(place: number) => void} [onShow]
 */
export function lightbox(images, place = 0, onShow = () => {}) {
  const image = h("img", { class: "lightbox-image", draggable: "false" });
  const stage = h("div", { class: "lightbox-stage", tabindex: "0", role: "group", "aria-label": t("lightbox.stage") }, image);
  const status = h("output", { class: "lightbox-status" });
  const box = { images, place, scale: null, image, stage, status, onShow };
  const dialog = h("dialog", { class: "lightbox", "aria-label": t("lightbox.title"), onclose: () => dialog.remove(), onkeydown: (event) => key(box, event) }, stage, bar(box, () => dialog.close()));
  image.addEventListener("load", () => draw(box));
  stage.addEventListener("click", (event) => { if (!event.detail || !box.dragged) setScale(box, box.scale ? null : 1); });
  stage.addEventListener("wheel", (event) => { event.preventDefault(); zoom(box, event.deltaY < 0 ? STEP : 1 / STEP); }, { passive: false });
  drag(box);
  document.body.append(dialog);
  dialog.showModal();
  addEventListener("hashchange", () => dialog.close(), { once: true });
  new ResizeObserver(() => draw(box)).observe(stage);
  go(box, 0);
  stage.focus();
}

function bar(box, close) {
  const tool = (word, symbol, action) => h("button", { type: "button", class: "tool", title: t(word), "aria-label": t(word), onclick: action }, icon(symbol));
  const many = box.images.length > 1;
  return h(
    "div",
    { class: "lightbox-bar" },
    many ? tool("lightbox.previous", "arrowleft", () => go(box, -1)) : null,
    many ? tool("lightbox.next", "arrowright", () => go(box, 1)) : null,
    box.status,
    tool("mask.zoomOut", "minus", () => zoom(box, 1 / STEP)),
    tool("mask.zoomIn", "plus", () => zoom(box, STEP)),
    h("button", { type: "button", class: "tool wide-tool", onclick: () => setScale(box, 1) }, "100 %"),
    tool("mask.fit", "fit", () => setScale(box, null)),
    tool("lightbox.close", "x", close),
  );
}

function key(box, event) {
  const keys = {
    ArrowLeft: () => go(box, -1), ArrowRight: () => go(box, 1), "+": () => zoom(box, STEP), "=": () => zoom(box, STEP),
    "-": () => zoom(box, 1 / STEP), 0: () => setScale(box, null), 1: () => setScale(box, 1),
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  keys[event.key]();
}

function go(box, by) {
  const { images } = box;
  box.place = (box.place + by + images.length) % images.length;
  box.scale = null;
  const shown = images[box.place];
  box.image.src = shown.url;
  box.image.alt = shown.name ?? t("job.result", { n: box.place + 1 });
  box.onShow(box.place);
  draw(box);
}

/** The part of the full size at which all of the image can be seen; never larger than it is. */
function fitting({ stage, image }) {
  if (!image.naturalWidth) return 1;
  return Math.min(1, stage.clientWidth / image.naturalWidth, stage.clientHeight / image.naturalHeight);
}

const zoom = (box, factor) => setScale(box, Math.min(MOST, Math.max(LEAST, (box.scale ?? fitting(box)) * factor)));

/** What was in the middle stays there; null fits the image. */
function setScale(box, scale) {
  const { stage } = box;
  const [x, y] = [(stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth, (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight];
  box.scale = scale;
  draw(box);
  stage.scrollTo(x * stage.scrollWidth - stage.clientWidth / 2, y * stage.scrollHeight - stage.clientHeight / 2);
}

function draw(box) {
  const { image, images, place, status } = box;
  const scale = box.scale ?? fitting(box);
  if (image.naturalWidth) image.style.width = `${Math.round(image.naturalWidth * scale)}px`;
  const parts = [images.length > 1 ? t("job.of", { n: place + 1, total: images.length }) : null, `${Math.round(scale * 100)} %`];
  replace(status, parts.filter(Boolean).join(" · "));
}

function drag(box) {
  const { stage } = box;
  /** @type {{x: number, y: number, left: number, top: number}|null} */
  let from = null;
  stage.addEventListener("pointerdown", (event) => {
    box.dragged = false;
    if (event.pointerType === "mouse") from = { x: event.clientX, y: event.clientY, left: stage.scrollLeft, top: stage.scrollTop };
  });
  stage.addEventListener("pointermove", (event) => {
    if (!from || !event.buttons) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    box.dragged ||= Math.hypot(dx, dy) > 4;
    stage.scrollTo(from.left - dx, from.top - dy);
  });
  stage.addEventListener("pointerup", () => { from = null; });
}
