// A job as YAML text. JSON strings are YAML strings, so whatever is not plainly harmless is quoted.

const PLAIN = /^[A-Za-z_/][\w /.:*-]*$/;
const NOT_TEXT = /^(true|false|yes|no|on|off|null|y|n)$/i;

/** YAML of plain values: objects, lists, texts, numbers, booleans. */
export function toYaml(value) {
  return `${lines(value).join("\n")}\n`;
}

function lines(value) {
  if (Array.isArray(value)) return value.flatMap((item) => nested("-", item));
  return Object.entries(value).flatMap(([key, inner]) => nested(`${scalar(key)}:`, inner));
}

function nested(lead, value) {
  if (isShort(value)) return [`${lead} ${flow(value)}`];
  return [lead, ...lines(value).map((line) => `  ${line}`)];
}

function isShort(value) {
  if (value === null || typeof value !== "object") return true;
  const items = Object.values(value);
  if (items.length === 0) return true;
  return Array.isArray(value) && items.every((item) => typeof item !== "string" && isShort(item));
}

function flow(value) {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (value !== null && typeof value === "object") return "{}";
  return scalar(value);
}

function scalar(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  const harmless = PLAIN.test(value) && !NOT_TEXT.test(value) && !/: |:$| $/.test(value);
  return harmless ? value : JSON.stringify(value);
}
