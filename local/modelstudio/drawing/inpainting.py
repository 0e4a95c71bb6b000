"""A picture in which only the masked area is painted anew."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import (
    Pixels,
    Rng,
    blur,
    clouds,
    inside_distance,
    lighting,
    mix,
    moved,
    noise,
    random_source,
    resize,
    to_bytes,
    to_float,
    wander,
    warp,
)
from local.modelstudio.drawing.files import read
from local.modelstudio.drawing.palette import jitter, palette
from local.modelstudio.drawing.shapes import SHAPES, Shape, paint_shape, silhouette
from local.modelstudio.drawing.styles import restyle
from local.modelstudio.drawing.types import STYLES, Drawing
from local.modelstudio.drawing.words import Colour, colour_of, mentions, named_colours, position

_DEFAULT_SIZE = (1024, 1024)  # the inpainting API reference's default
_TOLERANCE = 24  # JPEG moves a flat colour by less than this
_REMOVALS = ("remove", "erase", "delete", "empty", "移除", "去掉", "删除", "擦除", "消除")


def masked_area(mask: Pixels, colours: Sequence[Sequence[int]]) -> Pixels:
    """Where to repaint (bytes, 255 = yes): white, or every listed colour (inpainting API)."""
    if not colours:
        return np.where(cv2.cvtColor(mask, cv2.COLOR_RGB2GRAY) > 127, 255, 0).astype(np.uint8)
    wanted = np.asarray(colours, np.int16).reshape(-1, 3)
    near = [np.abs(mask.astype(np.int16) - c).max(axis=2) <= _TOLERANCE for c in wanted]
    return np.where(np.any(near, axis=0), 255, 0).astype(np.uint8)


def borrowed_detail(base: Pixels, area: Pixels, window: tuple[slice, slice]) -> Pixels | None:
    """The fine texture of a place beside the area, for the window; None if none is free."""
    rows, columns = window
    hole = area[window]
    size = (hole.shape[1], hole.shape[0])
    _, _, width, height = cv2.boundingRect(area)
    rim = (cv2.dilate(hole, np.ones((25, 25), np.uint8)) > 0) & (hole == 0)
    wanted = base[window][rim].mean(axis=0) if rim.any() else base.mean(axis=(0, 1))
    best: tuple[float, Pixels] | None = None
    for dx, dy in ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (1, -1), (-1, 1), (1, 1)):
        left, top = columns.start + dx * (width + 8), rows.start + dy * (height + 8)
        taken = moved(area, -left, -top, size, cv2.BORDER_REFLECT_101)
        if np.count_nonzero(taken[hole > 0]) > 0.02 * np.count_nonzero(hole):
            continue
        patch = moved(base, -left, -top, size, cv2.BORDER_REFLECT_101)
        distance = float(np.abs(patch[hole > 0].mean(axis=0) - wanted).sum())
        if best is None or distance < best[0]:
            best = distance, to_float(patch)
    return None if best is None else np.asarray(best[1] - blur(best[1], 7), np.float32)


def filled_hole(picture: Pixels, area: Pixels, detail: Pixels | None, rng: Rng) -> Pixels:
    """The picture with the area grown over from its surroundings, their texture included."""
    high, wide = area.shape
    scale = min(1.0, 220 / max(high, wide))
    small = (max(8, round(wide * scale)), max(8, round(high * scale)))
    hole = cv2.dilate(resize(area, small), np.ones((3, 3), np.uint8))
    grown = cv2.inpaint(to_bytes(resize(picture, small)), (hole > 0).astype(np.uint8), 4, 1)
    smooth = blur(resize(to_float(np.asarray(grown)), (wide, high)), 4)
    if detail is None:
        detail = (noise(area.shape, 2.5, rng) - np.float32(0.5))[..., None] * np.float32(0.06)
    return np.clip(mix(picture, smooth + detail, np.asarray(area > 0, np.float32)), 0, 1)


def things_in(prompt: str) -> list[Shape]:
    """The things to draw, in the prompt's order; a longer name hides the shorter within it."""
    found: list[tuple[int, Shape]] = []
    text = prompt
    for shape in SHAPES.values():
        at = position(text, *shape.names)
        if at >= 0:
            found.append((at, shape))
            for name in sorted(shape.names, key=len, reverse=True):
                text = text.lower().replace(name, " " * len(name))
    return [shape for _, shape in sorted(found, key=lambda f: f[0])]


