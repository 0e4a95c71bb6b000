"""When `make up` opens the page by itself, and how."""

from __future__ import annotations

import re
import webbrowser
from pathlib import Path

import pytest

from local.browser import is_wanted, open_page

LINK = "http://127.0.0.1:9482/#code=a&b"


@pytest.mark.parametrize(
    ("environ", "in_terminal", "platform", "wanted"),
    [
        ({"DISPLAY": ":0"}, True, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True, "linux", True),
        ({}, True, "darwin", True),
        ({}, True, "linux", False),
        ({"DISPLAY": ":0"}, False, "linux", False),
        ({"DISPLAY": ":0", "CI": "true"}, True, "linux", False),
        ({"DISPLAY": ":0", "NO_BROWSER": "1"}, True, "linux", False),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, True, "darwin", False),
    ],
)
def test_a_browser_opens_where_somebody_sees_it(
    environ: dict[str, str], in_terminal: bool, platform: str, wanted: bool
) -> None:
    assert is_wanted(environ, in_terminal, platform) is wanted


def test_the_command_line_of_the_browser_does_not_hold_the_code(tmp_path: Path) -> None:
    shown: list[str] = []

    def show(address: str) -> bool:
        shown.append(address)
        return True

    assert open_page(LINK, tmp_path, show)
    (address,) = shown
    assert "code" not in address
    opener = Path(address.removeprefix("file://"))
    assert opener.stat().st_mode & 0o777 == 0o600
    assert re.findall(r'url=([^"]*)"', opener.read_text("utf-8")) == [LINK.replace("&", "&amp;")]


def test_a_computer_without_a_browser_is_no_failure(tmp_path: Path) -> None:
    def nothing(address: str) -> bool:
        raise webbrowser.Error("could not locate runnable browser")

    assert open_page(LINK, tmp_path, nothing) is False
    assert open_page(LINK, tmp_path / "not-there", lambda _: True) is False


def test_a_browser_in_the_terminal_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("false"))
    assert open_page(LINK, tmp_path) is False
