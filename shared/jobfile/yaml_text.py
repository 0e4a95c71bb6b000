"""A job file's value as YAML text."""

from __future__ import annotations

import re
from typing import Any

import yaml

PLAIN = re.compile(r"[A-Za-z][^:#\n]*")


class _Dumper(yaml.SafeDumper):
    """Writes texts that another YAML version could take for numbers in quotes."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None if PLAIN.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: Any) -> str:
    """A job file's value as YAML text that reads back as the same value."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
