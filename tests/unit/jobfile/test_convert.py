"""A job written for a model that is going becomes one for its successor."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image, ImageDraw

from shared.catalogue.check import check_catalogue
from shared.jobfile import Document, Place, Unreadable, check
from shared.jobfile.convert import Converted, conversions, convert, convert_all
from shared.jobfile.convert_images import NotConvertible
from tests.kit.jobfile import (
    BUCKET,
    CATALOGUE,
    EDIT,
    PAINTING,
    SKETCH,
    Reader,
    data_uri,
    edit,
    image,
    painting,
    sketch,
)

SUCCESSOR = "wanx2.1-imageedit"
BASE, MASK = "/input/base_image_url", "/input/mask_image_url"
LARGE, RED = (600, 520), (255, 0, 0)


def place(objects: dict[str, bytes] | None = None) -> Place:
    return Place(Reader(objects), BUCKET)


def converted(
    job: Any, objects: dict[str, bytes] | None = None, to: str | None = SUCCESSOR
) -> Converted:
    return convert(job, to, CATALOGUE, place(objects))


def refused(job: Any, objects: dict[str, bytes] | None = None, to: str | None = SUCCESSOR) -> str:
    with pytest.raises(NotConvertible) as raised:
        converted(job, objects, to)
    return str(raised.value)


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def spot(size: tuple[int, int], mode: str, inside: Any, ground: Any) -> bytes:
    """A mask with a square in its upper left corner."""
    picture = Image.new(mode, size, ground)
    ImageDraw.Draw(picture).rectangle((0, 0, 99, 99), fill=inside)
    return encoded(picture)


def masked(mask: bytes, base: bytes | None = None, **parameters: Any) -> Converted:
    return converted(*masked_job(mask, base, **parameters))


def masked_job(
    mask: bytes, base: bytes | None = None, **parameters: Any
) -> tuple[dict[str, Any], dict[str, bytes]]:
    names = {"base_image_url": "oss:///inputs/b", "mask_image_url": "oss:///inputs/m"}
    objects = {"inputs/b": base or image("PNG", LARGE), "inputs/m": mask}
    return painting(input=names, parameters=parameters), objects


def picture(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2])))


def white_of(text: str) -> tuple[set[Any], tuple[int, int, int, int] | None]:
    """The values that a mask has, and the box of what is not black."""
    seen = picture(text)
    assert (seen.format, seen.mode) == ("PNG", "L")
    return {value for _, value in seen.getcolors() or []}, seen.getbbox()


def notes_at(done: Converted, pointer: str) -> str:
    return "\n".join(note for note in done.notes if f"at {pointer}:" in note)


def test_the_catalogue_is_sound_with_its_conversions() -> None:
    assert check_catalogue() == []
    assert conversions(CATALOGUE) == {
        PAINTING: SUCCESSOR,
        SKETCH: SUCCESSOR,
        "wanx-v1": "wan2.2-t2i-flash",
    }


def test_a_painting_becomes_an_edit_with_a_mask() -> None:
    mask = spot(LARGE, "L", 255, 0)
    job, objects = masked_job(mask, style="<anime>", size="720*1280", n=3)
    options = {"id": "my-cat", "labels": {"a": "b"}, "priority": 2}
    done = converted({**job, "job": options}, objects)
    assert done.value["model"] == SUCCESSOR
    assert done.value["input"]["function"] == "description_edit_with_mask"
    assert done.value["input"]["prompt"] == job["input"]["prompt"]
    assert done.value["input"]["base_image_url"] == "oss:///inputs/b"
    assert done.value["parameters"] == {"n": 3}
    assert done.value["job"] == {"labels": {"a": "b"}, "priority": 2}
    assert "left out" in notes_at(done, "/job/id")
    assert "left out" in notes_at(done, "/parameters/style")
    assert "left out" in notes_at(done, "/parameters/size")
    found = check(Document(0, done.value), CATALOGUE, place(objects))
    assert found.violations == ()


def test_the_job_that_was_given_stays_as_it_is() -> None:
    job = {**sketch(), "job": {"labels": {"a": "b"}}}
    converted(job).value["job"]["labels"]["a"] = "c"
    assert job == {**sketch(), "job": {"labels": {"a": "b"}}}


def test_a_sketch_becomes_a_doodle() -> None:
    parameters = {"sketch_weight": 3, "sketch_color": [[1, 2, 3]], "n": 1}
    done = converted(sketch(parameters=parameters))
    assert done.value["input"]["function"] == "doodle"
    assert done.value["input"]["base_image_url"] == "https://example.com/a.png"
    assert done.value["parameters"] == {"n": 1, "is_sketch": True}
    assert "cannot be set" in notes_at(done, "/parameters/sketch_weight")
    assert "black on white" in notes_at(done, "/parameters/sketch_color")
    assert check(Document(0, done.value), CATALOGUE, place()).violations == ()


def test_a_job_of_the_first_version_loses_its_style_and_its_reference() -> None:
    given = {"prompt": "a fox", "negative_prompt": "people", "ref_img": "https://example.com/a.png"}
    parameters = {
        "style": "<anime>",
        "ref_mode": "refonly",
        "ref_strength": 0.5,
        "size": "720*1280",
    }
    job = {"model": "wanx-v1", "input": given, "parameters": {**parameters, "seed": 7}}
    done = convert(job, None, CATALOGUE, place())
    assert done.value["model"] == "wan2.2-t2i-flash"
    assert done.value["input"] == {"prompt": "a fox", "negative_prompt": "people"}
    assert done.value["parameters"] == {"size": "720*1280", "seed": 7, "n": 4}
    assert "wan2.7-image" in notes_at(done, "/input/ref_img")
    assert "no styles" in notes_at(done, "/parameters/style")
    assert check(Document(0, done.value), CATALOGUE, place()).violations == ()


@pytest.mark.parametrize("extracts", [True, False])
def test_a_photograph_is_no_sketch(extracts: bool) -> None:
    done = converted(sketch(parameters={"sketch_extraction": extracts}))
    assert done.value["parameters"]["is_sketch"] is not extracts


def test_the_default_that_drives_the_cost_is_kept_and_said() -> None:
    done = converted(sketch())
    assert done.value["parameters"]["n"] == 4
    assert "4, the default of" in notes_at(done, "/parameters/n")
    assert "CNY 0.14" in done.notes[-1]
    assert "CNY 0.06" in done.notes[-1]


@pytest.mark.parametrize(
    ("mask", "colours"),
    [
        (spot(LARGE, "L", 255, 0), []),
        (spot(LARGE, "L", 200, 60), []),
        (spot(LARGE, "RGB", RED, "white"), [list(RED)]),
        (spot(LARGE, "RGB", (240, 10, 5), (0, 0, 255)), [list(RED)]),
        (spot(LARGE, "P", "white", "black"), []),
        (spot(LARGE, "1", 1, 0), []),
    ],
)
def test_what_the_mask_marks_is_pure_white_and_all_else_pure_black(
    mask: bytes, colours: list[list[int]]
) -> None:
    done = masked(mask, mask_color=colours)
    assert "mask_color" not in str(done.value)
    values, box = white_of(done.value["input"]["mask_image_url"])
    assert values == {0, 255}
    assert box == (0, 0, 100, 100)
    assert "black and white" in notes_at(done, MASK)


def test_colours_go_before_white() -> None:
    done = masked(spot(LARGE, "RGB", RED, "white"), mask_color=[list(RED)])
    assert white_of(done.value["input"]["mask_image_url"])[1] == (0, 0, 100, 100)


def test_an_inline_mask_is_read_as_well() -> None:
    job, objects = masked_job(b"")
    job["input"]["mask_image_url"] = data_uri(spot(LARGE, "L", 255, 0))
    done = converted(job, objects)
    assert white_of(done.value["input"]["mask_image_url"])[1] == (0, 0, 100, 100)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_small_images_are_enlarged_together(kind: str) -> None:
    size, fits = (300, 400), (512, 683)
    done = masked(spot(size, "L", 255, 0), image(kind, size))
    base = picture(done.value["input"]["base_image_url"])
    assert (base.size, base.format) == (fits, kind)
    mask = done.value["input"]["mask_image_url"]
    assert picture(mask).size == fits
    assert white_of(mask)[0] == {0, 255}
    assert "from 300x400 pixels to 512x683 pixels" in notes_at(done, BASE)
    assert check(Document(0, done.value), CATALOGUE, place()).violations == ()


def test_a_sketch_that_is_too_small_is_enlarged() -> None:
    job = sketch(input={"sketch_image_url": "oss:///inputs/s"})
    done = converted(job, {"inputs/s": image("PNG", (256, 256))})
    assert picture(done.value["input"]["base_image_url"]).size == (512, 512)


def test_an_image_that_is_too_long_and_narrow_is_refused_with_the_reason() -> None:
    size = (300, 4000)
    said = refused(*masked_job(spot(size, "L", 255, 0), image("PNG", size)))
    assert "512x6827 pixels" in said
    assert "less long and narrow" in said


def test_a_small_mask_whose_base_image_is_elsewhere_is_refused() -> None:
    job, objects = masked_job(spot((300, 300), "L", 255, 0))
    job["input"]["base_image_url"] = "https://example.com/a.png"
    said = refused(job, objects)
    assert said.startswith(f"at {BASE}: the images must be enlarged")
    assert "oss:///inputs/name.png" in said


def test_a_mask_elsewhere_stays_and_is_said() -> None:
    done = converted(painting())
    assert done.value["input"]["mask_image_url"] == "https://example.com/m.png"
    assert "not looked at" in notes_at(done, MASK)
    assert "not looked at" in notes_at(done, BASE)


def test_but_not_where_colours_mark_the_region() -> None:
    said = refused(painting(parameters={"mask_color": [[1, 2, 3]]}))
    assert "cannot be read from here" in said


def test_a_mask_whose_transparency_marks_something_else_is_refused() -> None:
    """Fully transparent black: black by its colours, white on white."""
    mask = spot(LARGE, "RGBA", (0, 0, 0, 0), (0, 0, 0, 255))
    assert "without transparency" in refused(*masked_job(mask))


def test_one_whose_transparency_changes_nothing_is_converted() -> None:
    done = masked(spot(LARGE, "RGBA", (255, 255, 255, 0), (0, 0, 0, 255)))
    assert white_of(done.value["input"]["mask_image_url"])[1] == (0, 0, 100, 100)


@pytest.mark.parametrize(
    ("mask", "word"),
    [(b"no image", "not"), (image("PNG", LARGE)[:200], "cut off"), (None, "does not exist")],
)
def test_a_mask_that_cannot_be_read_is_refused(mask: bytes | None, word: str) -> None:
    job, objects = masked_job(mask or b"")
    if mask is None:
        del objects["inputs/m"]
    assert word in refused(job, objects)


def test_pixels_are_bounded() -> None:
    job, objects = masked_job(spot(LARGE, "L", 255, 0))
    where = place(objects)
    where.pixels.left = LARGE[0] * LARGE[1] - 1
    with pytest.raises(match="too many pixels"):
        convert(job, SUCCESSOR, CATALOGUE, where)


@pytest.mark.parametrize("turned", ["mask", "base"])
def test_an_image_that_is_turned_when_shown_is_not_changed(turned: str) -> None:
    """What is written anew has no EXIF: a mask would mark another region of its picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = image("JPEG", (500, 400), exif=exif)
    mask = lying if turned == "mask" else image("PNG", (500, 400))
    job, objects = masked_job(mask, lying)
    assert "EXIF orientation 6" in refused(job, objects)


