"""What an error of the service means, read from schemas/errors.yaml.

429 is not one class and 500 is not one class: the rules look at code and message together
(Model Studio error code page), first match wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from shared.catalogue.yaml_reader import load_file

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"

CALLER = "caller"
POLICY = "policy"
ACCOUNT = "account"
QUOTA = "quota"
TRANSIENT = "transient"
INPUT_FETCH = "input_fetch"


@dataclass(frozen=True)
class ErrorRule:
    """One row: what it matches and what it means. `breaker`: none, model or key."""

    code: str
    message: str | None
    http: tuple[int, int] | None
    kind: str
    retry: str
    breaker: str
    hint: str
    hint_zh: str

    def matches(self, code: str, message: str, http: int) -> bool:
        if not fnmatchcase(code, self.code):
            return False
        if self.http and not self.http[0] <= http <= self.http[1]:
            return False
        return self.message is None or re.search(self.message, message, re.IGNORECASE) is not None

    @property
    def retryable(self) -> bool:
        """Whether the very same job can succeed later."""
        return self.retry != "never"


class ErrorTable:
    """The rules in order; those of a file are read when the first error comes.

    Most instances never meet one, and reading them takes 9 ms of a cold start.
    """

    def __init__(self, rules: tuple[ErrorRule, ...] | Path) -> None:
        self._given = rules

    @cached_property
    def _rules(self) -> tuple[ErrorRule, ...]:
        if not isinstance(self._given, Path):
            return self._given
        return tuple(_rule(row) for row in load_file(self._given)["rules"])

    def classify(self, code: str, message: str, http: int) -> ErrorRule:
        """The first rule that fits; the table ends with one that always does.

        Raises KeyError or ValueError where the table's file breaks its meta-schema.
        """
        for rule in self._rules:
            if rule.matches(code, message, http):
                return rule
        raise LookupError(f"errors.yaml has no rule for {code!r}; its last rule must fit all.")


def load_errors(path: Path = SCHEMAS / "errors.yaml") -> ErrorTable:
    """The table of a file, which `classify` will read."""
    return ErrorTable(path)


def _rule(row: Mapping[str, Any]) -> ErrorRule:
    return ErrorRule(
        code=row.get("code", "*"),
        message=row.get("message"),
        http=_range(row.get("http")),
        kind=row["class"],
        retry=row["retry"],
        breaker=row.get("breaker", "none"),
        hint=row["hint_en"],
        hint_zh=row["hint_zh"],
    )


def _range(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if isinstance(value, int):
        return value, value
    return int(value[0]), int(value[1])
