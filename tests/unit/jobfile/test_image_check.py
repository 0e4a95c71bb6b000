from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from shared.jobfile import Checked, Place, check, parse
from shared.storage.objects import ObjectForbidden, Slice, StoreError
from tests.kit.jobfile import (
    BUCKET,
    CATALOGUE,
    Reader,
    at,
    checked,
    data_uri,
    edit,
    image,
    only,
    painting,
    sketch,
)


def painted(base: bytes, mask: bytes, names: tuple[str, str] = ("b.png", "m.png")) -> Checked:
    base = base if base != mask else base + b"\0"  # equal pictures are refused
    objects = {f"inputs/{names[0]}": base, f"inputs/{names[1]}": mask}
    urls = {
        "base_image_url": f"oss:///inputs/{names[0]}",
        "mask_image_url": f"oss:///inputs/{names[1]}",
    }
    return checked(painting(input=urls), objects)


def sketched(body: bytes, name: str = "s.png") -> Checked:
    key = f"inputs/{name}"
    return checked(sketch(input={"sketch_image_url": f"oss:///{key}"}), {key: body})


def edited(*bodies: bytes, suffix: str = "png") -> Checked:
    objects = {f"inputs/{i}.{suffix}": body for i, body in enumerate(bodies)}
    return checked(edit(input={"images": [f"oss:///{key}" for key in objects]}), objects)


def test_an_object_of_the_bucket_becomes_its_key() -> None:
    found = painted(image("PNG"), image("PNG"))
    assert found.violations == ()
    assert found.spec is not None
    assert [(u.pointer, u.key, u.form) for u in found.spec.images] == [
        ("/input/base_image_url", "inputs/b.png", "bucket"),
        ("/input/mask_image_url", "inputs/m.png", "bucket"),
    ]


@pytest.mark.parametrize("job", [painting(), sketch()], ids=["painting", "sketch"])
def test_some_models_take_neither_inline_data_nor_chinese_urls(job: dict[str, Any]) -> None:
    field = next(name for name in job["input"] if name.endswith("_url"))
    for text, words in [
        (data_uri(image("PNG")), "no inline data"),
        ("https://h/猫", "percent-encode"),
    ]:
        job["input"][field] = text
        violation = only(checked(job).violations)
        assert violation.pointer == f"/input/{field}"
        assert words in violation.message


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("JPEG", "fine"),
        ("PNG", "fine"),
        ("BMP", "fine"),
        ("TIFF", "notice"),
        ("WEBP", "notice"),
        ("GIF", "error"),
    ],
)
def test_formats_for_painting(kind: str, verdict: str) -> None:
    found = painted(image(kind), image(kind), ("b", "m"))
    assert _verdict(found) == verdict


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("JPEG", "fine"),
        ("PNG", "fine"),
        ("WEBP", "fine"),
        ("TIFF", "notice"),
        ("BMP", "notice"),
        ("GIF", "error"),
    ],
)
def test_formats_for_sketches(kind: str, verdict: str) -> None:
    assert _verdict(sketched(image(kind), "s")) == verdict


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("JPEG", "fine"),
        ("PNG", "fine"),
        ("BMP", "fine"),
        ("WEBP", "fine"),
        ("TIFF", "error"),
        ("GIF", "error"),
    ],
)
def test_formats_for_editing(kind: str, verdict: str) -> None:
    assert _verdict(edited(image(kind), suffix="")) == verdict


def _verdict(found: Checked) -> str:
    if found.violations:
        assert all("refused" in violation.message for violation in found.violations)
        return "error"
    notices = [notice for notice in found.notices if notice.pointer != "/model"]
    assert all("may be refused" in notice.message for notice in notices)
    return "notice" if notices else "fine"


@pytest.mark.parametrize(
    ("size", "fits"),
    [
        ((256, 300), False),
        ((257, 257), True),
        ((300, 256), False),
        ((4095, 257), True),
        ((4096, 300), False),
        ((300, 4096), False),
    ],
)
def test_painting_bounds_are_exclusive(size: tuple[int, int], fits: bool) -> None:
    found = painted(image("PNG", size, "L"), image("PNG", size, "L"))
    assert (found.violations == ()) is fits
    if not fits:
        assert "above 256 and below 4096" in at(found.violations, "/input/mask_image_url").message


