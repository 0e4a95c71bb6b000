// Line icons on a grid of 24, drawn with the text's colour.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  alert: "M12 4 L21 19.5 H3 Z M12 10 v4.5 M12 17 v.1",
  arrowleft: "M19 12 H5 M11 6 l-6 6 6 6",
  backdrop: "M4 5 h16 v14 h-16 z M4 16 l4-4 3 3 M14 19 v-4 M14 9.500 a2.500 2.500 0 1 0 .01 0 M11 19 c0-3 6-3 6 0",
  brush: "M20 4 L11 13 M9 13 c-3 0-4 2-4 4 0 1.500-1 2-2 2.500 3 1.500 8 .5 8-3.500 0-2-1-3-2-3z",
  check: "M5 12.5 l4.500 4.500 L19 7",
  clock: "M12 3.500 a8.500 8.500 0 1 0 .01 0 M12 8 v4.500 l3 2",
  copy: "M9 9 h11 v11 h-11 z M5 15 H4 V4 h11 v1",
  download: "M12 4 v11 M7.500 11 l4.500 4.500 4.500-4.500 M5 20 h14",
  eraser: "M8 20 L3.500 15.500 L14 5 l6 6 -9 9 z M8.500 10.500 l6 6 M8 20 h12",
  expand: "M9 9 h6 v6 h-6 z M4 8 V4 h4 M16 4 h4 v4 M20 16 v4 h-4 M8 20 H4 v-4",
  fit: "M4 9 V4 h5 M15 4 h5 v5 M20 15 v5 h-5 M9 20 H4 v-5",
  hand: "M8 12 V6 a1.500 1.500 0 0 1 3 0 v5 V4.500 a1.500 1.500 0 0 1 3 0 V11 V6 a1.500 1.500 0 0 1 3 0 v8 c0 4-2 6.500-5.500 6.500 -3 0-4.500-1.500-7.500-6.500 1-1.500 2.500-1 4-1z",
  image: "M4 5 h16 v14 h-16 z M4 16 l5-5 4 4 2.500-2.500 L20 17 M15.500 9 v.1",
  invert: "M12 3.500 a8.500 8.500 0 1 0 .01 0 M12 3.500 v17 M12 8 h6.500 M12 12 h8.500 M12 16 h6.500",
  layers: "M12 4 l9 4.500 -9 4.500 -9-4.500 z M3 13 l9 4.500 9-4.500",
  minus: "M5 12 h14",
  moon: "M19.500 14.500 A8 8 0 1 1 9.500 4.500 a6.500 6.500 0 0 0 10 10z",
  palette: "M12 3.500 a8.500 8.500 0 0 0 0 17 c1.500 0 2-1 2-2 0-2 1-2.500 2.500-2.500 2.500 0 4-1.500 4-4 0-5-4-8.500-8.500-8.500z M8 11 v.1 M11 7.500 v.1 M15.500 8.500 v.1",
  pencil: "M4 20 l1-4.500 L16.500 4 l3.500 3.500 L8.500 19 z M14 6.500 l3.500 3.500",
  plus: "M12 5 v14 M5 12 h14",
  redo: "M19 9 H9 a5 5 0 0 0 0 10 h4 M15 5 l4 4 -4 4",
  refresh: "M19 8 a8 8 0 1 0 1 5 M20 4 v4.500 h-4.500",
  search: "M10.500 4 a6.500 6.500 0 1 0 .01 0 M15.500 15.500 L20 20",
  shirt: "M9 4 L4 7 l1.500 4 L8 10 v10 h8 V10 l2.500 1 L20 7 l-5-3 c-1 2-5 2-6 0z",
  signout: "M14 4 H5 v16 h9 M10 12 h11 M17 8 l4 4 -4 4",
  sparkle: "M11 4 l1.800 5.200 L18 11 l-5.200 1.800 L11 18 l-1.800-5.200 L4 11 l5.200-1.800z M18.500 15 v5 M16 17.500 h5",
  sun: "M12 8 a4 4 0 1 0 .01 0 M12 2.500 v2 M12 19.500 v2 M2.500 12 h2 M19.500 12 h2 M5.300 5.300 l1.400 1.400 M17.300 17.300 l1.400 1.400 M5.300 18.700 l1.400-1.400 M17.300 6.700 l1.400-1.400",
  text: "M5 7 V5 h14 v2 M12 5 v14 M9 19 h6",
  translate: "M4 6 h9 M8.500 4 v2 M11 6 c-1 4-3.500 6-6.500 7.500 M6 9 c1 2 3 3.500 5 4.500 M12.500 20 l4-9 4 9 M14 17 h5",
  trash: "M5 7 h14 M10 7 V4 h4 v3 M7 7 l1 13 h8 l1-13 M10 11 v5 M14 11 v5",
  undo: "M5 9 h10 a5 5 0 0 1 0 10 h-4 M9 5 L5 9 l4 4",
  upload: "M12 16 V5 M7.500 9 L12 4.500 16.500 9 M5 20 h14",
  wand: "M5 19 L15 9 M15 3 v3 M15 12 v3 M9 9 h3 M18 9 h3 M11 5 l1.500 1.500 M19 5 l-1.500 1.500 M19 13 l-1.500-1.500",
  x: "M6 6 l12 12 M18 6 L6 18",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}
