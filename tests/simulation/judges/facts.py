"""What judges know: the jobs' chains, the service's side, the bucket, and how the weather is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.ledger.record import REJECTED
from shared.storage import layout
from tests.simulation.account import BLOCKS
from tests.simulation.arrivals import Arrival
from tests.simulation.bucket import SimBucket
from tests.simulation.chains import Job
from tests.simulation.studio import SimStudio

PASSED = 2.5
"""Seconds by which an instance's clock may differ from the one that wrote `not_before`."""


@dataclass
class Facts:
    """Facts of one run. `quiet_since`: from this moment on nothing fails, and the timer fires;
    infinite before. `held`: for how long the actor that acts now was frozen so far. `prices`: of
    one image, by model. `clashes`: for each id that two documents ask for, their prompts, each
    with its file. `away`: when no poller runs at all. `polled_since`: whether a poller
    has run since a moment. `outages`: store or service may answer nobody for a while. `resumed_at`:
    when a person closes the breakers."""

    jobs: dict[str, Job]
    studio: SimStudio
    bucket: SimBucket
    violate: Callable[[str, str], None]
    held: Callable[[], float]
    prices: dict[str, float]
    clashes: dict[str, dict[str, str]] = field(default_factory=dict)
    away: tuple[float, float] = (0.0, 0.0)
    quiet_since: float = math.inf
    polled_since: Callable[[float], bool] = lambda _moment: True
    outages: bool = True
    resumed_at: float = math.inf
    _marked: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.bucket.watchers.append(self._marker)

    @property
    def now(self) -> float:
        return self.studio.kernel.now

    def quiet_for(self, at: float) -> float:
        """Seconds of quiet before a moment; negative before it."""
        return at - self.quiet_since

    def sender(self, arrival: Arrival) -> Job | None:
        """The job whose attempt a create request belongs to."""
        return self.jobs.get(arrival.job)

    def arrivals_of(self, job: Job) -> list[Arrival]:
        """All create requests of a job so far, in order."""
        return [one for one in self.studio.log if one.job == job.name]

    def ready_since(self, job: Job) -> float:
        """From when on a queued job could be sent; infinite as long as it has no marker."""
        return max(
            self.marked_since(job), job.records[-1].at, (job.moment("not_before") or 0.0) + PASSED
        )

    def is_replaced(self, job: Job) -> bool:
        """Rejected for a file that is gone: nobody delivers it again to complete what is left."""
        stored = self.bucket.objects.get(job.source[0]) if job.source else None
        return job.state == REJECTED and (stored is None or stored.etag != job.source[1])

    def marked_since(self, job: Job) -> float:
        """From when on a job has its marker; infinite if it has none."""
        return self._marked.get(job.name, math.inf)

    def _marker(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if not key.startswith(layout.QUEUE) or key == layout.DEPLOYED:
            return
        name = layout.job_of_marker(key)
        if after is None:
            self._marked.pop(name, None)
        elif before is None:
            self._marked[name] = self.now

    def billed(self, job: Job) -> int:
        """Images billed for the tasks that the job's chain names."""
        tasks = self.studio.tasks
        return sum(tasks[name].images for name in job.tasks if name in tasks)


def account_codes(record: Mapping[str, Any]) -> set[str]:
    """What a record says is wrong with the account: in the job's error, and in single images'."""
    lost = (record.get("manifest") or {}).get("failed_images") or ()
    codes = {str((one or {}).get("code")) for one in (record.get("error"), *lost)}
    return codes & BLOCKS.keys()


class Judge:
    """Watches one promise. What it does not need it leaves as it is here."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.violate = facts.violate

    def recorded(self, job: Job) -> None:
        """A record was written; it is the job's last one now."""

    def arrived(self, arrival: Arrival) -> None:
        """A create request has come to the service; its answer is open."""

    def ticked(self) -> None:
        """A minute has passed."""

    def ended(self) -> None:
        """All has come to rest."""
