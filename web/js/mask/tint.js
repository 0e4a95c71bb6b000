// The colour in which the mask is shown; what is sent is black and white.

export const TINT = { r: 255, g: 45, b: 120 };
export const TINT_CSS = `rgb(${TINT.r} ${TINT.g} ${TINT.b})`;
export const TINT_BITS = (TINT.b << 16) | (TINT.g << 8) | TINT.r;