@pytest.mark.parametrize(
    ("size", "fits"),
    [
        ((255, 256), False),
        ((256, 256), True),
        ((2048, 2048), True),
        ((2049, 2048), False),
        ((2048, 2049), False),
    ],
)
def test_sketch_bounds_are_inclusive(size: tuple[int, int], fits: bool) -> None:
    found = sketched(image("PNG", size, "L"))
    assert (found.violations == ()) is fits
    if not fits:
        assert "from 256 to 2048" in only(found.violations).message


@pytest.mark.parametrize(
    ("size", "fits"),
    [
        ((383, 384), False),
        ((384, 384), True),
        ((384, 383), False),
        ((5000, 384), True),
        ((5001, 384), False),
        ((384, 5001), False),
    ],
)
def test_editing_bounds_are_inclusive(size: tuple[int, int], fits: bool) -> None:
    assert (edited(image("PNG", size, "L")).violations == ()) is fits


@pytest.mark.parametrize(
    ("size", "notices"), [((500, 500), 0), ((500, 600), 1), ((500, 999), 1), ((1000, 500), 2)]
)
def test_the_aspect_of_a_sketch_is_advice(size: tuple[int, int], notices: int) -> None:
    found = sketched(image("PNG", size))
    assert found.spec is not None
    aspects = [one for one in found.notices if one.pointer == "/input/sketch_image_url"]
    assert len(aspects) == notices


def test_a_mask_of_another_size_is_told() -> None:
    found = painted(image("PNG", (512, 400)), image("PNG", (400, 512)))
    violation = only(found.violations)
    assert violation.pointer == "/input/mask_image_url"
    assert "400x512" in violation.message
    assert "512x400" in violation.expected


def test_a_mask_is_compared_with_the_base_as_it_is_stored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = painted(image("JPEG", (512, 400), exif=exif), image("PNG", (512, 400)), ("b", "m"))
    assert found.violations == ()
    assert "512x400" in at(found.notices, "/input/base_image_url").message


def test_a_mask_whose_base_lies_elsewhere_is_not_compared() -> None:
    job = painting(input={"mask_image_url": "oss:///inputs/m.png"})
    assert checked(job, {"inputs/m.png": image("PNG")}).violations == ()


@pytest.mark.parametrize("body", [image("PNG", (10, 10), "L"), b"hello"])
def test_every_image_of_a_list_is_checked(body: bytes) -> None:
    found = edited(image("PNG"), body, body)
    assert [v.pointer for v in found.violations] == ["/input/images/1", "/input/images/2"]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_refused_where_the_document_says_so(mode: str) -> None:
    assert "alpha" in only(edited(image("PNG", mode=mode)).violations).message
    assert edited(image("WEBP", mode="RGBA"), suffix="webp").violations == ()
    assert painted(image("PNG", mode=mode), image("PNG", mode=mode)).violations == ()


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_the_bound_of_bytes(extra: int, fits: bool) -> None:
    body = image("PNG")
    body += bytes(10485760 + extra - len(body))
    found = edited(body)
    assert (found.violations == ()) is fits
    if not fits:
        assert "10485761 bytes" in only(found.violations).message


def test_inline_data_is_bounded_and_probed() -> None:
    def inline(body: bytes, media_type: str = "image/png") -> Checked:
        return checked(edit(input={"images": [data_uri(body, media_type)]}))

    assert inline(image("PNG")).notices == ()
    assert "383x384" in only(inline(image("PNG", (383, 384))).violations).message
    assert "alpha" in only(inline(image("PNG", mode="RGBA")).violations).message
    assert "content is JPEG" in only(inline(image("JPEG")).notices).message
    large = image("PNG") + bytes(8_000_000)
    assert "too long for inline" in only(inline(large).notices).message
    found = inline(image("PNG") + bytes(10_485_760))
    assert "at most 10485760" in only(found.violations).message
    assert len(str(found.violations)) < 1000


