from __future__ import annotations

import io
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from PIL import Image, ImageDraw

from local.modelstudio.drawing import Drawing, DrawingError, draw
from local.modelstudio.stored import stored_size

Pixels = npt.NDArray[Any]
STYLES = "3d cartoon|anime|oil painting|watercolor|sketch|chinese painting|flat illustration"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def encoded(picture: Any, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(out, kind)
    return out.getvalue()


def drawn(drawing: Drawing) -> Pixels:
    with Image.open(io.BytesIO(draw(drawing))) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        return np.asarray(image).astype(np.int16)


def photograph(width: int = 320, height: int = 240, seed: int = 5) -> Pixels:
    """Soft colours and texture, as a photograph has them."""
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 210, (6, 8, 3)).astype(np.uint8)
    smooth = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))
    return np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)


PHOTO, MASK = photograph(), np.zeros((240, 320, 3), np.uint8)
cv2.ellipse(MASK, (160, 120), (80, 60), 0, 0, 360, (255, 255, 255), -1)
INSIDE = MASK[..., 0] > 0


def sketch(colour: str = "black", extra: str | None = None) -> Image.Image:
    image = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(image).rectangle((50, 90, 206, 220), outline=colour, width=4)
    ImageDraw.Draw(image).line((0, 40, 255, 40), fill=extra or "white", width=4)
    return image


def job(kind: str, prompt: str, *pictures: Any, **changes: Any) -> Drawing:
    usual = {"inpaint": (PHOTO, MASK), "sketch": (sketch(),), "edit": (PHOTO,)}
    images = tuple(encoded(p) for p in pictures or usual[kind])
    style = "<flat illustration>" if kind == "sketch" else "<auto>"
    return replace(Drawing(kind, prompt, images, "", (320, 240), style, 4), **changes)


inpainting = partial(job, "inpaint")
sketching = partial(job, "sketch", "a gift box", size=(256, 256))
editing = partial(job, "edit")


def changed(one: Pixels, other: Pixels, threshold: int = 12) -> Pixels:
    return np.asarray(np.abs(one - other.astype(np.int16)).max(axis=2) > threshold)


@pytest.mark.parametrize("prompt", ["a big red ball", "glasses", "forest moss", "remove it"])
def test_inpainting_changes_the_masked_area_alone(prompt: str) -> None:
    plain, styled = (drawn(inpainting(prompt, style=s)) for s in ("<auto>", "<watercolor>"))
    for painted in (plain, styled):
        assert np.array_equal(painted[~INSIDE], PHOTO[~INSIDE])
        assert changed(painted, PHOTO)[INSIDE].mean() > 0.05
    assert changed(plain, styled, 3)[INSIDE].mean() > 0.05


def test_inpainting_stretches_to_the_size_and_paints_in_the_named_colour() -> None:
    base = np.asarray(cv2.resize(PHOTO, (480, 200), interpolation=cv2.INTER_CUBIC))
    area = np.asarray(cv2.resize(MASK, (480, 200), interpolation=cv2.INTER_NEAREST))[..., 0]
    assert np.array_equal(drawn(inpainting("moss", size=(480, 200)))[area == 0], base[area == 0])
    assert np.array_equal(drawn(inpainting("a ball", PHOTO, MASK * 0)), PHOTO)
    red, blue = (drawn(inpainting(p))[INSIDE].mean(axis=0) for p in ("a red ball", "一个蓝色的球"))
    assert (red[0] > red[2] + 30, blue[2] > blue[0] + 30) == (True, True)


@pytest.mark.parametrize("prompt", ["purple stone", "a white ball"])
def test_every_colour_of_mask_color_is_a_region_and_no_other(prompt: str) -> None:
    image = Image.new("RGB", (320, 240), "white")
    for left, colour in ((20, (0, 0, 0)), (120, (134, 134, 134)), (220, (0, 200, 0))):
        ImageDraw.Draw(image).rectangle((left, 60, left + 70, 180), fill=colour)
    # A mask that has been a JPEG: no pixel is quite the listed colour any more.
    noise = np.random.default_rng(1).integers(-7, 8, (240, 320, 3))
    noisy = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    options = {"mask_color": [[0, 0, 0], [134, 134, 134]]}
    images = (encoded(PHOTO), encoded(noisy, "JPEG"))
    moved = changed(drawn(inpainting(prompt, images=images, options=options)), PHOTO, 0)
    means = [moved[64:176, left + 4 : left + 66].mean() for left in (20, 120, 220)]
    assert [bool(mean > 0.5) for mean in means] == [True, True, False]
    assert moved[:50].sum() == 0


