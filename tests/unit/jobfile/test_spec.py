from __future__ import annotations

import json

import pytest

from shared.jobfile import JobSpec, canonical, request_body
from tests.kit.jobfile import BUCKET, EDIT, checked, edit, image, painting

FULL = {
    "id": "cat-glasses",
    "priority": 0,
    "expires_after": "6h",
    "labels": {"campaign": "spring"},
    "on_partial": "retry-failed",
}


def spec_of(job: object, objects: dict[str, bytes] | None = None) -> JobSpec:
    spec = checked(job, objects).spec
    assert spec is not None
    return spec


def test_what_the_system_adds_is_read() -> None:
    spec = spec_of(edit(job=FULL))
    assert (spec.id, spec.priority, spec.expires_after) == ("cat-glasses", 0, 21600.0)
    assert (spec.labels, spec.on_partial) == ({"campaign": "spring"}, "retry-failed")


@pytest.mark.parametrize(("written", "seconds"), [("30m", 1800), ("6h", 21600), ("2d", 172800)])
def test_durations_are_seconds(written: str, seconds: float) -> None:
    assert spec_of(edit(job={"expires_after": written})).expires_after == seconds


@pytest.mark.parametrize("job", [edit(), edit(job=None), edit(job={}), edit(parameters=None)])
def test_what_is_left_out_has_its_default(job: object) -> None:
    spec = spec_of(job)
    assert (spec.id, spec.priority, spec.expires_after) == (None, 5, None)
    assert (spec.labels, spec.on_partial) == ({}, "keep")


def test_the_request_holds_the_given_urls_and_leaves_the_spec_alone() -> None:
    key = "inputs/a.png"
    names = [f"oss:///{key}", "https://example.com/b.png", f"oss://{BUCKET}/{key}"]
    spec = spec_of(edit(input={"images": names}), {key: image("PNG")})
    body = request_body(spec, {u.pointer: f"https://signed/{u.key}" for u in spec.images if u.key})
    signed = f"https://signed/{key}"
    assert body == {
        "model": EDIT,
        "input": {"prompt": "a tree", "images": [signed, "https://example.com/b.png", signed]},
        "parameters": {"n": 4},
    }
    assert spec.input["images"] == names


@pytest.mark.parametrize("pointer", ["/input/images/1", "/input/absent", "/input/prompt/0"])
def test_a_place_that_does_not_exist_is_no_place_for_a_url(pointer: str) -> None:
    with pytest.raises(KeyError):
        request_body(spec_of(edit()), {pointer: "https://signed/a.png"})


def test_a_spec_survives_a_record() -> None:
    spec = spec_of(edit(job=FULL, parameters={"seed": 1}))
    assert JobSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_the_canonical_form_is_of_the_request_alone() -> None:
    plain = spec_of(edit(parameters={"seed": 1, "n": 4}))
    other = spec_of(edit(parameters={"n": 4, "seed": 1}, job=FULL))
    assert canonical(plain) == canonical(other)
    assert canonical(plain) == canonical(spec_of(edit(parameters={"seed": 1})))
    assert canonical(plain) != canonical(spec_of(edit(parameters={"seed": 2})))
    assert "猫".encode() in canonical(spec_of(painting(input={"prompt": "猫"})))
