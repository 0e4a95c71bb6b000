"""Opens the page in the user's browser, where `make up` runs in a terminal with a display."""

from __future__ import annotations

import html
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path

from local.up_settings import write_private

Open = Callable[[str], bool]

SWITCHES = ("NO_BROWSER", "CI", "SSH_CONNECTION")
"""Each of them, when set, keeps the browser closed."""
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
HAS_DISPLAY = ("darwin", "win32")
OPENER = "open.html"


def is_wanted(environ: Mapping[str, str], in_terminal: bool, platform: str) -> bool:
    """Whether somebody is there who sees a browser. `platform`: as sys.platform."""
    if not in_terminal or any(environ.get(name) for name in SWITCHES):
        return False
    return platform in HAS_DISPLAY or any(environ.get(name) for name in DISPLAYS)


def open_page(link: str, folder: Path, show: Open | None = None) -> bool:
    """Show the page; whether a browser was started.

    The link signs in, and other users of the computer read the command line of a browser; so that
    names a file of this user alone, which leads to the link.
    """
    opener = folder / OPENER
    target = html.escape(link, quote=True)
    text = f'<!doctype html>\n<meta http-equiv="refresh" content="0;url={target}">\n'
    try:
        write_private(opener, text)
        return (show or _show)(opener.resolve().as_uri())
    except (OSError, webbrowser.Error):
        return False


def _show(address: str) -> bool:
    found = webbrowser.get()
    if type(found) is webbrowser.GenericBrowser:  # one in the terminal, which `make up` needs
        return False
    return found.open(address)
