"""Changes of light, season and look that a prompt may ask for."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import (
    Pixels,
    Rng,
    blur,
    channels,
    clouds,
    luminance,
    mix,
    noise,
    resize,
    saturate,
    step,
)
from local.modelstudio.drawing.cutout import subject_mask

Effect = Callable[[Pixels, Rng], Pixels]


def graded(picture: Pixels, gain: tuple[float, float, float], lift: float = 0.0) -> Pixels:
    """Each colour channel multiplied, blacks lifted."""
    out = picture * np.asarray(gain, np.float32)
    return np.asarray(np.clip(out * np.float32(1 - lift) + np.float32(lift), 0, 1), np.float32)


def contrast(picture: Pixels, amount: float) -> Pixels:
    """An S-shaped curve (amount above 0) or a flatter one (below)."""
    curve = picture * picture * (3 - 2 * picture)
    return np.asarray(np.clip(picture + (curve - picture) * np.float32(amount), 0, 1), np.float32)


def vignette(picture: Pixels, amount: float) -> Pixels:
    """Corners darkened by that share."""
    high, wide = picture.shape[:2]
    xs = np.linspace(-1, 1, wide, dtype=np.float32)[None, :] ** 2
    ys = np.linspace(-1, 1, high, dtype=np.float32)[:, None] ** 2
    return picture * (1 - np.float32(amount) * step((xs + ys) / 2, 0.25, 1.1))[..., None]


def seeded_light(picture: Pixels, rng: Rng) -> Pixels:
    """A small difference in light from seed to seed, as no two exposures are the same."""
    warmth, exposure = rng.uniform(-0.06, 0.06), rng.uniform(0.92, 1.08)
    gain = (exposure * (1 + warmth), exposure, exposure * (1 - warmth))
    return graded(picture, gain)


def _sky(picture: Pixels) -> Pixels:
    """Where open sky may be (0-1): smooth, joined to the upper edge."""
    high, wide = picture.shape[:2]
    small = resize(picture, (160, max(16, round(160 * high / wide))))
    grey = luminance(small)
    rough = blur(np.abs(grey - blur(grey, 2)), 1.2)
    smooth = (rough < 0.012).astype(np.uint8)
    smooth[int(smooth.shape[0] * 0.8) :] = 0
    _, labels = cv2.connectedComponents(smooth)
    upper = np.unique(labels[0][smooth[0] > 0])
    found = np.isin(labels, upper[upper > 0]).astype(np.float32)
    # Whatever differs from the sky's own colour there (a mast, a tree) is none of it.
    near = cv2.dilate(found, np.ones((9, 9), np.uint8))
    own = blur(small * found[..., None], 8) / np.maximum(blur(found, 8), 0.02)[..., None]
    differs = np.abs(picture - resize(own, (wide, high))).max(axis=2)
    open_sky = np.clip(resize(blur(near, 2), (wide, high)), 0, 1)
    return np.asarray(open_sky * (1 - step(differs, 0.06, 0.16)), np.float32)


def _stars(picture: Pixels, rng: Rng) -> Pixels:
    high, wide = picture.shape[:2]
    layer = np.zeros((high, wide), np.float32)
    for _ in range(260):
        place = (int(rng.integers(0, wide)), int(high * 0.85 * rng.random() ** 1.3))
        radius = max(1, round(min(high, wide) / 700 * rng.choice((1, 1, 1, 2))))
        cv2.circle(layer, place, radius, float(rng.uniform(0.35, 1)), -1, cv2.LINE_AA)
    return layer + blur(layer, 2.5) * np.float32(0.8)


def night(picture: Pixels, rng: Rng) -> Pixels:
    """Moonlight: dark and blue, lamps glowing, stars where there is sky."""
    grey = luminance(picture)
    lamps = step(grey, 0.72, 0.98)[..., None] * picture
    left = float(np.clip(0.36 / max(float(grey.mean()), 0.01), 1, 2.2))  # dusk is dark already
    cool = graded(saturate(picture, 0.55), (0.24 * left, 0.32 * left, 0.52 * left))
    glow = blur(lamps, max(grey.shape) / 60) * channels((1.0, 0.78, 0.45))
    lit = cool + lamps * np.float32(0.42) * channels((1.0, 0.85, 0.6)) + glow * np.float32(0.55)
    stars = _stars(picture, rng) * _sky(picture) * np.float32(0.9)
    return vignette(np.clip(lit + stars[..., None], 0, 1).astype(np.float32), 0.45)


def sunset(picture: Pixels, rng: Rng) -> Pixels:
    """Low sun: gold from the horizon, violet above, the sun's glow in the sky."""
    high, wide = picture.shape[:2]
    down = np.linspace(0, 1, high, dtype=np.float32)[:, None] * np.ones((1, wide), np.float32)
    top, horizon = channels((0.50, 0.30, 0.52)), channels((1.0, 0.55, 0.22))
    dusk = top + (horizon - top) * step(down, 0.05, 0.75)[..., None]
    warm = contrast(graded(picture, (1.16, 0.92, 0.74)), 0.25)
    sky = _sky(picture)
    lit = mix(warm, 1 - (1 - warm * np.float32(0.8)) * (1 - dusk * np.float32(0.75)), 0.42)
    lit = mix(lit, dusk + (luminance(picture) - 0.3)[..., None] * 0.3, sky * np.float32(0.72))
    sun = rng.uniform(0.15, 0.85), rng.uniform(0.55, 0.72)
    xs = np.arange(wide, dtype=np.float32)[None, :] / wide - np.float32(sun[0])
    ys = np.arange(high, dtype=np.float32)[:, None] / wide - np.float32(sun[1] * high / wide)
    distance = np.hypot(xs, ys)
    halo = np.exp(-distance * 5) * (0.25 + 0.5 * sky)
    disc = step(0.05 - distance, 0, 0.006) * sky
    lit = lit + halo[..., None] * channels((1.0, 0.55, 0.2)) + disc[..., None] * np.float32(0.8)
    return np.asarray(np.clip(lit, 0, 1), np.float32)


