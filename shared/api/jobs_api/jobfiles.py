"""A stored job as a job file again: to show, to copy, to submit once more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from shared.ledger.record import as_written, without_payload

PLAIN = re.compile(r"[A-Za-z][^:#\n]*")


class _Dumper(yaml.SafeDumper):
    """Writes texts that another YAML version could take for numbers in quotes."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None if PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def whole(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A stored spec as a job file, with the payloads of its data: URLs."""
    written = as_written(spec) or {}
    return {**{name: spec[name] for name in ("model", "input", "parameters")}, **_job(written)}


def shown(spec: Any) -> Any:
    """A stored spec as people see it: without payloads; of a rejected job what was written."""
    if isinstance(spec, Mapping) and {"on_partial", "images"} <= set(spec):
        return as_written(spec)
    return without_payload(spec)


def as_yaml(value: Any) -> str:
    """A job file's value as YAML text that reads back as the same value."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


def _job(written: Mapping[str, Any]) -> dict[str, Any]:
    return {"job": written["job"]} if written.get("job") else {}
