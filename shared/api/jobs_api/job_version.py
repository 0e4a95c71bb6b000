"""What a caller knows of a job: the ETag of an answer, which names the record it showed."""

from __future__ import annotations

import re

from shared.app import App
from shared.ledger.record import Record

HALF_A_LINK = 1800
"""Seconds after which a job's ETag changes: clients get fresh links before theirs expire."""
NUMBER = re.compile(r"([1-9][0-9]{0,5})-")


def tag_of(app: App, last: Record, position: int | None) -> str:
    """The ETag, without quotes, of an answer that shows `last` at its place in the queue."""
    half_hours = int(app.clock.now() // HALF_A_LINK)
    age = half_hours if last.manifest else 0
    return f"{mark_of(last)}.{position or 0}.{age}"


def mark_of(last: Record) -> str:
    """The part of the ETag that changes with the record alone."""
    return f"{last.seq}-{last.nonce[:8]}"


def bare(tag: str) -> str:
    """An ETag as a header has it, without quotes."""
    return tag.strip().removeprefix("W/").strip('"')


def mark_in(tag: str) -> str:
    """The mark of the record that a bare ETag was made for."""
    return tag.split(".")[0]


def number_in(tag: str) -> int:
    """The number of that record; 1 where the text is no ETag of ours."""
    found = NUMBER.match(tag)
    return int(found[1]) if found else 1
