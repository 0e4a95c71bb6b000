// Jobs that are written as the service takes them, with `messages`, in the flat form that the page's
// forms have. The rules are those of shared/catalogue/wire.py.

import { fieldsOf, pictureFields } from "./catalogue.js";

/**
 * A job file in the flat form; one that is flat already is returned as it is.
 * @param {any} model as `catalogue.js` reads it
 * @param {{model?: string, input?: any, parameters?: any}} spec
 * @returns {{model?: string, input?: any, parameters?: any}}
 */
export function flatSpec(model, spec) {
  if (!Array.isArray(spec.input?.messages)) return spec;
  const fields = fieldsOf(model.input);
  const items = [spec.input.messages[0]?.content ?? []].flat();
  const input = {};
  const text = items.find((item) => typeof item?.text === "string");
  const textField = fields.find(({ schema }) => schema.type === "string");
  if (text && textField) input[textField.name] = text.text;
  const images = items.filter((item) => item?.image).map((item) => item.image);
  const [imageField] = pictureFields(model);
  if (images.length && imageField) input[imageField.name] = images;
  const parameters = { ...spec.parameters };
  for (const { name } of fields) {
    if (!(name in parameters) || name in (model.parameters.properties ?? {})) continue;
    input[name] = parameters[name];
    delete parameters[name];
  }
  return { ...spec, input, parameters };
}
