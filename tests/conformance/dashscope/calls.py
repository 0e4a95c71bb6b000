"""The calls of cases.yaml: read, made on a side, compared with what is expected."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.dashscope.images import ImageHost, drawn, saved
from tests.conformance.dashscope.sdk import ImageSynthesis, Shown, attempt

_PATH = Path(__file__).with_name("cases.yaml")
CASES: Mapping[str, Any] = yaml.safe_load(_PATH.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Pictures:
    """Turns the names in cases.yaml into addresses, files and inline data."""

    host: ImageHost
    folder: Path

    def resolved(self, value: Any) -> Any:
        """The value with every `picture:`, `file:`, `path:` and `inline:` in it replaced."""
        if isinstance(value, dict):
            return {name: self.resolved(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.resolved(part) for part in value]
        kind, colon, name = value.partition(":") if isinstance(value, str) else ("", "", "")
        if (colon and kind in self._ways and drawn(name)) or kind == "picture":
            return self._ways[kind](name)
        return value

    @property
    def _ways(self) -> dict[str, Callable[[str], str]]:
        return {
            "picture": self.host.url,
            "file": lambda name: f"file://{saved(name, self.folder)}",
            "path": lambda name: str(saved(name, self.folder)),
            "inline": _inline,
        }


def _inline(name: str) -> str:
    kind = {"jpg": "jpeg"}.get(name[-3:], name[-3:])
    return f"data:image/{kind};base64,{base64.b64encode(drawn(name)).decode()}"


def created(call: Mapping[str, Any]) -> Any:
    """The SDK's answer to async_call, or what it raised."""
    return attempt(lambda: ImageSynthesis.async_call(**call))


def ended(created: Any) -> Any:
    """The task's last answer; what was refused is its own last answer."""
    if isinstance(created, Exception) or created.status_code != 200:
        return created
    return ImageSynthesis.wait(created)


def told(seen: Shown, names: Mapping[str, Any]) -> dict[str, Any]:
    """The named fields of what was shown."""
    known = {field.name for field in fields(Shown)}
    assert set(names) <= known, f"cases.yaml expects {set(names) - known}, known are {known}"
    return {name: getattr(seen, name) for name in names}


def frozen(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as cases.yaml writes them, in the form Shown has them."""
    return {name: _frozen(value) for name, value in fields.items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted(value.items()))
    return tuple(value) if isinstance(value, list) else value
