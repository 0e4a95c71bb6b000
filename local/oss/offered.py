"""What a request may carry: what this server does not honour it refuses by name, never ignores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from local.oss.errors import invalid_argument, not_implemented
from local.oss.service import Call

_NAMES = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
_PARAMETERS = {kind: frozenset(names) for kind, names in _NAMES["parameters"].items()}
_HEADERS = {kind: frozenset(names) for kind, names in _NAMES["headers"].items()}
_OF_FORM = _HEADERS["object"] | _HEADERS["any"] | _HEADERS["form"] | _PARAMETERS["signing"]


def check_request(call: Call) -> None:
    """Refuse a query parameter or ``x-oss-`` header that would be ignored; raises OssError 501.

    Other parameters that have a value pass, as on the service: ``?cache=5`` asks for nothing. One
    without a value names a sub-resource, and a request for one must not become a plain read or
    write.
    """
    for name, value in call.query.items():
        if not _is_honoured(call, name, value):
            raise not_implemented(f"This server does not offer the query parameter {name!r}.")
    honoured = _HEADERS["object" if call.key else "bucket"] | _HEADERS["any"]
    _check_names((name.lower() for name in call.request.headers), honoured)


def check_form(fields: Mapping[str, str]) -> None:
    """Refuse a field of a form upload that would be ignored; raises OssError 501."""
    if "callback" in fields:
        raise not_implemented("This server makes no callbacks; leave out the field 'callback'.")
    _check_names(fields, _OF_FORM)


def is_true(name: str, value: str) -> bool:
    """Read a switch, absent where ``value`` is empty; raises OssError 400 for a third value."""
    if value.lower() not in ("", "true", "false"):
        raise invalid_argument(f"{name} must be true or false; it is {value!r}.")
    return value.lower() == "true"


def _is_honoured(call: Call, name: str, value: str) -> bool:
    if name in _PARAMETERS["signing"]:
        return True
    if not call.bucket:
        return name in _PARAMETERS["service"]
    if name in _PARAMETERS["foreign"] or name.startswith("x-oss-"):
        return False
    known = name in _PARAMETERS["bucket_or_object"] or name.startswith("response-")
    return known or bool(value)


def _check_names(names: Iterable[str], honoured: frozenset[str]) -> None:
    for name in names:
        if name.startswith("x-oss-") and not (name.startswith("x-oss-meta-") or name in honoured):
            text = f"This server does not offer {name!r} in this request; leave it out."
            raise not_implemented(text)
