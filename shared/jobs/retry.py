"""The names of retries: `<job>-retry-<n>`, and a retry of a retry counts on."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_ID = 64
"""Characters of a job id (schemas/job.schema.yaml)."""
MOST_RETRIES = 999
_ENDING = re.compile(r"-retry-[0-9]+\Z")


def retry_names(job: str, is_retry: bool) -> Iterator[str]:
    """The names that retries of `job` have, in order.

    `is_retry`: the job was itself made by a retry. A name that merely looks like one is its
    owner's choice and is kept.
    """
    stem = _ENDING.sub("", job) if is_retry else job
    for number in range(1, MOST_RETRIES + 1):
        ending = f"-retry-{number}"
        yield stem[: LONGEST_ID - len(ending)] + ending
