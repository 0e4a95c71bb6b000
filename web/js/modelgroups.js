// The models by what goes in: pictures, pictures or words, words alone; those without a future last.

import { imageRule, isDead } from "./catalogue.js";

const ORDER = ["edit", "both", "words", "dead"];

/** [{name, models}], only those that hold a model, each in the order of `models`. */
export function groupsOf(models) {
  const groups = ORDER.map((name) => ({ name, models: models.filter((model) => groupOf(model) === name) }));
  return groups.filter((group) => group.models.length);
}

function groupOf(model) {
  if (isDead(model)) return "dead";
  const pictures = Object.keys(model.input.properties ?? {}).filter((name) => imageRule(model, name));
  if (!pictures.length) return "words";
  return pictures.some((name) => isNeeded(model, name)) ? "edit" : "both";
}

function isNeeded(model, name) {
  const isPicture = (at) => Boolean(imageRule(model, at.split("/")[2]));
  const needs = (rule) => rule.kind === "required_if" || (rule.kind === "any_of" && rule.at.every(isPicture));
  const names = (rule) => [rule.at].flat().includes(`/input/${name}`);
  return (model.input.required ?? []).includes(name) || model.rules.some((rule) => needs(rule) && names(rule));
}
