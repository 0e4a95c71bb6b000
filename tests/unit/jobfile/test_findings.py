"""Findings are few, short and without secrets."""

from __future__ import annotations

from tests.kit.jobfile import checked, edit, only, painting, sketch


def test_an_enormous_value_is_told_like_any_other() -> None:
    found = checked(painting(parameters={"size": "x" * 5_000_000}, model="y" * 5_000_000))
    assert only(found.violations).pointer == "/model"
    violation = only(checked(painting(parameters={"size": "x" * 5_000_000})).violations)
    assert len(violation.message) < 300


def test_a_thousand_unknown_keys_are_not_a_thousand_findings() -> None:
    found = checked(edit(parameters={f"key{i}": i for i in range(1000)}))
    assert len(found.violations) == 100


def test_findings_show_neither_payloads_nor_credentials() -> None:
    secrets = ["data:image/png;base64,U0VDUkVU", "https://user:U0VDUkVU@h/x?Signature=U0VDUkVU"]
    for url in secrets:
        found = checked(painting(input={"base_image_url": url}))
        assert "U0VDUkVU" not in str(found.violations)
        assert only(found.violations).found
    found = checked(sketch(parameters={"size": "https://h/x?Signature=U0VDUkVU"}))
    assert "U0VDUkVU" not in str(found.violations)
