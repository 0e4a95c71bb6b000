"""A job whose model is going says what to use instead, where something went wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue.status import Status
from tests.kit.http import ask, failed
from tests.kit.world import World, run

CONVERSION: dict[str, Any] = {"fields": {"/input/prompt": "/input/prompt"}}


def world(state: str) -> World:
    made = World()
    status = Status(state, "2026-10-10", "it is old", "它已过时", "doc", "pencil", CONVERSION)
    made.models = (replace(made.models[0], status=status), *made.models[1:])
    return made


@pytest.mark.parametrize("state", ["trial_only", "deprecated", "retired"])
def test_the_hint_of_an_error_names_the_successor(state: str) -> None:
    made = world("deprecated")
    failed(made, "cat")
    made.models = (replace(made.models[0], status=world(state).models[0].status),)
    error = ask(made, "GET", "/jobs/cat").json["error"]
    assert error["code"] == "Expired"
    assert (
        "2026-10-10: it is old; its successor is pencil: wanx convert FILE --to pencil"
        in error["hint"]
    )
    assert "pencil" in error["hint_zh"]


def test_not_of_a_model_that_is_merely_superseded() -> None:
    made = world("superseded")
    failed(made, "cat")
    assert "pencil" not in ask(made, "GET", "/jobs/cat").json["error"]["hint"]


def test_nor_where_nothing_is_wrong() -> None:
    made = world("deprecated")
    made.queued("cat")
    run(made)
    assert ask(made, "GET", "/jobs/cat").json["error"] is None


def test_a_retired_model_takes_no_job_and_a_deprecated_one_says_so() -> None:
    job = {
        "model": "brush",
        "input": {
            "prompt": "a cat",
            "base_image_url": "https://e.com/a.png",
            "mask_image_url": "https://e.com/m.png",
        },
    }
    taken = ask(world("deprecated"), "POST", "/jobs", job)
    assert taken.status == 202, taken.text
    assert any("deprecated since 2026-10-10" in one["message"] for one in taken.json["warnings"])
    refused = ask(world("retired"), "POST", "/jobs", job)
    assert refused.status == 422
    (violation,) = refused.json["violations"]
    assert (violation["pointer"], violation["expected"]) == ("/model", "pencil")
    assert "wanx convert FILE --to pencil" in violation["message"]
