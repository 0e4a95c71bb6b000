"""A day later the service has forgotten a task; through `api` it is still there, images and all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from tests.conformance.dashscope.calls import CASES, Pictures
from tests.conformance.dashscope.images import ImageHost
from tests.conformance.dashscope.sdk import ImageSynthesis, on_both, shown
from tests.conformance.laptop import Laptop

DAY = 24 * 3600


def test_results_outlive_the_service(own_laptop: Laptop, images: ImageHost, tmp_path: Path) -> None:
    call = {**Pictures(images, tmp_path).resolved(CASES["models"]["editing"]), "n": 2}
    done = on_both(own_laptop.sides, lambda: ImageSynthesis.call(**call))
    assert [answer.output.task_status for answer in done] == ["SUCCEEDED"] * 2

    own_laptop.admin("clock", {"advance_seconds": DAY})

    tasks = iter([answer.output.task_id for answer in done])
    service, api = on_both(own_laptop.sides, lambda: ImageSynthesis.fetch(next(tasks)))
    assert service.output.task_status == "UNKNOWN"
    assert [_status(result.url) for result in done[0].output.results] == [403, 403]
    assert shown(api) == shown(done[1])
    assert [_picture(result.url) for result in api.output.results] == [("PNG", 2)] * 2


def _status(url: str) -> int:
    return requests.get(url, timeout=30).status_code


def _picture(url: str) -> Any:
    """The image's format, and in how many directions it extends: it can be read whole."""
    got = requests.get(url, timeout=30)
    assert got.status_code == 200, f"{url} answers {got.status_code}"
    with Image.open(io.BytesIO(got.content)) as picture:
        picture.load()
        return picture.format, len(picture.size)
