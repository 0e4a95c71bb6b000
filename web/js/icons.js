// Line icons on a grid of 24, drawn with the text's colour.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  alert: "M12 4 L21 19.5 H3 Z M12 10 v4.5 M12 17 v.1",
  arrowright: "M5 12 h14 M13 6 l6 6 -6 6",
  arrowleft: "M19 12 H5 M11 6 l-6 6 6 6",
  bell: "M6 17 V11 a6 6 0 0 1 12 0 v6 l1.500 1.500 h-15 z M10 20.500 h4",
  brush: "M20 4 L11 13 M9 13 c-3 0-4 2-4 4 0 1.500-1 2-2 2.500 3 1.500 8 .5 8-3.500 0-2-1-3-2-3z",
  check: "M5 12.5 l4.500 4.500 L19 7",
  clock: "M12 3.500 a8.500 8.500 0 1 0 .01 0 M12 8 v4.500 l3 2",
  compare: "M4 5 h16 v14 h-16 z M12 3 v18 M9 10 l-2 2 2 2 M15 10 l2 2 -2 2",
  copy: "M9 9 h11 v11 h-11 z M5 15 H4 V4 h11 v1",
  dice: "M5 5 h14 v14 h-14 z M9 9 v.1 M15 9 v.1 M12 12 v.1 M9 15 v.1 M15 15 v.1",
  download: "M12 4 v11 M7.500 11 l4.500 4.500 4.500-4.500 M5 20 h14",
  eraser: "M8 20 L3.500 15.500 L14 5 l6 6 -9 9 z M8.500 10.500 l6 6 M8 20 h12",
  eye: "M2.500 12 c4-7 15-7 19 0 -4 7-15 7-19 0z M12 9 a3 3 0 1 0 .01 0",
  eyeoff: "M2.500 12 c4-7 15-7 19 0 -4 7-15 7-19 0z M4 20 L20 4",
  fill: "M5 12 L12 5 l7 7 -7 7 z M12 5 L9 2 M5 12 h14 M21 15 c1.500 2.500 1.500 4 0 4 s-1.500-1.500 0-4z",
  fit: "M4 9 V4 h5 M15 4 h5 v5 M20 15 v5 h-5 M9 20 H4 v-5",
  hand: "M8 12 V6 a1.500 1.500 0 0 1 3 0 v5 V4.500 a1.500 1.500 0 0 1 3 0 V11 V6 a1.500 1.500 0 0 1 3 0 v8 c0 4-2 6.500-5.500 6.500 -3 0-4.500-1.500-7.500-6.500 1-1.500 2.500-1 4-1z",
  help: "M12 3.500 a8.500 8.500 0 1 0 .01 0 M9.500 9.500 a2.500 2.500 0 1 1 3.500 2.300 c-.8.4-1 .8-1 1.700 M12 16.500 v.1",
  image: "M4 5 h16 v14 h-16 z M4 16 l5-5 4 4 2.500-2.500 L20 17 M15.500 9 v.1",
  invert: "M12 3.500 a8.500 8.500 0 1 0 .01 0 M12 3.500 v17 M12 8 h6.500 M12 12 h8.500 M12 16 h6.500",
  layers: "M12 4 l9 4.500 -9 4.500 -9-4.500 z M3 13 l9 4.500 9-4.500",
  minus: "M5 12 h14",
  moon: "M19.500 14.500 A8 8 0 1 1 9.500 4.500 a6.500 6.500 0 0 0 10 10z",
  pencil: "M4 20 l1-4.500 L16.500 4 l3.500 3.500 L8.500 19 z M14 6.500 l3.500 3.500",
  plus: "M12 5 v14 M5 12 h14",
  redo: "M19 9 H9 a5 5 0 0 0 0 10 h4 M15 5 l4 4 -4 4",
  refresh: "M19 8 a8 8 0 1 0 1 5 M20 4 v4.500 h-4.500",
  search: "M10.500 4 a6.500 6.500 0 1 0 .01 0 M15.500 15.500 L20 20",
  signout: "M14 4 H5 v16 h9 M10 12 h11 M17 8 l4 4 -4 4",
  star: "M12 3.500 l2.600 5.400 5.900 .8 -4.300 4.100 1.100 5.900 -5.300-2.900 -5.300 2.900 1.100-5.900 -4.300-4.100 5.900-.8 z",
  sun: "M12 8 a4 4 0 1 0 .01 0 M12 2.500 v2 M12 19.500 v2 M2.500 12 h2 M19.500 12 h2 M5.300 5.300 l1.400 1.400 M17.300 17.300 l1.400 1.400 M5.300 18.700 l1.400-1.400 M17.300 6.700 l1.400-1.400",
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
