// Elements are made here and nowhere else. There is no way to pass markup: what is not an
// element becomes a text node, so that nothing a job holds can turn into HTML.

const AS_PROPERTY = new Set(["value", "checked", "disabled", "hidden", "selected", "indeterminate"]);
const AS_ADDRESS = new Set(["href", "src"]);

export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  return append(element, children);
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

export function clear(element) {
  element.replaceChildren();
}

let counter = 0;

/** An id no other element has. */
export function uid(stem) {
  counter += 1;
  return `${stem}-${counter}`;
}

/** An address that cannot run anything: http, https or blob; otherwise an empty text. */
export function safeAddress(address) {
  try {
    const url = new URL(String(address), document.baseURI);
    return ["http:", "https:", "blob:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

function setProp(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
  else if (AS_PROPERTY.has(name)) element[name] = value;
  else if (AS_ADDRESS.has(name) && !String(value).startsWith("#")) {
    element.setAttribute(name, safeAddress(value));
  } else element.setAttribute(name, value === true ? "" : String(value));
}
