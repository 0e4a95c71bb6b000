"""Errors of the service, by the names of errors.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml


class ServiceError(Exception):
    """An error in the service's own words: HTTP status, code, message (error code page)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class _Facts(dict[str, Any]):
    """Fills blanks: by what is known, else by the error's sample, else xxx as the documents do."""

    def __missing__(self, key: str) -> str:
        return "xxx"


@cache
def error_table() -> Mapping[str, Mapping[str, Any]]:
    """Every known error by name."""
    text = Path(__file__).with_name("errors.yaml").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, Any]] = yaml.safe_load(text)
    return table


def service_error(name: str, **facts: object) -> ServiceError:
    """The named error with its blanks filled in. Raises KeyError for a name errors.yaml lacks."""
    row = error_table()[name]
    known = _Facts({**row.get("sample", {}), **facts})
    return ServiceError(row["status"], row["code"], row["message"].format_map(known))
