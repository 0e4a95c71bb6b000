// What a browser has and Node.js lacks, as far as the modules ask for it when they are read; and
// stand-ins for a canvas and for a model of the catalogue.

globalThis.localStorage ??= { getItem: () => null, setItem: () => {} };
if (!globalThis.navigator) globalThis.navigator = { language: "en" };

/** A canvas context that is nothing but pixels: four bytes each, row by row. */
export function pixelContext(width, height) {
  const pixels = new Uint8ClampedArray(width * height * 4);
  const at = (x, y) => (y * width + x) * 4;
  return {
    canvas: { width, height },
    pixels,
    set: (x, y, rgba) => pixels.set(rgba, at(x, y)),
    get: (x, y) => [...pixels.subarray(at(x, y), at(x, y) + 4)],
    createImageData: (wide, high) => ({ width: wide, height: high, data: new Uint8ClampedArray(wide * high * 4) }),
    getImageData(x, y, wide, high) {
      const image = this.createImageData(wide, high);
      for (let row = 0; row < high; row += 1) image.data.set(pixels.subarray(at(x, y + row), at(x + wide, y + row)), row * wide * 4);
      return image;
    },
    putImageData(image, x, y) {
      for (let row = 0; row < image.height; row += 1) pixels.set(image.data.subarray(row * image.width * 4, (row + 1) * image.width * 4), at(x, y + row));
    },
  };
}

const text = { type: "string", pattern: "\\S" };

/** A model in the shape of `catalogue.js`; what a test needs otherwise it gives. */
export function modelOf(parts = {}) {
  return {
    name: "painter",
    input: { required: ["prompt"], properties: { prompt: text, images: { type: "array", items: { type: "string" }, maxItems: 3 } } },
    parameters: { properties: { n: { type: "integer", minimum: 1, maximum: 4, default: 1, "x-send-default": true }, seed: { type: "integer" } } },
    images: [{ at: "/input/images/*", sameSizeAs: null, marks: null }],
    rules: [],
    ...parts,
  };
}

export const draftWith = (parts = {}) => ({ input: {}, parameters: {}, pictures: {}, masks: {}, drawings: {}, id: "", label: "", ...parts });
