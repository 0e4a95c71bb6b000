"""Where the subject of a photograph is."""

from __future__ import annotations

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import Pixels, blur, luminance, resize, step, to_bytes

_WORK_SIDE = 200  # pixels; GrabCut's time grows with the area
_LEAST_WORTH = 0.004


def _saliency(picture: Pixels) -> Pixels:
    """How much each pixel differs from the colours of the border (0-1), middle favoured."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    high, wide = lab.shape[:2]
    ring = max(2, min(high, wide) // 16)
    upper = [lab[:ring], lab[: high * 3 // 4, :ring], lab[: high * 3 // 4, -ring:]]
    border = np.concatenate([part.reshape(-1, 3) for part in upper])[::3]
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 8, 1.0)
    start = np.empty((0, 1), np.int32)
    _, _, centres = cv2.kmeans(border, 4, start, criteria, 1, cv2.KMEANS_PP_CENTERS)
    differences = [np.linalg.norm(lab - c, axis=2) for c in np.asarray(centres)]
    contrast = blur(np.asarray(np.min(differences, axis=0), np.float32), 2)
    ys, xs = np.mgrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    middle = np.exp(-(xs**2 + ys**2) * 1.1).astype(np.float32)
    score = contrast * (0.35 + middle)
    return np.asarray(score / max(float(np.percentile(score, 98)), 1e-3), np.float32)


def _guess(saliency: Pixels) -> Pixels:
    """GrabCut's start: sure background at the border, likely subject where it stands out."""
    high, wide = saliency.shape
    ring = max(2, min(high, wide) // 40)
    labels = np.full((high, wide), cv2.GC_PR_BGD, np.uint8)
    labels[saliency > 0.45] = cv2.GC_PR_FGD
    labels[saliency > 0.85] = cv2.GC_FGD
    edge = np.ones((high, wide), bool)
    edge[ring:, ring:-ring] = False
    labels[edge & (saliency < 0.6)] = cv2.GC_BGD
    return labels


def _tidied(found: Pixels) -> Pixels:
    """The large pieces with their holes closed."""
    small = max(3, found.shape[0] // 40) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (small, small))
    opened = cv2.morphologyEx(found, cv2.MORPH_OPEN, kernel)
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel)
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(outline) for outline in outlines]
    tidy = np.zeros_like(found)
    for outline, area in zip(outlines, areas, strict=True):
        if area > 0.25 * max(areas):
            cv2.drawContours(tidy, [outline], -1, 1, cv2.FILLED)
    return tidy


def _focus(picture: Pixels) -> Pixels:
    """How sharp each place is (0-1): a subject before a blurred background stands out so."""
    grey = luminance(picture)
    fine = blur(np.abs(grey - blur(grey, 1.2)), 7)
    return np.asarray(fine / max(float(np.percentile(fine, 85)), 1e-3), np.float32)


def _grown(picture: Pixels, guess: Pixels) -> Pixels:
    """GrabCut's subject (1) and background (0) from the guess (0-1)."""
    labels = _guess(guess)
    back, front = np.zeros((1, 65)), np.zeros((1, 65))
    if np.unique(labels % 2).size == 2:
        mode = cv2.GC_INIT_WITH_MASK
        cv2.grabCut(to_bytes(picture), labels, (0, 0, 1, 1), back, front, 3, mode)
    return _tidied((labels % 2).astype(np.uint8))


def _worth(found: Pixels, picture: Pixels) -> float:
    """How well the outline follows real edges; 0 for no subject at all.

    Of two equally good outlines the larger has the better worth: the other is a part of it.
    """
    share = float(found.mean())
    if not 0.02 < share < 0.75:
        return 0.0
    soft = blur(picture, 1.3)
    dx, dy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    change = np.sqrt((dx**2 + dy**2).sum(axis=2)) / 8
    outline = cv2.morphologyEx(found, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    inner = np.asarray(outline[4:-4, 4:-4] > 0)
    return float(np.median(change[4:-4, 4:-4][inner])) * share**0.5 if inner.any() else 0.0


def _oval(shape: tuple[int, ...]) -> Pixels:
    found = np.zeros(shape, np.uint8)
    axes = (round(shape[1] * 0.38), round(shape[0] * 0.42))
    cv2.ellipse(found, (shape[1] // 2, shape[0] // 2), axes, 0, 0, 360, 1, cv2.FILLED)
    return found


def subject_mask(picture: Pixels) -> Pixels:
    """How much each pixel belongs to the subject (0-1, soft edge).

    GrabCut from a guess by colour contrast and one by sharpness, whichever follows the edges
    better; an oval in the middle where neither does.
    """
    high, wide = picture.shape[:2]
    scale = min(1.0, _WORK_SIDE / max(high, wide))
    small = resize(picture, (max(16, round(wide * scale)), max(16, round(high * scale))))
    small = np.ascontiguousarray(small, np.float32)
    cv2.setRNGSeed(1)  # k-means starts from chance; the same picture shall give the same mask
    guesses = (_saliency(small), _focus(small))
    found = max((_grown(small, g) for g in guesses), key=lambda f: _worth(f, small))
    if _worth(found, small) < _LEAST_WORTH:
        found = _oval(found.shape)
    soft = resize(blur(found.astype(np.float32), 1.0), (wide, high))
    return step(soft, 0.32, 0.78)
