"""Things that can be drawn by name, each as shaded parts inside the unit square."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import (
    Pixels,
    Rng,
    blur,
    inside_distance,
    lighting,
    mix,
    moved,
    step,
)
from local.modelstudio.drawing.words import Colour

Outline = Pixels  # points, one a row, across and down (0-1)


@dataclass(frozen=True)
class Part:
    """A filled outline. `holes` are cut out; `bulge` is its roundness; `alpha` its opacity."""

    outline: Outline
    colour: Colour
    bulge: float = 1.0
    alpha: float = 1.0
    holes: tuple[Outline, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A thing with its names, its usual colour, width to height, and how it is built."""

    names: tuple[str, ...]
    usual: Colour
    aspect: float
    build: Callable[[Colour, Rng], list[Part]]
    see_through: bool = False


def _turns(count: int) -> Pixels:
    return np.linspace(0, 2 * np.pi, count, endpoint=False)


def _oval(x: float, y: float, rx: float, ry: float, power: float = 2.0) -> Outline:
    """An ellipse; a power above 2 makes it squarer."""
    t = _turns(96)
    across = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power)
    down = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power)
    return np.stack([x + rx * across, y + ry * down], 1)


def _points(*places: tuple[float, float]) -> Outline:
    return np.asarray(places, np.float64)


def _tinted(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(1.0, c * factor) for c in colour)
    return red, green, blue


def _glasses(colour: Colour, rng: Rng) -> list[Part]:
    lens = (0.86, 0.95, 1.0) if rng.random() < 0.6 else _tinted(colour, 1.2)
    power, rim_width = float(rng.choice((2.0, 2.5, 3.2, 4.2))), float(rng.uniform(0.03, 0.062))
    tall = float(rng.uniform(0.35, 0.45))
    parts = []
    for x, hinge, edge in ((0.26, 0.06, 0.0), (0.74, 0.94, 1.0)):
        rim = _oval(x, 0.53, 0.22, tall, power)
        glass = _oval(x, 0.53, 0.22 - rim_width, tall - rim_width * 1.9, power)
        arm = _points((hinge, 0.26), (edge, 0.22), (edge, 0.42), (hinge, 0.44))
        gleam = _points((x - 0.11, 0.5), (x - 0.02, 0.24), (x + 0.03, 0.24), (x - 0.08, 0.58))
        parts += [Part(arm, _tinted(colour, 0.8), 0.6), Part(glass, lens, 0.0, 0.20)]
        parts += [Part(gleam, (1.0, 1.0, 1.0), 0.0, 0.32), Part(rim, colour, 1.0, 1.0, (glass,))]
    t = np.linspace(0, np.pi, 24)
    upper = np.stack([0.5 - 0.055 * np.cos(t), 0.46 - 0.13 * np.sin(t)], 1)
    lower = np.stack([0.5 + 0.055 * np.cos(t), 0.58 - 0.12 * np.sin(t)], 1)
    return [*parts, Part(np.concatenate([upper, lower]), colour, 0.9)]


def _sunglasses(colour: Colour, rng: Rng) -> list[Part]:
    dark: Colour = (0.07, 0.07, 0.09)
    parts = _glasses(colour, rng)
    return [Part(p.outline, dark, 0.0, 0.86) if p.alpha == 0.20 else p for p in parts]


def _hat(colour: Colour, rng: Rng) -> list[Part]:
    t = np.linspace(np.pi, 2 * np.pi, 40)
    dome = np.stack([0.5 + 0.27 * np.cos(t), 0.42 + 0.40 * np.sin(t)], 1)
    top = np.concatenate([dome, _points((0.79, 0.82), (0.5, 0.90), (0.21, 0.82))])
    band = np.concatenate(
        [
            _points((0.222, 0.62), (0.5, 0.70), (0.778, 0.62)),
            _points((0.79, 0.80), (0.5, 0.885), (0.21, 0.80)),
        ]
    )
    brim = _oval(0.5, 0.80, 0.5, 0.19)
    accent = _tinted(colour, 0.45)
    return [Part(brim, colour, 0.7), Part(top, colour, 1.5), Part(band, accent, 0.5)]