def oriented_box(area: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Centre, across and down vectors (pixels) of the box that fits the area, tilted up to 35°."""
    points = cv2.findNonZero(area)
    (x, y), (width, height), turn = cv2.minAreaRect(points)
    while abs(turn) > 45:
        width, height, turn = height, width, turn - np.copysign(90, turn)
    left, top, straight_width, straight_height = cv2.boundingRect(points)
    if abs(turn) > 35 or width * height > 0.93 * straight_width * straight_height:
        x, y, turn = left + straight_width / 2, top + straight_height / 2, 0.0
        width, height = straight_width, straight_height
    angle = np.radians(turn)
    across = np.array([np.cos(angle), np.sin(angle)]) * width
    down = np.array([-np.sin(angle), np.cos(angle)]) * height
    return np.array([x, y]), across, down


def _slot(
    box: tuple[Pixels, Pixels, Pixels], number: int, count: int
) -> tuple[Pixels, Pixels, Pixels]:
    """One of `count` equal parts of the box, cut along its longer side."""
    centre, across, down = box
    offset = (number + 0.5) / count - 0.5
    if np.hypot(*across) >= np.hypot(*down):
        return centre + across * offset, across / count, down
    return centre + down * offset, across, down / count


def _placement(box: tuple[Pixels, Pixels, Pixels], shape: Shape, area: Pixels, rng: Rng) -> Pixels:
    """The matrix that fits the shape into the box, as large as the area holds it whole."""
    centre, across, down = box
    width, height = np.hypot(*across), np.hypot(*down)
    fitted = min(width, height * shape.aspect * 1.15)
    tall = min(height, fitted / shape.aspect * 1.15)
    outside = area == 0
    size = float(rng.uniform(0.93, 0.99))
    for _ in range(9):
        u, v = across / width * fitted * size, down / height * tall * size
        matrix = np.column_stack([u, v, centre - u / 2 - v / 2])
        covered = silhouette(shape, (area.shape[0], area.shape[1]), matrix)
        if covered[outside].sum() <= 0.002 * covered.sum():
            break
        size *= 0.95
    return matrix


def painted_stuff(area: Pixels, prompt: str, rng: Rng) -> Pixels:
    """A textured, lit body in the colours of the prompt, for things that have no drawing."""
    shape = (area.shape[0], area.shape[1], 3)
    cell = max(12.0, float(np.sqrt(np.count_nonzero(area))) / 2.2)
    shift = wander(shape, cell * 0.7, cell * 0.5, rng)
    folds = warp(clouds(shape, cell, rng, 5), shift)
    colours = _shades(prompt, rng)
    low, high = np.percentile(folds[area > 0], (3, 97))
    place = np.clip((folds - low) / max(high - low, 1e-3), 0, 1) * np.float32(len(colours) - 1)
    first = np.floor(place).astype(int).clip(0, len(colours) - 2)
    colour = mix(colours[first], colours[first + 1], np.asarray(place - first, np.float32))
    rim = np.clip(inside_distance(area) / np.float32(cell * 0.7), 0, 1)
    height = blur(np.sqrt(rim * (2 - rim)), 3) + folds * np.float32(0.5)
    diffuse, gloss = lighting(np.asarray(height, np.float32), cell * 0.45)
    fibre = 0.92 + 0.16 * noise(shape, 2.2, rng)
    lit = colour * (diffuse * fibre)[..., None] + (gloss * 0.10)[..., None]
    return np.asarray(np.clip(lit, 0, 1), np.float32)


def _shades(prompt: str, rng: Rng) -> Pixels:
    """Three or more colours for one material: shades of those that the prompt names."""
    named = [np.asarray(jitter(c, rng, 0.07), np.float32) for c in named_colours(prompt)]
    if not named:
        return np.asarray(palette(prompt, rng)[:3], np.float32)
    return np.stack([shade for c in named for shade in (c * 0.62, c, c * 0.75 + 0.25)])


def _colour_for(prompt: str, thing: Shape, alone: bool) -> Colour:
    near = colour_of(prompt, *thing.names)
    if near:
        return near
    return next(iter(named_colours(prompt)), thing.usual) if alone else thing.usual


def _painted(
    picture: Pixels, area: Pixels, detail: Pixels | None, prompt: str, rng: Rng
) -> tuple[Pixels, Pixels]:
    """The picture with the prompt's things, or its stuff, in the area; where they are (0-1)."""
    whole = np.ones(area.shape, np.float32)
    if mentions(prompt, *_REMOVALS):
        return filled_hole(picture, area, detail, rng), whole
    things = things_in(prompt)[:3]
    if not things:
        return painted_stuff(area, prompt, rng), whole
    seen_through = all(thing.see_through for thing in things)
    canvas = picture if seen_through else filled_hole(picture, area, detail, rng)
    box, covered = oriented_box(area), whole * 0
    for number, thing in enumerate(things):
        colour = jitter(_colour_for(prompt, thing, len(things) == 1), rng, 0.11)
        matrix = _placement(_slot(box, number, len(things)), thing, area, rng)
        canvas, place = paint_shape(canvas, thing, colour, matrix, rng)
        covered = np.maximum(covered, place)
    return canvas, covered


def _window(area: Pixels) -> tuple[slice, slice]:
    """The rows and columns of the area with a margin to fill it from."""
    left, top, width, height = cv2.boundingRect(area)
    margin = max(24, max(width, height) // 6)
    rows = slice(max(0, top - margin), top + height + margin)
    return rows, slice(max(0, left - margin), left + width + margin)


def draw_inpaint(drawing: Drawing) -> Pixels:
    """The picture (bytes) for a drawing of kind "inpaint".

    Base and mask are stretched to the size; every pixel outside the mask is the stretched base's.
    """
    rng = random_source(drawing.seed, drawing.prompt)
    size = drawing.size or _DEFAULT_SIZE
    base = resize(read(drawing.images[0], "base image"), size)
    area = masked_area(read(drawing.images[1], "mask"), drawing.options.get("mask_color") or [])
    area = np.asarray(cv2.resize(area, size, interpolation=cv2.INTER_NEAREST))
    if not area.any():
        return base
    window = _window(area)
    hole, around = np.ascontiguousarray(area[window]), to_float(base[window])
    detail = borrowed_detail(base, area, window)
    painted, things = _painted(around, hole, detail, drawing.prompt, rng)
    if drawing.style != STYLES[0]:
        # What lies between the things takes on only a touch of the style, to join its surroundings.
        where = np.clip(blur(things, 2) * np.float32(1.6), 0.2, 1)
        painted = mix(painted, restyle(painted, drawing.style, rng), where)
    feather = np.clip(inside_distance(hole) / np.float32(max(size) / 200), 0, 1)
    result = base.copy()
    mixed = to_bytes(mix(around, painted, feather))
    result[window] = np.where(hole[..., None] > 0, mixed, base[window])
    return result
