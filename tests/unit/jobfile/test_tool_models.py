"""What the tool models ask of pictures and of lists, seen through the check of a job."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from PIL import Image

from tests.kit.heic import heic
from tests.kit.jobfile import URL, at, checked, image

CUT, STYLE, TRYON = "wanx-background-generation-v2", "wanx-style-repaint-v1", "aitryon"
KEY = "oss:///inputs/a.png"


def noise(kind: str, size: tuple[int, int] = (200, 200)) -> bytes:
    file = io.BytesIO()
    grains = random.Random(1).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, grains).save(file, kind)
    return file.getvalue()


def seen_through() -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (40, 40), (9, 9, 9, 100)).save(file, "WEBP")
    return file.getvalue()


def violation(model: str, place: str, body: bytes) -> str:
    """What is said of a picture at a place of an otherwise sound job; empty if it is taken."""
    given: dict[str, dict[str, Any]] = {
        CUT: {"base_image_url": URL, "ref_prompt": "a table"},
        STYLE: {"image_url": URL, "style_index": -1, "style_ref_url": URL},
        TRYON: {"person_image_url": URL, "top_garment_url": URL},
    }
    whole = given[model]
    if "/" in place:
        whole["reference_edge"] = {place.partition("/")[2]: [KEY]}
    else:
        whole[place] = KEY
    found = checked({"model": model, "input": whole}, {"inputs/a.png": body}).violations
    assert all(one.pointer.startswith(f"/input/{place}") for one in found)
    return "; ".join(one.message for one in found)


BASE, EDGE, PERSON = "base_image_url", "reference_edge/background_edge", "person_image_url"


@pytest.mark.parametrize(
    ("model", "place", "body", "told"),
    [
        (CUT, BASE, image("PNG", mode="RGBA"), ""),
        (CUT, BASE, image("PNG", (1, 2048), mode="RGBA"), ""),
        (CUT, BASE, image("PNG", (1, 2049), mode="RGBA"), "of at most 2048 pixels"),
        (CUT, BASE, image("PNG"), "RGBA"),
        (CUT, BASE, image("PNG", mode="LA"), "RGBA"),
        (CUT, BASE, image("PNG", mode="P", transparency=0), "RGBA"),
        (CUT, "ref_image_url", image("PNG", (9000, 1)), ""),
        (CUT, EDGE, seen_through(), ""),
        (CUT, EDGE, image("WEBP"), "RGBA"),
        (STYLE, "image_url", image("PNG", (3240, 5760), "1"), ""),
        (STYLE, "style_ref_url", image("PNG", (3241, 3241), "1"), "the shorter one to 3240"),
        (STYLE, "image_url", image("PNG", (255, 400)), "from 256 to 5760"),
        (STYLE, "image_url", heic((400, 400)), "HEIC images are refused"),
        (TRYON, PERSON, heic((400, 400)), ""),
        (TRYON, PERSON, heic((400, 149)), "from 150 to 4096"),
        (TRYON, PERSON, noise("PNG"), ""),
        (TRYON, PERSON, image("PNG"), "at least 5120 are needed"),
    ],
)
def test_a_picture_is_taken_or_told_what_it_lacks(
    model: str, place: str, body: bytes, told: str
) -> None:
    found = violation(model, place, body)
    assert told in found
    assert bool(told) == bool(found)


def cut_out(**lists: list[str]) -> dict[str, Any]:
    given = {"base_image_url": URL, "ref_prompt": "a table", "reference_edge": lists}
    return {"model": CUT, "input": given}


def test_two_lists_share_a_maximum() -> None:
    assert checked(cut_out(foreground_edge=[URL] * 4, background_edge=[URL] * 6)).spec
    found = checked(cut_out(foreground_edge=[URL] * 4, background_edge=[URL] * 7)).violations
    one = at(found, "/input/reference_edge/foreground_edge")
    assert "there are 11 items in all" in one.message
    assert one.expected == "at most 10 items in all"


def test_words_of_elements_need_the_elements() -> None:
    found = checked(cut_out(background_edge_prompt=["a leaf"])).violations
    assert at(found, "/input/reference_edge/background_edge").found == "nothing"


def test_a_style_that_is_not_asked_for_is_told() -> None:
    given = {"image_url": URL, "style_index": 3, "style_ref_url": URL}
    found = checked({"model": STYLE, "input": given})
    assert found.spec
    assert "style_index -1" in at(found.notices, "/input/style_ref_url").message