def _crown(colour: Colour, rng: Rng) -> list[Part]:
    spikes = [(0.04, 0.22), (0.27, 0.55), (0.5, 0.08), (0.73, 0.55), (0.96, 0.22), (0.86, 0.92)]
    body = Part(_points(*spikes, (0.14, 0.92)), colour, 0.9)
    jewels = [(0.83, 0.13, 0.18), (0.15, 0.45, 0.80), (0.12, 0.60, 0.35)]
    rng.shuffle(jewels)
    places = ((0.28, 0.75), (0.5, 0.73), (0.72, 0.75))
    gems = [
        Part(_oval(x, y, 0.05, 0.075), c, 1.4) for (x, y), c in zip(places, jewels, strict=True)
    ]
    tips = [
        Part(_oval(x, y, 0.04, 0.055), colour, 1.4) for x, y in (spikes[0], spikes[2], spikes[4])
    ]
    return [body, *tips, *gems]


def _flower(colour: Colour, rng: Rng) -> list[Part]:
    count, start = int(rng.integers(6, 10)), float(rng.random())
    parts = []
    for k in range(count):
        turn = 2 * np.pi * (k + start) / count
        x, y = 0.5 + 0.29 * np.cos(turn), 0.5 + 0.29 * np.sin(turn)
        petal = _oval(0, 0, 0.205, 0.62 / count + 0.035)
        turned = petal @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        parts.append(
            Part(turned + np.array([x, y]), _tinted(colour, float(rng.uniform(0.88, 1.1))), 0.9)
        )
    heart: Colour = (0.96, 0.76, 0.18)
    return [*parts, Part(_oval(0.5, 0.5, 0.13, 0.13), heart, 1.3)]


def _heart(colour: Colour, rng: Rng) -> list[Part]:
    t = _turns(160)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [Part(np.stack([0.5 + x / 34, 0.46 - y / 31], 1), colour, 1.6)]


def _star(colour: Colour, rng: Rng) -> list[Part]:
    turn = -np.pi / 2 + rng.uniform(-0.12, 0.12) + np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2 == 0, 0.5, 0.215)
    outline = np.stack([0.5 + reach * np.cos(turn), 0.53 + reach * np.sin(turn)], 1)
    return [Part(outline, colour, 1.4)]


def _moon(colour: Colour, rng: Rng) -> list[Part]:
    disc, bite = _oval(0.48, 0.5, 0.48, 0.48), _oval(0.72, 0.40, 0.42, 0.42)
    craters = ((0.16, 0.56, 0.05), (0.30, 0.78, 0.065), (0.22, 0.34, 0.035))
    dark = _tinted(colour, 0.86)
    pits = [Part(_oval(x, y, r, r), dark, 0.3, 0.7) for x, y, r in craters]
    return [Part(disc, colour, 1.0, 1.0, (bite,)), *pits]


def _sun(colour: Colour, rng: Rng) -> list[Part]:
    count = int(rng.integers(10, 15))
    turn = np.arange(count * 2) * np.pi / count
    reach = np.where(np.arange(count * 2) % 2 == 0, 0.5, 0.34)
    rays = np.stack([0.5 + reach * np.cos(turn), 0.5 + reach * np.sin(turn)], 1)
    return [Part(rays, _tinted(colour, 0.95), 0.4), Part(_oval(0.5, 0.5, 0.30, 0.30), colour, 1.2)]


def _ball(colour: Colour, rng: Rng) -> list[Part]:
    tilt = float(rng.uniform(-0.08, 0.08))
    across = np.linspace(-0.495, 0.495, 40)
    sag = 0.10 * (1 - (across / 0.5) ** 2)
    upper = np.stack([0.5 + across * 0.985, 0.43 + tilt * across + sag], 1)
    lower = np.stack([0.5 + across[::-1] * 0.985, 0.56 + tilt * across[::-1] + sag[::-1]], 1)
    stripe = np.concatenate([upper, lower])
    whole = _oval(0.5, 0.5, 0.5, 0.5)
    return [Part(whole, colour, 2.2), Part(stripe, (0.96, 0.95, 0.92), 0.6, 0.92)]


