"""The job index: every job once, and nothing else."""

from __future__ import annotations

from collections import Counter

from shared.storage import layout
from tests.simulation.judges.facts import Judge


class Index(Judge):
    """At the end."""

    def ended(self) -> None:
        keys = self.facts.bucket.keys(layout.JOBS)
        entries = Counter(layout.parse_indexed(key)[1] for key in keys)
        wrong = [name for name, times in entries.items() if times > 1]
        missing = [
            name
            for name, job in self.facts.jobs.items()
            if name not in entries and not self.facts.is_replaced(job)
        ]
        strange = [name for name in entries if name not in self.facts.jobs]
        if wrong or missing or strange:
            what = f"twice {wrong}, missing {missing}, strange {strange}"
            self.violate("the index holds every job once", what)
