// Which control a JSON Schema gets.

import { choiceField, switchField } from "./choice.js";
import { coloursField, isColours } from "./colours.js";
import { jsonField } from "./json.js";
import { isLines, linesField } from "./lines.js";
import { numberField } from "./number.js";
import { isPalette, paletteField } from "./palette.js";
import { isRows, rowsField } from "./rows.js";
import { isSize, sizeField } from "./size.js";
import { textField } from "./text.js";

/** @param {import("./shell.js").FieldContext} context */
export function makeField(context) {
  const { schema } = context;
  if (Array.isArray(schema.enum)) return choiceField(context);
  if (schema.type === "boolean") return switchField(context);
  if (schema.type === "integer" || schema.type === "number") return numberField(context);
  if (isSize(schema)) return sizeField(context);
  if (schema.type === "string") return textField(context);
  if (isColours(schema)) return coloursField(context);
  if (isPalette(schema)) return paletteField(context);
  if (isRows(schema)) return rowsField(context);
  if (isLines(schema)) return linesField(context);
  return jsonField(context);
}
