"""What people do: upload and cancel jobs, lose an index and rebuild it, put dead events back."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from functools import partial

from shared.app import App
from shared.storage import layout
from tests.simulation.bucket import SimBucket
from tests.simulation.cloud import Cloud
from tests.simulation.kernel import START
from tests.simulation.scenario import Scenario, Upload

INDEXES = (layout.QUEUE, layout.EXPIRY, layout.JOBS, layout.OUTBOX)


class People:
    """They act when the scenario says so, and when they find something in `dead/`."""

    def __init__(self, plan: Scenario, bucket: SimBucket, cloud: Cloud, rng: random.Random) -> None:
        self.bucket = bucket
        self.cloud = cloud
        self._after = cloud.kernel.after
        self._tell = cloud.network.story.tell
        self._rng = rng
        self._helped: set[str] = set()
        self.last_help = START
        for upload in plan.uploads:
            self._after(upload.at, partial(self.upload, upload))
        for job, at in plan.cancels.items():
            self._after(at, partial(self._cancel, job))
        for at in plan.losses:
            self._after(at, self._lose_index)

    def upload(self, upload: Upload) -> None:
        self._tell("user", f"uploads {upload.key}")
        self.bucket.write(upload.key, upload.body)

    def help(self) -> bool:
        """Do what dead letters ask for. Returns whether there was a new one."""
        new = [key for key in self.bucket.keys(layout.DEAD) if key not in self._helped]
        self._helped.update(new)
        if new:
            self.last_help = self.cloud.kernel.now
        for key in new:
            if self._rng.random() < 0.5:
                self.cloud.errand("redrive", partial(self._redrive, key), insist=True)
                continue
            for name in json.loads(self._body(key))["job_files"]:
                if name.startswith("jobs/"):
                    self.upload(Upload(0, name, self._body(name)))
        return bool(new)

    def _redrive(self, key: str, app: App) -> None:
        if key in self.bucket.objects:
            app.repair.redrive(key)

    def _cancel(self, job: str) -> None:
        self.cloud.errand("cancel", lambda app: app.cancellation.cancel(job))

    def resume(self, names: Iterable[str]) -> None:
        """Somebody has paid, or got a new key, and closes the breakers."""
        for name in names:
            work = partial(self._resume, name)
            self.cloud.errand("resume", work, insist=True)

    def _resume(self, name: str, app: App) -> None:
        app.repair.resume(name)

    def _lose_index(self) -> None:
        """All markers are gone, all reminders, all of the job index; somebody rebuilds them."""
        self._tell("user", "deletes markers, reminders, job index and outbox")
        for prefix in INDEXES:
            for key in self.bucket.keys(prefix):
                self.bucket.remove(key)
        self.cloud.errand("rebuild", lambda app: app.rebuild.run(), insist=True)

    def _body(self, key: str) -> bytes:
        return self.bucket.body(key) or b""
