// What a form would cost at most, by the catalogue's price.

import { money, t } from "./i18n.js";

/** {headline, detail} for n images of a model. */
export function priceOf(model, n) {
  const price = model.price;
  if (!price) return { headline: "", detail: "" };
  if (!price.payable) {
    const detail = t("price.freeHow", { n, free: price.free_images });
    return { headline: t("price.free"), detail };
  }
  const each = money(price.per_image, price.currency);
  const free = price.free_images ? ` · ${t("price.freeNote", { free: price.free_images })}` : "";
  return {
    headline: t("price.atMost", { total: money(price.per_image * n, price.currency) }),
    detail: t("price.how", { n, each }) + free,
  };
}

/** The price of one image, for a model's card. */
export function eachOf(model) {
  const price = model.price;
  if (!price) return "";
  if (!price.payable) return t("models.free");
  return t("models.each", { price: money(price.per_image, price.currency) });
}
