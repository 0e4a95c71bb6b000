"""What the stand-in draws from words alone, and the edits with a job of their own."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from local.modelstudio.drawing import Drawing, draw

Pixels = npt.NDArray[Any]


def photograph(width: int = 320, height: int = 240) -> Pixels:
    small = np.random.default_rng(3).integers(60, 180, (5, 7, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


PHOTO = photograph()


def png(picture: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def drawn(kind: str, prompt: str = "", *pictures: Pixels, **changes: Any) -> Pixels:
    images = tuple(png(picture) for picture in pictures)
    with Image.open(io.BytesIO(draw(Drawing(kind, prompt, images, **changes)))) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image).astype(np.int16)


def apart(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())


def redness(picture: Pixels) -> float:
    """The share of clearly red pixels."""
    red, green, blue = (picture[..., k] for k in range(3))
    return float(((red > 130) & (red > green + 50) & (red > blue + 50)).mean())


SIZES = [(256, 256), (300, 500), (2048, 2048), (1696, 960)]


@pytest.mark.parametrize("size", SIZES)
def test_words_make_a_picture_of_any_size(size: tuple[int, int]) -> None:
    picture = drawn("paint", "a cat", size=size)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.std() > 10


def test_words_decide_what_is_painted() -> None:
    size = (384, 384)
    red, blue, none = (
        drawn("paint", prompt, size=size, seed=2)
        for prompt in ("a red balloon", "a blue balloon", "a wall")
    )
    assert redness(red) > 0.02
    assert redness(blue) < 0.005
    assert apart(red, none) > 3
    night, day = (
        drawn("paint", f"a house under a {when} sky", size=size) for when in ("night", "")
    )
    assert night.mean() < day.mean() - 20


def test_the_same_seed_paints_the_same_and_another_one_something_else() -> None:
    one, again, other = (
        drawn("paint", "mountains by the sea", size=(256, 256), seed=s) for s in (4, 4, 5)
    )
    assert np.array_equal(one, again)
    assert apart(one, other) > 2


def test_expanding_keeps_the_picture_and_adds_to_its_edges() -> None:
    grown = drawn("expand", "wide", PHOTO, options={"left_scale": 1.5, "top_scale": 2.0})
    assert grown.shape == (480, 480, 3)
    assert apart(grown[240:, 160:], PHOTO) < 2
    assert grown[:, :160].std() > 3


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"output_ratio": "16:9"}, (240, 427)),
        ({"output_ratio": "9:16"}, (569, 320)),
        ({"x_scale": 1.5, "left_offset": 40}, (240, 480)),
        ({"left_offset": 40, "bottom_offset": 8}, (248, 360)),
        ({}, (240, 320)),
    ],
)
def test_out_painting_obeys_the_ratio_then_scales_then_offsets(
    options: dict[str, Any], shape: tuple[int, int]
) -> None:
    assert drawn("outpaint", "", PHOTO, options=options).shape[:2] == shape


def test_an_angle_turns_the_picture_counter_clockwise() -> None:
    turned = drawn("outpaint", "", PHOTO, options={"angle": 90})
    assert apart(turned[2:-2, 2:-2], np.rot90(PHOTO)[2:-2, 2:-2]) < 6


def test_a_limited_size_is_smaller() -> None:
    large = photograph(2400, 600)
    limited = drawn("outpaint", "", large, options={"limit_image_size": True, "x_scale": 1.5})
    free = drawn("outpaint", "", large, options={"limit_image_size": False, "x_scale": 1.5})
    assert (limited.shape[1], free.shape[1]) == (2048, 3600)


def test_enlarging_keeps_what_is_seen() -> None:
    large = drawn("enlarge", "sharper", PHOTO, options={"upscale_factor": 3})
    assert large.shape == (720, 960, 3)
    back = np.asarray(cv2.resize(large.astype(np.uint8), (320, 240), interpolation=cv2.INTER_AREA))
    assert apart(back, PHOTO) < 6


def test_colouring_leaves_the_light_as_it_is() -> None:
    grey = np.repeat(PHOTO.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    coloured = drawn("colorize", "red and green", grey)
    assert np.ptp(coloured, axis=2).mean() > 15
    light = cv2.cvtColor(coloured.astype(np.uint8), cv2.COLOR_RGB2LAB)[..., 0].astype(np.int16)
    assert np.abs(light - cv2.cvtColor(grey, cv2.COLOR_RGB2LAB)[..., 0]).mean() < 12


def test_a_watermark_goes_and_the_middle_stays() -> None:
    marked = Image.fromarray(PHOTO.copy())
    ImageDraw.Draw(marked).text((300, 232), "WATERMARK", "white", anchor="rs", font_size=16)
    clean = drawn("clean", "remove it", np.asarray(marked))
    assert apart(clean[200:], PHOTO[200:]) < apart(np.asarray(marked)[200:], PHOTO[200:]) / 3
    assert np.array_equal(clean[60:180], PHOTO[60:180])


def test_strength_says_how_much_is_edited() -> None:
    gentle, strong = (
        drawn("edit", "black and white", PHOTO, size=(320, 240), options={"strength": share})
        for share in (0.0, 1.0)
    )
    assert apart(gentle, PHOTO) < 3
    assert apart(strong, PHOTO) > 12


def test_a_doodle_is_coloured_and_a_photograph_traced_first() -> None:
    sketch = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(sketch).rectangle((50, 90, 206, 220), outline="black", width=4)
    one, other = (
        drawn("doodle", "a gift box", np.asarray(sketch), options={"is_sketch": drawn_lines})
        for drawn_lines in (True, False)
    )
    assert apart(one, other) > 5


def test_a_figure_stands_in_a_scene() -> None:
    figure = np.full((240, 240, 3), 250, np.uint8)
    cv2.circle(figure, (120, 120), 80, (220, 20, 30), -1)
    scene = drawn("cartoon", "on the beach by the sea", figure, size=(320, 320))
    assert redness(scene) > 0.05
    assert apart(scene[:40], np.full((40, 320, 3), 250)) > 20
