from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from PIL import Image, ImageDraw

from local.modelstudio.drawing import Drawing, DrawingError, draw

Pixels = npt.NDArray[Any]
STYLES = (
    "<3d cartoon>",
    "<anime>",
    "<oil painting>",
    "<watercolor>",
    "<sketch>",
    "<chinese painting>",
    "<flat illustration>",
)
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def encoded(picture: Image.Image | Pixels, kind: str = "PNG") -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def pixels(png: bytes) -> Pixels:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.mode == "RGB"
        return np.asarray(image).astype(np.int16)


def photograph(width: int = 320, height: int = 240, seed: int = 5) -> Pixels:
    """Soft colours and texture, as a photograph has them."""
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 210, (6, 8, 3)).astype(np.uint8)
    smooth = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
    grain = rng.integers(-9, 10, smooth.shape)
    return np.clip(smooth.astype(np.int16) + grain, 0, 255).astype(np.uint8)


def mask(width: int = 320, height: int = 240, colour: tuple[int, int, int] = (255,) * 3) -> Pixels:
    image = Image.new("RGB", (width, height), "black" if colour != (0, 0, 0) else "white")
    ImageDraw.Draw(image).ellipse(
        (width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill=colour
    )
    return np.asarray(image)


def line_drawing(
    colour: tuple[int, int, int] = (0, 0, 0), extra: tuple[int, int, int] | None = None
) -> Image.Image:
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((50, 90, 206, 220), outline=colour, width=4)
    if extra:
        pen.line((0, 40, 255, 40), fill=extra, width=4)
    return image


def inpainting(prompt: str = "a big red ball", **changes: Any) -> Drawing:
    drawing = Drawing(
        "inpaint", prompt, (encoded(photograph()), encoded(mask())), size=(320, 240), seed=4
    )
    return replace(drawing, **changes)


def sketching(picture: Image.Image | Pixels | None = None, **changes: Any) -> Drawing:
    sketch = encoded(line_drawing() if picture is None else picture)
    drawing = Drawing("sketch", "a gift box", (sketch,), size=(256, 256), seed=4)
    return replace(drawing, style=changes.pop("style", "<flat illustration>"), **changes)


def editing(prompt: str, *pictures: Pixels, **changes: Any) -> Drawing:
    images = tuple(encoded(p) for p in pictures) or (encoded(photograph()),)
    return replace(Drawing("edit", prompt, images, size=(320, 240), seed=4), **changes)


def changed(one: Pixels, other: Pixels, threshold: int = 12) -> Pixels:
    return np.asarray(np.abs(one - other).max(axis=2) > threshold)


# Inpainting


@pytest.mark.parametrize("prompt", ["a big red ball", "glasses", "forest moss", "remove it"])
@pytest.mark.parametrize("style", ["<auto>", "<watercolor>"])
def test_inpainting_changes_nothing_outside_the_mask(prompt: str, style: str) -> None:
    painted = pixels(draw(inpainting(prompt, style=style)))
    outside = mask()[..., 0] == 0
    assert np.array_equal(painted[outside], photograph()[outside])
    assert changed(painted, photograph().astype(np.int16))[~outside].mean() > 0.05


def test_inpainting_stretches_base_and_mask_to_the_size() -> None:
    painted = pixels(draw(inpainting(size=(480, 200))))
    base = cv2.resize(photograph(), (480, 200), interpolation=cv2.INTER_CUBIC)
    area = cv2.resize(mask()[..., 0], (480, 200), interpolation=cv2.INTER_NEAREST)
    assert painted.shape == (200, 480, 3)
    assert np.array_equal(painted[area == 0], np.asarray(base)[area == 0])


def test_inpainting_is_1024_square_when_no_size_is_given() -> None:
    assert pixels(draw(inpainting(size=None))).shape == (1024, 1024, 3)


def test_inpainting_paints_what_the_prompt_names_in_its_colour() -> None:
    inside = mask()[..., 0] > 0
    red = pixels(draw(inpainting("a red ball")))[inside].mean(axis=0)
    blue = pixels(draw(inpainting("一个蓝色的球")))[inside].mean(axis=0)
    assert red[0] > red[2] + 30
    assert blue[2] > blue[0] + 30


def test_every_colour_of_mask_color_is_a_region_and_no_other() -> None:
    image = Image.new("RGB", (320, 240), "white")
    pen = ImageDraw.Draw(image)
    for left, colour in ((20, (0, 0, 0)), (120, (134, 134, 134)), (220, (0, 200, 0))):
        pen.rectangle((left, 60, left + 70, 180), fill=colour)
    # A mask that has been a JPEG: no pixel is quite the listed colour any more.
    noise = np.random.default_rng(1).integers(-7, 8, (240, 320, 3))
    noisy = np.clip(np.asarray(image).astype(np.int16) + noise, 0, 255).astype(np.uint8)
    images = (encoded(photograph()), encoded(noisy, "JPEG"))
    options = {"mask_color": [[0, 0, 0], [134, 134, 134]]}
    painted = pixels(draw(inpainting("purple stone", images=images, options=options)))
    moved = changed(painted, photograph().astype(np.int16), 0)
    for left, wanted in ((20, True), (120, True), (220, False)):
        assert bool(moved[64:176, left + 4 : left + 66].mean() > 0.5) is wanted
    assert moved[:50].sum() == 0


def test_inpainting_with_an_empty_mask_gives_the_base_back() -> None:
    images = (encoded(photograph()), encoded(np.zeros((240, 320, 3), np.uint8)))
    assert np.array_equal(pixels(draw(inpainting(images=images))), photograph())


# Sketches


@pytest.mark.parametrize("style", STYLES)
def test_each_style_keeps_the_lines_and_differs_from_the_next(style: str) -> None:
    painted = pixels(draw(sketching(style=style)))
    grey = painted.mean(axis=2)
    rim, inner = grey[120:190, 48:54].min(axis=1).mean(), grey[120:190, 80:170].mean()
    assert rim < inner - 8
    following = STYLES[(STYLES.index(style) + 1) % len(STYLES)]
    assert changed(painted, pixels(draw(sketching(style=following)))).mean() > 0.2


def test_a_sketch_is_768_square_when_no_size_is_given() -> None:
    assert pixels(draw(sketching(size=None))).shape == (768, 768, 3)


def test_automatic_style_depends_on_the_seed() -> None:
    greys = {
        bool(np.ptp(pixels(draw(sketching(style="<auto>", seed=seed))), axis=2).mean() < 14)
        for seed in range(12)
    }
    assert greys == {True, False}


def test_a_smaller_sketch_weight_binds_the_lines_less() -> None:
    strokes = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(strokes).line((40, 60, 90, 200, 140, 60, 190, 200), fill="black", width=5)
    ink = np.asarray(strokes.convert("L")) < 128

    def darkness(weight: int) -> float:
        """How much darker the picture is where the sketch has its lines."""
        grey = pixels(draw(sketching(strokes, options={"sketch_weight": weight}))).mean(axis=2)
        return float(grey[~ink].mean() - grey[ink].mean())

    assert darkness(10) > darkness(6) + 5 > darkness(0) + 10
    assert darkness(10) == darkness(99)


def test_sketch_color_makes_listed_colours_the_brush_and_the_rest_background() -> None:
    two_pens = line_drawing((210, 30, 40), extra=(30, 40, 200))
    red_only = {"sketch_color": [[210, 30, 40]]}
    painted = pixels(draw(sketching(two_pens, options=red_only)))
    assert np.array_equal(painted, pixels(draw(sketching(line_drawing((0, 0, 0))))))
    both = {"sketch_color": [[210, 30, 40], [30, 40, 200]]}
    assert changed(painted, pixels(draw(sketching(two_pens, options=both))))[38:43].mean() > 0.5


def test_sketch_extraction_finds_edges_in_a_picture_and_ignores_sketch_color() -> None:
    image = Image.new("RGB", (256, 256), (230, 220, 190))
    ImageDraw.Draw(image).rectangle((60, 60, 190, 190), fill=(120, 150, 90))
    extracted = draw(sketching(image, options={"sketch_extraction": True}))
    coloured = {"sketch_extraction": True, "sketch_color": [[120, 150, 90]]}
    assert extracted == draw(sketching(image, options=coloured))
    column = pixels(extracted)[100:150].mean(axis=2)
    assert column[:, 54:66].min(axis=1).mean() < column[:, 100:150].mean() - 40


def test_sketch_extraction_keeps_light_and_dark() -> None:
    ramp = np.repeat(np.linspace(30, 230, 256).astype(np.uint8)[None, :, None], 256, axis=0)
    picture = np.repeat(ramp, 3, axis=2)
    for seed in range(4):
        painted = pixels(draw(sketching(picture, options={"sketch_extraction": True}, seed=seed)))
        assert painted[:, 180:240].mean() > painted[:, 16:76].mean() + 50


# Editing


def test_an_edit_without_a_size_takes_the_aspect_of_the_last_image() -> None:
    wide, tall = photograph(640, 400), photograph(400, 640)
    height, width, _ = pixels(draw(editing("combine", wide, tall, size=None))).shape
    assert width % 16 == 0
    assert height % 16 == 0
    assert abs(width * height / 1280**2 - 1) < 0.03
    assert abs(width / height - 400 / 640) < 0.02


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("at night", "夜晚"),
        ("make it snow", "下雪"),
        ("black and white", "黑白照片"),
        ("oil painting", "油画"),
    ],
)
def test_english_and_chinese_wishes_have_the_same_kind_of_effect(
    english: str, chinese: str
) -> None:
    before = photograph().astype(np.int16)
    one, other = pixels(draw(editing(english))), pixels(draw(editing(chinese)))
    assert changed(one, before).mean() > 0.3
    assert abs(one.mean() - other.mean()) < 15
    assert abs(float(np.ptp(one, axis=2).mean() - np.ptp(other, axis=2).mean())) < 10


