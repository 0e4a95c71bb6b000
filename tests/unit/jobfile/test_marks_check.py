"""What the pixels of masks and sketches show, before an image is spent on them."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFilter

from shared.catalogue.files import SCHEMAS
from shared.catalogue.model_file import load_catalogue
from shared.jobfile import Checked, Place, check, parse
from shared.jobfile.image_marks import PixelCounter
from tests.kit.catalogue import change
from tests.kit.jobfile import (
    BUCKET,
    CATALOGUE,
    PAINTING,
    Reader,
    at,
    checked,
    data_uri,
    image,
    only,
    painting,
    sketch,
)

SIZE = (400, 300)
MASK, SKETCH = "/input/mask_image_url", "/input/sketch_image_url"
BLACK: dict[str, Any] = {"1": 0, "L": 0, "P": 0, "RGB": "black", "RGBA": (0, 0, 0, 255)}


def encoded(picture: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue()


def oval(mode: str, inside: Any, ground: Any = None) -> Image.Image:
    """An ellipse in the middle, a quarter of the picture or so."""
    picture = Image.new(mode, SIZE, BLACK[mode] if ground is None else ground)
    ImageDraw.Draw(picture).ellipse((100, 75, 250, 200), fill=inside)
    return picture


def photograph(mode: str = "RGB") -> Image.Image:
    """Every brightness between black and white, as photographs have them."""
    return Image.linear_gradient("L").resize(SIZE).convert(mode)


def masked(mask: bytes, **parameters: Any) -> Checked:
    objects = {"inputs/b.png": encoded(photograph()), "inputs/m": mask}
    names = {"base_image_url": "oss:///inputs/b.png", "mask_image_url": "oss:///inputs/m"}
    return checked(painting(input=names, parameters=parameters), objects)


def sketched(body: bytes, **parameters: Any) -> Checked:
    job = sketch(input={"sketch_image_url": "oss:///inputs/s"}, parameters=parameters)
    return checked(job, {"inputs/s": body})


def said(found: Checked) -> list[str]:
    """Notices about the image; the aspect of a sketch is another matter."""
    places = (MASK, SKETCH)
    told = [one.message for one in found.notices if one.pointer in places]
    return [text for text in told if "stretched" not in text]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (Image.new("RGB", SIZE), ["all black"]),
        (oval("L", 1), ["brightest value is 1 of 255"]),
        (oval("P", 1), ["no pixel of the mask is white"]),
        (oval("L", 100), ["brightest value is 100 of 255"]),
        (oval("RGB", (255, 0, 0)), ["mask_color: [[255, 0, 0]]"]),
        (Image.new("RGBA", SIZE, (0, 0, 0, 255)), ["all black"]),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_mask_that_selects_nothing_is_refused(
    mask: Image.Image, words: list[str], kind: str
) -> None:
    violation = only(masked(encoded(mask, kind)).violations)
    assert violation.pointer == MASK
    assert "white" in violation.message
    for word in words:
        assert word in violation.message


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_so_is_one_in_a_format_that_loses_something(kind: str) -> None:
    assert "all black" in only(masked(encoded(Image.new("RGB", SIZE), kind)).violations).message


def test_a_colour_that_does_not_occur_is_refused_with_those_that_do() -> None:
    red = encoded(oval("RGB", (255, 0, 0)))
    violation = only(masked(red, mask_color=[[0, 255, 0]]).violations)
    assert "[[255, 0, 0]]" in violation.message
    assert violation.pointer == MASK
    for colours in ([[255, 0, 0]], [[0, 255, 0], [250, 4, 4]]):
        found = masked(red, mask_color=colours)
        assert (found.violations, said(found)) == ((), [])


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_mask_that_selects_everything_is_refused(mode: str) -> None:
    white = encoded(Image.new(mode, SIZE, "white"))
    assert "every pixel" in only(masked(white).violations).message


def sixteen_bits(inside: int = 255) -> bytes:
    wide = oval("L", inside).convert("I").point(lambda value: value * 257)
    return encoded(wide.convert("I;16"))


@pytest.mark.parametrize(
    "mask",
    [
        encoded(oval("RGB", "white")),
        encoded(oval("L", 255)),
        encoded(oval("1", 1)),
        encoded(oval("L", 255).convert("P")),
        encoded(oval("L", 255, 1)),
        encoded(oval("L", 128)),
        encoded(oval("RGB", "white"), "JPEG", quality=60),
        encoded(oval("L", 255).filter(ImageFilter.GaussianBlur(40))),
        encoded(oval("RGB", "white"), "BMP"),
        sixteen_bits(),
    ],
)
def test_a_mask_that_selects_a_part_is_fine(mask: bytes) -> None:
    found = masked(mask)
    assert (found.violations, [text for text in said(found) if "photograph" in text]) == ((), [])


def test_sixteen_dark_bits_select_nothing() -> None:
    assert "value is 4 of 255" in only(masked(sixteen_bits(4)).violations).message


@pytest.mark.parametrize(
    "mask",
    [
        oval("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
        oval("RGBA", (255, 255, 255, 255), (0, 0, 0, 0)),
        oval("RGBA", (255, 255, 255, 255), (0, 0, 0, 255)),
    ],
)
def test_what_the_service_makes_of_transparency_is_not_known_and_said_so(mask: Image.Image) -> None:
    found = masked(encoded(mask))
    assert found.violations == ()
    assert "alpha channel" in only(tuple(n for n in found.notices if n.pointer == MASK)).message


def test_a_photograph_as_mask_is_a_notice() -> None:
    found = masked(encoded(photograph("L").rotate(180)))
    assert found.violations == ()
    assert "photograph" in at(found.notices, MASK).message


@pytest.mark.parametrize("same", ["key", "bytes", "url"])
def test_one_picture_as_base_and_mask_is_refused(same: str) -> None:
    body = encoded(oval("RGB", "white"))
    names = {
        "key": ("oss:///inputs/a.png", "oss://our-bucket/inputs/a.png"),
        "bytes": ("oss:///inputs/a.png", "oss:///inputs/b.png"),
        "url": ("https://example.com/a.png", "https://example.com/a.png"),
    }[same]
    job = painting(input=dict(zip(("base_image_url", "mask_image_url"), names, strict=True)))
    found = checked(job, {"inputs/a.png": body, "inputs/b.png": body})
    assert "same picture" in at(found.violations, MASK).message


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (oval("L", 255), "mostly dark"),
        (oval("RGB", (255, 0, 0), "white"), "sketch_color: [[255, 0, 0]]"),
        (Image.new("L", SIZE, 255), "no dark line"),
    ],
)
def test_a_sketch_that_is_not_dark_on_white_is_a_notice(picture: Image.Image, words: str) -> None:
    found = sketched(encoded(picture))
    assert found.violations == ()
    assert words in " ".join(said(found))


def test_a_sketch_with_transparency_is_a_notice() -> None:
    lines = oval("RGBA", (0, 0, 0, 255), (0, 0, 0, 0))
    (text,) = said(sketched(encoded(lines)))
    assert "alpha channel" in text


def test_a_sketch_color_that_does_not_occur_is_a_notice() -> None:
    red = encoded(oval("RGB", (255, 0, 0), "white"))
    (text,) = said(sketched(red, sketch_color=[[0, 0, 255]]))
    assert "sketch_color: [[255, 0, 0]]" in text
    assert said(sketched(red, sketch_color=[[255, 0, 0]])) == []


def test_a_photograph_whose_edges_are_extracted_is_no_sketch_to_judge() -> None:
    assert said(sketched(encoded(oval("L", 255)), sketch_extraction=True)) == []
    assert said(sketched(encoded(oval("L", 0, 255)))) == []


def test_a_mask_costs_one_request_more_only_if_it_is_large() -> None:
    noise = (
        Image.effect_noise(SIZE, 250).point(lambda value: 255 * (value > 128)).resize((900, 900))
    )
    large = encoded(noise, "BMP")
    assert len(large) > 512 * 1024
    for mask, requests in ((encoded(oval("L", 255)), 1), (large, 2)):
        reader = Reader({"inputs/m": mask})
        job = painting(input={"mask_image_url": "oss:///inputs/m"})
        assert checked(job, reader=reader).violations == ()
        assert reader.asked.count() == requests
        assert reader.given == len(mask)


def test_what_cannot_be_decoded_is_refused_without_naming_a_library() -> None:
    body = bytearray(encoded(oval("RGB", "white"), "TIFF", compression="tiff_adobe_deflate"))
    body[20:60] = bytes(40)
    violation = only(masked(bytes(body)).violations)
    assert "save" in violation.message


def test_a_model_without_marks_is_not_decoded() -> None:
    from tests.kit.jobfile import edit

    black = encoded(Image.new("RGB", (512, 512)))
    assert checked(edit(input={"images": [data_uri(black)]})).notices == ()
    assert image("PNG") != black


def test_colours_that_are_no_colours_are_the_schema_s_matter() -> None:
    found = masked(encoded(oval("L", 255)), mask_color=[[1, 2], "red"])
    assert {one.pointer for one in found.violations} >= {"/parameters/mask_color/1"}
    assert all(one.pointer != MASK for one in found.violations)


def test_more_pixels_than_are_decoded_are_left_to_the_service(tmp_path: Path) -> None:
    """A model may take larger masks than the functions have memory for."""
    folder = Path(shutil.copytree(SCHEMAS, tmp_path / "schemas"))
    catalogue = load_catalogue(change(folder, "max: 4096", "max: 9000", PAINTING))
    big = encoded(Image.new("1", (4096, 4097)))
    names = {"base_image_url": "oss:///inputs/b.png", "mask_image_url": "oss:///inputs/m"}
    reader = Reader({"inputs/b.png": encoded(Image.new("1", (4096, 4097), 1)), "inputs/m": big})
    document = parse(json.dumps(painting(input=names)).encode(), "a.json")[0]
    assert check(document, catalogue, Place(reader, BUCKET)).violations == ()


def test_a_file_has_so_many_pixels_looked_at_and_each_object_once() -> None:
    masks = {f"inputs/{n}.png": encoded(oval("L", n)) for n in range(4)}
    reader = Reader({"inputs/b.png": encoded(photograph()), **masks})
    place = Place(reader, BUCKET, pixels=PixelCounter(2 * SIZE[0] * SIZE[1]))

    def violated(number: int) -> tuple[int, int]:
        names = {
            "base_image_url": "oss:///inputs/b.png",
            "mask_image_url": f"oss:///inputs/{number}.png",
        }
        found = check(
            parse(json.dumps(painting(input=names)).encode(), "a.json")[0], CATALOGUE, place
        )
        return len(found.violations), sum("not looked at" in text for text in said(found))

    assert [violated(number) for number in (0, 1, 0, 2, 1)] == [
        (1, 0),
        (1, 0),
        (1, 0),
        (0, 1),
        (1, 0),
    ]
