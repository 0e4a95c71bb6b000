// What a job costs, by the catalogue's price: the first tier that fits an output, otherwise the
// dearest price, and each picture sent where that is paid for as well.

import { money, number, t } from "./i18n.js";
import { defaultAt, found, holds } from "./rules.js";
import { areaOf } from "./sizes.js";

const LEVEL = /^([1-9])K$/i;
const LEVEL_SIDE = 1024;

/** {headline, detail} for so many jobs in the form of `settledJob`. */
export function priceOf(model, job, jobs = 1) {
  const price = model.price;
  if (!price) return { headline: "", detail: "" };
  const n = imageCount(model, job) * jobs;
  const many = jobs > 1 ? [t("price.jobs", { jobs, n })] : [];
  if (!price.payable) {
    const detail = t("price.freeHow", { n, free: price.free_images });
    return { headline: t("price.free"), detail: [...many, detail].join(" · ") };
  }
  const { each, inputs, total } = costOf(model, job, n, jobs);
  const parts = [...many, t("price.how", { n, each: money(each, price.currency) })];
  parts.push(...byAmount(price));
  if (inputs) parts.push(t("price.inputs", { n: inputs, each: money(price.per_input_image, price.currency) }));
  parts.push(t(price.billed_without_images ? "price.emptyBilled" : "price.failedFree"));
  if (price.free_images) parts.push(t("price.freeNote", { free: price.free_images }));
  return { headline: t("price.atMost", { total: money(total, price.currency) }), detail: parts.join(" · ") };
}

/** Prices that hold once the account has paid for so many images, which nobody here knows. */
function byAmount(price) {
  const tiers = (price.tiers ?? []).filter((tier) => tier.after_images);
  return tiers.map((tier) => t("price.amount", { each: money(tier.per_image, price.currency), after: number(tier.after_images) }));
}

/** {each, inputs, total} */
function costOf(model, job, n, jobs) {
  const { price } = model;
  const each = Math.max(...possiblePrices(model, job));
  const inputs = price.per_input_image ? inputImages(model, job) * jobs : 0;
  return { each, inputs, total: each * n + (price.per_input_image ?? 0) * inputs };
}

/** Prices of one image: several where its area is not known before, or where one is by amount. */
function possiblePrices(model, job) {
  const { tiers = [], per_image: dearest } = model.price;
  const area = outputArea(model, job);
  const possible = [];
  for (const { when, area_at_most: most, after_images: after, per_image: each } of tiers) {
    const bounded = (most ?? null) !== null;
    if (!holds(when, job, model) || (bounded && area > most)) continue;
    possible.push(each);
    if (!after && (!bounded || !Number.isNaN(area))) return possible;
  }
  return [...possible, dearest];
}

/** Pixels of an output, NaN if the size does not say, or may be ignored. */
function outputArea(model, job) {
  const ignoring = (model.rules ?? []).filter(({ kind, at }) => kind === "ignored_if" && at === "/parameters/size");
  if (ignoring.some((rule) => holds(rule.when, job, model))) return NaN;
  const size = valueAt(model, job, "/parameters/size");
  const level = LEVEL.exec(size ?? "");
  return level ? (Number(level[1]) * LEVEL_SIDE) ** 2 : areaOf(size);
}

/** How many images the job is for, at most; which field says so may depend on others. */
export function imageCount(model, job) {
  const field = (model.number ?? []).find((one) => holds(one.when, job, model))?.at ?? "/parameters/n";
  return Number(valueAt(model, job, field)) || 1;
}

function inputImages(model, job) {
  const given = model.images.flatMap((rule) => found(job, rule.at));
  return given.filter(({ value }) => typeof value === "string" && value).length;
}

function valueAt(model, job, pointer) {
  return found(job, pointer)[0]?.value ?? defaultAt(model, pointer, job);
}

/** The price of one image, for a model's card. */
export function eachOf(model) {
  const price = model.price;
  if (!price) return "";
  if (!price.payable) return t("models.free");
  const least = Math.min(price.per_image, ...(price.tiers ?? []).map((tier) => tier.per_image));
  const word = least < price.per_image ? "models.eachFrom" : "models.each";
  return t(word, { price: money(least, price.currency) });
}