def test_night_is_darker_and_black_and_white_is_without_colour() -> None:
    before = photograph()
    assert pixels(draw(editing("night"))).mean() < before.mean() * 0.75
    assert np.ptp(pixels(draw(editing("black and white"))), axis=2).mean() < 20
    assert np.ptp(before, axis=2).mean() > 40


def test_a_named_colour_is_changed_into_the_other() -> None:
    picture = np.full((240, 320, 3), 200, np.uint8)
    cv2.circle(picture, (160, 120), 60, (200, 40, 40), -1)
    after = pixels(draw(editing("change the red ball to blue", picture)))
    assert after[120, 160, 2] > after[120, 160, 0] + 60
    assert np.ptp(after[10, 10]) < 40


def test_two_images_are_combined_the_first_in_the_scene_of_the_last() -> None:
    subject = np.full((240, 320, 3), 240, np.uint8)
    cv2.circle(subject, (160, 120), 70, (220, 30, 30), -1)
    scene = np.full((240, 320, 3), (40, 110, 190), np.uint8)
    left = pixels(draw(editing("put it on the left", subject, scene)))
    red = (left[..., 0] > 140) & (left[..., 2] < 90)
    blue = (left[..., 2] > 120) & (left[..., 0] < 90)
    assert 0.02 < red.mean() < 0.4
    assert blue.mean() > 0.4
    assert np.flatnonzero(red.any(axis=0)).mean() < 160
    right = pixels(draw(editing("放在右边", subject, scene)))
    assert np.flatnonzero((right[..., 0] > 140).any(axis=0)).mean() > 160


