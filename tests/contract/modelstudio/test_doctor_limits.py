"""`wanx doctor` holds the catalogue's limits against those a server tells of the account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.access import load_access
from cli.bucket_checks import Check
from cli.commands.doctor import checks
from tests.kit.jobfile import CATALOGUE
from tests.kit.modelstudio_server import EDIT, KEY, Client, running_server


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A server with the documented limits, and settings that lead to it."""
    with running_server({"limits": {}}) as client:
        monkeypatch.setenv("DASHSCOPE_HTTP_BASE_URL", f"{client.url}/api/v1")
        monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
        yield client


def about_limits() -> list[Check]:
    every = checks(load_access(None, None, None))
    return [check for check in every if check.what.startswith("limits")]


def test_the_documented_limits_are_those_of_the_catalogue(account: Client) -> None:
    known = len(CATALOGUE.names())
    (check,) = about_limits()
    assert (check.ok, check.warns) == (True, False)
    assert check.text == f"{known} of {known} models are as the account has them"


def test_another_limit_of_the_account_is_told_with_what_to_write(account: Client) -> None:
    account.set(limits={EDIT: {"submissions_per_second": 9, "concurrent_tasks": 3}})
    other, every = about_limits()
    assert (other.what, other.ok, other.warns) == (f"limits of {EDIT}", True, True)
    assert "submits 5 a s, the account may 9 a s" in other.text
    assert "Write submissions: 9, per_seconds: 1, concurrent: 3 below limits" in other.text
    known = len(CATALOGUE.names())
    assert every.text == f"{known - 1} of {known} models are as the account has them"
