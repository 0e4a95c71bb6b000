"""Profiles: where they are kept, when they are used, and that nothing in them is shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.access import load_access
from cli.main import wanx
from cli.profiles import Profiles
from cli.trouble import Trouble
from tests.kit.world import TOKEN, World
from tests.unit.cli.api_server import api_of, served

FILE = Path("config/wanx/config")
CLOUD = {"API_URL": "https://images.example.com", "API_TOKEN": "cloud-token"}
STUDIO = {"OSS_ENDPOINT": "https://oss.example.com", "OSS_BUCKET": "studio"}


def ran(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(wanx, words, input=typed)


@pytest.fixture()
def profiles() -> Profiles:
    made = Profiles(FILE.resolve())
    made.put("default", CLOUD)
    made.put("studio", STUDIO)
    return made


def test_only_the_person_can_read_them(profiles: Profiles) -> None:
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    assert stat.S_IMODE(FILE.parent.stat().st_mode) == 0o700
    assert profiles.all() == {"default": CLOUD, "studio": STUDIO}


def test_a_value_is_kept_as_it_is(profiles: Profiles) -> None:
    odd = {"API_TOKEN": "%(x)s = ; # [a] 100%", "OSS_BUCKET": "Upper"}
    profiles.put("odd", odd)
    assert profiles.get("odd") == odd


def test_the_default_profile_is_the_last_place_looked_at(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_access(None, None, None).url == CLOUD["API_URL"]
    Path(".local").mkdir()
    Path(".local/env").write_text("OSS_ENDPOINT=http://127.0.0.1:9\nOSS_BUCKET=laptop\n", "utf-8")
    assert load_access(None, None, None).environ["OSS_BUCKET"] == "laptop"
    monkeypatch.setenv("API_URL", "http://127.0.0.1:1")
    assert load_access(None, None, None).url == "http://127.0.0.1:1"


def test_a_named_profile_goes_before_the_environment_and_never_mixes(
    profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("OSS_ENDPOINT", "http://other"), ("OSS_ACCESS_KEY_ID", "other")):
        monkeypatch.setenv(name, text)
    named = load_access(None, None, None, "default")
    assert named.over_http, "the environment's bucket is another place"
    assert named.command("list") == "wanx --profile default list"
    monkeypatch.setenv("WANX_PROFILE", "studio")
    from_environment = load_access(None, None, None)
    assert from_environment.environ["OSS_BUCKET"] == "studio"
    assert "OSS_ACCESS_KEY_ID" not in from_environment.environ
    assert load_access(None, None, None, "default").over_http, "the option goes before"


def test_an_unknown_profile_is_told_with_the_cure(profiles: Profiles) -> None:
    with pytest.raises(Trouble, match=r"there are default, studio\. `wanx login nobody` makes it"):
        load_access(None, None, None, "nobody")
    assert ran("--profile", "nobody", "list").exit_code == 3
    assert ran("--profile", "a", "--api", "http://b", "list").exit_code == 2


def test_a_broken_file_is_told_in_words(profiles: Profiles) -> None:
    FILE.write_text("nonsense\n", "utf-8")
    with pytest.raises(Trouble, match=r"config, line 1: expected \[NAME\]"):
        profiles.all()


def test_login_tries_the_api_and_keeps_it_without_showing_the_token() -> None:
    with served(api_of(World())) as url:
        done = ran("login", "work", typed=f"{url}/\n{TOKEN}\n")
        assert done.exit_code == 0, done.output
        assert TOKEN not in done.output
        assert f"API {url} works" in done.output
        assert ran("--profile", "work", "list").exit_code == 0
        shown = ran("profiles")
        assert "work" in shown.output
        assert TOKEN not in shown.output + ran("profiles", "--json").output
    assert ran("logout", "work").exit_code == 0
    assert Profiles(FILE.resolve()).all() == {}
    assert ran("logout", "work").exit_code == 1


def test_what_does_not_work_is_not_kept() -> None:
    with served(api_of(World())) as url:
        done = ran("login", typed=f"{url}\nwrong\n")
        assert done.exit_code == 3
        assert "refuses the token" in done.output
    assert not FILE.exists()
    assert ran("login", "../up", typed="x\ny\n").exit_code == 2
    assert ran("login", typed="http://127.0.0.1:1\n").exit_code == 2, "there is no token"


def test_the_profile_in_use_is_shown(profiles: Profiles) -> None:
    assert "Now in use: API https://images.example.com, from the profile default." in (
        ran("profiles").output
    )
    assert (
        "bucket studio at https://oss.example.com" in ran("--profile", "studio", "profiles").output
    )
