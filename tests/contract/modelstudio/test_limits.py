from __future__ import annotations

from local.modelstudio.limits import SlidingWindow
from local.modelstudio.rules import load_models
from local.modelstudio.settings import Settings


def test_no_second_wherever_it_begins_holds_more_than_the_limit() -> None:
    window = SlidingWindow(seconds=1.0)
    asked = [0.0, 0.75, 0.875, 1.0, 1.5, 1.625, 1.75, 2.0]
    assert [at for at in asked if window.admit(at, 2)] == [0.0, 0.75, 1.0, 1.75, 2.0]
    assert window.peak == 2


def test_without_a_limit_all_pass_and_the_peak_is_known() -> None:
    window = SlidingWindow()
    assert all(window.admit(at / 8, None) for at in range(30))
    assert window.peak == 8


def test_the_limits_left_alone_are_the_documented_ones() -> None:
    settings, models = Settings({"free_images": "documented"}), load_models()
    assert settings.task_api_qps == 20
    assert {
        name: (
            *settings.submissions(model),
            settings.concurrent_tasks(model),
            settings.concurrent_calls(model),
            settings.free_images(model),
        )
        for name, model in models.items()
    } == {
        "wanx-x-painting": (2, 1, 1, None, 500),
        "wanx-sketch-to-image-lite": (2, 1, 1, None, 500),
        "wan2.5-i2i-preview": (5, 1, 5, None, 50),
        "wanx2.1-imageedit": (2, 1, 2, None, 500),
        "wan2.5-t2i-preview": (5, 1, 5, None, 50),
        "wan2.2-t2i-flash": (2, 1, 2, None, 100),
        "wan2.2-t2i-plus": (2, 1, 2, None, 100),
        "wanx2.1-t2i-turbo": (2, 1, 2, None, 500),
        "wanx2.1-t2i-plus": (2, 1, 2, None, 500),
        "wanx2.0-t2i-turbo": (2, 1, 2, None, 500),
        "wan2.6-t2i": (1, 1, 5, 5, 50),
        "wan2.6-image": (5, 1, 5, 5, 50),
        "wanx-v1": (2, 1, 1, None, 500),
        "wan2.7-image": (5, 1, 5, 5, 50),
        "wan2.7-image-pro": (5, 1, 5, 5, 50),
        "qwen-image-3.0": (20, 60, 10, None, 10),
        "qwen-image-3.0-pro": (5, 60, 10, None, 10),
        "qwen-image-2.0": (2, 1, None, None, 100),
        "qwen-image-2.0-2026-03-03": (2, 1, None, None, 100),
        "qwen-image-2.0-pro": (2, 60, None, None, 100),
        "qwen-image-2.0-pro-2026-03-03": (2, 60, None, None, 100),
        "qwen-image-2.0-pro-2026-04-22": (2, 60, None, None, 100),
        "qwen-image-2.0-pro-2026-06-22": (2, 60, None, None, 100),
        "qwen-image-edit": (2, 1, None, None, 100),
        "qwen-image-edit-plus": (2, 1, None, None, 100),
        "qwen-image-edit-plus-2025-10-30": (2, 1, None, None, 100),
        "qwen-image-edit-plus-2025-12-15": (2, 1, None, None, 100),
        "qwen-image-edit-max": (2, 60, None, None, 100),
        "qwen-image-edit-max-2026-01-16": (2, 60, None, None, 100),
        "qwen-image": (2, 1, 2, None, 100),
        "qwen-image-plus": (2, 1, 2, None, 100),
        "qwen-image-plus-2026-01-09": (2, 1, None, None, 100),
        "qwen-image-max": (2, 60, None, None, 100),
        "qwen-image-max-2025-12-30": (2, 60, None, None, 100),
        "qwen-mt-image": (1, 1, 2, None, 100),
        "z-image-turbo": (2, 1, None, None, 100),
        "image-out-painting": (2, 1, 5, None, 500),
        "wanx-background-generation-v2": (2, 1, 1, None, 500),
        "wanx-style-repaint-v1": (2, 1, 1, None, 500),
        "aitryon": (10, 1, 5, None, 400),
        "aitryon-plus": (10, 1, 5, None, 400),
    }
