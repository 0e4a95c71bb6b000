// A list of texts: one a line; a line may be empty.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { setValue, shell } from "./shell.js";

export const isLines = (schema) => schema.type === "array" && schema.items?.type === "string";

/** @param {import("./shell.js").FieldContext} context */
export function linesField(context) {
  const make = (ids) => {
    const input = h("textarea", {
      id: ids.control, rows: 2, placeholder: t("form.lines"), "aria-describedby": ids.described,
      value: (context.draft[context.section][context.name] ?? []).join("\n"),
      oninput: () => setValue(context, input.value === "" ? undefined : input.value.split("\n")),
    });
    return input;
  };
  return shell(context, make);
}
