"""A job file that asks for the images of a job of the same id, with other options."""

from __future__ import annotations

from collections.abc import Sequence

from shared.jobfile import Document, Violation
from shared.ledger.record import Record
from shared.storage import layout

OPTIONS = ("webhook", "labels", "priority", "expires_after", "on_partial", "on_unknown")
"""What a job file says below `job` beside the id."""


def differing_options(draft: Record, known: Record) -> list[str]:
    """The options in which a draft is not the job of its id; none of an erased job's."""
    if draft.spec is None or known.spec is None:
        return []
    return [name for name in OPTIONS if getattr(draft.spec, name) != getattr(known.spec, name)]


def other_options(job: str, document: Document, names: Sequence[str]) -> Violation:
    """Why such a file is refused: whatever is other in it would be dropped."""
    pointer = f"/job/{names[0]}"
    return Violation(
        pointer=pointer,
        line=document.line(pointer) or document.line("/job/id"),
        expected="what the job of this id was made with",
        found=", ".join(names),
        message=f"The id {job} belongs to a job that asks for the same images with another"
        f" {', '.join(names)} (its result lies at {layout.result(job)}); send what it was made"
        " with, or choose another id.",
        source="job file",
    )
