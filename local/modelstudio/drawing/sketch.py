"""A picture painted after a line sketch."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

import local.modelstudio.drawing.canvas as art
import local.modelstudio.drawing.wishes as wishes
from local.modelstudio.drawing.canvas import Pixels, Rng, blur, grey, mix, noise, step
from local.modelstudio.drawing.styles import Motif, render
from local.modelstudio.drawing.wishes import TABLE


def _lines(picture: Pixels, colours: Sequence[Sequence[int]]) -> Pixels:
    """The lines (0-1) of a sketch: what has one of the colours, else what is darker than paper."""
    if colours:
        away = [np.abs(picture - wishes.tone(colour)).max(axis=2) for colour in colours]
        return 1 - step(np.min(away, axis=0), 0.12, 0.3)
    level = grey(picture)
    paper = np.maximum(blur(level, max(level.shape) / 12), np.percentile(level, 70))
    return step(1 - level / np.maximum(paper, 0.05), 0.15, 0.55)


def _outlined(mask: Pixels) -> str:
    """What an enclosed area may be, by its outline alone."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    around, sides = max(cv2.arcLength(hull, True), 1), sorted(cv2.minAreaRect(hull)[1])
    if sides[1] > 2.8 * sides[0]:
        return "slender"
    corners = len(cv2.approxPolyDP(hull, 0.035 * around, True))
    if corners > 4 or 4 * np.pi * cv2.contourArea(hull) / around**2 > 0.86:
        return "crown" if cv2.arcLength(outline, True) > 1.06 * around else "round"
    return "triangle" if corners == 3 else "box"


def _kind(mask: Pixels) -> str:
    """What the area may be (see wishes.yaml), by its outline, its place and its size."""
    left, top, width, height = cv2.boundingRect(mask)
    high, wide = mask.shape
    sides, share = (left == 0) + (left + width == wide), np.count_nonzero(mask) / mask.size
    if top == 0 and width > 0.6 * wide and share > 0.1:
        return "sky"
    if top + height == high or (sides and share > 0.02):
        return "ground" if sides or width > 0.6 * wide else "path"
    kind = _outlined(mask[top : top + height, left : left + width])
    if top + height / 2 < high / 3:
        return {"crown": "cloud", "round": "disc", "box": "chimney"}.get(kind, kind)
    return kind if kind != "box" or share > 0.03 else "window" if share < 0.004 else "door"


def _coloured(labels: Pixels, prompt: str, rng: Rng) -> tuple[Pixels, Mapping[int, str]]:
    """A colour for each area, what the prompt says, else the palette's; the large areas' kinds."""
    palette, sizes = wishes.palette(prompt, rng), np.bincount(labels.ravel())
    table, kinds = art.floats(rng.uniform(0.7, 1, (len(sizes), 3))), {}
    outdoors = wishes.mentions(prompt, TABLE["outdoors"]["words"])
    shades: dict[str, wishes.Colour] = {}  # both windows of a house are of one colour
    for label in np.flatnonzero(sizes > labels.size * 0.0004).tolist():
        kind = kinds[label] = _kind((labels == label).astype(np.uint8))
        things = TABLE["areas"].get(kind, [])
        known = [t for t in things if wishes.mentions(prompt, t["words"])]
        known += [t for t in things if wishes.mentions(prompt, t.get("hints", t["words"]))]
        if known := known + things[-1:] * outdoors:
            usual = wishes.colour_of(prompt, known[0])
            table[label] = shades.setdefault(kind, wishes.beside(usual, rng, 0.08))
        else:
            pale = min(0.7, 3 * sizes[label] / labels.size)
            table[label] = mix(art.floats(palette[len(kinds) % 6]), (0.97,) * 3, pale)
    return table, kinds


def _from_lines(lines: Pixels, prompt: str, free: float, rng: Rng) -> Motif:
    """Colours and relief for the areas that the lines enclose; skies fade and carry clouds."""
    unit, three = art.unit(lines), np.ones((3, 3), np.uint8)
    gap = np.ones((max(3, lines.shape[0] // 110) | 1,) * 2, np.uint8)
    closed = cv2.morphologyEx((lines > 0.3).astype(np.uint8), cv2.MORPH_CLOSE, gap)
    closed[0, 0] = 0  # lines everywhere are an area too
    labels = np.asarray(cv2.distanceTransformWithLabels(closed, cv2.DIST_L2, 5)[1])
    table, kinds = _coloured(labels, prompt, rng)
    labels = art.bent(art.floats(labels), 150 * unit, 38 * free * unit, rng, 0).astype(int)
    colour, down = blur(table[labels], 0.7 + 5 * free), np.linspace(0, 1, len(lines))[:, None]
    sky, ground = (np.isin(labels, [n for n in kinds if kinds[n] == k]) for k in ("sky", "ground"))
    drift = step(noise(lines.shape, 120 * unit, rng, 5), 0.5, 0.75) * (1 - down) * 0.55
    colour = mix(colour, (1, 0.99, 0.97), (drift + down * 0.28) * sky * (grey(colour) > 0.4))
    patches = (noise(lines.shape, 85 * unit, rng, 4) - 0.5) * 0.25 * ground
    edges = np.asarray(cv2.morphologyEx(art.floats(labels), cv2.MORPH_GRADIENT, three))
    height = art.bulging((edges == 0) & ~sky & ~ground, 55 * unit) / (55 * unit)
    return art.clipped(colour * (1 + patches)[..., None]), lines, blur(height, 1 + 6 * free)


def draw_sketch(drawing: wishes.Drawing) -> Pixels:
    """The picture (0-255) for a drawing of kind "sketch"; its options as the API names them."""
    rng, options = art.dice(drawing), drawing.options
    picture = art.read(drawing.images[0], "sketch")
    picture = art.clipped(art.resize(picture, drawing.size or (768, 768)) / 255)
    weight = options.get("sketch_weight")
    free = 0 if weight is None else 1 - min(10, max(0, int(weight))) / 10
    if options.get("sketch_extraction"):
        soft, lines = art.traced(picture)  # its tones, a little in a colour of the prompt
        tint = art.floats(wishes.palette(drawing.prompt, rng)[0]) * 0.6 + 0.4
        colour, height = soft * tint, grey(soft) * 0.25
    else:
        lines = _lines(picture, options.get("sketch_color") or [])
        colour, lines, height = _from_lines(lines, drawing.prompt, free, rng)
    unit = art.unit(picture)
    strayed = art.bent(lines, 150 * unit, 34 * free * unit, rng) * (1 - 0.7 * free)
    style = wishes.STYLES[1 + drawing.seed % 7] if drawing.style == "<auto>" else drawing.style
    return render((colour, art.floats(strayed), height), style, rng) * 255
