"""The XML documents a client may send: read and held against documents.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, ValidationError

from local.oss import xml
from local.oss.bodies import read_document
from local.oss.errors import OssError, invalid_argument, malformed_xml
from local.oss.service import Call

_VALUES = {"pattern", "enum", "minLength", "maxLength"}


@cache
def _schemas() -> dict[str, Any]:
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


async def read(call: Call, root: str) -> xml.Element:
    """Read the request's body, a document with this root element.

    Raises OssError 400: ``MalformedXML`` for an element out of place, ``InvalidArgument`` for a
    value out of range.
    """
    return checked(await read_document(call), root)


def checked(body: bytes, root: str) -> xml.Element:
    """Read a document that is there already; raises OssError as `read` does."""
    node, schema = xml.parse(body, root), _schemas()[root]
    problem = next(Draft202012Validator(schema).iter_errors(_plain(node, schema)), None)
    if problem:
        raise _refusal(root, problem)
    return node


def _plain(node: xml.Element, schema: dict[str, Any]) -> Any:
    """Return an element as mapping, a leaf as text; lists are where the schema has arrays."""
    if not len(node) and schema.get("type") != "object":
        return node.text
    found: dict[str, Any] = {}
    for child in node:
        wanted = schema.get("properties", {}).get(child.tag, {})
        if wanted.get("type") == "array":
            found.setdefault(child.tag, []).append(_plain(child, wanted["items"]))
        elif child.tag in found:
            raise malformed_xml(f"<{node.tag}> holds <{child.tag}> more than once.")
        else:
            found[child.tag] = _plain(child, wanted)
    return found


def _refusal(root: str, problem: ValidationError) -> OssError:
    steps = (f"[{step + 1}]" if isinstance(step, int) else f"/{step}" for step in problem.path)
    where, schema = f"{root}{''.join(steps)}", dict(cast("dict[str, Any]", problem.schema))
    if problem.validator in _VALUES:
        expected = schema["description"]
        return invalid_argument(f"{where} is {str(problem.instance)[:80]!r}; expected {expected}.")
    if problem.validator in ("oneOf", "anyOf"):
        return malformed_xml(f"{where}: expected {schema['description']}.")
    return malformed_xml(f"{where}: {problem.message}.")
