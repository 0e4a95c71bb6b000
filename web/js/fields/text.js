// Texts, with a counter of the characters the model reads.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { promptHistory } from "../prompthistory.js";
import { setValue, shell } from "./shell.js";

/** @param {import("./shell.js").FieldContext} context */
export function textField(context) {
  const most = context.schema["x-truncated-after"];
  const counter = h("p", { class: "counter" });
  const show = (text) => most && count(counter, text, most);
  const make = (ids) => {
    const input = h("textarea", {
      id: ids.control, rows: context.required ? 3 : 2, "aria-describedby": ids.described,
      "aria-required": String(Boolean(context.required)), value: context.draft[context.section][context.name] ?? "",
      oninput: () => {
        setValue(context, input.value === "" ? undefined : input.value);
        show(input.value);
      },
    });
    show(input.value);
    return input;
  };
  const element = shell(context, make, { aside: [most ? counter : null, context.name === "prompt" ? promptHistory((text) => fill(element, text)) : null] });
  return element;
}

/** As if it had been typed. */
function fill(element, text) {
  const input = element.querySelector("textarea");
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.focus();
}

/** Characters as the service counts them: an emoji or a Chinese character is one. */
function count(counter, text, most) {
  const characters = [...text];
  const over = characters.length > most;
  const rest = characters.slice(most).join("");
  const shown = rest.length > 24 ? `${rest.slice(0, 24)}…` : rest;
  counter.classList.toggle("over", over);
  // Read aloud only while something is cut off, not at every letter.
  counter.setAttribute("aria-live", over ? "polite" : "off");
  counter.textContent = t(over ? "prompt.over" : "prompt.count", { n: characters.length, max: most, rest: shown });
}