def test_pixels_that_are_made_are_bounded_as_well() -> None:
    """Two small images may become large ones."""
    job, objects = masked_job(image("PNG", (100, 100)))
    where = place(objects)
    where.pixels.left = 10_000_000
    with pytest.raises(match="too many pixels"):
        convert(job, SUCCESSOR, CATALOGUE, where)
    given = where.images
    assert isinstance(given, Reader) and given.given < 100_000, "nothing is read for nothing"


def test_comparing_with_colours_counts_as_well() -> None:
    mask, colours = spot(LARGE, "RGB", RED, 0), [list(RED)] * 64
    job, objects = masked_job(mask, mask_color=colours)
    where = place(objects)
    where.pixels.left = 8 * LARGE[0] * LARGE[1]
    with pytest.raises(match="too many pixels"):
        convert(job, SUCCESSOR, CATALOGUE, where)


def test_the_new_images_of_a_file_are_bounded_together() -> None:
    job, objects = masked_job(spot(LARGE, "L", 255, 0))
    where = place(objects)
    made = convert(job, SUCCESSOR, CATALOGUE, where).value["input"]["mask_image_url"]
    where.pixels.room = len(base64.b64decode(made.partition(",")[2]))
    documents = [Document(0, job), Document(1, job)]
    with pytest.raises(Unreadable) as raised:
        convert_all(documents, None, CATALOGUE, where)
    (violation,) = raised.value.violations
    assert "convert fewer jobs at once" in violation.message


