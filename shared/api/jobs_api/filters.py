"""Query parameters of the list of jobs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import falcon

from shared.api.context import app_of
from shared.api.jobs_api.problems import wrong_parameter
from shared.jobs.listing import JobFilter
from shared.ledger.job_index import Cursor
from shared.ledger.record import STATES
from shared.storage.layout import END_OF_TIME_MS

DEFAULT_SIZE = 20
PARAMETERS = {
    "GET": (
        *("state", "model", "label", "since", "until", "search", "hidden"),
        *("cursor", "limit"),
    )
}
"""What the lists read of a query."""
LONGEST_SEARCH = 200
DAY_MS = 86_400_000
TRUTH = {"": False, "false": False, "true": True}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def job_filter(request: falcon.Request) -> JobFilter:
    """Which jobs are wanted. Raises Problem for what cannot be read."""
    state = request.get_param("state") or None
    if state is not None and state not in STATES:
        raise wrong_parameter("state", f"one of {', '.join(STATES)}", state)
    model, known = request.get_param("model") or None, app_of(request).catalogue.names()
    if model is not None and model not in known:
        raise wrong_parameter("model", f"one of {', '.join(known)}", model)
    cursor = request.get_param("cursor")
    after = Cursor.of(cursor) if cursor else None
    if cursor and after is None:
        raise wrong_parameter("cursor", "`next` of an earlier answer", cursor)
    labels = request.get_param_as_list("label") or []
    return JobFilter(
        (state,) if state else (),
        model,
        tuple(_label(text) for text in labels if text),
        _moment("since", request.get_param("since") or "") or 0,
        after,
        _moment("until", request.get_param("until") or ""),
        _words(request.get_param("search") or ""),
        _truth("hidden", request.get_param("hidden") or ""),
    )


def page_size(request: falcon.Request, most: int, default: int = DEFAULT_SIZE) -> int:
    """The parameter `limit`. Raises Problem."""
    text = request.get_param("limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or not 1 <= int(text) <= most:
        raise wrong_parameter("limit", f"a whole number from 1 to {most}", text)
    return int(text)


def _label(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise wrong_parameter("label", "written as name:value", text)
    return name, value


def _words(text: str) -> tuple[str, ...]:
    if len(text) > LONGEST_SEARCH:
        raise wrong_parameter("search", f"words, {LONGEST_SEARCH} characters at most", text)
    return tuple(text.split())


def _truth(name: str, text: str) -> bool:
    if text not in TRUTH:
        raise wrong_parameter(name, "true or false", text)
    return TRUTH[text]


def _moment(name: str, text: str) -> int | None:
    """None for no text. A date alone is its first moment, as `until` its last one."""
    if not text:
        return None
    found = milliseconds(text)
    if found is None:
        raise wrong_parameter(name, "a date or time such as 2026-11-20T05:12:00Z", text)
    is_day = "T" not in text.upper()
    return min(found + (DAY_MS - 1 if is_day and name == "until" else 0), END_OF_TIME_MS)


def milliseconds(text: str) -> int | None:
    """Milliseconds since 1970 of a date, or of an RFC 3339 time; without zone it is UTC.

    None if it is neither.
    """
    found = MOMENT.fullmatch(text.upper().replace(" ", "+"))
    if found is None:
        return None
    day, time, fraction, zone = found.groups()
    clock = f"{time or '00:00:00'}.{(fraction or '0')[:6]:0<6}"
    offset = "+00:00" if zone in (None, "Z") else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
    except ValueError:
        return None
    return max(0, (moment - EPOCH) // timedelta(milliseconds=1))
