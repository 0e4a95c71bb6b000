// A dialog over the page. The browser keeps the focus in it, closes it on Escape, and gives the focus
// back to where it was.

import { h, uid } from "./dom.js";

/** {element, close}; `onClose` is called once it is gone. */
export function openDialog(title, content, { className = "card", onClose = () => {} } = {}) {
  const id = uid("dialog");
  const gone = () => { element.remove(); onClose(); };
  const element = h("dialog", { class: className, "aria-labelledby": id, onclose: gone }, h("h2", { id }, title), content);
  document.body.append(element);
  element.showModal();
  addEventListener("hashchange", () => element.close(), { once: true });
  return { element, close: () => element.close() };
}
