"""Some images of a task failed: `keep` keeps the others, `retry-failed` tries the failed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.ledger.record import FAILED, SUCCEEDED
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.attempts import MOST, MOST_PRICE
from tests.simulation.judges.facts import Judge
from tests.simulation.studio import INTERNAL

RETRY = "retry-failed"
FORGOTTEN = "TaskExpired"


class Partial(Judge):
    """At each create request: how many images it asks for; at the end: what the job has."""

    def arrived(self, arrival: Arrival) -> None:
        job = self.facts.sender(arrival)
        if job is None:
            return
        billed = self.facts.billed(job)
        if billed and job.on_partial != RETRY:
            self.violate("keep keeps what came", f"{job.name} is sent again")
        if arrival.images != job.images - billed:
            what = f"{job.name} asks for {arrival.images} images, {billed} of {job.images} are made"
            self.violate("only failed images are tried again", what)

    def ended(self) -> None:
        for job in self.facts.jobs.values():
            if job.prompt and job.state in (SUCCEEDED, FAILED):
                self._judge(job, job.manifests[-1])

    def _judge(self, job: Job, manifest: Mapping[str, Any]) -> None:
        code = (manifest["error"] or {}).get("code")
        if job.state == FAILED:
            if (manifest["images"] or self.facts.billed(job)) and code != FORGOTTEN:
                self.violate("a job with images is no failure", job.name)
            return
        numbers = [one["number"] for one in (*manifest["images"], *manifest["failed_images"])]
        if sorted(numbers) != list(range(1, job.images + 1)):
            self.violate("each image is told of once", f"{job.name}: {sorted(numbers)}")
        if manifest["failed_images"] and job.on_partial == RETRY:
            self._tried_enough(job, manifest["failed_images"])

    def _tried_enough(self, job: Job, failed: list[Mapping[str, Any]]) -> None:
        price = self.facts.prices[job.model] * (self.facts.billed(job) + len(failed))
        may_pass = all(one["code"] == INTERNAL[0] for one in failed)
        tried = min(job.intents, int(job.last.get("attempt") or 0))
        if may_pass and tried < MOST and price <= MOST_PRICE:
            what = f"{job.name} gave up {len(failed)} images after {tried} attempts"
            self.violate("what may pass is tried again", what)
