"""A picture in which only the masked area is painted anew."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

import local.modelstudio.drawing.canvas as art
import local.modelstudio.drawing.wishes as wishes
from local.modelstudio.drawing.canvas import Pixels, Rng, blur, mix, noise, step
from local.modelstudio.drawing.styles import restyled
from local.modelstudio.drawing.wishes import TABLE, Colour, Entry


def _masked(mask: Pixels, colours: Sequence[Sequence[int]]) -> Pixels:
    """Where to repaint (1 = yes): white, or the listed colours, which JPEG moves by up to 24."""
    near = [np.abs(mask - np.asarray(c, np.int16)).max(axis=2) <= 24 for c in colours]
    return np.asarray(np.any(near, axis=0) if colours else art.grey(mask) > 127, np.uint8)


def _outlines(part: Entry, squareness: float) -> list[Pixels]:
    """The part's copies in the unit square, each as points, one a row."""
    points = np.asarray(part.get("path", ()), np.float64)
    if "oval" in part:
        x, y, across, down = part["oval"]
        t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
        circle = np.stack([np.cos(t), np.sin(t)], 1)
        power = 2 / squareness if part.get("free") else 1.0
        points = np.sign(circle) * np.abs(circle) ** power * (across, down) + (x, y)
    for _ in range(4 if part.get("round") else 0):  # cuts the corners
        after = np.roll(points, -1, axis=0)
        points = np.hstack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after])
        points = points.reshape(-1, 2)
    turns = np.exp(2j * np.pi * np.arange(part.get("around", 1)) / part.get("around", 1))
    copies = [(points - 0.5) @ [[t.real, t.imag], [-t.imag, t.real]] + 0.5 for t in turns]
    return copies + [copy * (-1, 1) + (1, 0) for copy in copies if part.get("mirror")]


def _covered(part: Entry, matrix: Pixels, shape: tuple[int, ...], squareness: float) -> Pixels:
    """Where the part covers a canvas (0-1); the 2x3 matrix takes the unit square there."""
    mask, rim = np.zeros(shape[:2], np.uint8), part.get("rim", 0) * np.hypot(*matrix[:, 0])
    for outline in _outlines(part, squareness):
        placed = [np.round((outline @ matrix[:, :2].T + matrix[:, 2]) * 16).astype(np.int32)]
        if rim:
            cv2.polylines(mask, placed, True, (255,), max(1, round(rim)), cv2.LINE_AA, 4)
        else:
            cv2.fillPoly(mask, placed, (255,), cv2.LINE_AA, 4)
    return art.floats(mask / 255)


def with_thing(canvas: Pixels, thing: Entry, colour: Colour, area: Pixels, rng: Rng) -> Any:
    """The canvas with the thing and its soft shadow in the area; where the thing is (0-1)."""
    masks = _fitting(thing, area, rng)
    parts = list(zip(masks, thing["parts"], strict=True))
    covered = np.max([mask for mask, part in parts if part.get("alpha", 1) > 0.8], axis=0)
    size = float(np.sqrt(np.prod(cv2.boundingRect((covered > 0.5).astype(np.uint8))[2:])))
    canvas = canvas * (1 - 0.5 * art.cast_shadow(covered, size))[..., None]
    for mask, part in parts:
        paint, bulge = part.get("paint", 1), part.get("bulge", 1)
        fixed = isinstance(paint, list)
        tone = art.floats(wishes.tone(paint)) if fixed else art.floats(colour) * paint
        if bulge:
            height = art.bulging(mask, size * 0.16 * bulge)
            light = art.lit(blur(height, float(height.max()) / 9), 0.75 * min(bulge, 1.6))
            tone = tone * (0.22 + 0.8 * light)[..., None] + step(light, 1.19, 1.23)[..., None] * 0.3
        canvas = mix(canvas, art.clipped(tone), mask * part.get("alpha", 1))
    return canvas, covered


def _fitting(thing: Entry, area: Pixels, rng: Rng) -> list[Pixels]:
    """The masks of the thing's parts, tilted with the area, as large as it holds them whole."""
    points = np.argwhere(area)[:, ::-1].astype(np.float64)
    (xx, xy), (_, yy) = np.cov(points.T, bias=True)
    turn = np.arctan2(2 * xy, xx - yy) / 2 if xx > 1.5 * yy else 0.0
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    low, high = (points @ axes.T).min(axis=0), (points @ axes.T).max(axis=0) + 1
    wide = min((high - low)[0], (high - low)[1] * thing["aspect"] * 1.15)
    tall, centre = min((high - low)[1], wide / thing["aspect"] * 1.15), (low + high) / 2 @ axes
    squareness, masks = float(rng.uniform(2, 4)), []
    for size in rng.uniform(0.93, 0.99) * 0.95 ** np.arange(9):
        u, v = axes[0] * wide * size, axes[1] * tall * size
        matrix = np.column_stack([u, v, centre - u / 2 - v / 2])
        masks = [_covered(part, matrix, area.shape, squareness) for part in thing["parts"]]
        covered = np.max(masks, axis=0)
        if covered[area == 0].sum() <= 0.002 * covered.sum():
            break
    return masks


