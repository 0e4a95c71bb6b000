"""The list of jobs as a file: CSV for a spreadsheet, JSON Lines for a program.

An answer holds at most `MOST_ROWS` rows, and fewer where it would become larger or take longer
than a function may; then the header `Link` names the rest (RFC 8288).
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import falcon

from shared.api.context import app_of, base_url, caller_of
from shared.api.jobs_api.filters import PARAMETERS, job_filter, page_size
from shared.jobs.listing import JobFilter, JobListing
from shared.ledger.job_index import Cursor
from shared.platform.clock import Clock

MOST_ROWS = 10_000
MOST_CHARACTERS = 1_500_000
"""An answer of Function Compute may have 6 MB; a character has up to 4 bytes."""
MOST_SECONDS = 30.0
COLUMNS = ("job", "state", "model", "created_at", "labels", "prompt", "images", "error")
FORMULA = "=+-@"
PIECES = re.compile(r"[^;|\t\r\n]+")
"""What some spreadsheets take for a cell of its own, as their separator is not the comma."""
Writer = Callable[[Mapping[str, Any]], str]


class Export:
    """`/jobs.csv` and `/jobs.jsonl`"""

    parameters = PARAMETERS

    def __init__(self, media_type: str, head: str, write: Writer) -> None:
        self._media_type, self._head, self._write = media_type, head, write

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """As many rows as one answer holds, and where there are more."""
        size, wanted = page_size(request, MOST_ROWS, MOST_ROWS), job_filter(request)
        app = app_of(request)
        jobs = app.listing(caller_of(request).sees)
        text, following = self._rows(app.clock, jobs, wanted, size)
        response.content_type = self._media_type
        response.text = text
        if following is not None:
            query = urlencode({**request.params, "cursor": following}, doseq=True)
            response.set_header("Link", f'<{base_url(request)}{request.path}?{query}>; rel="next"')

    def _rows(
        self, clock: Clock, jobs: JobListing, wanted: JobFilter, size: int
    ) -> tuple[str, str | None]:
        """Page by page: what is kept of a job is its line alone."""
        text = io.StringIO()
        text.write(self._head)
        until, left, following = clock.monotonic() + MOST_SECONDS, size, None
        while left:
            page = jobs.page(wanted, min(left, 200))
            text.writelines(map(self._write, page.rows))
            left, following = left - len(page.rows), page.next
            if following is None or text.tell() > MOST_CHARACTERS or clock.monotonic() > until:
                break
            wanted = replace(wanted, after=Cursor.of(following))
        return text.getvalue(), following


def csv_line(row: Mapping[str, Any]) -> str:
    """A line of CSV (RFC 4180). A text that a spreadsheet would take for a formula is quoted."""
    error = row["error"] or {}
    flat = {
        **row,
        "labels": " ".join(f"{name}:{value}" for name, value in row["labels"].items()),
        "images": " ".join(image["key"] for image in row["images"]),
        "error": f"{error.get('code')}: {error.get('message')}" if error else "",
    }
    cells = [_harmless(str(flat[name] or "")) for name in COLUMNS]
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def json_line(row: Mapping[str, Any]) -> str:
    """A line of JSON Lines."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def _harmless(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would run."""
    quoted = PIECES.sub(lambda piece: f"'{piece[0]}" if _runs(piece[0]) else piece[0], text)
    needed = _runs(text) or "" < text[:1] < " "
    return f"'{quoted}" if needed and not quoted.startswith("'") else quoted


def _runs(text: str) -> bool:
    """East Asian spreadsheets read = + - @ of any width (NFKC makes them one), and some skip what
    cannot be seen before it: spaces, control and format characters (OWASP "CSV Injection")."""
    seen = next((char for char in text if char.isprintable() and not char.isspace()), "")
    return seen != "" and unicodedata.normalize("NFKC", seen)[0] in FORMULA


EXPORTS = {
    "/jobs.csv": Export("text/csv; charset=utf-8", ",".join(COLUMNS) + "\r\n", csv_line),
    "/jobs.jsonl": Export("application/jsonl; charset=utf-8", "", json_line),
}
"""By path."""