def test_a_name_that_does_not_fit_the_content_is_a_notice() -> None:
    found = sketched(image("JPEG"), "s.png")
    assert found.spec is not None
    assert "the content is JPEG" in at(found.notices, "/input/sketch_image_url").message


def test_a_text_named_as_image_is_told() -> None:
    assert "looks like text" in only(sketched(b"hello").violations).message


def test_an_animation_is_a_notice() -> None:
    frames = [Image.new("RGB", (512, 512), (shade, 0, 0)) for shade in (0, 200)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    found = edited(file.getvalue(), suffix="webp")
    assert found.spec is not None
    assert "animated" in only(found.notices).message


def test_an_object_named_twice_is_read_once_and_in_part() -> None:
    reader = Reader({"inputs/a.bmp": image("BMP") + bytes(5_000_000)})
    job = edit(input={"images": ["oss:///inputs/a.bmp", "oss:///inputs/a.bmp"]})
    document = parse(json.dumps(job).encode(), "a.json")[0]
    assert check(document, CATALOGUE, Place(reader, BUCKET)).spec is not None
    assert (reader.asked.count(), reader.given) == (1, 262144)


def test_a_store_that_cannot_be_asked_is_no_fault_of_the_job() -> None:
    class Broken:
        def read_range(self, key: str, start: int, length: int) -> Slice:
            raise StoreError("503 ServiceUnavailable")

    document = parse(json.dumps(edit(input={"images": ["oss:///inputs/a"]})).encode(), "a.json")[0]
    with pytest.raises(StoreError):
        check(document, CATALOGUE, Place(Broken(), BUCKET))


class ForbiddingReader(Reader):
    """A bucket of which the role may read nothing."""

    def read_range(self, key: str, start: int, length: int) -> Slice:
        raise ObjectForbidden(f"Could not read {key}: OSS answered 403 AccessDenied.")


def read_under_a_narrow_role(key: str) -> Checked:
    job = json.dumps(sketch(input={"sketch_image_url": f"oss:///{key}"})).encode()
    return check(parse(job, "a.json")[0], CATALOGUE, Place(ForbiddingReader({}), BUCKET))


def test_an_image_that_the_role_may_not_read_is_the_callers_mistake() -> None:
    violation = only(read_under_a_narrow_role("photos/a.png").violations)
    assert "copy it to inputs/" in violation.message
    assert violation.pointer == "/input/sketch_image_url"


def test_a_role_that_may_not_read_inputs_is_nobodys_mistake_who_uploads() -> None:
    with pytest.raises(ObjectForbidden):
        read_under_a_narrow_role("inputs/a.png")


def test_a_mask_drawn_over_the_turned_view_is_told_what_turns_it() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = painted(image("JPEG", (800, 600), exif=exif), image("PNG", (600, 800)), ("b", "m"))
    message = only(found.violations).message
    assert "EXIF orientation 6" in message
    assert "save it upright" in message
    assert "/input/base_image_url" in message


KEY = "inputs/long.png"


def aspect_job(model: str, key: str, **given: Any) -> dict[str, Any]:
    name = f"oss:///{KEY}"
    return {"model": model, "input": {key: [name] if key == "images" else name, **given}}


@pytest.mark.parametrize(
    ("job", "longest"),
    [
        (aspect_job("wan2.7-image", "images", prompt="a tree"), (2400, 300)),
        (aspect_job("qwen-mt-image", "image_url", source_lang="zh", target_lang="en"), (2400, 240)),
        (aspect_job("wanx-style-repaint-v1", "image_url", style_index=3), (2400, 1200)),
    ],
    ids=lambda one: one["model"] if isinstance(one, dict) else "",
)
def test_an_aspect_that_the_document_forbids_is_refused(
    job: dict[str, Any], longest: tuple[int, int]
) -> None:
    assert checked(job, {KEY: image("PNG", longest)}).violations == ()
    width, height = longest
    for size in ((width, height - 1), (height - 1, width)):
        found = only(checked(job, {KEY: image("PNG", size)}).violations)
        assert found.found == f"{size[0]}x{size[1]} pixels"
        assert found.message.endswith("; crop it")
