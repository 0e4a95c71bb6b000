"""Findings are few, short and without secrets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.jobfile import checked, edit, only, painting, sketch


def test_an_enormous_value_is_told_like_any_other() -> None:
    found = checked(painting(parameters={"size": "x" * 5_000_000}, model="y" * 5_000_000))
    assert only(found.violations).pointer == "/model"
    violation = only(checked(painting(parameters={"size": "x" * 5_000_000})).violations)
    assert len(violation.message) < 300


def test_a_thousand_unknown_keys_are_not_a_thousand_findings() -> None:
    *shown, rest = checked(edit(parameters={f"key{i}": i for i in range(1000)})).violations
    assert len(shown) == 100
    assert "at least 900 more" in rest.message


@pytest.mark.parametrize(
    "job",
    [
        {"job": {"labels": {f"{'k' * 70}{i}": "x" for i in range(3000)}}},
        {"input": {"images": [1] * 3000}},
        {"input": {"images": [f"oss:///state/{i}.png" for i in range(3000)]}},
        {f"{'k' * 200}{i}": "\N{CAT FACE}" * 500 for i in range(1000)},
    ],
)
def test_whatever_is_wrong_the_findings_of_a_job_are_few_and_short(job: dict[str, Any]) -> None:
    found = checked(edit(**job)).violations
    assert len(found) <= 101
    assert all(len(str(violation.to_dict())) < 3000 for violation in found)


def test_the_images_of_a_list_are_looked_at_up_to_a_bound() -> None:
    found = checked(edit(input={"images": [f"oss:///inputs/{i}.png" for i in range(3000)]}))
    assert 3 < len([one for one in found.violations if "does not exist" in one.message]) <= 20


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_a_text_of_megabytes_is_refused(field: str) -> None:
    violation = only(checked(edit(input={field: "x" * 5_000_000})).violations)
    assert (violation.pointer, len(violation.found) <= 80) == (f"/input/{field}", True)


@pytest.mark.parametrize("scheme", ["https://h/", "oss:///inputs/", "oss://temporary/", "x"])
def test_an_address_of_megabytes_is_refused(scheme: str) -> None:
    violation = only(checked(edit(input={"images": [scheme + "x" * 5_000_000]})).violations)
    assert len(violation.message) < 300


def test_findings_show_neither_payloads_nor_credentials() -> None:
    secrets = ["data:image/png;base64,U0VDUkVU", "https://user:U0VDUkVU@h/x?Signature=U0VDUkVU"]
    secrets.append("ftp://user:U0VDUkVU@h/x?token=U0VDUkVU")
    for url in secrets:
        found = checked(painting(input={"base_image_url": url}))
        assert "U0VDUkVU" not in str(found.violations)
        assert only(found.violations).found
    found = checked(sketch(parameters={"size": "https://h/x?Signature=U0VDUkVU"}))
    assert "U0VDUkVU" not in str(found.violations)
