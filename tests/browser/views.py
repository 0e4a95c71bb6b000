"""What a browser asks for when it shows the page, counted on the laptop cloud."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page

from local.up import LaptopCloud

PATIENCE_MS = 60_000
FIRST, AGAIN = 12, 3
"""The most requests of a browser that has nothing yet, and of one that was there before."""


@dataclass(frozen=True)
class Views:
    """Requests of the first view and of the next one, to the function `api` and elsewhere."""

    first: int
    again: int


def count_views(browser: Browser, data: Path) -> Views:
    """A person follows the laptop's link, goes to another site and comes back. `data`: a folder."""
    with LaptopCloud(data=data, ports=0, task_seconds=1) as cloud:
        api = cloud.env["API_URL"]
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        elsewhere = list[str]()
        page.on("request", lambda one: None if is_of(api, one.url) else elsewhere.append(one.url))
        page.goto(f"{api}/#token={cloud.env['API_TOKEN']}")
        page.locator(".signin button").click()
        shown(page)
        first = invocations(api) + len(elsewhere)
        page.goto("about:blank")
        page.goto(f"{api}/")
        shown(page)
        both = invocations(api) + len(elsewhere)
        page.close()
    return Views(first, both - first)


def shown(page: Page) -> None:
    """Wait until the page has all it asks for."""
    page.wait_for_selector(".task-tile")
    page.wait_for_load_state("networkidle")


def is_of(api: str, url: str) -> bool:
    """Whether the function is counted for it, or nobody is asked."""
    return url.startswith((f"{api}/", "data:", "blob:", "about:"))


def invocations(api: str) -> int:
    """How many requests the function `api` has answered."""
    functions = requests.get(f"{api}/_runtime/state", timeout=10).json()["functions"]
    (count,) = (one["invocations"] for one in functions.values() if one["name"].endswith("-api"))
    return int(count)
