"""axe-core finds nothing serious in any view, in both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from shared.catalogue.tasks import load_tasks
from tests.browser.fake_api import ROOT, FakeApi
from tests.browser.page_kit import INPUTS, Visit

AXE = ROOT / ".deploy-tools/node/node_modules/axe-core/axe.min.js"
SERIOUS = {"serious", "critical"}
SPEC: dict[str, Any] = {
    "model": "wan2.5-i2i-preview",
    "input": {"prompt": "a picture", "images": ["oss:///a"]},
}
FAILING = SPEC | {"input": SPEC["input"] | {"prompt": "fail-me"}}
VIEWS = {
    "start": "#/",
    "a task": f"#/create/{load_tasks()[0].id}",
    "several pictures": "#/create/wan2.5-i2i-preview",
    "a mask": "#/create/wanx-x-painting",
    "a drawing": "#/create/wanx-sketch-to-image-lite",
    "gallery": "#/jobs",
    "selected jobs": "#/jobs",
    "job": "#/jobs/job-00",
    "failed job": "#/jobs/job-01",
}
PRESSED: dict[str, Callable[[Page], None]] = {
    "a mask": lambda page: page.set_input_files(".drop-zone input", INPUTS / "cat.jpg"),
    "a drawing": lambda page: page.locator(".draw-start").click(),
    "selected jobs": lambda page: page.locator(".tile-check input").first.check(),
}
"""What a person does there first."""
READY = {
    "a mask": ".painter-stage",
    "a drawing": ".painter-stage",
    "gallery": ".tile",
    "selected jobs": ".selection button",
    "job": ".results img",
    "failed job": ".job-outcome .card",
}
SEEN: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"scheme": "dark"},
    "a phone in Chinese": {"size": (390, 844), "touch": True, "locale": "zh-CN"},
}

Visiting = Callable[..., Visit]


def serious(page: Page) -> list[str]:
    """Each serious finding: its rule, what is wrong, and where."""
    page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:5]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_serious(visit: Visiting, api: FakeApi, view: str, seen: str) -> None:
    api.add("job-00", SPEC)
    api.add("job-01", FAILING)
    page = visit(**SEEN[seen]).sign_in(VIEWS[view])
    page.wait_for_load_state("networkidle")
    if view in PRESSED:
        PRESSED[view](page)
    page.wait_for_selector(READY.get(view, "main h1"), state="attached")
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in(visit: Visiting, api: FakeApi, scheme: str) -> None:
    page = visit(scheme=scheme).page
    page.goto(api.url)
    page.wait_for_selector("#token")
    assert serious(page) == []


def test_what_is_wrong_is_found(visit: Visiting) -> None:
    page = visit().sign_in("#/jobs")
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(one.startswith("button-name") for one in serious(page))
