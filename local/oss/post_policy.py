"""The policy of a form upload: what a browser may post, and until when ("PostObject" page)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from local.oss.errors import OssError, access_denied


@dataclass(frozen=True)
class Policy:
    """Conditions on the form's fields; sizes are those of the file in bytes."""

    conditions: list[tuple[str, str, object]]
    smallest: int = 0
    largest: int | None = None

    def check_fields(self, fields: Mapping[str, str]) -> None:
        """Refuse fields that break a condition; names in ``fields`` are lower-case."""
        for operator, name, wanted in self.conditions:
            value = fields.get(name, "")
            if not _holds(operator, value, wanted):
                text = f'["{operator}", "${name}", {json.dumps(wanted)}], the form has {value!r}'
                raise access_denied(
                    f"Invalid according to Policy: Policy Condition failed: {text}."
                )

    def check_size(self, size: int) -> None:
        """Refuse a file outside ``content-length-range``."""
        if size < self.smallest:
            text = f"The file has {size} bytes; the policy asks for {self.smallest} at least."
            raise OssError(400, "EntityTooSmall", text)
        if self.largest is not None and size > self.largest:
            text = f"The file has more than the {self.largest} bytes the policy allows."
            raise OssError(400, "EntityTooLarge", text)


def parse_policy(encoded: str, now: float) -> Policy:
    """Read a base64 policy; raises OssError 400 where it is none and 403 once it has expired."""
    try:
        document = json.loads(base64.b64decode(encoded, validate=True))
        expires = datetime.fromisoformat(str(document["expiration"]).replace("Z", "+00:00"))
        listed = list(document["conditions"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise _invalid(f"it needs base64 JSON with expiration and conditions ({error})") from None
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=timezone.utc)
    if expires.timestamp() < now:
        raise access_denied("Invalid according to Policy: Policy expired; sign a new one.")
    return _collected(listed)


def _collected(listed: list[object]) -> Policy:
    conditions: list[tuple[str, str, object]] = []
    smallest, largest = 0, None
    for entry in listed:
        if isinstance(entry, dict):
            conditions += [("eq", str(name).lower(), value) for name, value in entry.items()]
        elif isinstance(entry, list) and len(entry) == 3 and entry[0] == "content-length-range":
            smallest, largest = _bounds(entry[1], entry[2])
        elif isinstance(entry, list) and len(entry) == 3 and str(entry[1]).startswith("$"):
            conditions.append((str(entry[0]).lower(), str(entry[1])[1:].lower(), entry[2]))
        else:
            raise _invalid(f"the condition {json.dumps(entry)} is not understood")
    return Policy(conditions, smallest, largest)


def _bounds(smallest: object, largest: object) -> tuple[int, int]:
    try:
        return int(str(smallest)), int(str(largest))
    except ValueError:
        raise _invalid("content-length-range needs two whole numbers") from None


def _holds(operator: str, value: str, wanted: object) -> bool:
    if operator == "eq":
        return value == str(wanted)
    if operator == "starts-with":
        return value.startswith(str(wanted))
    if operator in ("in", "not-in") and isinstance(wanted, list):
        return (value in wanted) == (operator == "in")
    raise _invalid(f"the operator {operator!r} does not exist")


def _invalid(why: str) -> OssError:
    return OssError(400, "InvalidPolicyDocument", f"The policy cannot be used: {why}.")