def test_a_file_full_of_jobs_that_cannot_be_converted_is_not_read_to_its_end() -> None:
    job, objects = masked_job(image("PNG", LARGE)[:200])

    def read(jobs: int) -> int:
        reader = Reader(objects)
        documents = [Document(number, job) for number in range(jobs)]
        with pytest.raises(Unreadable):
            convert_all(documents, None, CATALOGUE, Place(reader, BUCKET))
        return reader.given

    assert read(10) < read(150) == read(300)


@pytest.mark.parametrize(
    ("job", "to", "words"),
    [
        (edit(), SUCCESSOR, [f"jobs of {EDIT} cannot", f"{PAINTING} to {SUCCESSOR}"]),
        (painting(), EDIT, [f"cannot be converted to {EDIT}", f"converted to {SUCCESSOR}"]),
        (painting(), "nothing", ["nothing is not a known model", f"converted to {SUCCESSOR}"]),
        ({"model": "wanx-x-paint"}, None, [f"did you mean {PAINTING}"]),
        ({"input": {}}, None, ["names no model"]),
        (["a"], None, ["names no model"]),
    ],
)
def test_an_unfit_target_names_what_is_possible(job: Any, to: str | None, words: list[str]) -> None:
    said = refused(job, None, to)
    assert [word for word in words if word not in said] == []