def _balloon(colour: Colour, rng: Rng) -> list[Part]:
    bend = float(rng.uniform(-0.06, 0.06))
    string = _points((0.49, 0.78), (0.51, 0.78), (0.51 + bend, 1.0), (0.495 + bend, 1.0))
    knot = _points((0.46, 0.80), (0.54, 0.80), (0.5, 0.74))
    body = _oval(0.5, 0.39, 0.42, 0.385)
    return [Part(string, (0.85, 0.85, 0.85), 0.2), Part(knot, colour, 0.5), Part(body, colour, 2.0)]


def _bow(colour: Colour, rng: Rng) -> list[Part]:
    parts = []
    for side in (-1, 1):
        loop = [(0.0, 0.42), (0.16, 0.24), (0.36, 0.10), (0.48, 0.18), (0.50, 0.5)]
        loop += [(0.48, 0.82), (0.36, 0.90), (0.16, 0.76), (0.0, 0.58)]
        fold = [(0.04, 0.47), (0.30, 0.40), (0.34, 0.5), (0.30, 0.60), (0.04, 0.53)]
        wing = np.asarray([(0.5 + side * x, y) for x, y in loop])
        crease = np.asarray([(0.5 + side * x, y) for x, y in fold])
        parts += [Part(wing, colour, 1.3), Part(crease, _tinted(colour, 0.6), 0.5, 0.75)]
    return [*parts, Part(_oval(0.5, 0.5, 0.085, 0.17, 3), _tinted(colour, 0.92), 1.2)]


def _butterfly(colour: Colour, rng: Rng) -> list[Part]:
    spot = _tinted(colour, 1.45)
    parts = []
    for side in (-1, 1):
        for x, y, rx, ry in ((0.25, 0.32, 0.235, 0.28), (0.20, 0.72, 0.17, 0.22)):
            parts.append(Part(_oval(0.5 + side * x, y, rx, ry, 2.4), colour, 0.7))
            parts.append(Part(_oval(0.5 + side * x * 1.1, y, rx / 2, ry / 2), spot, 0.5, 0.85))
    return [*parts, Part(_oval(0.5, 0.52, 0.035, 0.32), (0.14, 0.11, 0.11), 1.0)]


SHAPES: Mapping[str, Shape] = {
    "sunglasses": Shape(("sunglasses", "墨镜", "太阳镜"), (0.1, 0.1, 0.12), 2.9, _sunglasses, True),
    "glasses": Shape(("glasses", "spectacles", "眼镜"), (0.15, 0.12, 0.12), 2.9, _glasses, True),
    "bow": Shape(
        ("bow", "bow tie", "bowtie", "ribbon", "蝴蝶结", "领结"), (0.8, 0.12, 0.2), 1.7, _bow
    ),
    "hat": Shape(("hat", "cap", "帽"), (0.62, 0.45, 0.27), 1.45, _hat),
    "crown": Shape(("crown", "tiara", "皇冠", "王冠"), (0.93, 0.73, 0.22), 1.35, _crown),
    "butterfly": Shape(("butterfly", "butterflies", "蝴蝶"), (0.94, 0.52, 0.12), 1.15, _butterfly),
    "flower": Shape(("flower", "rose", "daisy", "blossom", "花"), (0.93, 0.38, 0.55), 1.0, _flower),
    "heart": Shape(("heart", "爱心", "心形", "心"), (0.85, 0.10, 0.18), 1.1, _heart),
    "moon": Shape(("moon", "crescent", "月"), (0.97, 0.92, 0.72), 1.0, _moon),
    "sun": Shape(("sun", "太阳"), (1.0, 0.80, 0.22), 1.0, _sun),
    "star": Shape(("star", "星"), (0.98, 0.82, 0.22), 1.0, _star),
    "balloon": Shape(("balloon", "气球"), (0.88, 0.15, 0.2), 0.72, _balloon),
    "ball": Shape(("ball", "球"), (0.86, 0.16, 0.16), 1.0, _ball),
}


