"""What a person writes who has the dashscope SDK: `call`, then download. Runs in the SDK's own
environment; each line of its input is a call, each line of its output when it began and what it
made."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import requests
from dashscope import ImageSynthesis  # type: ignore[import-not-found]


def main() -> None:
    """One call after the other, until the input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.time()
        image = image_of(asked["call"])
        Path(asked["file"]).write_bytes(image)
        print(json.dumps({"began": began, "bytes": len(image)}), flush=True)


def image_of(call: dict[str, Any]) -> bytes:
    """The first image of a call. Raises RuntimeError with the service's words if there is none."""
    answer = ImageSynthesis.call(**call)
    results = (answer.output or {}).get("results") or []
    if not results:
        raise RuntimeError(f"{answer.code}: {answer.message}")
    return requests.get(results[0]["url"], timeout=60).content


if __name__ == "__main__":
    main()
