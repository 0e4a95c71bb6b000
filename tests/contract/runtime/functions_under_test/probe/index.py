"""Tells what a handler finds around it."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

_initialized_for: list[str] = []


def initialize(context: SimpleNamespace) -> None:
    _initialized_for.append(context.request_id)


def handler(event: bytes, context: SimpleNamespace) -> dict[str, object]:
    attributes = dict(vars(context))
    attributes.pop("logger", None)
    return {
        "event_type": type(event).__name__,
        "environ": dict(os.environ),
        "cwd": os.getcwd(),
        "path": sys.path,
        "initialized": len(_initialized_for),
        "has_logger": hasattr(context, "logger"),
        "context": {
            name: vars(value) if isinstance(value, SimpleNamespace) else value
            for name, value in attributes.items()
        },
    }