def test_each_style_keeps_the_lines_and_differs_from_all_others() -> None:
    all_styles = [drawn(sketching(style=f"<{style}>")) for style in STYLES.split("|")]
    for number, painted in enumerate(all_styles):
        grey = painted.mean(axis=2)
        assert grey[120:190, 48:54].min(axis=1).mean() < grey[120:190, 80:170].mean() - 8
        assert all(changed(painted, other).mean() > 0.2 for other in all_styles[:number])
    chosen = [drawn(sketching(style="<auto>", seed=seed)) for seed in range(12)]
    assert {bool(np.ptp(one, axis=2).mean() < 14) for one in chosen} == {True, False}


def test_a_smaller_sketch_weight_binds_the_lines_less() -> None:
    strokes = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(strokes).line((40, 60, 90, 200, 140, 60, 190, 200), fill="black", width=5)
    ink, darkness = np.asarray(strokes.convert("L")) < 128, {}
    for weight in (0, 6, 10, 99):
        grey = drawn(sketching(strokes, options={"sketch_weight": weight})).mean(axis=2)
        darkness[weight] = grey[~ink].mean() - grey[ink].mean()
    assert darkness[10] > darkness[6] + 5 > darkness[0] + 10
    assert darkness[10] == darkness[99]


def test_sketch_color_makes_listed_colours_the_brush_and_the_rest_background() -> None:
    two_pens, colours = sketch("#d21e28", "#1e28c8"), [[210, 30, 40], [30, 40, 200]]
    red, both = (drawn(sketching(two_pens, options={"sketch_color": colours[:n]})) for n in (1, 2))
    assert np.array_equal(red, drawn(sketching()))
    assert changed(red, both)[38:43].mean() > 0.5


def test_sketch_extraction_keeps_edges_and_light_and_ignores_sketch_color() -> None:
    image = Image.new("RGB", (256, 256), (230, 220, 190))
    ImageDraw.Draw(image).rectangle((60, 60, 190, 190), fill=(120, 150, 90))
    extracted = drawn(sketching(image, options={"sketch_extraction": True}))
    coloured = {"sketch_extraction": True, "sketch_color": [[120, 150, 90]]}
    assert np.array_equal(extracted, drawn(sketching(image, options=coloured)))
    column = extracted[100:150].mean(axis=2)
    assert column[:, 54:66].min(axis=1).mean() < column[:, 100:150].mean() - 40
    ramp = np.tile(np.linspace(30, 230, 256).astype(np.uint8)[:, None], (256, 1, 3))
    for seed in range(4):
        painted = drawn(sketching(ramp, options={"sketch_extraction": True}, seed=seed))
        assert painted[:, 180:240].mean() > painted[:, 16:76].mean() + 50


def test_the_sizes_when_none_is_given() -> None:
    assert drawn(inpainting("moss", size=None)).shape == (1024, 1024, 3)
    assert drawn(sketching(size=None)).shape == (768, 768, 3)
    wide, tall = photograph(640, 400), photograph(400, 640)
    height, width, _ = drawn(editing("combine", wide, tall, size=None)).shape
    assert (width % 16, height % 16) == (0, 0)
    assert abs(width * height / 1280**2 - 1) < 0.03
    assert abs(width / height - 400 / 640) < 0.02


@pytest.mark.parametrize(
    "wish", ["at night|夜晚", "make it snow|下雪", "black and white|黑白照片", "oil painting|油画"]
)
def test_english_and_chinese_wishes_have_the_same_kind_of_effect(wish: str) -> None:
    one, other = (drawn(editing(prompt)) for prompt in wish.split("|"))
    assert changed(one, PHOTO).mean() > 0.3
    assert abs(one.mean() - other.mean()) < 15
    vivid = [float(np.ptp(picture, axis=2).mean()) for picture in (one, other, PHOTO)]
    assert abs(vivid[0] - vivid[1]) < 10
    assert "night" not in wish or one.mean() < PHOTO.mean() * 0.75
    assert "black" not in wish or vivid[0] < 20 < vivid[2] / 2


def test_a_named_colour_is_changed_into_the_other() -> None:
    picture = np.full((240, 320, 3), 200, np.uint8)
    cv2.circle(picture, (160, 120), 60, (200, 40, 40), -1)
    after = drawn(editing("change the red ball to blue", picture))
    assert after[120, 160, 2] > after[120, 160, 0] + 60
    assert np.ptp(after[10, 10]) < 40


