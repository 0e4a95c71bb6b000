"""What is wrong with a tool's arguments, in words, for an assistant that corrects its call."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

Schema = Mapping[str, Any]


def unknown(tool: str, given: Iterable[str], schema: Schema) -> str:
    """What is said of arguments that the tool does not have; empty if it has all."""
    known = list(schema.get("properties", {}))
    wrong = [name for name in given if name not in known]
    if not wrong:
        return ""
    close = difflib.get_close_matches(wrong[0], known, 1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    takes = f"It takes {_quoted(known)}. Nothing was done."
    return f"{tool} has no argument {_quoted(wrong)}.{hint} {takes}"


def misfit(tool: str, names: Iterable[str], given: Mapping[str, Any], schema: Schema) -> str:
    """What is said of arguments that do not fit."""
    fields = schema.get("properties", {})
    said = []
    for name in dict.fromkeys(names):
        verb = "must be" if name in given else "is missing; it is"
        said.append(f"`{name}` {verb} {_expected(fields.get(name, {}))}")
    return f"{tool}: {'; '.join(said)}. Nothing was done; correct it and call again."


def _expected(schema: Schema) -> str:
    for one in schema.get("anyOf", ()):
        if one.get("type") != "null":
            return f"{_expected(one)}, or left out"
    kind = schema.get("type")
    if kind == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if kind == "array":
        return "a list of texts"
    if kind == "object":
        return "an object, as in a job file"
    most = schema.get("maxLength")
    return f"a text of at most {most} characters" if most else "a text"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name[:60]}`" for name in names)
