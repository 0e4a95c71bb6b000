"""Profiles: where they are kept, when they are used, and that nothing in them is shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from cli.access import load_access
from cli.main import wanx
from cli.profiles import Profiles, known_settings
from cli.trouble import Trouble
from tests.kit.documents import ROOT
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


def test_the_file_is_its_owner_s_whatever_the_umask() -> None:
    before = os.umask(0o777)
    try:
        Profiles(FILE.resolve()).put("default", CLOUD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    for folder in (FILE.parent, FILE.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert Profiles(FILE.resolve()).get("default") == CLOUD


def test_a_link_to_the_file_stays_a_link(profiles: Profiles, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "wanx.ini"
    target.parent.mkdir()
    FILE.rename(target)
    FILE.symlink_to(target)
    profiles = Profiles(FILE.absolute())
    profiles.put("more", CLOUD)
    assert FILE.is_symlink()
    assert set(Profiles(target).all()) == {"default", "studio", "more"}
    FILE.unlink()
    FILE.symlink_to(FILE.name)
    with pytest.raises(Trouble, match="cannot be"):
        profiles.put("more", CLOUD)


@pytest.mark.parametrize(
    ("file", "folder", "said"),
    [
        (0o600, 0o700, ""),
        (0o666, 0o700, "others may open it (mode 666): chmod 600 "),
        (0o640, 0o700, "others may open it (mode 640): chmod 600 "),
        (0o600, 0o777, "as its folder is theirs to write: chmod go-w "),
    ],
)
def test_who_else_can_use_it_is_told(profiles: Profiles, file: int, folder: int, said: str) -> None:
    FILE.chmod(file)
    FILE.parent.chmod(folder)
    done = ran("--profile", "default", "profiles")
    assert done.exit_code == 0
    assert said in done.stderr
    assert bool(said) == bool(done.stderr)


def test_what_is_no_setting_is_named_and_not_used(profiles: Profiles) -> None:
    profiles.put("default", {**CLOUD, "HTTP_PROXY": "http://thief", "LD_PRELOAD": "x.so"})
    done = ran("profiles")
    assert "has HTTP_PROXY, LD_PRELOAD, which is no setting of a place" in done.stderr
    assert "thief" not in done.output
    used = load_access(None, None, None).environ
    assert used["API_URL"] == CLOUD["API_URL"]
    assert "LD_PRELOAD" not in used
    assert used.get("HTTP_PROXY") != "http://thief"
    profiles.put("empty", {"HTTP_PROXY": "http://thief"})
    with pytest.raises(Trouble, match="names no place: expected API_URL"):
        load_access(None, None, None, "empty")


def test_every_setting_of_a_deployment_may_be_in_a_profile() -> None:
    text = (ROOT / "deploy/template/settings.yaml").read_text("utf-8")
    own = {"WANX_RUNTIME", "API_TOKEN_SHA256"}
    names = set(yaml.safe_load(text)["settings"]) - own
    assert set(known_settings(dict.fromkeys(names, ""))) == names


@pytest.mark.parametrize("address", ["{}/?token=hidden", "{}/#code=hidden", "host?token=hidden"])
def test_an_address_with_a_secret_is_refused_without_it(address: str) -> None:
    with served(api_of(World())) as url:
        done = ran("login", typed=f"{address.format(url)}\n{TOKEN}\n")
    assert done.exit_code == 3
    assert "hidden" not in done.output
    assert "the address holds a query or a fragment" in done.output