def test_the_first_image_is_put_into_the_scene_of_the_last() -> None:
    subject = np.full((240, 320, 3), 240, np.uint8)
    cv2.circle(subject, (160, 120), 70, (220, 30, 30), -1)
    scene = np.full((240, 320, 3), (40, 110, 190), np.uint8)
    left = drawn(editing("put it on the left", subject, scene))
    red = (left[..., 0] > 140) & (left[..., 2] < 90)
    assert 0.02 < red.mean() < 0.4 < ((left[..., 2] > 120) & (left[..., 0] < 90)).mean()
    right = drawn(editing("放在右边", subject, scene))[..., 0] > 140
    assert np.flatnonzero(red.any(axis=0)).mean() < 160 < np.flatnonzero(right.any(axis=0)).mean()
    both = drawn(editing("put both there", subject, subject, scene))[..., 0] > 140
    assert both[:, :160].any()
    assert both[:, 160:].any()


def test_a_negative_prompt_has_an_effect() -> None:
    plain = drawn(editing("warm light"))
    lighter = drawn(editing("warm light", negative_prompt="dark, gloomy"))
    sharper = drawn(editing("warm light", negative_prompt="模糊"))
    assert lighter.mean() > plain.mean() + 8
    assert np.diff(sharper, axis=1).std() > 1.1 * np.diff(plain, axis=1).std()


COMBINING = editing("merge", PHOTO, photograph(seed=8))
KINDS = [inpainting("a big red ball"), sketching(), editing("surprise me"), COMBINING]


@pytest.mark.parametrize("drawing", KINDS, ids=["inpaint", "sketch", "edit", "combine"])
def test_the_seed_alone_decides_and_the_watermark_is_lower_right(drawing: Drawing) -> None:
    plain = drawn(drawing)
    assert draw(drawing) == draw(drawing)
    assert changed(plain, drawn(replace(drawing, seed=drawing.seed + 1)), 3).mean() > 0.03
    marked = changed(plain, drawn(replace(drawing, watermark=True)), 0)
    assert 0.001 < marked.mean() < 0.05
    marked[int(len(marked) * 0.85) :, int(len(marked[0]) * 0.45) :] = False
    assert not marked.any()


def test_the_file_says_who_drew_it_and_transparency_counts_as_white() -> None:
    with Image.open(io.BytesIO(draw(editing("雪 and snow", seed=77)))) as image:
        assert all(word in image.info["Comment"] for word in ("laptop stand-in", "classical"))
        assert (image.info["Description"], image.info["Seed"]) == ("雪 and snow", "77")
    clear = sketch().convert("RGBA")
    clear.putalpha(Image.eval(sketch().convert("L"), lambda v: 255 if v < 128 else 0))
    assert draw(sketching(clear)) == draw(sketching())


CANNOT = {
    "base image .* cannot be decoded": inpainting("", images=(b"x", b"y")),
    "mask": inpainting("", images=(encoded(PHOTO), encoded(MASK)[:300])),
    "1 pictures; it needs 2": inpainting("", PHOTO),
    "needs 1 to 9": editing("", images=()),
    "'anime'; expected one of <auto>": sketching(style="anime"),
    "'video'; expected one of inpaint": replace(sketching(), kind="video"),
}


@pytest.mark.parametrize("said", CANNOT)
def test_what_cannot_be_drawn_is_explained(said: str) -> None:
    with pytest.raises(DrawingError, match=said):
        draw(CANNOT[said])


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
    assert len(example_jobs()) >= 16
    assert names == there - {"LICENSES.md"}
    licences = (EXAMPLES / "inputs" / "LICENSES.md").read_text("utf-8")
    assert all(name in licences for name in names)


def test_the_example_mask_is_as_large_as_its_base() -> None:
    with (
        Image.open(EXAMPLES / "inputs/cat.jpg") as base,
        Image.open(EXAMPLES / "inputs/cat-mask.png") as area,
    ):
        assert base.size == area.size


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_turned_photograph_is_painted_as_it_is_stored(kind: str, orientation: int) -> None:
    """A mask that fits the stored pixels, as the size rule asks, marks the right place."""
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    stored = Image.new("RGB", (400, 300), "gray")
    stored.paste("red", (0, 0, 100, 75))
    stored.save(out, kind, exif=exif)
    nothing = encoded(Image.new("L", (400, 300)))
    size = stored_size(Image.open(io.BytesIO(out.getvalue())))
    assert size == (400, 300)
    task = Drawing("inpaint", "a cat", (out.getvalue(), nothing), size=(400, 300))
    red = drawn(task)[5:70, 5:95]
    assert (red[..., 0] - red[..., 1]).min() > 100
