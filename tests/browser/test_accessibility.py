"""axe-core finds nothing serious in any view, in both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.fake_api import ROOT, FakeApi
from tests.browser.page_kit import Visit

AXE = ROOT / ".deploy-tools/node/node_modules/axe-core/axe.min.js"
SERIOUS = {"serious", "critical"}
SPEC = {"model": "wan2.5-i2i-preview", "input": {"prompt": "a picture", "images": ["oss:///a"]}}
VIEWS = {
    "create": "#/create",
    "several pictures": "#/create/wan2.5-i2i-preview",
    "a mask": "#/create/wanx-x-painting",
    "gallery": "#/jobs",
    "job": "#/jobs/job-00",
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_serious(visit: Visiting, api: FakeApi, view: str, scheme: str) -> None:
    api.add("job-00", SPEC)
    page = visit(scheme=scheme).sign_in(VIEWS[view])
    page.wait_for_load_state("networkidle")
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
