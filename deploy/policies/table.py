"""The table of permissions: which role may do what, on what, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parents[1] / "permissions.yaml"
BUCKET_ACTIONS = ("oss:GetBucketVersioning",)
"""Actions on the bucket itself, so that a row has nothing to name."""
FIELDS = {"action", "resources", "why"}
SERVICES = ("oss", "log", "fc", "kms")


class TableError(ValueError):
    """The table is not in order; the text says in which row, and what was expected."""


@dataclass(frozen=True)
class Permission:
    """One row. `resources` holds patterns of keys for `oss`, names of functions for `fc`."""

    role: str
    action: str
    resources: tuple[str, ...]
    why: str

    @property
    def service(self) -> str:
        return self.action.partition(":")[0]

    def parts(self) -> Iterator[Permission]:
        """The row as rows that name one thing each: the smallest that can be taken away."""
        for one in self.resources or ("",):
            yield replace(self, resources=(one,) if one else ())


def load_table(path: Path = TABLE) -> list[Permission]:
    """Every row in the file's order. Raises TableError."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise TableError(f"{path.name}: expected a mapping from roles to lists of rows")
    return [
        _row(role, number, row)
        for role, rows in document.items()
        for number, row in enumerate(rows, 1)
    ]


def roles(table: list[Permission]) -> list[str]:
    """The roles in the table's order."""
    return list(dict.fromkeys(row.role for row in table))


def without(table: list[Permission], part: Permission) -> list[Permission]:
    """The table less one of its parts."""
    left = []
    for row in table:
        kept = tuple(one for one in row.resources if (one,) != part.resources)
        same = (row.role, row.action) == (part.role, part.action)
        if not same or (row.resources and kept == row.resources):
            left.append(row)
        elif kept:
            left.append(replace(row, resources=kept))
    return left


def _row(role: str, number: int, row: Any) -> Permission:
    where = f"{TABLE.name}: row {number} of {role}"
    if not isinstance(row, dict) or not {"action", "why"} <= row.keys() <= FIELDS:
        raise TableError(f"{where}: expected a mapping of action, resources and why")
    action, named = row["action"], tuple(row.get("resources") or ())
    if action.partition(":")[0] not in SERVICES or "*" in action:
        raise TableError(f"{where}: {action!r} is not a single action of {', '.join(SERVICES)}")
    needs = action.startswith(("oss:", "fc:")) and action not in BUCKET_ACTIONS
    if bool(named) != needs:
        wanted = "something" if needs else "nothing"
        raise TableError(f"{where}: {action} needs {wanted} in resources")
    return Permission(role, action, named, " ".join(str(row["why"]).split()))
