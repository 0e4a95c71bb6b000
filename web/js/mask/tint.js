// The colours in which a canvas is painted. A mask's is for the eye alone: what is sent is black and
// white.

const colour = (r, g, b) => ({ r, g, b, css: `rgb(${r} ${g} ${b})`, bits: (b << 16) | (g << 8) | r });

export const TINT = colour(255, 45, 120);
export const INK = colour(0, 0, 0);