def _filled(outlines: Sequence[Outline], shape: tuple[int, int], matrix: Pixels) -> Pixels:
    """The outlines as a soft-edged mask (0-1) after the 2x3 matrix has placed them."""
    mask = np.zeros(shape, np.uint8)
    for outline in outlines:
        placed = outline @ matrix[:, :2].T + matrix[:, 2]
        cv2.fillPoly(mask, [np.round(placed * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


def _shaded(mask: Pixels, part: Part, size: float) -> Pixels:
    """The part's colour, lit as a body that bulges from its edge."""
    distance = inside_distance(mask > 0.5)
    reach = max(3.0, min(float(distance.max()), size * 0.16 * max(part.bulge, 0.2)))
    t = np.clip(distance / np.float32(reach), 0, 1)
    height = blur(np.sqrt(np.clip(t * (2 - t), 0, 1)), max(0.8, reach / 9))
    diffuse, gloss = lighting(np.asarray(height, np.float32), reach * 0.75 * min(part.bulge, 1.6))
    lit = np.asarray(part.colour, np.float32) * (0.22 + 0.80 * diffuse)[..., None]
    shine = step(gloss, 0.55, 1.0) * step(np.abs(diffuse - 1), 0.05, 0.4) * 0.45 * part.bulge
    return np.asarray(np.clip(lit + shine[..., None], 0, 1), np.float32)


def silhouette(shape: Shape, area: tuple[int, int], matrix: Pixels) -> Pixels:
    """Where the shape would cover a canvas of that height and width (0-1)."""
    parts = shape.build(shape.usual, np.random.default_rng(0))
    return np.asarray(np.max([_filled([p.outline], area, matrix) for p in parts], axis=0))


def _surroundings(canvas: Pixels, matrix: Pixels) -> tuple[slice, slice]:
    """The rows and columns that the placed unit square and its shadow can touch."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) @ matrix[:, :2].T + matrix[:, 2]
    margin = 0.2 * float(np.ptp(corners, axis=0).max()) + 8
    left, top = np.floor(corners.min(axis=0) - margin).astype(int).tolist()
    right, bottom = np.ceil(corners.max(axis=0) + margin).astype(int).tolist()
    high, wide = canvas.shape[:2]
    rows = slice(min(max(0, top), high - 1), min(max(1, bottom), high))
    return rows, slice(min(max(0, left), wide - 1), min(max(1, right), wide))


def paint_shape(
    canvas: Pixels, shape: Shape, colour: Colour, matrix: Pixels, rng: Rng
) -> tuple[Pixels, Pixels]:
    """The canvas with the shape and its soft shadow on it, and where the shape covers it (0-1).

    The 2x3 matrix takes the unit square to the canvas.
    """
    window = _surroundings(canvas, matrix)
    there = matrix - np.array([[0, 0, window[1].start], [0, 0, window[0].start]])
    painted, covers = canvas.copy(), np.zeros(canvas.shape[:2], np.float32)
    painted[window], covers[window] = _paint_parts(canvas[window], shape.build(colour, rng), there)
    return painted, covers


def _paint_parts(canvas: Pixels, parts: list[Part], matrix: Pixels) -> tuple[Pixels, Pixels]:
    size = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    area = (canvas.shape[0], canvas.shape[1])
    masks = [_cut(part, area, matrix) for part in parts]
    solid = [m for m, p in zip(masks, parts, strict=True) if p.alpha >= 0.8]
    covered = np.asarray(np.max(np.stack(solid), axis=0), np.float32)
    soft = blur(covered, size * 0.028)
    shadow = moved(soft, size * 0.025, size * 0.05, (area[1], area[0]))
    canvas = canvas * (1 - 0.5 * shadow)[..., None]
    for mask, part in zip(masks, parts, strict=True):
        paint = _shaded(mask, part, size) if part.bulge else np.asarray(part.colour, np.float32)
        canvas = mix(canvas, paint, mask * np.float32(part.alpha))
    return canvas, covered


def _cut(part: Part, area: tuple[int, int], matrix: Pixels) -> Pixels:
    mask = _filled([part.outline], area, matrix)
    return mask * (1 - _filled(part.holes, area, matrix)) if part.holes else mask
