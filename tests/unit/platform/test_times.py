"""Times in records: what `from_iso` reads fast, it reads as the slow way does."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.clock import from_iso, iso

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30))
NEARLY = st.from_regex(r"[0-9]{4}(.[0-9]{1,2}){5}.[0-9+-]{1,6}.?", fullmatch=True)


def by_strptime(text: str) -> float | None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        return None
    return moment.replace(tzinfo=timezone.utc).timestamp()


def read(text: str) -> float | None:
    try:
        return from_iso(text)
    except ValueError:
        return None


@given(MOMENTS)
def test_what_iso_writes_is_read_back_to_the_millisecond(moment: datetime) -> None:
    at = moment.replace(tzinfo=timezone.utc).timestamp()
    assert from_iso(iso(at)) == by_strptime(iso(at))
    assert abs(from_iso(iso(at)) - at) < 0.0011


@given(NEARLY | st.text(max_size=30))
@pytest.mark.parametrize("form", ["{}", "2026-{}Z", "2026-11-20T{}Z"])
def test_any_other_text_is_taken_or_refused_as_strptime_does(form: str, text: str) -> None:
    assert read(form.format(text)) == by_strptime(form.format(text))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 05:12:00.123Z",
        "2026-11-20T05:12:00,123Z",
        "20261120T051200.123456Z",
        "2026-02-30T05:12:00.123Z",
        "2026-11-20T24:00:00.000Z",
        "2026-11-20T05:12:60.000Z",
        "0000-11-20T05:12:00.000Z",
        "2026-11-20T05:12:00.1+0Z",
        "٢٠٢٦-11-20T05:12:00.123Z",
        "2026-11-20T05:12:00.123Z\n",
    ],
)
def test_a_form_close_to_that_of_records_is_read_as_strptime_does(text: str) -> None:
    assert read(text) == by_strptime(text)