def test_a_job_for_the_successor_stays_as_it_is() -> None:
    once = converted(sketch())
    assert converted(once.value).value == once.value


def test_an_unknown_field_is_left_out_and_said() -> None:
    done = converted(sketch(parameters={"sketchweight": 3}))
    assert "no such field" in notes_at(done, "/parameters/sketchweight")


def test_however_many_fields_are_left_out_it_is_said() -> None:
    done = converted(sketch(parameters={f"odd{number}": 1 for number in range(150)}))
    assert "50 more fields were left out." in done.notes


@pytest.mark.parametrize("odd", ["true", 1, None])
def test_a_value_that_says_nothing_is_not_lost_without_a_word(odd: Any) -> None:
    done = converted(sketch(parameters={"sketch_extraction": odd}))
    assert "counts as false" in notes_at(done, "/parameters/sketch_extraction")
    plain = converted(sketch(parameters={"sketch_extraction": False}))
    assert not any("sketch_extraction" in note for note in plain.notes)


@pytest.mark.parametrize("odd", [[{"n": 4}], "n: 4", 5])
def test_parameters_that_are_no_mapping_stay_wrong(odd: Any) -> None:
    done = converted(sketch(parameters=odd))
    assert done.value["parameters"] == odd
    assert check(Document(0, done.value), CATALOGUE, place()).violations


@pytest.mark.parametrize("odd", [None, 5, "text", [], {"prompt": 7}])
def test_odd_values_end_in_a_job_that_the_check_refuses(odd: Any) -> None:
    done = converted({"model": SKETCH, "input": odd, "parameters": odd})
    assert check(Document(0, done.value), CATALOGUE, place()).violations


def test_all_jobs_of_a_file_or_none() -> None:
    documents = [Document(0, sketch()), Document(1, edit()), Document(2, {"model": "what"})]
    with pytest.raises(Unreadable) as raised:
        convert_all(documents, SUCCESSOR, CATALOGUE, place())
    assert len(raised.value.violations) == 2


def test_where_no_model_is_named_jobs_without_a_successor_stay() -> None:
    documents = [Document(0, sketch()), Document(1, edit())]
    done = convert_all(documents, None, CATALOGUE, place())
    assert [one.value["model"] for one in done] == [SUCCESSOR, EDIT]
    assert done[1].value == edit()
    with pytest.raises(Unreadable):
        convert_all(documents[1:], None, CATALOGUE, place())
