"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cli.findings import Finding, Report

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
RULES = {
    "violation": "The job file must be changed before the job can be submitted.",
    "notice": "The job is submitted all the same; this is worth knowing.",
}


def sarif(reports: Sequence[Report]) -> dict[str, Any]:
    """One run over all files."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    results = [_result(report, one) for report in reports for one in report.findings]
    driver = {"name": "wanx", "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(report: Report, one: Finding) -> dict[str, Any]:
    found = one.violation
    rule = "notice" if one.is_notice else "violation"
    return {
        "ruleId": rule,
        "ruleIndex": list(RULES).index(rule),
        "level": "note" if one.is_notice else "error",
        "message": {"text": found.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(report.file)},
                    "region": {"startLine": found.line or 1},
                },
                "logicalLocations": [{"fullyQualifiedName": found.pointer or "/"}],
            }
        ],
        "properties": {
            "job": one.document,
            "expected": found.expected,
            "found": found.found,
            "source": found.source,
        },
    }


def _uri(path: Path) -> str:
    """Relative to where the command was called if the file lies below, otherwise a file: URI."""
    absolute = path.resolve()
    try:
        return quote(absolute.relative_to(Path.cwd()).as_posix())
    except ValueError:
        return absolute.as_uri()
