"""Where the command line works, its exit codes and its options."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.access import load_access, read_env
from cli.jobs import since_seconds
from cli.main import wanx
from cli.trouble import Trouble

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OSS_ENDPOINT", "OSS_BUCKET", "API_URL", "API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cli.access.ROOT", tmp_path)


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


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["list"], 3, "no bucket and no API is known"),
        (["--api", "http://127.0.0.1:1", "--token", "t", "list"], 3, "could not be reached"),
        (["--api", "http://127.0.0.1:1", "list"], 3, "needs a token"),
        (["--api", "ftp://x", "--token", "t", "list"], 3, "write http:// or https://"),
        (["list", "--state", "SUCEEDED"], 2, "did you mean SUCCEEDED"),
        (["list", "--model", "nope"], 2, "the models are"),
        (["list", "--since", "yesterday"], 2, "write 30m, 2h, 3d"),
        (["nonsense"], 2, "No such command"),
        (["doctor"], 1, "start the laptop cloud: wanx up"),
    ],
)
def test_what_is_wrong_is_said_in_words(words: list[str], code: int, said: str) -> None:
    done = CliRunner().invoke(wanx, words)
    assert done.exit_code == code, done.output
    assert said in " ".join(done.output.split())
    assert "Traceback" not in done.output


def test_times_since() -> None:
    assert since_seconds(None, NOW) == 0
    assert since_seconds("30m", NOW) == NOW - 1800
    assert since_seconds("2h", NOW) == NOW - 7200
    assert since_seconds("3d", NOW) == NOW - 3 * 86400
    assert since_seconds("2026-11-20T12:00:00Z", NOW) == 1795176000


def test_exit_codes_are_documented() -> None:
    said = CliRunner().invoke(wanx, ["--help"]).output
    assert all(f"\n    {code:<5}" in said for code in (0, 1, 2, 3, 130))


@pytest.mark.parametrize("name", [name for name in wanx.commands if name != "up"])
def test_help_fits_a_terminal(name: str) -> None:
    for words in (["--help"], [name, "--help"]):
        done = CliRunner().invoke(wanx, words)
        assert done.exit_code == 0
        assert max(map(len, done.output.splitlines())) <= 80
