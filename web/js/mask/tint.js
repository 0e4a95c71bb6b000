// The colours in which a canvas is painted. A mask's is for the eye alone: what is sent is black and
// white.

const colour = (r, g, b) => ({ r, g, b, css: `rgb(${r} ${g} ${b})`, bits: (b << 16) | (g << 8) | r });

/** @param {string} hex as #rrggbb */
export const colourOf = (hex) => colour(...[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));

/** @param {number[]} rgb */
export const hexOf = (rgb) => `#${rgb.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;

export const TINT = colour(255, 45, 120);
export const INK = "#000000";

/** What the pens of a drawing offer; any other can be chosen. */
export const PENS = [INK, "#d4232a", "#f08a00", "#f2c80f", "#2e9e44", "#1f6fd6", "#7a3cc4", "#7b4a21"];
