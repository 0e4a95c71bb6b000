"""What a person writes who has the dashscope SDK: `call`, then download, then put.

Runs in the SDK's own environment. Its input is the call and where to put the image; its output is
when the call began, after all imports.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import requests
from dashscope import ImageSynthesis  # type: ignore[import-not-found]


def main() -> None:
    """One call. Raises RuntimeError with the service's words if it makes no image."""
    asked = json.load(sys.stdin)
    began = time.time()
    requests.put(asked["put"], data=image_of(asked["call"]), timeout=60).raise_for_status()
    print(began)


def image_of(call: dict[str, Any]) -> bytes:
    """The first image of a call."""
    answer = ImageSynthesis.call(**call)
    results = (answer.output or {}).get("results") or []
    if not results:
        raise RuntimeError(f"{answer.code}: {answer.message}")
    return requests.get(results[0]["url"], timeout=60).content


if __name__ == "__main__":
    main()
