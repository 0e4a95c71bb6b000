"""Some images of a task failed: `keep` keeps the others, `retry-failed` tries the failed ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from shared.ledger.record import FAILED, SUBMITTING, SUCCEEDED
from tests.simulation.account import BLOCKS
from tests.simulation.arrivals import Arrival
from tests.simulation.chains import Job
from tests.simulation.judges.attempts import MOST, MOST_PRICE, attempts_of
from tests.simulation.judges.facts import Judge
from tests.simulation.pictures import picture
from tests.simulation.studio import INTERNAL, RETENTION, result_url

RETRY = "retry-failed"
FORGOTTEN, EXPIRED, REFUSED_HOST = "TaskExpired", "ResultExpired", "ResultHostRefused"
IMAGE_NAME = re.compile(rb"/(task-\d+)/(\d+)\.png")


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
            # The job's error is that of its first image; links may have expired behind it.
            codes = {code, *(one["code"] for one in manifest["failed_images"])}
            lost = code in (FORGOTTEN, REFUSED_HOST) or (EXPIRED in codes and self._outlived(job))
            if (manifest["images"] or self.facts.billed(job)) and not lost:
                self.violate("a job with images is no failure", job.name)
            return
        numbers = [one["number"] for one in (*manifest["images"], *manifest["failed_images"])]
        if sorted(numbers) != list(range(1, job.images + 1)):
            self.violate("each image is told of once", f"{job.name}: {sorted(numbers)}")
        self._in_order(job, manifest)
        if manifest["failed_images"] and job.on_partial == RETRY:
            self._tried_enough(job, manifest["failed_images"])

    def _outlived(self, job: Job) -> bool:
        """Whether the links of a call, which no service knows again, were a day old at the end."""
        called = [link.at for link in job.records if link.state == SUBMITTING]
        is_call = self.facts.studio.is_call(job.model)
        return is_call and job.records[-1].at - called[-1] >= RETENTION

    def _in_order(self, job: Job, manifest: Mapping[str, Any]) -> None:
        """The images of a task are numbered as the task numbers them."""
        places: defaultdict[bytes, list[int]] = defaultdict(list)
        for image in sorted(manifest["images"], key=lambda image: int(image["number"])):
            body = self.facts.bucket.body(image["key"]) or b""
            found = IMAGE_NAME.search(body)
            if found is None or body != picture(
                result_url(found[1].decode(), int(found[2])).partition("?")[0]
            ):
                self.violate("images are whole", f"{job.name}: {image['key']}")
            else:
                places[found[1]].append(int(found[2]))
        for task, numbers in places.items():
            if numbers != sorted(numbers) or (len(job.tasks) == 1 and not self._same(manifest)):
                self.violate("images keep their numbers", f"{job.name}: {task!r} {numbers}")

    def _same(self, manifest: Mapping[str, Any]) -> bool:
        bodies = [(one["number"], self.facts.bucket.body(one["key"])) for one in manifest["images"]]
        return all(f"/{number}.png".encode() in (body or b"") for number, body in bodies)

    def _tried_enough(self, job: Job, failed: list[Mapping[str, Any]]) -> None:
        price = self.facts.prices[job.model] * (self.facts.billed(job) + len(failed))
        codes = {one["code"] for one in failed}
        tried = attempts_of(job)
        waits = bool(codes & set(BLOCKS)) or (codes == {INTERNAL[0]} and tried < MOST)
        if waits and price <= MOST_PRICE:
            what = f"{job.name} gave up {len(failed)} images after {tried} attempts"
            self.violate("what may pass is tried again", what)


def _picture(task_id: str, number: int) -> bytes:
    """The image that lies behind a task's result URL."""
    return picture(result_url(task_id, number).partition("?")[0])
