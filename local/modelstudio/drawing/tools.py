"""Pictures made larger, coloured, cleaned or drawn from a doodle: edits with a job of their own."""

from dataclasses import replace

import cv2
import numpy as np

import local.modelstudio.drawing.canvas as art
import local.modelstudio.drawing.wishes as wishes
from local.modelstudio.drawing.canvas import Pixels, blur, grey, mix, noise, step
from local.modelstudio.drawing.sketch import draw_sketch

Edges = tuple[int, int, int, int]  # top, bottom, left, right, in pixels
_LONGEST = 4096
_BLANK = 16  # shades by which the pixels of an empty picture may differ
_LONGEST_IF_LIMITED = 2048  # keeps the file well below the 5 MB of `limit_image_size`


def _grown(picture: Pixels, edges: Edges, drawing: wishes.Drawing) -> Pixels:
    """The picture (0-1) with new edges: what lies there goes on, ever softer, and drifts."""
    unit = art.unit(picture)
    wide = art.floats(cv2.copyMakeBorder(picture, *edges, cv2.BORDER_REFLECT))
    away = np.ones(wide.shape[:2], np.uint8)
    high, long = picture.shape[:2]
    away[edges[0] : edges[0] + high, edges[2] : edges[2] + long] = 0
    if not away.any():
        return wide
    far = np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, 5))
    rng = art.dice(drawing)
    drifting = art.bent(blur(wide, 5 * unit), 90 * unit, 26 * unit, rng)
    drifting = mix(drifting, blur(wide, 40 * unit), step(far, 20 * unit, 300 * unit) * 0.8)
    grain = (noise(far.shape, 2, rng) - 0.5)[..., None] * 0.03
    return art.clipped(mix(wide, drifting + grain, step(far, 0, 26 * unit)))


def _fitted(picture: Pixels, longest: int) -> Pixels:
    share = longest / max(picture.shape[:2])
    if share >= 1:
        return picture
    return art.resize(picture, (round(picture.shape[1] * share), round(picture.shape[0] * share)))


def draw_expand(drawing: wishes.Drawing) -> Pixels:
    """Kind "expand": each side by its own scale (1 to 2)."""
    picture = art.floats(art.read(drawing.images[0], "base image") / 255)
    high, wide = picture.shape[:2]
    sides = (("top", high), ("bottom", high), ("left", wide), ("right", wide))
    top, bottom, left, right = (
        round((float(drawing.options.get(f"{name}_scale") or 1) - 1) * length)
        for name, length in sides
    )
    return _fitted(_grown(picture, (top, bottom, left, right), drawing), _LONGEST) * 255


def draw_outpaint(drawing: wishes.Drawing) -> Pixels:
    """Kind "outpaint": turned first, then grown to a ratio, else by scales, else by offsets."""
    options = drawing.options
    longest = _LONGEST_IF_LIMITED if options.get("limit_image_size") else _LONGEST
    original = art.read(drawing.images[0], "image")
    picture = art.floats(_fitted(original, longest) / 255)
    shrunk = picture.shape[0] / original.shape[0]
    picture = _turned(picture, int(options.get("angle") or 0))
    return _fitted(_grown(picture, _edges(picture, drawing, shrunk), drawing), longest) * 255


def _turned(picture: Pixels, angle: int) -> Pixels:
    if not angle:
        return picture
    high, wide = picture.shape[:2]
    matrix = art.floats(cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1))
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (round(high * sin + wide * cos), round(high * cos + wide * sin))
    matrix[:, 2] += art.floats([size[0] - wide, size[1] - high]) / 2
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT))


def _edges(picture: Pixels, drawing: wishes.Drawing, shrunk: float) -> Edges:
    options, (high, wide) = drawing.options, picture.shape[:2]
    ratio = options.get("output_ratio")
    across, down = (float(options.get(f"{axis}_scale") or 1) for axis in "xy")
    if not ratio and across == down == 1:
        top, bottom, left, right = (
            round(int(options.get(f"{side}_offset") or 0) * shrunk)
            for side in ("top", "bottom", "left", "right")
        )
        return top, bottom, left, right
    if ratio:
        wanted = int(ratio.split(":")[0]) / int(ratio.split(":")[1])
        across, down = max(1.0, wanted * high / wide), max(1.0, wide / wanted / high)
    more, taller = round(wide * (across - 1)), round(high * (down - 1))
    return taller // 2, taller - taller // 2, more // 2, more - more // 2


def draw_enlarge(drawing: wishes.Drawing) -> Pixels:
    """Kind "enlarge": more pixels and a sharper look."""
    picture = art.floats(art.read(drawing.images[0], "base image") / 255)
    factor = int(drawing.options.get("upscale_factor") or 1)
    factor = max(1, min(factor, _LONGEST // max(picture.shape[:2])))
    soft = np.asarray(cv2.bilateralFilter(picture, 5, 0.06, 3))
    large = art.resize(soft, (picture.shape[1] * factor, picture.shape[0] * factor))
    return art.clipped(mix(blur(large, 1.2 * factor), large, 1.7)) * 255


def draw_colorize(drawing: wishes.Drawing) -> Pixels:
    """Kind "colorize": the greys in colours of the prompt, cool above and warm in the middle."""
    rng, level = art.dice(drawing), grey(art.floats(art.read(drawing.images[0], "image") / 255))
    dark, middle, light = wishes.palette(drawing.prompt, rng)[:3]
    hues = art.floats(
        [np.multiply(dark, 0.25), dark, middle, mix(art.floats(light), (1, 1, 1), 0.5)]
    )
    regions = clouded = blur(level, 18 * art.unit(level)) * 0.75 + level * 0.25
    clouded = np.clip(regions + (noise(level.shape, 240, rng, 2) - 0.5) * 0.3, 0, 1)
    tint = np.dstack([np.interp(clouded, np.linspace(0, 1, 4), hue) for hue in hues.T])
    lab = art.floats(cv2.cvtColor(art.clipped(tint), cv2.COLOR_RGB2LAB))
    lab[..., 0] = np.asarray(cv2.cvtColor(np.dstack([level] * 3), cv2.COLOR_RGB2LAB))[..., 0]
    lab[..., 1:] *= 0.7
    return art.clipped(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)) * 255


def draw_clean(drawing: wishes.Drawing) -> Pixels:
    """Kind "clean": thin pale strokes in the corners, as watermarks are, grown over."""
    picture = art.read(drawing.images[0], "base image")
    level = grey(art.floats(picture / 255))
    high = len(level)
    thin = level - np.asarray(cv2.medianBlur((level * 255).astype(np.uint8), 21)) / 255 > 0.12
    marks = thin.astype(np.uint8)
    marks[high // 5 : high - high // 5] = 0
    marks = np.asarray(cv2.dilate(marks, np.ones((5, 5), np.uint8)))
    return np.asarray(cv2.inpaint(np.ascontiguousarray(picture), marks, 5, cv2.INPAINT_TELEA))


def draw_doodle(drawing: wishes.Drawing) -> Pixels:
    """Kind "doodle": the picture is the sketch, or its lines are taken out of it first."""
    extracts = not drawing.options.get("is_sketch")
    return draw_sketch(replace(drawing, options={"sketch_extraction": extracts}))


def draw_translate(drawing: wishes.Drawing) -> Pixels:
    """Kind "translate": the picture, and at its foot from which language into which."""
    picture = art.read(drawing.images[0], "image")
    if np.ptp(picture) < _BLANK:
        return picture
    pair = (str(drawing.options.get(f"{name}_lang", "auto")) for name in ("source", "target"))
    return art.captioned(picture, f"translated, {' to '.join(pair)}")
