"""The account's own limits: read page by page, within bounds, and never trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from shared.modelstudio import limits
from shared.modelstudio.api_key import FixedKey
from shared.modelstudio.client import ModelStudio, ServiceError
from shared.modelstudio.limits import AccountLimits, account_limits
from tests.kit.scripted_http import Answer, HttpScript, scripted_http


@pytest.fixture()
def script() -> Iterator[HttpScript]:
    with scripted_http() as made:
        yield made


def row(model: Any, workspace: Any = None, **own: Any) -> dict[str, Any]:
    limit = {
        "request_limit": 2,
        "request_limit_period": 60,
        "usage_limit": None,
        "async_user_queue_limit": 500,
        "async_user_concurrency_limit": 5,
    }
    return {"model": model, "model_limit": {**limit, **own}, "workspace_limit": workspace}


def page(*rows: Any) -> Answer:
    return Answer(200, json.dumps({"request_id": "r", "output": {"quotas": rows}}).encode())


def read(script: HttpScript, *models: str) -> dict[str, AccountLimits]:
    service = ModelStudio(f"{script.url}/api/v1", FixedKey("sk-x"), requests.Session())
    return account_limits(service, models)


def test_a_row_is_read(script: HttpScript) -> None:
    script.then(page(row("a"), row("other")))
    assert read(script, "a", "b") == {"a": AccountLimits(2, 60, 5, 500)}
    assert script.seen[0].target == "/api/v1/models/limits?page_no=1&page_size=20"


def test_limits_of_the_workspace_go_before_the_models(script: HttpScript) -> None:
    own = {"request_limit": 1, "request_limit_period": 30}
    script.then(page(row("a", own)))
    assert read(script, "a")["a"] == AccountLimits(1, 30, 5, 500)


def test_pages_are_read_until_all_models_are_there(script: HttpScript) -> None:
    full = [row(f"other-{number}") for number in range(limits.PAGE)]
    script.then(page(*full), page(row("a"), *full[1:]))
    assert set(read(script, "a")) == {"a"}
    assert len(script.seen) == 2


def test_the_last_page_ends_it(script: HttpScript) -> None:
    script.then(page(row("other")))
    assert read(script, "a") == {}
    assert len(script.seen) == 1


def test_pages_without_end_are_left(script: HttpScript, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_PAGES", 3)
    full = page(*(row(f"other-{number}") for number in range(limits.PAGE)))
    script.then(full, full, full)
    assert read(script, "a") == {}
    assert len(script.seen) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, b'{"code": "NotFound", "message": "no"}'),
        Answer(403, b'{"code": "AccessDenied", "message": "no"}'),
        Answer(200, b'{"output": {}}'),
        Answer(200, b'{"output": {"quotas": 5}}'),
        Answer(200, b"<html>"),
        Answer(500, b""),
    ],
)
def test_what_is_no_list_is_an_error(script: HttpScript, answer: Answer) -> None:
    script.then(answer)
    with pytest.raises(ServiceError):
        read(script, "a")


@pytest.mark.parametrize("odd", [None, 5, [], {"model": 5}, {"model": None}, {}])
def test_an_odd_row_says_nothing(script: HttpScript, odd: Any) -> None:
    script.then(page(odd, row("a")))
    assert set(read(script, "a")) == {"a"}


@pytest.mark.parametrize("odd", [None, -1, 0, "5", True, [], {}])
def test_an_odd_number_is_none(script: HttpScript, odd: Any) -> None:
    names = ("request_limit", "async_user_concurrency_limit", "async_user_queue_limit")
    script.then(page(row("a", **dict.fromkeys(names, odd))))
    seen = read(script, "a")["a"]
    assert (seen.rate, seen.concurrent, seen.queue) == (None, None, None)


def test_a_model_without_limits_has_none(script: HttpScript) -> None:
    script.then(page({"model": "a", "model_limit": "x"}))
    assert read(script, "a") == {"a": AccountLimits()}
