// What a job costs: at most while it is under way, and what was billed once it is over.

import { money, t } from "../i18n.js";
import { isOver } from "../states.js";

/** The service may have billed what nobody can see any more. */
const IN_DOUBT = new Set(["CallLost", "CanceledInDoubt"]);

/** In words; an empty text where nothing is known. */
export function costOfJob(job, model) {
  if (!isOver(job.state)) return atMost(job, model);
  const paid = job.result?.price;
  if (paid) return paid.per_image ? amount(paid) : t("price.free");
  const error = job.error ?? job.result?.error;
  const inDoubt = job.state === "NEEDS_ATTENTION" || IN_DOUBT.has(error?.code);
  return t(inDoubt ? "price.unknown" : "price.nothing");
}

function atMost(job, model) {
  if (model?.price?.payable === false) return t("price.free");
  const most = job.price_at_most ?? null;
  if (most === null) return "";
  const total = most.total ?? most.amount ?? most;
  return typeof total === "number" ? amount({ currency: "CNY", ...most, total, at_most: true }) : "";
}

function amount({ total, currency, at_most: isMost, per_image_at_least: least }) {
  if (!isMost) return money(total, currency);
  const most = t("price.atMost", { total: money(total, currency) });
  return least === undefined ? most : `${most} · ${t("models.eachFrom", { price: money(least, currency) })}`;
}