def snow(picture: Pixels, rng: Rng) -> Pixels:
    """Winter: paler and cooler, snow on what faces up, flakes near and far."""
    grey = luminance(picture)
    unit = max(grey.shape) / 1024
    above = cv2.Sobel(blur(grey, 2.5 * unit), cv2.CV_32F, 0, 1) * -1
    patches = step(clouds(grey.shape, 40 * unit, rng), 0.30, 0.6)
    lying = blur(step(np.asarray(above), 0.02, 0.14) * patches, 2.2 * unit)
    haze = 0.16 * min(1.0, float(grey.mean()) / 0.4)
    pale = mix(saturate(graded(picture, (0.93, 0.99, 1.07)), 0.62), (0.86, 0.90, 0.96), haze)
    white = mix(pale, (0.96, 0.98, 1.0), np.clip(lying * np.float32(1.3), 0, 0.92))
    flakes = np.zeros(grey.shape, np.float32)
    for count, radius, soft in ((900, 1.3, 0.6), (260, 2.8, 1.4), (46, 6.5, 4.5)):
        layer = np.zeros(grey.shape, np.float32)
        xs, ys = rng.random(count) * grey.shape[1], rng.random(count) * grey.shape[0]
        sizes = radius * unit * rng.uniform(0.6, 1.4, count)
        for x, y, size in zip(xs.tolist(), ys.tolist(), sizes.tolist(), strict=True):
            cv2.circle(layer, (int(x), int(y)), max(1, round(size)), 1.0, -1, cv2.LINE_AA)
        flakes = np.maximum(flakes, blur(layer, soft * unit) * np.float32(0.9))
    return mix(white, (1.0, 1.0, 1.0), np.clip(flakes, 0, 1))


