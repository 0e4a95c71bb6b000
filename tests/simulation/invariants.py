"""What must hold at every moment; watched at every change of the bucket and every submission."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from shared.catalogue.models import Limits
from shared.ledger.record import (
    CANCELED,
    EXPIRED,
    FAILED,
    FINAL,
    IN_FLIGHT,
    NEEDS_ATTENTION,
    PENDING,
    QUEUED,
    REJECTED,
    RUNNING,
    SUBMITTING,
    SUCCEEDED,
)
from shared.storage import layout
from tests.simulation.arrivals import Arrival
from tests.simulation.bucket import SimBucket
from tests.simulation.chains import Job, read_link
from tests.simulation.judges import Judge
from tests.simulation.network import Network
from tests.simulation.receivers import KEYS

API_KEY = "sk-simulated-secret"
SECRETS = (API_KEY, *KEYS, "whsec_")
ENDED_BY_SERVICE = {SUCCEEDED, FAILED, CANCELED, NEEDS_ATTENTION}
LEGAL: dict[str, set[str]] = {
    "": {QUEUED, REJECTED},
    QUEUED: {SUBMITTING, QUEUED, RUNNING, EXPIRED, CANCELED, FAILED, SUCCEEDED},
    SUBMITTING: {
        PENDING,
        RUNNING,
        QUEUED,
        FAILED,
        NEEDS_ATTENTION,
        SUBMITTING,
        SUCCEEDED,
        CANCELED,
    },
    NEEDS_ATTENTION: {PENDING, RUNNING},
    PENDING: {RUNNING, QUEUED, *ENDED_BY_SERVICE},
    RUNNING: {QUEUED, *ENDED_BY_SERVICE},
    REJECTED: {QUEUED, REJECTED},
}
"""What may follow a state. Nothing follows the others: they are final. A job that was queued again
for the images that failed is a success without another task: it has images already."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
LAYOUT = re.compile(
    rf"jobs/.*|dead/.*|{layout.WAKE}|{layout.DEPLOYED}|{layout.LEASE}\d{{12}}"
    rf"|{layout.RECORDS}{NAME}/\d{{6}}\.json"
    rf"|{layout.QUEUE}{NAME}/\d/-/\d{{13}}-{NAME}"
    rf"|{layout.CALLS}\d{{12}}"
    rf"|{layout.SLOTS}-/{NAME}/{NAME}~\d{{6}}~[0-9a-f]{{12}}"
    rf"|{layout.DOUBTS}-/{NAME}/{NAME}~\d{{6}}~[0-9a-f]{{12}}"
    rf"|{layout.TASKS}{NAME}"
    rf"|{layout.MODELS}~?{NAME}\.json"
    rf"|{layout.RESULTS}{NAME}/(result\.json|image-\d+\.png)"
    rf"|{layout.REQUESTS}[0-9a-f]{{64}}\.json"
    rf"|{layout.OUTBOX}\d{{13}}-\d{{4}}-[0-9a-f]{{12}}-\d{{6}}-{NAME}"
    rf"|{layout.DELIVERIES}{NAME}/\d{{6}}-\d{{4}}\.json"
    rf"|{layout.ENDPOINTS}[0-9a-f]{{32}}\.json"
    r"|state/jobs/\d{13}-.+"
)
PUT_BACK = 60.0
"""Seconds within which a slot that was freed too early is there again."""
SHAPED = re.compile(
    rf"{layout.RECORDS}|{layout.QUEUE}|{layout.SLOTS}|{layout.LEASE}|{layout.TASKS}|{layout.DOUBTS}|{layout.MODELS}|{layout.RESULTS}"
)
FOLDERS = tuple(
    value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str)
)


