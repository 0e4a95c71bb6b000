"""What the page asks for when a browser shows it, on the laptop cloud."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.results import Line, Measure
from tests.browser.page_kit import CHROMIUM, chromium
from tests.browser.views import AGAIN, FIRST, Views, count_views


def measures(brief: bool = False) -> list[Measure]:
    """Both views in headless Chromium, once: nothing about them is random."""
    if not CHROMIUM.exists():
        return [compared(None)]
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        return [compared(count_views(browser, Path(folder)))]


def compared(views: Views | None) -> Measure:
    """The measure of what was counted; `None`: there is no Chromium."""
    goal = f"first view ≤ {FIRST} requests, shown again ≤ {AGAIN}"
    if views is None:
        note = f"{CHROMIUM} is not installed: apt-get install chromium"
        return Measure("views", goal, False, [Line("page", 0, "NOT MEASURED", n=0, note=note)])
    lines = [
        Line("first view", views.first, "requests"),
        Line("shown again", views.again, "requests"),
    ]
    reached = views.first <= FIRST and views.again <= AGAIN
    return Measure("views", goal, reached, lines, f"{views.first}, {views.again}")
