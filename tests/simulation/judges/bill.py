"""What a job used and cost: as many images as the service billed, at the catalogue's price; with
those that lost calls may have made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.ledger.record import FAILED, NEEDS_ATTENTION, SUCCEEDED
from shared.storage import layout
from tests.simulation.chains import Job
from tests.simulation.judges.calls import LOST
from tests.simulation.judges.facts import Judge
from tests.simulation.judges.partial import FORGOTTEN


class Bill(Judge):
    """At the end."""

    def ended(self) -> None:
        for job in self.facts.jobs.values():
            if not job.manifests or not job.prompt:
                continue
            manifest = job.manifests[-1]
            code = (manifest.get("error") or {}).get("code")
            if job.state == NEEDS_ATTENTION or code == FORGOTTEN:
                continue
            lost = {one["code"] for one in manifest["failed_images"]}
            if job.state in (SUCCEEDED, FAILED) and FORGOTTEN not in lost:
                self._charged(job, manifest)
            self._files(job, manifest)

    def _charged(self, job: Job, manifest: Mapping[str, Any]) -> None:
        billed, usage = self.facts.billed(job), manifest["usage"] or {}
        price = manifest["price"] or {"images": 0, "total": 0.0}
        if usage.get("image_count", 0) != billed:
            self.violate("usage is what was billed", f"{job.name}: {usage}, billed {billed}")
        lost = self._lost(job, price)
        total = round((billed + lost) * self.facts.prices[job.model], 4)
        if (price["images"], price["total"]) != (billed + lost, total):
            self.violate("the price is right", f"{job.name}: {price}, due {total}")

    def _lost(self, job: Job, price: Mapping[str, Any]) -> int:
        """Images of the calls that were given up, which the manifest owns to: all that the service
        billed for them, and for each as many as were asked for."""
        told = int(price.get("lost_images", 0))
        calls = [one for one in self.facts.arrivals_of(job) if one.call and one.task]
        tasks = [self.facts.studio.tasks[one.task] for one in calls if one.task not in job.tasks]
        billed = sum(task.images for task in tasks)
        codes = [(link.record.get("error") or {}).get("code") for link in job.records]
        most = codes.count(LOST) * job.images
        if not billed <= told <= most:
            self.violate("lost calls are in the price", f"{job.name}: {told}, billed {billed}")
        return told

    def _files(self, job: Job, manifest: Mapping[str, Any]) -> None:
        there = self.facts.bucket.keys(f"{layout.RESULTS}{job.name}/image-")
        if sorted(image["key"] for image in manifest["images"]) != there:
            self.violate("as many files as images", f"{job.name}: {there}")
