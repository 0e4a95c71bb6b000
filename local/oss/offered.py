"""What the service offers and this server does not: refused by name, not ignored in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from local.oss.errors import invalid_argument, not_implemented
from local.oss.service import Call

_NAMES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)
_EXTENSIONS = frozenset(_NAMES["extensions"])
_PARAMETERS = _EXTENSIONS.union(_NAMES["parameters"])
_WITHOUT_VALUE = frozenset(_NAMES["without_value"])
_OF_SERVICE = frozenset(_NAMES["of_service"])


def check_request(call: Call) -> None:
    """Refuse a query parameter or header that would be ignored; raises OssError 501.

    Unknown ones pass, as on the service, except for a query parameter without a value: it names a
    sub-resource.
    """
    for name, value in call.query.items():
        known = name in _OF_SERVICE
        if call.bucket:
            known = known or bool(value) or name in _WITHOUT_VALUE or name.startswith("response-")
        if name in _PARAMETERS or not known:
            raise not_implemented(f"This server does not offer the query parameter {name!r}.")
    _check_names(name.lower() for name in call.request.headers)


def check_form(fields: Mapping[str, str]) -> None:
    """Refuse a field of a form upload that would be ignored; raises OssError 501."""
    if "callback" in fields:
        raise not_implemented("This server makes no callbacks; leave out the field 'callback'.")
    _check_names(fields)


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if name in _EXTENSIONS:
            raise not_implemented(f"This server does not offer {name!r}; leave it out.")


def is_true(name: str, value: str) -> bool:
    """Read a switch, absent where ``value`` is empty; raises OssError 400 for a third value."""
    if value.lower() not in ("", "true", "false"):
        raise invalid_argument(f"{name} must be true or false; it is {value!r}.")
    return value.lower() == "true"