def _filled(picture: Pixels, area: Pixels, rng: Rng) -> Pixels:
    """The picture with the area grown over from its surroundings, their texture included."""
    small, hole = (art.resize(p, (220, 220)) for p in (picture, area))
    hole = np.asarray(cv2.dilate(hole, np.ones((3, 3), np.uint8)))
    grown = np.asarray(
        cv2.inpaint((art.clipped(small) * 255).astype(np.uint8), hole, 4, cv2.INPAINT_TELEA)
    )
    smooth = blur(art.resize(art.floats(grown / 255), (area.shape[1], area.shape[0])), 4)
    above = np.roll(picture, cv2.boundingRect(area)[3] + 8, axis=0)
    detail = (above - blur(above, 7)) + (noise(area.shape, 2.5, rng) - 0.5)[..., None] * 0.05
    return mix(picture, art.clipped(smooth + detail), art.floats(area))


def stuff(area: Pixels, prompt: str, rng: Rng) -> Pixels:
    """A textured, lit body in the colours of the prompt, for things that have no drawing."""
    cell = max(12.0, float(np.sqrt(area.sum())) / 2.2)
    folds = art.bent(noise(area.shape, cell, rng, 5), cell * 0.7, cell * 0.5, rng)
    tones = art.floats(wishes.palette(prompt, rng)[: len(wishes.named_colours(prompt)) or 2])
    colours = np.concatenate([tones * 0.6, tones, tones * 0.75 + 0.25])
    colour = np.dstack([np.interp(folds, np.linspace(0.2, 0.8, len(c)), c) for c in colours.T])
    light = art.lit(blur(art.bulging(area, cell * 0.7), 3) + folds * cell * 0.5, 0.6)
    return art.clipped(colour * light[..., None])


def _painted(picture: Pixels, area: Pixels, prompt: str, rng: Rng) -> tuple[Pixels, Pixels]:
    """The picture with the prompt's things, or its stuff, in the area; where they are (0-1)."""
    everywhere = np.ones(area.shape, np.float32)
    if wishes.mentions(prompt, TABLE["removals"]["words"]):
        return _filled(picture, area, rng), everywhere
    things = [thing for thing, _ in wishes.found(prompt, TABLE["things"])]
    if not things:
        return stuff(area, prompt, rng), everywhere
    pair, covered = things[0].get("pair", False), everywhere * 0
    canvas = picture if pair else _filled(picture, area, rng)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(area)
    spots = [(labels == k).astype(np.uint8) for k in range(1, count) if stats[k, 4] > 60]
    if not spots or (pair and count == 3 and (stats[1:, 2] < 2 * stats[1:, 3]).all()):
        spots = [area]  # two round ones are the eyes behind one pair of glasses
    for number, spot in enumerate(spots[:12]):  # the things take turns
        thing = things[number % len(things)]
        colour = wishes.beside(wishes.colour_of(prompt, thing), rng, 0.11)
        canvas, place = with_thing(canvas, thing, colour, spot, rng)
        covered = np.maximum(covered, place)
    return canvas, covered


def draw_inpaint(drawing: wishes.Drawing) -> Pixels:
    """The picture (bytes) of kind "inpaint"; outside the mask it is the base, stretched."""
    rng, size = art.dice(drawing), drawing.size or (1024, 1024)
    base = art.read(drawing.images[0], "base image")
    base = np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_CUBIC))
    area = _masked(art.read(drawing.images[1], "mask"), drawing.options.get("mask_color") or [])
    area = np.asarray(cv2.resize(area, size, interpolation=cv2.INTER_NEAREST))
    if not area.any():
        return base
    left, top, wide, high = cv2.boundingRect(area)
    margin = 24 + max(high, wide // 6)  # to grow from
    rows = slice(max(0, top - margin), top + high + margin)
    window = rows, slice(max(0, left - margin), left + wide + margin)
    hole, around = np.ascontiguousarray(area[window]), art.floats(base[window] / 255)
    painted, things = _painted(around, hole, drawing.prompt, rng)
    if drawing.style != "<auto>":
        where = np.clip(blur(things, 2) * 1.6, 0.2, 1)
        painted = mix(painted, restyled(art.clipped(painted), drawing.style, rng), where)
    mixed = mix(around, painted, art.clipped(art.bulging(hole, 5) / 5)) * 255
    base[window] = np.where(hole[..., None] > 0, np.clip(mixed, 0, 255), base[window])
    return base
