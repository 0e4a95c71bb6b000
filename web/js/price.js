// What a job costs, by the catalogue's price: the first tier that fits an output, otherwise the
// dearest price, and each picture sent where that is paid for as well.

import { money, t } from "./i18n.js";
import { defaultAt, found, holds } from "./rules.js";
import { areaOf } from "./sizes.js";

const LEVEL = /^([1-9])K$/i;
const LEVEL_SIDE = 1024;

/** {headline, detail} for a job in the form of `settledJob`. */
export function priceOf(model, job) {
  const price = model.price;
  if (!price) return { headline: "", detail: "" };
  const n = imageCount(model, job);
  if (!price.payable) {
    const detail = t("price.freeHow", { n, free: price.free_images });
    return { headline: t("price.free"), detail };
  }
  const { each, inputs, total } = costOf(model, job, n);
  const parts = [t("price.how", { n, each: money(each, price.currency) })];
  if (inputs) parts.push(t("price.inputs", { n: inputs, each: money(price.per_input_image, price.currency) }));
  parts.push(t("price.failedFree"));
  if (price.free_images) parts.push(t("price.freeNote", { free: price.free_images }));
  return { headline: t("price.atMost", { total: money(total, price.currency) }), detail: parts.join(" · ") };
}

/** {each, inputs, total} */
function costOf(model, job, n) {
  const { price } = model;
  const tier = (price.tiers ?? []).find((one) => fits(one, model, job));
  const each = tier?.per_image ?? price.per_image;
  const inputs = price.per_input_image ? inputImages(model, job) : 0;
  return { each, inputs, total: each * n + (price.per_input_image ?? 0) * inputs };
}

/** An area that is not known before fits no tier: "at most" is the dearest price. */
function fits(tier, model, job) {
  if (!holds(tier.when, job, model)) return false;
  const most = tier.area_at_most;
  return most === undefined || most === null || outputArea(model, job) <= most;
}

/** Pixels of an output, NaN if the size does not say. */
function outputArea(model, job) {
  const size = valueAt(model, job, "/parameters/size");
  const level = LEVEL.exec(size ?? "");
  return level ? (level[1] * LEVEL_SIDE) ** 2 : areaOf(size);
}

export function imageCount(model, job) {
  return Number(valueAt(model, job, "/parameters/n")) || 1;
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
