// A mask or drawing as a blob that this browser keeps, with its soft edges; and back.

const made = new WeakMap(); // by mask: {version, blob}

/** Made once for each state of the pixels; of an open stroke not at all, which is not a state yet. */
export async function toBlob(mask) {
  const { version, history } = mask;
  const last = made.get(mask);
  if (last?.version === version) return last.blob;
  const isState = !history.open;
  const blob = await new Promise((resolve) => mask.canvas.toBlob(resolve, "image/png"));
  if (isState) made.set(mask, { version, blob });
  return blob;
}

/** `Kind` is Mask or Drawing. What was kept cannot be undone. */
export async function fromBlob(Kind, blob) {
  const bitmap = await createImageBitmap(blob);
  const mask = new Kind(bitmap.width, bitmap.height);
  mask.context.drawImage(bitmap, 0, 0);
  mask.version += 1;
  made.set(mask, { version: mask.version, blob });
  bitmap.close();
  return mask;
}
