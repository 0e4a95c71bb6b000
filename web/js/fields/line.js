// One line of text that belongs to the job and not to the model.

import { h } from "../dom.js";
import { shell } from "./shell.js";

/** @param {import("./shell.js").FieldContext} context */
export function lineField(context) {
  const { draft, name, onChange } = context;
  const make = (ids) => {
    const input = h("input", {
      id: ids.control, type: "text", maxlength: 64, autocomplete: "off", spellcheck: "false",
      "aria-describedby": ids.described, value: draft[name],
      oninput: () => {
        draft[name] = input.value;
        onChange(`/job/${name}`);
      },
    });
    return input;
  };
  return shell(context, make);
}
