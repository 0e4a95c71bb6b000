// Several pictures in their order: one is shown large, all can be arranged by mouse, finger and keyboard.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { say } from "../notices.js";
import { imageOf } from "./picturefacts.js";

const DRAG_FROM = 6;

/**
 * @param {object[]} pictures
 * @param {number} chosen the one that is shown large
 * @param {{choose: (at: number) => void, move: (from: number, to: number) => void, remove: (at: number) => void}} acts
 */
export function pictureStrip(pictures, chosen, acts) {
  const strip = h("div", { class: "picture-strip", role: "listbox", "aria-orientation": "horizontal", "aria-label": t("image.order") });
  strip.append(...pictures.map((picture, at) => thumb(picture, at, at === chosen)));
  strip.addEventListener("click", (event) => {
    const at = placeOf(strip, event.target);
    if (at >= 0) acts.choose(at);
  });
  strip.addEventListener("keydown", (event) => onKey(event, strip, pictures, acts));
  strip.addEventListener("pointerdown", (event) => startDrag(event, strip, acts));
  return strip;
}

function thumb(picture, at, isChosen) {
  const number = t("image.number", { n: at + 1 });
  return h(
    "div",
    { class: "thumbnail", role: "option", tabindex: isChosen ? "0" : "-1", "aria-selected": String(isChosen), "aria-label": `${number}: ${picture.name}`, title: `${number}: ${picture.name}\n${t("image.arrange")}` },
    imageOf(picture),
    h("span", { class: "badge" }, String(at + 1)),
  );
}

const placeOf = (strip, element) => [...strip.children].indexOf(element.closest(".thumbnail"));

function onKey(event, strip, pictures, acts) {
  const at = placeOf(strip, event.target);
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (event.key === "Delete") acts.remove(at);
  else if (step === undefined || at + step < 0 || at + step >= pictures.length) return;
  else if (event.shiftKey || event.altKey || event.ctrlKey) moved(pictures[at], at, at + step, acts);
  else acts.choose(at + step);
  event.preventDefault();
}

function moved(picture, from, to, acts) {
  acts.move(from, to);
  say(t("image.moved", { name: picture.name, n: to + 1 }));
}

/** The picture goes with the pointer to the place of the one it is nearest to. */
function startDrag(event, strip, acts) {
  const dragged = event.target.closest(".thumbnail");
  if (!dragged || event.button > 0) return;
  const from = placeOf(strip, dragged);
  let moving = false;
  const move = (now) => {
    moving ||= Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) > DRAG_FROM;
    if (!moving) return;
    // Not before: capturing the pointer would take the click from the picture.
    strip.setPointerCapture(now.pointerId);
    dragged.classList.add("dragged");
    const to = nearest(strip, now);
    const before = placeOf(strip, dragged) < to ? strip.children[to].nextSibling : strip.children[to];
    if (strip.children[to] !== dragged) strip.insertBefore(dragged, before);
  };
  const end = () => {
    for (const [name, handler] of listeners) strip.removeEventListener(name, handler);
    dragged.classList.remove("dragged");
    const to = placeOf(strip, dragged);
    if (moving && to !== from) acts.move(from, to);
  };
  const listeners = [["pointermove", move], ["pointerup", end], ["pointercancel", end]];
  for (const [name, handler] of listeners) strip.addEventListener(name, handler);
}

function nearest(strip, { clientX, clientY }) {
  const distances = [...strip.children].map((one) => {
    const { left, top, width, height } = one.getBoundingClientRect();
    return Math.hypot(left + width / 2 - clientX, top + height / 2 - clientY);
  });
  return distances.indexOf(Math.min(...distances));
}
