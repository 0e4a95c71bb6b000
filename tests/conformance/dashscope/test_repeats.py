"""A call whose connection breaks is sent again by the SDK itself, or by a person: paid once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dashscope  # type: ignore[import-not-found]
import pytest
import requests
from dashscope import MultiModalConversation

from tests.conformance.laptop import Laptop
from tests.conformance.proxy import breaking

MODEL = "wan2.6-t2i"


@pytest.fixture()
def slow(laptop: Laptop) -> Iterator[Laptop]:
    laptop.settings(task_seconds=5)
    yield laptop
    laptop.settings(task_seconds=0.5)


def paint(laptop: Laptop, url: str, prompt: str) -> Any:
    dashscope.base_http_api_url = f"{url}/api/v1"
    dashscope.api_key = laptop.env["API_TOKEN"]
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    return MultiModalConversation.call(model=MODEL, messages=messages)


def charged(laptop: Laptop) -> int:
    """How many tasks the stand-in for the service has made."""
    return len(laptop.admin("tasks")["tasks"])


def test_a_connection_that_is_cut_is_paid_once_with_the_sdk_s_defaults(slow: Laptop) -> None:
    before = charged(slow)
    with breaking(slow.env["API_URL"], times=1) as url:
        answer = paint(slow, url, "a cat behind a broken wire")
    assert answer.status_code == 200, answer
    assert charged(slow) == before + 1


def test_a_call_that_is_sent_again_after_each_cut_is_paid_once(slow: Laptop) -> None:
    before, prompt = charged(slow), "a dog behind a broken wire"
    with breaking(slow.env["API_URL"], times=3) as url:
        answer = None
        while answer is None:
            try:
                answer = paint(slow, url, prompt)
            except requests.ConnectionError:
                continue
    assert answer.status_code == 200, answer
    assert charged(slow) == before + 1
