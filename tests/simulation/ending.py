"""What must hold when all has come to rest."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from typing import Any

from shared.ledger.record import CANCELED, FINAL, NEEDS_ATTENTION, REJECTED, SUBMITTING
from shared.storage import layout
from tests.simulation.bucket import SimBucket
from tests.simulation.invariants import Invariants, Job
from tests.simulation.studio import SimStudio

IMAGE_NAME = re.compile(rb"/(task-\d+)/(\d+)\.png")


class Ending:
    """The last look at everything."""

    def __init__(
        self, invariants: Invariants, bucket: SimBucket, studio: SimStudio, prompts: set[str]
    ) -> None:
        self.jobs = invariants.jobs
        self.violate = invariants.violate
        self.bucket = bucket
        self.studio = studio
        self.prompts = prompts

    def check(self) -> None:
        self._nothing_left()
        self._every_document_once()
        for name, job in self.jobs.items():
            self._ended(name, job)

    def _nothing_left(self) -> None:
        for prefix in (layout.QUEUE, layout.SLOTS, layout.EXPIRY):
            left = self.bucket.keys(prefix)
            if left:
                self.violate("nothing is left behind", ", ".join(left))

    def _every_document_once(self) -> None:
        taken: dict[str, set[str]] = defaultdict(set)
        sources: dict[Any, set[str]] = defaultdict(set)
        for name, job in self.jobs.items():
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
        ends = [state for state in job.links if state in FINAL and state != REJECTED]
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
        """Whether a job was rejected for a file that is gone: then nobody delivers it again, and
        one who died before writing the manifest has nobody to do it for him."""
        if job.state != REJECTED:
            return False
        key, etag = job.source[:2]
        stored = self.bucket.objects.get(key)
        return stored is None or stored.etag != etag

    def _paid(self, name: str, job: Job, manifest: dict[str, Any], text: str) -> None:
        """Images made, images stored; a task that is lost sight of is named."""
        tasks = [task for task in self.studio.tasks.values() if task.prompt == job.prompt]
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
            if good
        }
        if job.state == CANCELED and job.links[-2:-1] == [SUBMITTING]:
            return  # a person gave it up before it was known whether there is a task
        if job.state == NEEDS_ATTENTION:
            made = {image for image in made if image[0] not in text}
            stored &= made
        if made != stored:
            what = f"{name} is {job.state}: paid {sorted(made)}, stored {sorted(stored)}"
            self.violate("what is paid is stored", what)

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
