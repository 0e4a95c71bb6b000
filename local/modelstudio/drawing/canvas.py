"""Small operations on pictures, which are float32 arrays between 0 and 1."""

from __future__ import annotations

import zlib
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]
Rng = np.random.Generator

_LIGHT = (-0.45, -0.6, 0.66)  # from the upper left, towards the viewer


def random_source(seed: int, prompt: str) -> Rng:
    """A source of randomness fixed by seed and prompt."""
    return np.random.default_rng([seed & 0xFFFFFFFF, zlib.crc32(prompt.encode())])


def to_float(picture: Pixels) -> Pixels:
    """Bytes (0-255) as floats (0-1)."""
    return picture.astype(np.float32) / np.float32(255)


def to_bytes(picture: Pixels) -> Pixels:
    """Floats (0-1) as bytes (0-255)."""
    return np.clip(picture * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)


def resize(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """The picture stretched to (width, height)."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    shrinking = size[0] * size[1] < width * height
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=method))


def channels(levels: tuple[float, float, float]) -> Pixels:
    """One number for each of red, green and blue, to reckon with pictures."""
    return np.array(levels, np.float32)


def moved(picture: Pixels, dx: float, dy: float, size: tuple[int, int], border: int = 0) -> Pixels:
    """The picture moved by dx, dy pixels on a canvas of that (width, height).

    `border` is one of OpenCV's border modes; 0 leaves what is uncovered empty.
    """
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=border))


def blur(picture: Pixels, sigma: float) -> Pixels:
    """Gaussian blur; a wide one is made on a smaller picture, which looks the same."""
    if sigma <= 0.1:
        return picture
    if sigma > 6:
        height, width = picture.shape[:2]
        small = resize(picture, (max(2, width // 3), max(2, height // 3)))
        wide = blur(small, sigma / 3)
        return np.asarray(cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma))


def mix(below: Pixels, above: Pixels | tuple[float, ...], amount: Pixels | float) -> Pixels:
    """`above` over `below`, as strongly as `amount` (0-1, one number or one for each pixel)."""
    over = np.asarray(above, np.float32)
    if isinstance(amount, np.ndarray) and below.ndim == 3 and amount.ndim == 2:
        amount = amount[..., None]
    return np.asarray(below + (over - below) * amount, np.float32)


def luminance(picture: Pixels) -> Pixels:
    """Perceived brightness (0-1)."""
    weights = np.array([[0.299, 0.587, 0.114]], np.float32)
    return np.asarray(cv2.transform(picture, weights)).reshape(picture.shape[:2])


def saturate(picture: Pixels, factor: float) -> Pixels:
    """Colours more (factor above 1) or less vivid."""
    grey = luminance(picture)[..., None]
    return np.asarray(np.clip(grey + (picture - grey) * np.float32(factor), 0, 1), np.float32)


def step(field: Pixels, low: float, high: float) -> Pixels:
    """A smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def noise(shape: tuple[int, ...], cell: float, rng: Rng) -> Pixels:
    """Smooth noise (0-1) whose lumps are about `cell` pixels wide."""
    height, width = shape[:2]
    cells = (max(3, round(height / cell) + 2), max(3, round(width / cell) + 2))
    grid = rng.random(cells, dtype=np.float32)
    wide = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.asarray(wide), 0, 1)


def clouds(shape: tuple[int, ...], cell: float, rng: Rng, octaves: int = 4) -> Pixels:
    """Noise of several sizes together (0-1), as clouds or pigment have it."""
    total = np.zeros(shape[:2], np.float32)
    for octave in range(octaves):
        total += noise(shape, max(1.0, cell / 2**octave), rng) * np.float32(0.5**octave)
    return np.asarray(total / np.float32(2 - 0.5 ** (octaves - 1)), np.float32)


def wander(shape: tuple[int, ...], cell: float, reach: float, rng: Rng) -> tuple[Pixels, Pixels]:
    """A smooth random displacement of at most `reach` pixels in x and in y."""
    dx = (noise(shape, cell, rng) - np.float32(0.5)) * np.float32(2 * reach)
    dy = (noise(shape, cell, rng) - np.float32(0.5)) * np.float32(2 * reach)
    return dx, dy


def warp(picture: Pixels, shift: tuple[Pixels, Pixels], *, nearest: bool = False) -> Pixels:
    """The picture with every pixel fetched from `shift` away."""
    height, width = picture.shape[:2]
    xs = np.arange(width, dtype=np.float32)[None, :] + shift[0]
    ys = np.arange(height, dtype=np.float32)[:, None] + shift[1]
    method = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(picture, xs, ys, method, borderMode=cv2.BORDER_REFLECT_101))


def lighting(height: Pixels, depth: float) -> tuple[Pixels, Pixels]:
    """How a surface of that height is lit: diffuse (1 = level ground) and highlight (0-1)."""
    dx = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=depth / 8)
    dy = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=depth / 8)
    length = np.sqrt(dx * dx + dy * dy + 1)
    facing = (-dx * _LIGHT[0] - dy * _LIGHT[1] + _LIGHT[2]) / length
    highlight = np.clip(facing, 0, 1) ** 24
    diffuse = np.clip(0.55 + 0.45 * facing / _LIGHT[2], 0.1, 1.45)
    return np.asarray(diffuse, np.float32), np.asarray(highlight, np.float32)


def inside_distance(region: Pixels) -> Pixels:
    """For each pixel of the region (non-zero) the distance to its edge, in pixels; else 0."""
    return np.asarray(cv2.distanceTransform((region > 0).astype(np.uint8), cv2.DIST_L2, 3))


def line_art(picture: Pixels, width: float = 1.2) -> Pixels:
    """The lines a draughtsman would see in a photograph (0-1), by difference of Gaussians."""
    grey = luminance(picture)
    fine = blur(grey, width)
    coarse = blur(grey, width * 1.9)
    return step(coarse * np.float32(1.02) - fine, 0.012, 0.06)
