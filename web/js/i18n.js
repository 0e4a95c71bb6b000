// The page's language: the browser's, until a person chooses another.

import { catalogueEn, patternsEn } from "./words/catalogue-en.js";
import { catalogueZh, patternsZh } from "./words/catalogue-zh.js";
import { en } from "./words/en.js";
import { zh } from "./words/zh.js";

const WORDS = { en, zh };
const CATALOGUE = { en: { words: catalogueEn, patterns: patternsEn }, zh: { words: catalogueZh, patterns: patternsZh } };
const KEPT = "wanx-language";

let current = localStorage.getItem(KEPT) ?? (/^zh\b/i.test(navigator.language) ? "zh" : "en");
if (!(current in WORDS)) current = "en";

export function language() {
  return current;
}

export function setLanguage(name) {
  current = name;
  localStorage.setItem(KEPT, name);
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
}

/** The page's own words; {name} in them is replaced by values.name, {s} by the ending of a plural of `n`. */
export function t(key, values = {}) {
  const text = WORDS[current][key] ?? en[key] ?? key;
  const all = { s: values.n === 1 ? "" : "s", ...values };
  return text.replace(/\{(\w+)\}/g, (_, name) => String(all[name] ?? ""));
}

export const hasWord = (key) => key in en;

/** A sentence of the catalogue as the page says it; one it does not know stays as it is. */
export function fromCatalogue(text) {
  const { words, patterns } = CATALOGUE[current];
  if (Object.hasOwn(words, text)) return words[text];
  const [pattern, said] = patterns.find(([one]) => one.test(text)) ?? [];
  return pattern ? text.replace(pattern, said) : text;
}

/** A text of an answer of the API, which has it in Chinese as `<name>_zh`; undefined if there is none. */
export const inPageLanguage = (answer, name) => (current === "zh" && answer?.[`${name}_zh`]) || answer?.[name];

/** A text that is there in both languages, as {en, zh} or as one string. */
export function either(texts) {
  if (typeof texts === "string") return texts;
  return texts?.[current] ?? texts?.en ?? "";
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** With a capital at its beginning and a full stop at its end. */
export const sentence = (text) => capital(text).replace(/[.。]?$/, current === "zh" ? "。" : ".");

/** `base_image_url` → "Base image", or the Chinese title of the schema. */
export function fieldTitle(name, schema) {
  if (current === "zh" && schema["x-title-zh"]) return schema["x-title-zh"];
  if (schema.title) return fromCatalogue(schema.title);
  if (name.includes("/")) return fieldTitle(name.split("/").pop(), schema);
  if (name === "n") return t("field.n");
  if (fromCatalogue(name) !== name) return fromCatalogue(name);
  const words = name.replace(/_urls?$/, "").replace(/_/g, " ");
  return capital(words);
}

/** `<oil painting>` → "Oil painting", or what the schema calls it; the value sent keeps its brackets. */
export function choiceTitle(value, schema = {}) {
  const given = schema["x-titles"]?.[String(value)];
  if (given) return either(given);
  const bare = String(value).replace(/^<(.*)>$/, "$1");
  if (bare === "") return t("form.none");
  if (/^\d+\*\d+$/.test(bare)) return bare.replace("*", " × ");
  const translated = fromCatalogue(bare).replace(/_/g, " ");
  return capital(translated).replace(/^3d /, "3D ");
}

export function number(value, digits = 0) {
  return new Intl.NumberFormat(current === "zh" ? "zh-CN" : "en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

export function money(value, currency) {
  const digits = Number.isInteger(value * 100) || value >= 0.01 ? 2 : 4;
  return new Intl.NumberFormat(current === "zh" ? "zh-CN" : "en", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
  }).format(value);
}

export function when(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(current === "zh" ? "zh-CN" : "en", options).format(date);
}

/** The time of day to the second. */
export function clock(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(current === "zh" ? "zh-CN" : "en", { timeStyle: "medium" }).format(date);
}

export function duration(seconds) {
  if (seconds < 90) return t("seconds", { n: Math.max(1, Math.round(seconds)) });
  return t("minutes", { n: Math.round(seconds / 60) });
}

export function bytes(count) {
  return count >= 1e6 ? `${number(count / 1048576, 1)} MB` : `${number(Math.ceil(count / 1024))} KB`;
}