class Invariants:
    """The watcher."""

    def __init__(self, network: Network, bucket: SimBucket, limits: dict[str, Limits]) -> None:
        self.jobs: dict[str, Job] = {}
        self.violate = network.violate
        self.is_over: Callable[[str], bool] = lambda _task: False
        self.judges: list[Judge] = []
        self._kernel = network.kernel
        self._bucket = bucket
        self._tell = network.story.tell
        self._limits = limits
        self._put_back: dict[str, float] = {}
        self._kinds: tuple[tuple[str, Callable[[str, bytes | None, bytes | None], None]], ...] = (
            (layout.RECORDS, self._record),
            (layout.RESULTS, self._result),
            (layout.SLOTS, self._slot),
        )
        bucket.watchers.append(self._changed)

    def _changed(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if self._put_back:
            self._check_put_back()
        if after is not None:
            if any(one.encode() in after or one in key for one in SECRETS):
                self.violate("no secret in the bucket", key)
            if before is None and not LAYOUT.fullmatch(key):
                unknown = SHAPED.match(key) or not key.startswith(FOLDERS)
                if unknown:
                    self.violate("documented keys only", key)
        for prefix, check in self._kinds:
            if key.startswith(prefix):
                check(key, before, after)

    def _record(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if before is not None or after is None:
            self.violate("records are immutable", key)
            return
        read = read_link(self._kernel.now, after)
        link, state = read.record, read.state
        name, seq = link["job"], link["seq"]
        job = self.jobs.setdefault(name, Job(name))
        if seq != job.seq + 1 or key != layout.record(name, seq):
            self.violate("chains are gapless", f"{key} after number {job.seq}")
        if state not in LEGAL.get(job.state, ()):
            self.violate("states follow the rules", f"{name}: {state} after {job.state}")
        if (job.state, state) == (SUBMITTING, CANCELED) and not job.doubted:
            self.violate("states follow the rules", f"{name} is CANCELED while it is being sent")
        if state == RUNNING and job.state in (QUEUED, NEEDS_ATTENTION) and not link.get("answer"):
            self.violate("states follow the rules", f"{name} is RUNNING without an answer")
        job.grow(read)
        task = f", {link['task_id']}" if link.get("task_id") else ""
        why = (link.get("error") or {}).get("code", "")
        self._tell("record", f"{name} is {state}{task} {why}".rstrip())
        self._follow(name, job, link)
        for judge in self.judges:
            judge.recorded(job)

    def _follow(self, name: str, job: Job, link: Mapping[str, Any]) -> None:
        job.slot, job.sent, job.doubted = "", "unknown" in link, "unknown" in link
        if job.state in IN_FLIGHT:
            job.slot = layout.slot(
                layout.ONLY_KEY, job.model, name, link["slot_seq"], link["slot_mark"]
            )
            if job.slot not in self._bucket.objects:
                self._without_slot(name, job, link)
        if job.state == SUBMITTING:
            job.attempts += 1
        if "manifest" in link:
            job.manifests.append(link["manifest"])
            self._images_there(name, link["manifest"])
            if job.state == SUCCEEDED and not link["manifest"]["images"]:
                self.violate("states follow the rules", f"{name} is SUCCEEDED without an image")
        elif job.state in FINAL:
            self.violate("the last record holds the manifest", f"{name} is {job.state}")

    def _without_slot(self, name: str, job: Job, link: Mapping[str, Any]) -> None:
        """An answer that comes after its call was given up has a new slot, which others may free
        before the record that names it is there: then it is put back."""
        if link.get("answer") and job.before in (QUEUED, NEEDS_ATTENTION):
            self._put_back[job.slot] = self._kernel.now + PUT_BACK
        else:
            self.violate("a slot for all in flight", f"{name} is {job.state} without its slot")

    def _check_put_back(self) -> None:
        for slot, due in list(self._put_back.items()):
            if slot in self._bucket.objects:
                del self._put_back[slot]
            elif self._kernel.now > due:
                self.violate("a slot for all in flight", f"{slot} was not put back")

    def _window(self, model: str) -> None:
        limit = self._limits[model]
        if limit.concurrent is None:
            return
        window = limit.concurrent + limit.queue_ahead
        flying = sum(
            job.model == model
            and job.state in IN_FLIGHT
            and (job.sent or job.state != SUBMITTING)
            and not self.is_over(job.task)
            for job in self.jobs.values()
        )
        if flying > window:
            self.violate("window kept by the slots", f"{flying} of {model} are in flight")

    def _images_there(self, name: str, manifest: dict[str, Any]) -> None:
        for image in manifest["images"]:
            body = self._bucket.body(image["key"])
            if body is None or hashlib.sha256(body).hexdigest() != image["sha256"]:
                self.violate("manifests name what exists", f"{name}: {image['key']}")

    def _result(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if after is None:
            self.violate("results stay", key)
        elif key.endswith("/result.json"):
            job, manifest = self.jobs.get(key.split("/")[1]), json.loads(after)
            if job is None or manifest not in job.manifests:
                self.violate("the record decides, the manifest follows", key)
        elif before is not None and before != after:
            self.violate("images never change", key)

    def _slot(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if after is None:
            job = self.jobs.get(key.rsplit("/", 1)[1].split("~")[0])
            if job is not None and job.slot == key:
                self.violate("a slot for all in flight", f"{key} is freed while {job.state}")

    def ended(self, actor: str) -> None:
        """An invocation ended well: it has not left an attempt that it had just recorded."""
        for key in sorted(key for who, key in self._bucket.own if who == actor):
            name, seq = key.split("/")[-2], key.split("/")[-1][:6]
            job = self.jobs.get(name)
            left = job is not None and (f"{job.seq:06d}", job.state) == (seq, SUBMITTING)
            if left and key == layout.record(name, int(seq)) and job is not None and not job.sent:
                self.violate("an instance knows its own record", key)

    def given_up(self, prompt: str) -> bool:
        """Whether the job of a prompt ended while its submission was in doubt: it gave up its
        place, because nobody knows whether a task has it."""
        jobs = (job for job in self.jobs.values() if job.prompt == prompt)
        ends = ([SUBMITTING, CANCELED], [SUBMITTING, NEEDS_ATTENTION])
        return any(job.links[-2:] in ends for job in jobs)

    def submitted(self, arrival: Arrival, requests: Counter[str]) -> None:
        """A create request has arrived: its record must be there, once for each request."""
        prompt = arrival.prompt
        jobs = [job for job in self.jobs.values() if job.prompt == prompt]
        attempts = sum(job.attempts for job in jobs)
        for job in jobs:
            job.sent = True
            self._window(job.model)
        if requests[prompt] > attempts:
            what = f"{requests[prompt]} requests for {prompt}, {attempts} attempts recorded"
            self.violate("intent before effect", what)
        open_ = [job.name for job in jobs if job.state == SUBMITTING]
        if not open_:
            states = ", ".join(job.state for job in jobs)
            self.violate("only an open attempt is sent", f"{prompt} is {states}")
            return
        arrival.job = open_[0]
        for judge in self.judges:
            judge.arrived(arrival)