def test_a_negative_prompt_has_an_effect() -> None:
    plain = pixels(draw(editing("warm light")))
    lighter = pixels(draw(editing("warm light", negative_prompt="dark, gloomy")))
    assert lighter.mean() > plain.mean() + 8
    sharper = pixels(draw(editing("warm light", negative_prompt="模糊")))
    assert np.diff(sharper, axis=1).std() > 1.1 * np.diff(plain, axis=1).std()


# All kinds

KINDS = [
    inpainting(),
    sketching(),
    editing("surprise me"),
    editing("merge", photograph(), photograph(seed=8)),
]


@pytest.mark.parametrize("drawing", KINDS, ids=["inpaint", "sketch", "edit", "combine"])
def test_the_seed_alone_decides(drawing: Drawing) -> None:
    first = draw(drawing)
    assert draw(drawing) == first
    other = pixels(draw(replace(drawing, seed=drawing.seed + 1)))
    assert changed(pixels(first), other, 3).mean() > 0.03


@pytest.mark.parametrize("drawing", KINDS, ids=["inpaint", "sketch", "edit", "combine"])
def test_the_watermark_changes_the_lower_right_alone(drawing: Drawing) -> None:
    plain = pixels(draw(drawing))
    marked = changed(plain, pixels(draw(replace(drawing, watermark=True))), 0)
    height, width = marked.shape
    assert 0.001 < marked.mean() < 0.05
    marked[int(height * 0.85) :, int(width * 0.45) :] = False
    assert not marked.any()


