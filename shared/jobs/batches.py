"""Job files in OpenAI's batch form: their results come back as one file, a line a request.

`results/<batch>/batch.json` names the jobs; whoever ends the last of them writes `output.jsonl`
beside it, from the manifests. It is created once, and can be made again from them at any time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.jobfile.document import BATCH, CUSTOM_ID
from shared.jobfile.written import labels_of
from shared.ledger.manifest import MANIFEST_BYTES, Manifest
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
    map_fn: MapFn = in_turn

    def begin(self, batch: str, jobs: Sequence[str]) -> None:
        """Say which jobs belong together, before the first of them can end. Raises StoreError."""
        self.store.create(layout.batch(batch), json.dumps({"jobs": list(jobs)}).encode())

    def note(self, manifest: Manifest) -> None:
        """Write the results of a job's batch if it was the last one. Raises StoreError.

        The jobs are looked at from the end of the file, up to the first that is not over: those
        behind others end last, so that hardly any is looked at twice.
        """
        batch = labels_of(manifest.spec).get(BATCH, "")
        jobs = self._jobs(batch) if layout.is_job_id(batch) else ()
        if not jobs or self._exists(layout.batch_output(batch)):
            return
        lines: list[bytes] = []
        if self._line(jobs[-1]) is None:
            return
        for end in range(len(jobs), 0, -AT_ONCE):
            found = self.map_fn(self._line, jobs[max(0, end - AT_ONCE) : end])
            if None in found:
                return
            lines = [line for line in found if line is not None] + lines
        self.store.create(layout.batch_output(batch), b"".join(lines))

    def _jobs(self, batch: str) -> Sequence[str]:
        try:
            return list(json.loads(self.store.read(layout.batch(batch), LIST_BYTES).body)["jobs"])
        except ObjectMissing:
            return ()

    def _exists(self, key: str) -> bool:
        try:
            self.store.read_range(key, 0, 1)
        except ObjectMissing:
            return False
        return True

    def _line(self, job: str) -> bytes | None:
        """What became of a job; None while it is not over."""
        try:
            document = json.loads(self.store.read(layout.result(job), MANIFEST_BYTES).body)
        except ObjectMissing:
            return None
        return json.dumps(_shown(job, Manifest(document)), ensure_ascii=False).encode() + b"\n"


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