def rain(picture: Pixels, rng: Rng) -> Pixels:
    """Grey, wet light and streaks of rain."""
    high, wide = picture.shape[:2]
    layer = np.zeros((high, wide), np.float32)
    slant = float(rng.uniform(-0.25, 0.25))
    for _ in range(700):
        x, y = int(rng.integers(0, wide)), int(rng.integers(0, high))
        length = int(high * rng.uniform(0.02, 0.06))
        end = (x + int(slant * length), y + length)
        cv2.line(layer, (x, y), end, float(rng.uniform(0.2, 0.6)), 1, cv2.LINE_AA)
    wet = contrast(saturate(graded(picture, (0.70, 0.76, 0.84)), 0.6), 0.2)
    return mix(wet, (0.85, 0.9, 0.95), blur(layer, 0.7))


def fog(picture: Pixels, rng: Rng) -> Pixels:
    """Mist that thickens upwards and drifts."""
    high, wide = picture.shape[:2]
    up = np.linspace(0.85, 0.25, high, dtype=np.float32)[:, None]
    veil = np.clip(up * (0.6 + 0.7 * clouds((high, wide), wide / 3, rng)), 0, 0.88)
    return mix(saturate(picture, 0.6), (0.86, 0.88, 0.90), veil)


def black_and_white(picture: Pixels, rng: Rng) -> Pixels:
    """Silver tones, firm contrast, a little grain."""
    weights = rng.dirichlet((6, 7, 3)).astype(np.float32)
    grey = contrast((picture @ weights).astype(np.float32), 0.45)
    grain = (noise(grey.shape, 1.5, rng) - np.float32(0.5)) * np.float32(0.05)
    return vignette(np.repeat(np.clip(grey + grain, 0, 1)[..., None], 3, axis=2), 0.25)


def vintage(picture: Pixels, rng: Rng) -> Pixels:
    """An old print: sepia, faded blacks, grain and dark corners."""
    grey = luminance(picture)[..., None]
    sepia = grey * channels((1.06, 0.90, 0.68)) + channels((0.05, 0.03, 0.0))
    faded = graded(contrast(mix(picture, sepia, 0.72), 0.2), (1.0, 0.97, 0.92), 0.07)
    grain = (noise(grey.shape, 1.4, rng) - np.float32(0.5)) * np.float32(0.09)
    stains = (clouds(grey.shape, max(grey.shape) / 3, rng) - np.float32(0.5)) * np.float32(0.10)
    return vignette(np.clip(faded + (grain + stains)[..., None], 0, 1), 0.5)


def blurred_background(picture: Pixels, rng: Rng) -> Pixels:
    """The subject sharp, all else out of focus."""
    mask = subject_mask(picture)
    away = (1 - mask)[..., None]
    sigma = max(mask.shape) / float(rng.uniform(55, 75))
    # The subject is left out of the blur, or it would glow around itself.
    soft = blur(picture * away, sigma) / np.maximum(blur(away[..., 0], sigma), 0.02)[..., None]
    return mix(np.clip(soft, 0, 1).astype(np.float32), picture, mask)


def _hues_moved(picture: Pixels, low: float, high: float, shift: float, gain: float) -> Pixels:
    """Hues between low and high (degrees) shifted by that many degrees, vividness multiplied."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    hue = hsv[..., 0]
    chosen = step(hue, low - 12, low + 6) * (1 - step(hue, high - 6, high + 12))
    hsv[..., 0] = (hue + chosen * np.float32(shift)) % 360
    hsv[..., 1] = np.clip(hsv[..., 1] * (1 + chosen * np.float32(gain - 1)), 0, 1)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def autumn(picture: Pixels, rng: Rng) -> Pixels:
    """Greens turn gold and red, light turns warm."""
    turned = _hues_moved(picture, 55, 170, -58 - float(rng.uniform(0, 18)), 1.25)
    return contrast(graded(turned, (1.08, 0.98, 0.84)), 0.15)


def spring(picture: Pixels, rng: Rng) -> Pixels:
    """Fresh greens, blossoms' pink in the light."""
    fresh = _hues_moved(picture, 30, 80, 28, 1.25)
    return graded(saturate(fresh, 1.12), (1.04, 1.03, 1.02), 0.04)