def test_the_file_says_who_drew_it_from_what() -> None:
    with Image.open(io.BytesIO(draw(editing("雪 and snow", seed=77)))) as image:
        text = image.info
    assert "laptop stand-in" in text["Comment"]
    assert "classical" in text["Comment"]
    assert text["Description"] == "雪 and snow"
    assert text["Seed"] == "77"


def test_transparency_counts_as_white() -> None:
    clear = line_drawing().convert("RGBA")
    clear.putalpha(Image.eval(line_drawing().convert("L"), lambda v: 255 if v < 128 else 0))
    assert draw(sketching(clear)) == draw(sketching(line_drawing()))


@pytest.mark.parametrize(
    ("drawing", "said"),
    [
        (replace(KINDS[0], images=(b"x", b"y")), "base image .* cannot be decoded"),
        (replace(KINDS[0], images=(encoded(photograph()), encoded(mask())[:300])), "mask"),
        (replace(KINDS[0], images=(encoded(photograph()),)), "1 pictures; it needs 2"),
        (replace(KINDS[2], images=()), "needs 1 to 3"),
        (replace(KINDS[1], style="anime"), "'anime'; expected one of <auto>"),
        (replace(KINDS[1], kind="video"), "'video'; expected one of inpaint"),
    ],
)
def test_what_cannot_be_drawn_is_explained(drawing: Drawing, said: str) -> None:
    with pytest.raises(DrawingError, match=said):
        draw(drawing)


# Examples


def example_jobs() -> list[dict[str, Any]]:
    jobs = [
        job
        for file in EXAMPLES.glob("*.yaml")
        for job in yaml.safe_load_all(file.read_text("utf-8"))
    ]
    jobs += [json.loads(file.read_text("utf-8")) for file in EXAMPLES.glob("*.json")]
    for file in EXAMPLES.glob("*.jsonl"):
        jobs += [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return jobs


def test_every_picture_that_an_example_names_is_there() -> None:
    named = [v for job in example_jobs() for v in job["input"].values() if isinstance(v, str)]
    named += [url for job in example_jobs() for url in job["input"].get("images", ())]
    names = {url.removeprefix("oss:///inputs/") for url in named if url.startswith("oss:")}
    there = {file.name for file in (EXAMPLES / "inputs").iterdir()}
    assert len(example_jobs()) == 9
    assert names == there - {"LICENSES.md"}
    licences = (EXAMPLES / "inputs" / "LICENSES.md").read_text("utf-8")
    assert all(name in licences for name in names)


def test_the_example_mask_is_as_large_as_its_base() -> None:
    with (
        Image.open(EXAMPLES / "inputs/cat.jpg") as base,
        Image.open(EXAMPLES / "inputs/cat-mask.png") as area,
    ):
        assert base.size == area.size
