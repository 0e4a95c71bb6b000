"""What must hold when all has come to rest."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from itertools import pairwise
from typing import Any

from shared.ledger.record import CANCELED, FINAL, NEEDS_ATTENTION, REJECTED, RUNNING, SUBMITTING
from shared.storage import layout
from tests.simulation.bucket import SimBucket
from tests.simulation.chains import Job
from tests.simulation.invariants import Invariants
from tests.simulation.judges.partial import IMAGE_NAME
from tests.simulation.studio import RETENTION, SimStudio, SimTask

LOOKED = 5.0
"""Seconds that may lie between a look at the task list and the record of what it led to."""


class Ending:
    """The last look at everything."""

    def __init__(
        self,
        invariants: Invariants,
        bucket: SimBucket,
        studio: SimStudio,
        prompts: set[str],
        away: tuple[float, float],
        net: bool = False,
    ) -> None:
        """`away`: from when to when no poller could run; `net`: the timer fires too seldom to
        remove reminders of jobs that are over."""
        self.net = net
        self.jobs = invariants.jobs
        self.judges = invariants.judges
        self.violate = invariants.violate
        self.bucket = bucket
        self.studio = studio
        self.prompts = prompts
        self.away, self.back = away[1] - away[0], away[1]

    def check(self) -> None:
        self._nothing_left()
        self._every_document_once()
        for name, job in self.jobs.items():
            self._ended(name, job)
        for judge in self.judges:
            judge.ended()

    def _nothing_left(self) -> None:
        for prefix in (layout.QUEUE, layout.SLOTS, layout.EXPIRY):
            keys = [key for key in self.bucket.keys(prefix) if key != layout.DEPLOYED]
            left = [] if self.net and prefix == layout.EXPIRY else keys
            if left:
                self.violate("nothing is left behind", ", ".join(left))

    def _every_document_once(self) -> None:
        taken: dict[str, set[str]] = defaultdict(set)
        sources: dict[Any, set[str]] = defaultdict(set)
        for name, job in self.jobs.items():
            if not job.retried_from:
                taken[job.prompt].add(name)
            if job.prompt:
                sources[job.source].add(name)
        for prompt in self.prompts - set(taken):
            self.violate("every job is taken in", prompt)
        for prompt, names in taken.items():
            if prompt and len(names) > 1:
                self.violate("one job a document", f"{prompt}: {', '.join(sorted(names))}")
        for source, names in sources.items():
            if len(names) > 1:
                self.violate("one job a document", f"{source}: {', '.join(sorted(names))}")

    def _ended(self, name: str, job: Job) -> None:
        if job.state not in FINAL:
            self.violate("every job ends", f"{name} is {job.state}")
            return
        given_up = [NEEDS_ATTENTION, RUNNING]  # and answered after all
        ends = [state for state in job.links if state in FINAL and state != REJECTED]
        if given_up in [list(pair) for pair in pairwise(job.links)]:
            ends.remove(NEEDS_ATTENTION)
        if len(ends) > 1:
            self.violate("every job ends once", f"{name}: {', '.join(job.links)}")
        body = self.bucket.body(layout.result(name))
        if body is None and self._replaced(job):
            return
        if body is None:
            self.violate("a manifest for every job", name)
            return
        manifest = json.loads(body)
        if manifest != job.manifests[-1]:
            what = f"{name}: {job.state}, not {manifest['state']}, or not the same"
            self.violate("the manifest tells the end", what)
        if job.prompt:
            self._paid(name, job, manifest, body.decode())

    def _replaced(self, job: Job) -> bool:
        """Whether a job was rejected for a file that is gone: nobody delivers it again, so that a
        manifest whose writer died is never written."""
        if job.state != REJECTED:
            return False
        key, etag = job.source[:2]
        stored = self.bucket.objects.get(key)
        return stored is None or stored.etag != etag

    def _paid(self, name: str, job: Job, manifest: dict[str, Any], text: str) -> None:
        """Images made, images stored; a task that is lost sight of is named."""
        tasks = self._tasks_of(job)
        if len(tasks) > job.attempts:
            self.violate("one task an attempt", f"{name}: {len(tasks)} tasks, {job.attempts}")
        stored = self._stored(name, manifest)
        others = sorted(image for image in stored if image[0] not in {t.task_id for t in tasks})
        if others:
            self.violate("every job its own images", f"{name} shows {others}")
        made = {
            (task.task_id, number)
            for task in tasks
            if task.images
            for number, good in enumerate(task.good, start=1)
            if good and (number != 1 or not task.strange)
        }
        if job.state == CANCELED and job.links[-2:-1] == [SUBMITTING]:
            return  # a person gave it up before it was known whether there is a task
        if self.away >= RETENTION:
            made = {image for image in made if self._kept(image[0])} | stored
        if self.studio.is_call(job.model):
            made = {one for one in made if one[0] in job.tasks}
        elif job.state == NEEDS_ATTENTION:
            at = job.records[-1].at - LOOKED
            made = {
                one
                for one in made
                if one[0] not in text and self.studio.could_be_listed(one[0], at)
            }
            stored &= made
        if made != stored:
            what = f"{name} is {job.state}: paid {sorted(made)}, stored {sorted(stored)}"
            self.violate("what is paid is stored", what)

    def _tasks_of(self, job: Job) -> list[SimTask]:
        """The tasks made for a job: by its prompt, less those of its retries or of their origin."""
        family = [one for one in self.jobs.values() if one.prompt == job.prompt and one is not job]
        others = {name for one in family for name in one.tasks}
        sent = {
            one.task
            for one in self.studio.log
            if one.prompt == job.prompt and one.task and one.job in ("", job.name)
        }
        return [
            task
            for task in self.studio.tasks.values()
            if task.task_id in sent and task.task_id not in others
        ]

    def _kept(self, task_id: str) -> bool:
        """Whether the service still had the task when somebody could ask for it again."""
        return self.studio.tasks[task_id].created + RETENTION > self.back

    def _stored(self, name: str, manifest: dict[str, Any]) -> set[tuple[str, int]]:
        found = set()
        for image in manifest["images"]:
            body = self.bucket.body(image["key"]) or b""
            whose = IMAGE_NAME.search(body)
            if whose is None or hashlib.sha256(body).hexdigest() != image["sha256"]:
                self.violate("manifests name what exists", f"{name}: {image['key']}")
            else:
                found.add((whose[1].decode(), int(whose[2])))
        if len(found) != len(manifest["images"]):
            self.violate("what is paid is stored", f"{name} shows an image twice")
        return found
