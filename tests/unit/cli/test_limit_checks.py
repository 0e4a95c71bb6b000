"""`wanx doctor` holds the catalogue's limits against the account's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.access import load_access
from cli.bucket_checks import Check
from cli.commands.doctor import checks
from cli.limit_checks import file_of, in_region, other_limits
from shared.modelstudio.limits import AccountLimits
from tests.kit.jobfile import CATALOGUE
from tests.kit.scripted_http import Answer, HttpScript, scripted_http

EDIT = "wanx2.1-imageedit"
FAMILY = "qwen-image-3.0-pro"


def told(name: str, seen: AccountLimits, region: str = "cn-beijing") -> str | None:
    model = CATALOGUE.get(name)
    assert model is not None
    return other_limits(model.in_region(region), region, seen)


@pytest.mark.parametrize(
    "seen",
    [
        AccountLimits(),
        AccountLimits(2, 1, 2, 500),
        AccountLimits(120, 60, 2, None),
        AccountLimits(2, 1, None, 1),
    ],
)
def test_what_is_the_same_is_no_difference(seen: AccountLimits) -> None:
    assert told(EDIT, seen) is None


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (
            AccountLimits(30, 60),
            ["submits 2 a s, the account may 30 a min", "submissions: 30, per_seconds: 60"],
        ),
        (AccountLimits(10, 1), ["submissions: 10, per_seconds: 1"]),
        (AccountLimits(2, 1, 4), ["has 2 tasks at once, the account 4", "concurrent: 4"]),
        (AccountLimits(3, 7, 1), ["3 in 7 s", "concurrent: 1"]),
    ],
)
def test_a_difference_says_which_lines_to_write_where(
    seen: AccountLimits, words: list[str]
) -> None:
    said = told(EDIT, seen) or ""
    assert [
        word for word in [*words, f"below limits in schemas/models/{EDIT}.yaml"] if word not in said
    ] == []


def test_of_a_family_the_file_and_the_variant_are_named() -> None:
    said = told(FAMILY, AccountLimits(1, 60)) or ""
    assert f"schemas/models/qwen-image-3.0.yaml (variant {FAMILY})" in said
    assert file_of(FAMILY) == "qwen-image-3.0.yaml"


def test_of_another_region_the_place_is_its_own() -> None:
    said = told(FAMILY, AccountLimits(1, 60), "ap-southeast-1") or ""
    assert "below limits.by_region.ap-southeast-1 in" in said


def test_a_call_has_no_tasks_to_count() -> None:
    assert told("z-image-turbo", AccountLimits(2, 1, 7, 1)) is None


def test_models_of_a_region_have_its_limits() -> None:
    assert {one.name for one in in_region(CATALOGUE, "us-east-1")} < set(CATALOGUE.names())
    assert in_region(CATALOGUE, "mars-1") == []


@pytest.fixture()
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpScript]:
    with scripted_http() as made:
        monkeypatch.setenv("DASHSCOPE_HTTP_BASE_URL", f"{made.url}/api/v1")
        monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-not-a-real-key")
        yield made


LIST = Answer(200, json.dumps({"data": [], "total_page": 1, "total": 0}).encode())


def quotas(*rows: Any) -> Answer:
    return Answer(200, json.dumps({"output": {"quotas": rows}}).encode())


def lines() -> dict[str, Check]:
    access = load_access(None, None, None)
    return {check.what: check for check in checks(access)}


def test_doctor_warns_of_a_difference_and_goes_on(script: HttpScript) -> None:
    limit = {"request_limit": 1, "request_limit_period": 1}
    script.then(LIST, quotas({"model": EDIT, "model_limit": limit}))
    seen = lines()
    assert seen["model service"].ok
    known = len(CATALOGUE.names())
    assert seen["region"].text == f"cn-beijing, {known} of {known} models"
    assert (seen[f"limits of {EDIT}"].ok, seen[f"limits of {EDIT}"].warns) == (True, True)
    assert "are not in its list" in seen["limits"].text


@pytest.mark.parametrize(
    "answer", [Answer(404, b'{"code": "NotFound", "message": "x"}'), Answer(200, b"x"), Answer(500)]
)
def test_where_the_host_does_not_tell_it_is_skipped(script: HttpScript, answer: Answer) -> None:
    script.then(LIST, answer)
    seen = lines()["limits"]
    assert seen.ok is None
    assert seen.text.startswith("skipped: ")


def test_a_wrong_key_of_a_workspace_is_told_with_its_workspace() -> None:
    from cli.service_checks import _service_advice
    from shared.modelstudio.client import ServiceError

    url = "https://llm-abc1.cn-beijing.maas.aliyuncs.com/api/v1"
    assert "workspace llm-abc1" in _service_advice(url, ServiceError("InvalidApiKey", "x", 401))
