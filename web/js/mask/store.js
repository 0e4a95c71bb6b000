// A mask or drawing as a blob that this browser keeps, with its soft edges; and back.

export function toBlob(mask) {
  return new Promise((resolve) => mask.canvas.toBlob(resolve, "image/png"));
}

/** `Kind` is Mask or Drawing. What was kept cannot be undone. */
export async function fromBlob(Kind, blob) {
  const bitmap = await createImageBitmap(blob);
  const mask = new Kind(bitmap.width, bitmap.height);
  mask.context.drawImage(bitmap, 0, 0);
  mask.version += 1;
  bitmap.close();
  return mask;
}
