"""Where the command line works."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.access import load_access, read_env
from cli.trouble import Trouble


def laptop_file() -> None:
    Path(".local").mkdir()
    Path(".local/env").write_text("OSS_ENDPOINT=http://127.0.0.1:9\nOSS_BUCKET=b\n", "utf-8")


def test_the_laptop_clouds_file_is_found() -> None:
    laptop_file()
    access = load_access(None, None, None)
    assert access.has_bucket
    assert not access.over_http
    assert access.command("status", "a b") == "wanx status 'a b'"


def test_keys_of_two_places_never_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    laptop_file()
    monkeypatch.setenv("OSS_ENDPOINT", "https://oss-cn-beijing.aliyuncs.com")
    access = load_access(None, None, None)
    assert access.environ["OSS_ENDPOINT"].startswith("https://oss-cn-beijing")
    assert "OSS_BUCKET" not in access.environ


def test_a_named_file_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSS_BUCKET", "other")
    Path("my.env").write_text("# mine\nexport OSS_ENDPOINT='x'\n\nOSS_BUCKET=\"mine\"\n", "utf-8")
    access = load_access(Path("my.env"), None, None)
    assert (access.environ["OSS_ENDPOINT"], access.environ["OSS_BUCKET"]) == ("x", "mine")
    assert access.command("list") == "wanx --env my.env list"


def test_the_api_is_used_when_asked_for_or_when_there_is_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laptop_file()
    asked = load_access(None, "http://127.0.0.1:1", "secret-token")
    assert asked.over_http
    assert "secret-token" not in asked.command("list") + repr(asked)
    Path(".local/env").unlink()
    monkeypatch.setenv("API_URL", "http://127.0.0.1:1")
    assert load_access(None, None, None).over_http


def test_a_line_that_is_no_setting_is_told() -> None:
    Path("bad.env").write_text("A=1\nnonsense\n", "utf-8")
    with pytest.raises(Trouble, match=r"bad\.env, line 2: expected NAME=value"):
        read_env(Path("bad.env"))
