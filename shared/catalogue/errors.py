"""What an error means, read from schemas/errors.yaml: the service's errors and our own.

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

from shared.catalogue.files import SCHEMAS, load_file

CALLER = "caller"
POLICY = "policy"
ACCOUNT = "account"
QUOTA = "quota"
TRANSIENT = "transient"
INPUT_FETCH = "input_fetch"
OURS = "ours"


@dataclass(frozen=True)
class JobError:
    """Why a job or an image failed, as records and manifests show it. `kind` is the class."""

    code: str
    message: str
    kind: str
    retryable: bool
    hint: str
    hint_zh: str = ""
    request_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON (schemas/result.schema.yaml)."""
        shown = dict(vars(self))
        return {"class" if name == "kind" else name: value for name, value in shown.items()}

    @staticmethod
    def of(document: Mapping[str, Any]) -> JobError:
        """The inverse of `to_dict`; unknown fields are ignored. Raises KeyError."""
        return JobError(
            code=document["code"],
            message=document["message"],
            kind=document["class"],
            retryable=document["retryable"],
            hint=document["hint"],
            hint_zh=document.get("hint_zh") or "",
            request_id=document.get("request_id"),
        )


@dataclass(frozen=True)
class ErrorRule:
    """One row: what it matches and what it means. `breaker`: none, pause, model or key.

    `job_alone`: not the account may be refused, but the one job.
    """

    code: str
    message: str | None
    http: tuple[int, int] | None
    kind: str
    retry: str
    breaker: str
    hint: str
    hint_zh: str
    job_alone: bool = False

    def matches(self, code: str, message: str, http: int) -> bool:
        if not fnmatchcase(code, self.code):
            return False
        if self.http and not self.http[0] <= http <= self.http[1]:
            return False
        return self.message is None or re.search(self.message, message, re.IGNORECASE) is not None

    @property
    def blocks(self) -> bool:
        """Whether a person has to act before anything can go on."""
        return self.breaker in ("model", "key")

    @property
    def retryable(self) -> bool:
        """Whether the very same job can succeed later."""
        return self.retry != "never"

    def error(self, code: str, message: str, request_id: str = "") -> JobError:
        """An error of the service that this rule explains."""
        return JobError(
            code, message, self.kind, self.retryable, self.hint, self.hint_zh, request_id or None
        )


@dataclass(frozen=True)
class OwnError:
    """One row of `ours`. `message` has places in braces for the facts of a case."""

    code: str
    message: str
    retryable: bool
    hint: str
    hint_zh: str


class ErrorTable:
    """The rules in order; those of a file are read when the first error comes.

    Most instances never meet one, and reading them takes 9 ms of a cold start.
    """

    def __init__(
        self, rules: tuple[ErrorRule, ...] | None = None, path: Path = SCHEMAS / "errors.yaml"
    ) -> None:
        self._given, self._path = rules, path

    @cached_property
    def _file(self) -> Mapping[str, Any]:
        document: Mapping[str, Any] = load_file(self._path)
        return document

    @cached_property
    def _rules(self) -> tuple[ErrorRule, ...]:
        if self._given is not None:
            return self._given
        return tuple(_rule(row) for row in self._file["rules"])

    @cached_property
    def _ours(self) -> Mapping[str, OwnError]:
        return {row["code"]: _own(row) for row in self._file["ours"]}

    def ours(self, code: str, message: str = "", **facts: object) -> JobError:
        """An error this system found itself.

        `facts` fill the placeholders of the row's message, which `message` replaces. Raises
        KeyError for a code without a row.
        """
        row = self._ours[code]
        said = message or row.message.format(**facts)
        return JobError(code, said, OURS, row.retryable, row.hint, row.hint_zh)

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
    return ErrorTable(path=path)


def _own(row: Mapping[str, Any]) -> OwnError:
    return OwnError(
        code=row["code"],
        message=row.get("message", ""),
        retryable=row["retryable"],
        hint=row["hint_en"],
        hint_zh=row["hint_zh"],
    )


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
        job_alone=row.get("job_alone", False),
    )


def _range(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if isinstance(value, int):
        return value, value
    return int(value[0]), int(value[1])
