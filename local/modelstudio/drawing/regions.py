"""The areas that the lines of a sketch enclose, and what each of them may be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from local.modelstudio.drawing.canvas import Pixels


@dataclass(frozen=True)
class Region:
    """One enclosed area.

    `kind`: sky, ground, path, box, triangle, trapezoid, round, disc (round, in the sky), crown
    (scalloped, as a tree's), cloud, slender, or other (what shows between things).
    """

    label: int
    kind: str
    share: float  # of the picture's area
    centre: tuple[float, float]  # 0-1 across, 0-1 down
    neighbours: frozenset[int] = frozenset()


def label_regions(lines: Pixels) -> tuple[Pixels, int]:
    """Every pixel's region number (1…count), pixels under the lines going to the nearest."""
    gap = max(3, lines.shape[0] // 110) | 1
    barrier = (lines > 0.3).astype(np.uint8)
    closed = cv2.morphologyEx(barrier, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.flatnonzero(areas > lines.size * 0.0004) + 1
    renumber = np.zeros(count, np.int32)
    renumber[kept] = np.arange(1, len(kept) + 1)
    markers = np.ascontiguousarray(renumber[labels], np.int32)
    if len(kept) == 0:
        return np.ones(lines.shape, np.int32), 1
    _, nearest = cv2.distanceTransformWithLabels(
        (markers == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(nearest.max()) + 1, np.int32)
    table[nearest[markers > 0]] = markers[markers > 0]
    return np.asarray(table[nearest]), len(kept)


def _outline_kind(region: Pixels) -> str:
    """The kind that the outline alone suggests."""
    outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea)
    hull = cv2.convexHull(outline)
    area, hull_area = cv2.contourArea(outline), cv2.contourArea(hull)
    _, sides, _ = cv2.minAreaRect(outline)
    if area < 4 or min(sides) < 1:
        return "other"
    around = cv2.arcLength(hull, True)
    rough = cv2.arcLength(outline, True) / around
    if 4 * np.pi * hull_area / around**2 > 0.86:
        return "crown" if rough > 1.06 else "round"
    if max(sides) / min(sides) > 2.8:
        return "slender"
    corners = len(cv2.approxPolyDP(hull, 0.035 * around, True))
    if corners > 4:
        return "crown" if area / hull_area > 0.72 else "other"
    if area / hull_area < 0.75:
        return "other"
    return "triangle" if corners == 3 else "box" if area / np.prod(sides) > 0.82 else "trapezoid"


def _kind(region: Pixels, box: tuple[int, int, int, int], share: float) -> str:
    high, wide = region.shape
    left, top, width, height = box
    touches_side = left == 0 or left + width == wide
    if top == 0 and width > 0.6 * wide and share > 0.1:
        return "sky"
    if top + height == high:
        return "ground" if width > 0.6 * wide or touches_side else "path"
    if touches_side and share > 0.02:
        return "ground"
    return _outline_kind(region[top : top + height, left : left + width])


def _in_the_air(region: Region, skies: set[int]) -> str:
    """What hangs in the sky alone is a cloud, a sun or a moon, not a tree or a ball."""
    if region.centre[1] > 0.42 or not region.neighbours <= skies or not region.neighbours:
        return region.kind
    return {"crown": "cloud", "round": "disc"}.get(region.kind, region.kind)


def describe_regions(labels: Pixels, count: int) -> list[Region]:
    """What each region may be, with the regions that it touches."""
    touching = _neighbours(labels)
    regions = []
    for label in range(1, count + 1):
        mask = (labels == label).astype(np.uint8)
        left, top, width, height = cv2.boundingRect(mask)
        share = float(cv2.countNonZero(mask)) / mask.size
        kind = _kind(mask, (left, top, width, height), share)
        centre = ((left + width / 2) / mask.shape[1], (top + height / 2) / mask.shape[0])
        near = frozenset(touching.get(label, set()))
        regions.append(Region(label, kind, share, centre, near))
    skies = {r.label for r in regions if r.kind == "sky"}
    return [replace(r, kind=_in_the_air(r, skies)) for r in regions]


def _neighbours(labels: Pixels) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    across = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], 1)
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()], 1)
    for pairs in (across, down):
        different = pairs[pairs[:, 0] != pairs[:, 1]]
        for a, b in np.unique(different, axis=0).tolist():
            found.setdefault(a, set()).add(b)
            found.setdefault(b, set()).add(a)
    return found


def height_of(labels: Pixels, flat: set[int]) -> Pixels:
    """How far each region bulges (0 at its edge, towards 1 in its middle); 0 in flat ones."""
    inner = labels.astype(np.float32)
    edges = cv2.morphologyEx(inner, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    inside = (~edges & ~np.isin(labels, list(flat))).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    reach = max(8.0, labels.shape[0] / 14)
    t = np.clip(distance / np.float32(reach), 0, 1)
    return np.asarray(np.sqrt(np.clip(t * (2 - t), 0, 1)), np.float32)
