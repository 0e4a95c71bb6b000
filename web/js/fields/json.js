// Whatever the page has no control for can still be written as JSON.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { setValue, shell, showError } from "./shell.js";

/** @param {import("./shell.js").FieldContext} context */
export function jsonField(context) {
  const value = context.draft[context.section][context.name];
  const make = (ids) => {
    const input = h("textarea", {
      id: ids.control, rows: 2, class: "code", placeholder: t("form.json"), "aria-describedby": ids.described,
      value: value === undefined ? "" : JSON.stringify(value),
      onchange: () => {
        try {
          setValue(context, input.value.trim() ? JSON.parse(input.value) : undefined);
          showError(element);
        } catch {
          showError(element, t("form.json.bad"));
        }
      },
    });
    return input;
  };
  const element = shell(context, make);
  return element;
}
