// Undo and redo for a canvas: the tiles a step changed, as they were before.

const TILE = 256;
const MOST_BYTES = 192e6;

/** How the pixels of a tile are kept: as they are. */
export const WHOLE = {
  pack: (data) => new Uint8ClampedArray(data),
  unpack: (kept, data) => data.set(kept),
};

/** One byte a pixel, where `bits` is the one colour of the canvas: a mask has nothing but its opacity. */
export const opacityOf = (bits) => ({
  pack: (data) => {
    const opacity = new Uint8ClampedArray(data.length / 4);
    for (let i = 0; i < opacity.length; i += 1) opacity[i] = data[i * 4 + 3];
    return opacity;
  },
  unpack: (kept, data) => {
    const words = new Uint32Array(data.buffer);
    for (let i = 0; i < kept.length; i += 1) words[i] = ((kept[i] << 24) | bits) >>> 0;
  },
});

/** @typedef {{x: number, y: number, width: number, height: number, kept: Uint8ClampedArray}} Tile */

export class History {
  /**
   * @param {CanvasRenderingContext2D} context
   * @param {{pack: Function, unpack: Function}} packing WHOLE or `opacityOf`
   */
  constructor(context, packing) {
    this.context = context;
    this.packing = packing;
    /** @type {Tile[][]} */
    this.done = [];
    /** @type {Tile[][]} */
    this.undone = [];
    /** @type {Map<string, Tile>|null} */
    this.open = null;
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  begin() {
    this.open = new Map();
  }

  /** To be called before the pixels of this rectangle change. */
  touch(x, y, width, height) {
    const { open, context: { canvas } } = this;
    if (!open) throw new Error("begin() comes before touch()");
    const right = Math.min(canvas.width - 1, Math.ceil(x + width));
    const bottom = Math.min(canvas.height - 1, Math.ceil(y + height));
    for (let row = Math.max(0, Math.floor(y / TILE)); row * TILE <= bottom; row += 1) {
      for (let column = Math.max(0, Math.floor(x / TILE)); column * TILE <= right; column += 1) {
        const key = `${column},${row}`;
        if (!open.has(key)) open.set(key, this.#read(column * TILE, row * TILE));
      }
    }
  }

  end() {
    if (this.open?.size) {
      this.done.push([...this.open.values()]);
      this.undone = [];
      this.#forgetOldest();
    }
    this.open = null;
  }

  /** Takes back the open step, as when a second finger shows that it was to be a pinch. */
  abandon() {
    for (const tile of this.open?.values() ?? []) this.#write(tile);
    this.open = null;
  }

  undo() {
    this.#swap(this.done, this.undone);
  }

  redo() {
    this.#swap(this.undone, this.done);
  }

  #swap(from, to) {
    const step = from.pop();
    if (!step) return;
    to.push(step.map((tile) => this.#read(tile.x, tile.y)));
    for (const tile of step) this.#write(tile);
  }

  #read(x, y) {
    const width = Math.min(TILE, this.context.canvas.width - x);
    const height = Math.min(TILE, this.context.canvas.height - y);
    return { x, y, width, height, kept: this.packing.pack(this.context.getImageData(x, y, width, height).data) };
  }

  #write({ x, y, width, height, kept }) {
    const image = this.context.createImageData(width, height);
    this.packing.unpack(kept, image.data);
    this.context.putImageData(image, x, y);
  }

  #forgetOldest() {
    const size = (step) => step.reduce((sum, tile) => sum + tile.kept.length, 0);
    let total = this.done.reduce((sum, step) => sum + size(step), 0);
    while (total > MOST_BYTES && this.done.length > 1) total -= size(this.done.shift());
  }
}
