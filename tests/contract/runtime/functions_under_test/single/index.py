"""Says that it runs, then waits until the test opens the gate."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path


def handler(event: bytes, context: object) -> str:
    gate: Path = Path(os.environ["RECORDS"]) / json.loads(event)["gate"]
    gate.with_name(f"{gate.name}.entered-{uuid.uuid4().hex}").touch()
    return gate.read_text()  # a named pipe: blocks until it is written to
