// Another model for the same task: what both understand goes along.

import { fieldsOf, imageRule, pictureFields } from "./catalogue.js";
import { BadPicture, fixPicture, readPicture } from "./picture.js";

const OF_THE_PICTURE = new Set(["size"]); // set anew for each model, after the picture

/** Fills the draft `to` from `from`, each {model, draft}; answers the names of pictures that no longer fit. */
export async function carryOver(from, to) {
  for (const section of ["input", "parameters"]) carryValues(from, to, section);
  const leftOut = [];
  for (const [its, mine] of pairedPictures(from, to)) {
    if (its.drawing && canDraw(to, mine)) carryDrawing(to, mine, its.drawing);
    else if (its.pictures?.length) leftOut.push(...(await carryPictures(to, mine, its.pictures)));
  }
  carryMask(from, to);
  return leftOut;
}

function carryValues(from, to, section) {
  for (const { name, schema } of fieldsOf(to.model[section])) {
    const value = from.draft[section][name];
    if (value === undefined || schema.fixed || OF_THE_PICTURE.has(name) || imageRule(to.model, name)) continue;
    if (fits(value, schema)) to.draft[section][name] = value;
  }
}

function fits(value, schema) {
  if (schema.enum) return schema.enum.includes(value);
  if (typeof value === "number") return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  if (typeof value === "string") return schema.type === "string" && (!schema.pattern || new RegExp(schema.pattern, "u").test(value));
  return typeof value === schema.type;
}

/** [[what the one has, the other's field]]: of the same name, and the first of each. */
function pairedPictures(from, to) {
  const [its, mine] = [from, to].map(({ model }) => pictureFields(model).filter(({ rule }) => !rule.sameSizeAs));
  const had = ({ name }) => ({ pictures: from.draft.pictures[name], drawing: from.draft.drawings[name]?.active ? from.draft.drawings[name] : null });
  return mine.flatMap((field, at) => {
    const same = its.find(({ name }) => name === field.name) ?? (at === 0 ? its[0] : undefined);
    return same ? [[had(same), field]] : [];
  });
}

/** As many as fit; one that the other model would refuse is converted, or left out. */
async function carryPictures(to, { name, schema, rule }, pictures) {
  const most = schema.type === "array" ? schema.maxItems ?? Infinity : 1;
  /** @type {any[]} */
  const kept = [];
  const leftOut = pictures.slice(most).map((one) => one.name);
  for (const picture of pictures.slice(0, most)) {
    const fitting = await fitted(picture, rule);
    if (fitting) kept.push(fitting);
    else leftOut.push(picture.name);
  }
  to.draft.pictures[name] = kept;
  if (to.draft.drawings[name]) to.draft.drawings[name].active = false;
  return leftOut;
}

/** The picture itself where the rule takes it: it need not be uploaded again. */
async function fitted(picture, rule) {
  if (!picture.blob) return { ...picture };
  const file = new File([picture.blob], picture.name, { type: picture.type });
  try {
    const { notes } = await readPicture(file, rule);
    return { ...picture, notes };
  } catch (error) {
    return error instanceof BadPicture && error.fixable ? fixPicture(file, rule).catch(() => null) : null;
  }
}

const canDraw = ({ model }, { rule }) => rule.marks?.what === "lines" || Boolean(model.parameters.properties?.is_sketch);

function carryDrawing({ model, draft }, { name }, drawing) {
  draft.drawings[name] = { ...drawing };
  if (model.parameters.properties?.is_sketch) draft.parameters.is_sketch = true;
}

/** A mask goes along as long as its picture has kept its size. */
function carryMask(from, to) {
  const [its, mine] = [from, to].map(({ model }) => model.images.find((rule) => rule.sameSizeAs)?.at.split("/").pop());
  const mask = from.draft.masks[its];
  if (mask && mine) to.draft.masks[mine] = mask;
}
