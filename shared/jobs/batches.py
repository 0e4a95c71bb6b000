"""Job files in OpenAI's batch form: their results come back as one file, a line a request.

`results/<batch>/batch.json` names the jobs; the instance that ends the last of them writes
`output.jsonl` beside it, from the manifests. A job may leave its end for another one: a rejected
line goes on once its image is there, a person gives a job its task. So a manifest that may be an
older end is believed only if the records say the same, and an end that the file does not show yet
is written into it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.jobfile.document import BATCH, CUSTOM_ID
from shared.jobfile.written import labels_of
from shared.ledger.manifest import MANIFEST_BYTES, Manifest, read_manifest
from shared.ledger.record import FOR_GOOD
from shared.ledger.records import Records
from shared.platform.clock import from_iso
from shared.platform.concurrency import MapFn, in_turn
from shared.storage import layout
from shared.storage.objects import ObjectMissing, ObjectStore

LIST_BYTES = 1024 * 1024
AT_ONCE = 50
"""Manifests that are read at the same time."""
SUCCEEDED = "SUCCEEDED"


@dataclass
class Batches:
    """The files of one bucket."""

    store: ObjectStore
    records: Records
    map_fn: MapFn = in_turn

    def begin(self, batch: str, jobs: Sequence[str]) -> None:
        """Say which jobs belong together, before the first of them can end. Raises StoreError."""
        self.store.create(layout.batch(batch), json.dumps({"jobs": list(jobs)}).encode())

    def note(self, manifest: Manifest) -> None:
        """Write the results of a job's batch if all its jobs are over and the file does not show
        how this one ended. `manifest` is in the bucket. Raises StoreError.
        """
        batch = labels_of(manifest.spec).get(BATCH, "")
        jobs = self._jobs(batch) if layout.is_job_id(batch) else ()
        job = manifest.text("job") or ""
        if job not in jobs:
            return
        key = layout.batch_output(batch)
        shown = self._read(key)
        if shown is None:
            found = self._lines(jobs)
            if found is None or self.store.create(key, found).created:
                return
            shown = self._read(key)
        if shown is None or _line(job, manifest) not in shown.splitlines(keepends=True):
            self._renew(key, jobs, shown)

    def _renew(self, key: str, jobs: Sequence[str], shown: bytes | None) -> None:
        """Write the file until it shows what the manifests say: one that was written meanwhile, by
        an instance that does not see this file yet, or by erasing, must not be lost."""
        found = self._lines(jobs)
        while found is not None and found != shown:
            self.store.put(key, found)
            shown, found = found, self._lines(jobs)

    def _jobs(self, batch: str) -> Sequence[str]:
        try:
            return list(json.loads(self.store.read(layout.batch(batch), LIST_BYTES).body)["jobs"])
        except ObjectMissing:
            return ()

    def _read(self, key: str) -> bytes | None:
        try:
            return self.store.read(key, MANIFEST_BYTES).body
        except ObjectMissing:
            return None

    def _lines(self, jobs: Sequence[str]) -> bytes | None:
        """The whole file; None while a job is not over.

        The jobs are looked at from the end of the file, up to the first that is not over: those
        behind others end last, so that hardly any is looked at twice.
        """
        lines: list[bytes] = []
        if self._line(jobs[-1]) is None:
            return None
        for end in range(len(jobs), 0, -AT_ONCE):
            found = self.map_fn(self._line, jobs[max(0, end - AT_ONCE) : end])
            if None in found:
                return None
            lines = [line for line in found if line is not None] + lines
        return b"".join(lines)

    def _line(self, job: str) -> bytes | None:
        """What became of a job; None while it is not over."""
        manifest = read_manifest(self.store, job)
        if manifest is None:
            return None
        if manifest.state not in FOR_GOOD:
            last = self.records.last(job)
            if last is None or last.state != manifest.state:
                return None  # it goes on, or its next manifest is about to be written
        return _line(job, manifest)


def _line(job: str, manifest: Manifest) -> bytes:
    return json.dumps(_shown(job, manifest), ensure_ascii=False).encode() + b"\n"


def _shown(job: str, manifest: Manifest) -> dict[str, Any]:
    """A line of OpenAI's output file. Images are named by their keys: a link would not last."""
    good = manifest.state == SUCCEEDED
    error = None if good else _error(manifest)
    body = _images(manifest) if good else {"error": error}
    return {
        "id": job,
        CUSTOM_ID: labels_of(manifest.spec).get(CUSTOM_ID, ""),
        "response": {"status_code": 200 if good else 400, "request_id": job, "body": body},
        "error": error and {"code": error["code"], "message": error["message"]},
    }


def _images(manifest: Manifest) -> dict[str, Any]:
    data = [{"url": f"oss:///{image['key']}"} for image in manifest.images]
    ended = manifest.document.get("finished_at")
    return {"created": int(from_iso(ended)) if isinstance(ended, str) else 0, "data": data}


def _error(manifest: Manifest) -> Mapping[str, Any]:
    said = manifest.error or {}
    found = "; ".join(str(one["message"]) for one in manifest.violations[:10])
    message = found or str(said.get("message") or f"The job is {manifest.state}.")
    return {
        "message": message,
        "type": "invalid_request_error",
        "param": None,
        "code": str(said.get("code") or manifest.state.lower()),
    }
