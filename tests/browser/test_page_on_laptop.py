"""The page on the laptop cloud: the real API, bucket and functions, from mask to image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from local.up import LaptopCloud
from tests.browser.page_kit import INPUTS, choose_model, paint
from tests.browser.views import AGAIN, FIRST, PATIENCE_MS, count_views

SIZE = (1280, 720)


def test_the_page_asks_for_little_and_for_less_when_it_is_shown_again(
    browser: Browser, tmp_path: Path
) -> None:
    views = count_views(browser, tmp_path)
    assert 1 <= views.first <= FIRST
    assert 1 <= views.again <= AGAIN


def test_from_a_painted_mask_to_an_image(browser: Browser, tmp_path: Path) -> None:
    with LaptopCloud(data=tmp_path, ports=0, task_seconds=1) as cloud:
        page = browser.new_page(viewport={"width": 1280, "height": 1400}, locale="en-GB")
        page.set_default_timeout(PATIENCE_MS)
        page.goto(str(cloud.sign_in_link))
        page.locator('.task-tile[data-task="repaint"]').click()
        assert "code" not in page.url
        choose_model(page, "wanx-x-painting")
        page.set_input_files(".drop-zone input", INPUTS / "cat.jpg")
        page.wait_for_selector(".painter-stage")
        for row in (0.35, 0.4, 0.45, 0.5):
            paint(page, (0.25, row), (0.85, row))
        page.get_by_label("Prompt", exact=True).fill("a cat wearing red glasses")
        page.get_by_role("button", name="Submit").click()
        page.wait_for_selector(".compare-after")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download image 1").click()
        after = np.asarray(Image.open(download.value.path()).convert("RGB"), dtype=np.int16)
        folder = cloud.bucket_folder
        assert folder is not None
        (mask_file,) = folder.glob("inputs/*/*-mask.png")
        mask = np.asarray(Image.open(mask_file).convert("L").resize(SIZE))
        base = Image.open(INPUTS / "cat.jpg").convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        page.close()
    difference = np.abs(after - np.asarray(base, dtype=np.int16)).mean(axis=2)
    assert after.shape == (SIZE[1], SIZE[0], 3)
    assert np.percentile(difference[mask > 128], 99) > 40
    assert np.percentile(difference[mask == 0], 99) < 20
