"""Chromium and a page that is signed in, for the tests of the page."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.browser.fake_api import ROOT, TOKEN, FakeApi

CHROMIUM = Path("/usr/bin/chromium")
INPUTS = ROOT / "examples" / "inputs"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 10_000
CAT = (902, 508)
"""Width and height of cat.jpg."""
WATCH = """
window.violated = [];
document.addEventListener("securitypolicyviolation", (e) => window.violated.push(e.blockedURI));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """One person at the page: what broke while they were there is kept in `broken`."""

    def __init__(
        self,
        browser: Browser,
        api: FakeApi,
        locale: str = "en-GB",
        size: tuple[int, int] = (1280, 1400),
        touch: bool = False,
        scheme: str = "light",
    ) -> None:
        self.api, self.broken = api, list[str]()
        width, height = size
        self.context = browser.new_context(
            locale=locale,
            viewport={"width": width, "height": height},
            has_touch=touch,
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.add_init_script(WATCH)
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.page.on("dialog", lambda dialog: self._dialog(dialog.message))

    def _dialog(self, message: str) -> None:
        self.broken.append(f"a dialog: {message}")

    def sign_in(self, view: str = "#/create") -> Page:
        self.page.goto(f"{self.api.url}/{view}")
        self.page.fill("#token", TOKEN)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("nav")
        return self.page

    def inpainting(self, picture: str = "cat.jpg") -> Page:
        """The form of the model with a mask, with a picture in it."""
        page = self.sign_in("#/create/wanx-x-painting")
        page.set_input_files(".drop-zone input", INPUTS / picture)
        page.wait_for_selector(".painter-stage")
        return page

    def check(self) -> None:
        """Nothing broke, and the page never did what its policy forbids."""
        assert self.broken == []
        assert self.page.evaluate("window.violated") == []

    def close(self) -> None:
        self.context.close()


def choose_model(page: Page, name: str) -> None:
    """By its name, as an expert does; then wait for its form.

    The form of the model before stays on the page for a moment, with a place for files of its own.
    """
    page.locator(".all-models > summary").click()
    page.locator(".model-panel input").fill(name)
    page.locator(f'.model-row[value="{name}"]').click()
    page.wait_for_selector(f'form[data-model="{name}"]')


def chosen(parameters: dict[str, Any]) -> dict[str, Any]:
    """Without the seed, which the page takes where a person leaves it to chance."""
    return {name: value for name, value in parameters.items() if name != "seed"}


def paint(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A stroke with the mouse; places are shares of the stage."""
    box = stage(page).bounding_box()
    assert box is not None
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=6)
    page.mouse.up()


def stage(page: Page) -> Locator:
    found = page.locator(".painter-stage")
    found.scroll_into_view_if_needed()
    return found


def painted(page: Page) -> str:
    return page.locator(".painter-status").inner_text()


def pixels(body: bytes) -> NDArray[np.int16]:
    """Rows, columns and the three colours of an image file."""
    return np.asarray(Image.open(io.BytesIO(body)).convert("RGB"), dtype=np.int16)
