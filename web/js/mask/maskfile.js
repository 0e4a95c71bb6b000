// Masks as PNG files.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { announce, complain } from "../notices.js";

export async function importMask(painter, file) {
  const { mask } = painter;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    complain(t("bad.broken", { name: file.name }));
    return;
  }
  const { width, height } = bitmap;
  if (width === mask.width && height === mask.height) {
    mask.load(bitmap);
    painter.changed();
    announce(t("mask.imported"));
  } else {
    complain(t("bad.maskSize", { width, height, baseWidth: mask.width, baseHeight: mask.height }));
  }
  bitmap.close();
}

export async function exportMask(painter) {
  const address = URL.createObjectURL(await painter.mask.toPng());
  h("a", { href: address, download: painter.fileName }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
