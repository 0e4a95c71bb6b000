"""Reading and checking a job file.

documents = parse(body, "jobs/cat.yaml")
checked = check(documents[0], catalogue, Place(reader, bucket))
"""

from __future__ import annotations

from shared.jobfile.check import Checked, check
from shared.jobfile.document import Document
from shared.jobfile.findings import Notice, Unreadable, Violation, counted, most_each, short_pointer
from shared.jobfile.parse import SUFFIXES, ParseLimits, parse
from shared.jobfile.references import Place
from shared.jobfile.spec import ImageUse, JobSpec, canonical, request_body

__all__ = [
    "SUFFIXES",
    "Checked",
    "Document",
    "ImageUse",
    "JobSpec",
    "Notice",
    "ParseLimits",
    "Place",
    "Unreadable",
    "Violation",
    "canonical",
    "check",
    "counted",
    "most_each",
    "parse",
    "request_body",
    "short_pointer",
]
