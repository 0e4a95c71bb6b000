"""Brush strokes and pencil hatching."""

from __future__ import annotations

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import Pixels, Rng, blur, luminance, mix, noise, step


def _directions(colour: Pixels, height: Pixels, rng: Rng) -> Pixels:
    """The angle of a stroke at each pixel: along the edges, else a slow drift."""
    guide = blur(luminance(colour) + height * np.float32(0.6), 5)
    dx = cv2.Sobel(guide, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(guide, cv2.CV_32F, 0, 1)
    drift = noise(guide.shape, max(guide.shape) / 4, rng) * np.float32(np.pi * 1.6)
    strength = step(np.hypot(dx, dy), 0.01, 0.08)
    along = np.arctan2(dx, -dy)
    x = np.cos(2 * along) * strength + np.cos(2 * drift) * (1 - strength) * 0.5
    y = np.sin(2 * along) * strength + np.sin(2 * drift) * (1 - strength) * 0.5
    return np.asarray(np.arctan2(y, x) / 2, np.float32)


def _layer(
    canvas: Pixels, relief: Pixels, guide: tuple[Pixels, Pixels, Pixels], width: int, rng: Rng
) -> None:
    """One layer of strokes of that width, in random order, where the detail asks for it.

    `guide`: the colour to paint, the strokes' angle, and how likely a stroke is (0-1).
    """
    colour, angle, detail = guide
    high, wide = canvas.shape[:2]
    count = int(high * wide / (width * 0.8) ** 2)
    xs, ys = rng.integers(0, wide, count), rng.integers(0, high, count)
    wanted = detail[ys, xs] >= rng.random(count)
    xs, ys = xs[wanted], ys[wanted]
    count = len(xs)
    lengths = width * rng.uniform(1.4, 3.2, count)
    turns = angle[ys, xs] + rng.normal(0, 0.14, count)
    tones = colour[ys, xs] * rng.normal(1, 0.05, (count, 1)) + rng.normal(0, 0.012, (count, 3))
    offsets = np.stack([np.cos(turns) * lengths, np.sin(turns) * lengths], 1) / 2
    middles = np.stack([xs, ys], 1)
    starts, ends = (
        (middles - offsets).astype(int).tolist(),
        (middles + offsets).astype(int).tolist(),
    )
    levels = rng.uniform(0.2, 1, count).tolist()
    for start, end, tone, level in zip(
        starts, ends, np.clip(tones, 0, 1).tolist(), levels, strict=True
    ):
        cv2.line(canvas, start, end, tone, width)
        cv2.line(relief, start, end, level, width)


def oil_strokes(colour: Pixels, height: Pixels, rng: Rng) -> tuple[Pixels, Pixels]:
    """The picture in brush strokes, broad ones first, and the relief of the paint (0-1)."""
    high, wide = colour.shape[:2]
    unit = max(high, wide) / 768
    canvas = np.ascontiguousarray(blur(colour, 3 * unit), np.float32)
    relief = np.zeros((high, wide), np.float32)
    angle = _directions(colour, height, rng)
    grey = luminance(colour)
    detail = step(blur(np.abs(grey - blur(grey, 5 * unit)), 2 * unit), 0.008, 0.04)
    everywhere = np.ones((high, wide), np.float32)
    for width, where in ((14, everywhere), (8, everywhere), (4, detail)):
        _layer(canvas, relief, (colour, angle, where), max(2, round(width * unit)), rng)
    bristles = noise((high, wide), 2.2, rng)
    return canvas, blur(relief * np.float32(0.75) + bristles * np.float32(0.25), 0.8)


def _scratches(shape: tuple[int, int], turn: float, rng: Rng) -> Pixels:
    """Long thin streaks (0-1) that run at that angle, in degrees."""
    side = int(np.hypot(*shape)) + 8
    fine = rng.random((int(side / 2.2), side // 34 + 2), dtype=np.float32)
    streaks = cv2.resize(fine, (side, side), interpolation=cv2.INTER_CUBIC)
    turned = cv2.getRotationMatrix2D((side / 2, side / 2), turn, 1)
    whole = cv2.warpAffine(streaks, turned, (side, side), borderMode=cv2.BORDER_REFLECT)
    top, left = (side - shape[0]) // 2, (side - shape[1]) // 2
    return np.asarray(whole[top : top + shape[0], left : left + shape[1]])


def hatching(tone: Pixels, rng: Rng) -> Pixels:
    """Pencil marks (0-1) as dense as the tone (0 = paper, 1 = dark), crossed where it is dark."""
    shape = (tone.shape[0], tone.shape[1])
    marks = np.zeros(shape, np.float32)
    for turn, threshold in ((38, 0.14), (52, 0.34), (-40, 0.58)):
        wanted = np.clip((tone - np.float32(threshold)) * np.float32(1.5), 0, 0.8)
        streaks = _scratches(shape, turn, rng)
        marks = np.maximum(marks, step(streaks - (0.92 - 0.75 * wanted), 0, 0.25) * (wanted > 0))
    grain = noise(shape, 1.6, rng)
    return np.asarray(np.clip(marks * (0.4 + 0.8 * grain), 0, 1), np.float32)


def soften(picture: Pixels, passes: int = 2) -> Pixels:
    """The picture in smooth patches with its edges kept, as a painter simplifies."""
    high, wide = picture.shape[:2]
    scale = min(1.0, 560 / max(high, wide))
    small = cv2.resize(picture, (round(wide * scale), round(high * scale)), None, 0, 0, 3)
    for _ in range(passes):
        small = cv2.bilateralFilter(np.ascontiguousarray(small, np.float32), 7, 0.13, 5)
    wide_again = np.asarray(cv2.resize(small, (wide, high), interpolation=cv2.INTER_CUBIC))
    return mix(picture, np.clip(wide_again, 0, 1), 0.92)
