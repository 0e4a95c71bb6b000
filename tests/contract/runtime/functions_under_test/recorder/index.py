"""Writes down every event it gets."""

from __future__ import annotations

import os
from pathlib import Path


def handler(event: bytes, context: object) -> str:
    with (Path(os.environ["RECORDS"]) / "recorded.jsonl").open("ab") as file:
        file.write(event + b"\n")
    return "recorded"
