// Filling an area that lines enclose. Here is no canvas: numbers go in and come out.

/**
 * The area around a point whose pixels are alike, and a margin of one pixel, so that the soft edge of
 * a line leaves no gap.
 * @param {number} width in pixels
 * @param {number} height in pixels
 * @param {(index: number) => boolean} isAlike whether the pixel at row * width + column belongs to the area
 * @param {{x: number, y: number}} start
 * @returns {{inside: Uint8Array, x: number, y: number, width: number, height: number} | null} which
 *   pixels, and the rectangle around them; null if the point is not on the picture
 */
export function areaAround(width, height, isAlike, start) {
  const [x, y] = [Math.floor(start.x), Math.floor(start.y)];
  if (x < 0 || y < 0 || x >= width || y >= height || !isAlike(y * width + x)) return null;
  const found = spread(width, height, isAlike, x, y);
  const box = grown(found.box, width, height);
  return { inside: withMargin(found.inside, width, box), ...box };
}

/** Row by row: each run of alike pixels puts the runs above and below it on the list. */
function spread(width, height, isAlike, x, y) {
  const inside = new Uint8Array(width * height);
  const box = { left: x, right: x, top: y, bottom: y };
  const waiting = [[x, y]];
  for (let first = waiting.pop(); first; first = waiting.pop()) {
    const [column, row] = first;
    const base = row * width;
    if (inside[base + column]) continue;
    const [left, right] = run(base, column, width, (at) => !inside[at] && isAlike(at));
    inside.fill(1, base + left, base + right + 1);
    widen(box, left, right, row);
    for (const next of [row - 1, row + 1]) {
      if (next >= 0 && next < height) waiting.push(...runsBelow(next, left, right, width, (at) => !inside[at] && isAlike(at)));
    }
  }
  return { inside, box };
}

function run(base, column, width, isFree) {
  let left = column;
  let right = column;
  while (left > 0 && isFree(base + left - 1)) left -= 1;
  while (right < width - 1 && isFree(base + right + 1)) right += 1;
  return [left, right];
}

/** The first pixel of every run in this part of a row. */
function runsBelow(row, left, right, width, isFree) {
  const starts = [];
  for (let column = left; column <= right; column += 1) {
    const free = isFree(row * width + column);
    if (free && (column === left || !isFree(row * width + column - 1))) starts.push([column, row]);
  }
  return starts;
}

function widen(box, left, right, row) {
  box.left = Math.min(box.left, left);
  box.right = Math.max(box.right, right);
  box.top = Math.min(box.top, row);
  box.bottom = Math.max(box.bottom, row);
}

function grown({ left, right, top, bottom }, width, height) {
  const [x, y] = [Math.max(0, left - 1), Math.max(0, top - 1)];
  return { x, y, width: Math.min(width - 1, right + 1) - x + 1, height: Math.min(height - 1, bottom + 1) - y + 1 };
}

/** The pixels of the rectangle that are in the area or beside it. */
function withMargin(inside, width, box) {
  const wide = new Uint8Array(box.width * box.height);
  for (let row = 0; row < box.height; row += 1) {
    for (let column = 0; column < box.width; column += 1) {
      if (!inside[(box.y + row) * width + box.x + column]) continue;
      for (let near = Math.max(0, row - 1); near <= Math.min(box.height - 1, row + 1); near += 1) {
        wide.fill(1, near * box.width + Math.max(0, column - 1), near * box.width + Math.min(box.width - 1, column + 1) + 1);
      }
    }
  }
  return wide;
}
