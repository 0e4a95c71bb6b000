"""A model that nobody has, by a file alone: from the job file to the body that is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.catalogue.check import check_catalogue
from shared.catalogue.groups import group_of
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Model
from shared.catalogue.wire import wire_body
from shared.jobfile import Checked, Place, check, parse, request_body
from shared.jobs.intake import Source
from tests.kit.jobfile import BUCKET, Reader, image
from tests.kit.world import World, submit

KEY = "inputs/a.png"
FIELD: dict[str, Any] = {"type": "string", "pattern": r"\S", "x-expected": "a text"}
COMMON: dict[str, Any] = {
    "title": {"en": "Invented", "zh": "虚构"},
    "description": "Draws what nobody has seen.",
    "tasks": {"combine": {}},
    "guidance": {"en": "For what nobody has seen.", "zh": "适合无人见过之物。"},
    "sources": {"api": "An invented document"},
    "regions": ["cn-beijing", "ap-southeast-1"],
    "ids": {"ap-southeast-1": "made-up-intl"},
    "input": {
        "type": "object",
        "required": ["words"],
        "additionalProperties": False,
        "x-source": "api",
        "properties": {
            "words": FIELD,
            "pictures": {"type": "array", "minItems": 0, "maxItems": 2, "items": FIELD},
            "without": FIELD,
        },
    },
    "parameters": {
        "type": "object",
        "additionalProperties": False,
        "x-source": "api",
        "properties": {
            "n": {
                "type": "integer",
                "minimum": 1,
                "maximum": 9,
                "default": 1,
                "x-send-default": True,
                "x-default-if": [
                    {"when": {"at": "/parameters/series", "equals": True}, "default": 9}
                ],
            },
            "series": {"type": "boolean", "default": False},
            "left": {"type": "number"},
            "right": {"type": "number"},
        },
    },
    "rules": {
        "few": {
            "kind": "bounds_if",
            "at": "/parameters/n",
            "max": 4,
            "when": [{"at": "/parameters/series", "equals": False}],
            "reason": "more than 4 images are for series; lower n",
            "source": "api",
        },
        "one-side": {
            "kind": "any_of",
            "at": ["/parameters/left", "/parameters/right"],
            "reason": "a side must be given; add left or right",
            "source": "api",
        },
    },
    "images": [
        {
            "at": "/input/pictures/*",
            "formats": {"accept": ["PNG"], "source": "api"},
            "side": {"min": 16, "max": 600, "exclusive": False, "source": "api"},
            "max_bytes": 1_000_000,
            "inline": True,
            "ascii_url": False,
            "source": "api",
        }
    ],
    "limits": {
        "submissions": 5,
        "per_seconds": 60,
        "queue_ahead": 0,
        "checked": "2026-11-28",
        "source": "api",
    },
    "lifecycle": {"checked": "2026-11-28", "source": "api"},
    "price": {
        "currency": "CNY",
        "per_image": 0.5,
        "tiers": [{"area_at_most": 1000, "per_image": 0.1}],
        "per_input_image": 0.02,
        "free_images": 0,
        "payable": True,
        "checked": "2026-11-28",
        "source": "api",
    },
    "notices": [],
    "typical_seconds": {"value": 5, "source": "api"},
    "results": {"at": "/output/choices/*/message/content/*/image", "format": None, "source": "api"},
}
MESSAGES = {"text": "words", "images": "pictures", "parameters": ["without"]}
MODES, FORMS = ("async", "sync"), ("flat", "messages")
GIVEN = {"words": "a unicorn", "pictures": [f"oss:///{KEY}"], "without": "horses"}


def invented(folder: Path, mode: str, form: str, **changes: Any) -> Model:
    """The model as the catalogue reads it from its file."""
    endpoint = {"path": "/services/made/up", "mode": mode, "body": form, "source": "api"}
    content = {"name": "made-up", **COMMON, "endpoint": endpoint, **changes}
    if form == "messages":
        content["messages"] = MESSAGES
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    (folder / "models" / "made-up.yaml").write_text(text, encoding="utf-8")
    assert check_catalogue(folder) == []
    model = load_catalogue(folder).get("made-up")
    assert model is not None
    return model


def job(form: str = "flat", **parameters: Any) -> dict[str, Any]:
    """A job file, in the form of the service where that is asked for."""
    written = {"left": 1.5, **parameters}
    if form == "flat":
        return {"model": "made-up", "input": GIVEN, "parameters": written}
    content = [{"text": GIVEN["words"]}, {"image": f"oss:///{KEY}"}]
    message = {"role": "user", "content": content}
    parameters = {**written, "without": GIVEN["without"]}
    return {"model": "made-up", "input": {"messages": [message]}, "parameters": parameters}


def looked_at(folder: Path, written: dict[str, Any], side: int = 64) -> Checked:
    document = parse(json.dumps(written).encode(), "job.json")[0]
    reader = Reader({KEY: image("PNG", (side, side))})
    return check(document, load_catalogue(folder), Place(reader, BUCKET))


def sent(form: str, picture: str) -> tuple[Any, Any]:
    """Input and parameters that must arrive at the service."""
    own = {"n": 1, "left": 1.5}
    if form == "flat":
        return {**GIVEN, "pictures": [picture]}, own
    content = [{"image": picture}, {"text": GIVEN["words"]}]
    return {"messages": [{"role": "user", "content": content}]}, {**own, "without": "horses"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", FORMS)
def test_a_job_becomes_the_body_of_its_model(folder: Path, mode: str, form: str) -> None:
    model = invented(folder, mode, form)
    assert (model.mode, model.body) == (mode, form)
    for written in {form, "flat"}:
        spec = looked_at(folder, job(written)).spec
        assert spec is not None
        flat = request_body(spec, {"/input/pictures/0": "https://x.invalid/a"})
        given, parameters = sent(form, "https://x.invalid/a")
        wire = wire_body(model, flat, "ap-southeast-1")
        assert wire == {"model": "made-up-intl", "input": given, "parameters": parameters}


@pytest.mark.parametrize("written", FORMS)
def test_a_job_file_arrives_at_the_service_as_a_message(folder: Path, written: str) -> None:
    model = invented(folder, "async", "messages")
    world = World(models=(model,))
    world.bucket.write(KEY, image("PNG", (64, 64)))
    body = json.dumps(job(written) | {"job": {"id": "horn"}}).encode()
    (taken,) = world.app("intake").acceptance.intake.take(body, Source("jobs/a.json", "E"))
    assert not taken.violations
    world.timeline.wait(0.001)
    submit(world, "horn")
    (post,) = world.studio.posts
    assert (post.endpoint, post.body["model"]) == ("/services/made/up", "made-up")
    (message,) = post.body["input"]["messages"]
    picture = message["content"][0]["image"]
    assert "a.png" in picture
    assert not picture.startswith("oss:")
    assert (post.body["input"], post.body["parameters"]) == sent("messages", picture)
    assert world.record("horn")["state"] == "PENDING"


def test_a_job_in_messages_of_a_model_with_both_routes_is_sent_flat(folder: Path) -> None:
    model = invented(folder, "async", "flat", messages=MESSAGES)
    spec = looked_at(folder, job("messages")).spec
    assert spec is not None
    wire = wire_body(model, request_body(spec, {}), "cn-beijing")
    assert (wire["input"]["words"], wire["input"]["without"]) == ("a unicorn", "horses")


@pytest.mark.parametrize(
    ("form", "place"),
    [("flat", "/input/pictures/0"), ("messages", "/input/messages/0/content/1/image")],
)
def test_its_images_are_held_against_its_rules(folder: Path, form: str, place: str) -> None:
    invented(folder, "sync", "messages")
    found = looked_at(folder, job(form), side=700)
    assert [one.pointer for one in found.violations] == [place]


def test_its_rules_hold(folder: Path) -> None:
    invented(folder, "async", "flat")

    def places(written: dict[str, Any]) -> list[str]:
        return [one.pointer for one in looked_at(folder, written).violations]

    assert places(job(n=4)) == []
    assert places(job(n=5)) == ["/parameters/n"]
    assert places(job(n=5, series=True)) == []
    assert places({**job(), "parameters": {}}) == ["/parameters/left"]
    assert places({**job(), "parameters": {"right": 0.5}}) == []
    spec = looked_at(folder, job(series=True)).spec
    assert spec is not None
    assert spec.parameters["n"] == 9


def test_its_price_and_limits_are_read(folder: Path) -> None:
    price = COMMON["price"] | {"by_region": {"ap-southeast-1": {"free_images": 3}}}
    limits = COMMON["limits"] | {
        "pool": "unicorns",
        "by_region": {"ap-southeast-1": {"submissions": 1, "concurrent": 2}},
    }
    model = invented(folder, "async", "flat", price=price, limits=limits)
    assert (model.limits.concurrent, model.limits.pool) == (None, "unicorns")
    there = model.in_region("ap-southeast-1").limits
    assert (there.submissions, there.per_seconds, there.concurrent) == (1, 60, 2)
    assert model.in_region("cn-beijing").limits == model.limits
    paid = model.price.in_region("ap-southeast-1")
    assert (paid.per_image, paid.free_images, paid.per_input_image) == (0.5, 3, 0.02)
    assert [(tier.area_at_most, tier.per_image) for tier in paid.tiers] == [(1000, 0.1)]


def test_a_price_by_amount_and_of_tasks_without_images_is_read(folder: Path) -> None:
    tiers = [{"after_images": 25_000, "per_image": 0.15}]
    price = COMMON["price"] | {"tiers": tiers, "billed_without_images": True}
    read = invented(folder, "async", "flat", price=price).price
    assert (read.tiers[0].after_images, read.billed_without_images) == (25_000, True)
    assert not invented(folder, "async", "flat").price.billed_without_images


def test_a_model_that_is_gone_takes_no_jobs_and_names_its_successor(folder: Path) -> None:
    status = {
        "state": "retired",
        "since": "2026-10-10",
        "reason": {"en": "Nobody believed in it.", "zh": "无人相信。"},
        "successor": {"model": "wan2.7-image"},
        "source": "api",
    }
    invented(folder, "async", "flat", status=status)
    (found,) = looked_at(folder, job()).violations
    assert (found.pointer, found.expected) == ("/model", "wan2.7-image")
    assert "since 2026-10-10" in found.message
    going = status | {"state": "deprecated"}
    invented(folder, "async", "flat", status=going)
    (notice,) = looked_at(folder, job()).notices
    assert notice.pointer == "/model"
    assert "its successor is wan2.7-image" in notice.message


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"messages": {"text": "wrods"}}, "/messages/text"),
        ({"messages": {"text": "words", "images": "words"}}, "/messages/images"),
        ({"messages": MESSAGES | {"parameters": ["n"]}}, "/messages/parameters/0"),
        ({"messages": {"text": "words", "images": "pictures"}}, "/input/properties/without"),
        ({"messages": None}, "/messages"),
        ({"endpoint": {"path": "/services/x", "mode": "sync", "source": "api"}}, "/"),
        (
            {"price": COMMON["price"] | {"by_region": {"us-east-1": {"per_image": 1}}}},
            "/price/by_region/us-east-1",
        ),
        (
            {"price": COMMON["price"] | {"tiers": [{"after_images": 9, "per_image": 0.6}]}},
            "/price/tiers/0",
        ),
        (
            {
                "rules": {
                    "r": COMMON["rules"]["few"] | {"when": {"at": "/parameters/m", "equals": 1}}
                }
            },
            "/rules/r/when/at",
        ),
        (
            {
                "rules": {
                    "r": COMMON["rules"]["one-side"]
                    | {"at": ["/parameters/left", "/parameters/top"]}
                }
            },
            "/rules/r/at",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(folder: Path, changes: Any, place: str) -> None:
    invented(folder, "async", "messages")
    path = folder / "models" / "made-up.yaml"
    content = yaml.safe_load(path.read_text("utf-8")) | changes
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    found = check_catalogue(folder)
    assert any(line.startswith(f"made-up.yaml at {place}: ") for line in found), found


REQUIRED = ["words", "pictures"]
IF_SERIES = {
    "kind": "required_if",
    "at": "/input/pictures",
    "when": {"at": "/parameters/series", "equals": True},
    "reason": "a series needs pictures; add some",
    "source": "api",
}
ANY = {
    "kind": "any_of",
    "at": ["/input/pictures", "/input/without"],
    "reason": "one must be there",
    "source": "api",
}
ANOTHER = {**COMMON["images"][0], "at": "/input/without"}
"""A rule by which the field `without` is a picture as well."""


@pytest.mark.parametrize(
    ("changes", "group"),
    [
        ({}, "both"),
        ({"images": []}, "words"),
        ({"input": {**COMMON["input"], "required": REQUIRED}}, "edit"),
        ({"rules": {"pictures": IF_SERIES}}, "edit"),
        ({"rules": {"any": ANY}}, "both"),
        ({"rules": {"any": ANY}, "images": [*COMMON["images"], ANOTHER]}, "edit"),
    ],
)
def test_its_group_is_what_goes_in(folder: Path, changes: dict[str, Any], group: str) -> None:
    assert group_of(invented(folder, "async", "flat", **changes)).name == group


@pytest.mark.parametrize(
    ("state", "group"),
    [("trial_only", "dead"), ("retired", "dead"), ("deprecated", "both"), ("superseded", "both")],
)
def test_what_is_at_an_end_is_a_group_of_its_own(folder: Path, state: str, group: str) -> None:
    reason = {"en": "so it is", "zh": "如此"}
    status = {"state": state, "since": "2026-11-28", "reason": reason, "source": "api"}
    assert group_of(invented(folder, "async", "flat", status=status)).name == group
