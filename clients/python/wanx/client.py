"""Submit jobs, wait for them and get their images over the HTTP API."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from wanx.errors import ImageFailed, NotTheApi, Refused, StillRunning, UnknownJob
from wanx.results import Image, Job, objects, whole
from wanx.transport import KEY, Transport

MEDIA_TYPES = {
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
}
LONG_POLL = 30
"""Seconds of `?wait=`, the most that the API takes."""
PAUSE = 2.0
"""Seconds between two looks where the API does not let a request wait."""
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Client:
    """The API at `url`. `clock` gives monotonic seconds. Every call may raise WanxError.

    What is safe to repeat is sent up to `attempts` times: reading, and submissions, which carry an
    Idempotency-Key. A client is for one thread.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        session: requests.Session | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = 4,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._to = Transport(url, token, session or requests.Session(), sleep, attempts)

    @property
    def url(self) -> str:
        """The address of the API, without a slash at its end."""
        return self._to.url

    def submit(self, job: Mapping[str, Any], *, key: str | None = None) -> Job:
        """Submit a job, written as in a job file. It costs money.

        The same job submitted again is the same job for seven days: its content is the
        Idempotency-Key. Give a `key` of your own to have it made once more.
        """
        body = json.dumps(job, ensure_ascii=False, sort_keys=True).encode()
        return self.submit_file("job.json", body, key=key)[0]

    def submit_file(
        self, file: str | Path, body: bytes | None = None, *, key: str | None = None
    ) -> list[Job]:
        """Submit all jobs of a job file, or of `body` under the name of one. Keys as in submit."""
        path = Path(file)
        body = path.read_bytes() if body is None else body
        headers = {
            "Content-Type": MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"),
            KEY: key or hashlib.sha256(path.name.encode() + b"\n" + body).hexdigest(),
        }
        found = self._everywhere("POST", "/jobs", "jobs", "job", body=body, headers=headers)
        return [Job.of(one) for one in objects(found.get("jobs")) or [found]]

    def get(self, job: str) -> Job:
        """The job as it is now. Raises UnknownJob."""
        return self._look(job, {})

    def wait(self, job: str | Job, *, timeout: float = 3600.0) -> Job:
        """The job when it is over, whether well or not. Raises StillRunning after `timeout` s."""
        *_, last = self.follow(job, timeout=timeout)
        return last

    def follow(self, job: str | Job, *, timeout: float = 3600.0) -> Iterator[Job]:
        """Look at a job until it is over; each look is yielded. Raises StillRunning."""
        end, known = self._clock() + timeout, _id(job)
        seen = self.get(known)
        yield seen
        while not seen.is_over:
            began = self._clock()
            left = end - began
            if left <= 0:
                raise StillRunning(seen, timeout)
            now = self._look(known, {"wait": str(max(1, min(LONG_POLL, int(left))))})
            rest = PAUSE - (self._clock() - began)
            if now.state == seen.state and rest > 0:
                self._sleep(min(rest, left))
            seen = now
            yield seen

    def pages(self, **filters: str | list[str]) -> Iterator[list[Job]]:
        """All jobs, newest first, in pages; a page of a search may be empty.

        Filters: state, model, label (one or several), since, until, search, hidden, limit.
        """
        query = dict(filters)
        while True:
            page = self._everywhere("GET", "/jobs", "jobs", params=query)
            yield [Job.of(one) for one in objects(page.get("jobs"))]
            if not page.get("next"):
                return
            query["cursor"] = str(page["next"])

    def cancel(self, job: str | Job) -> Job:
        """Take back a job that still waits. Raises Refused for any other."""
        return self.change(_id(job), "cancel")[0]

    def retry(self, job: str | Job) -> Job:
        """Run a job again as a new one, or the retry that there is. It costs money."""
        return self.change(_id(job), "retry")[0]

    def erase(self, job: str | Job, *, all_inputs: bool = False) -> dict[str, Any]:
        """Remove the pictures and texts of a job that is over: what was `removed`, what is `kept`
        and why. `all_inputs`: also input pictures that others may use. Raises UnknownJob, Refused.
        """
        params = {"inputs": "all"} if all_inputs else {}
        return self._to.ask("POST", f"{_path(_id(job))}/erase", "removed", params=params).document

    def hide(self, job: str | Job, *, hidden: bool = True) -> bool:
        """Leave a job out of lists, or list it again; whether it is hidden. Raises UnknownJob."""
        path = f"{_path(_id(job))}/{'hide' if hidden else 'unhide'}"
        return bool(self._to.ask("POST", path, "hidden").document["hidden"])

    def change(self, job: str, verb: str) -> tuple[Job, bool]:
        """`POST /jobs/{job}/{verb}`: the job that it is now about, and whether this call made it
        (HTTP 202). Raises UnknownJob, Refused."""
        answer = self._to.ask("POST", f"{_path(job)}/{verb}", "state")
        return Job.of(answer.document), answer.status == 202

    def events(self, job: str) -> list[dict[str, Any]]:
        """The job's records, oldest first. Raises UnknownJob."""
        return objects(self._to.ask("GET", f"{_path(job)}/events", "events").document["events"])

    def convert(self, file: str | Path, body: bytes, to: str) -> list[dict[str, Any]]:
        """The jobs of a job file for the model `to`: `job_file` and `notes` of each. Free."""
        headers = {"Content-Type": MEDIA_TYPES.get(Path(file).suffix.lower(), "")}
        path = f"/models/{quote(to, safe='')}/convert"
        answer = self._to.ask("POST", path, "jobs", body=body, headers=headers)
        return objects(answer.document["jobs"])

    def webhooks(self) -> dict[str, Any]:
        """Who is told of jobs, what waits to be told, and who said 410."""
        return self._to.ask("GET", "/webhooks", "webhooks").document

    def redeliver(self, job: str | Job) -> int:
        """Tell a job's webhook once more; the number of the try. Raises UnknownJob, Refused."""
        path = f"{_path(_id(job))}/redeliver"
        return whole(self._to.ask("POST", path, "try").document["try"])

    def webhook(self, verb: str, webhook: str) -> dict[str, Any]:
        """`POST /webhooks/{verb}` (test, enable or secret), for a name or an address."""
        headers, body = {"Content-Type": "application/json"}, json.dumps({"webhook": webhook})
        fields = ("delivered", "enabled", "secrets")
        path = f"/webhooks/{verb}"
        return self._to.ask("POST", path, *fields, body=body.encode(), headers=headers).document

    def images(self, job: str | Job) -> Iterator[tuple[Image, bytes]]:
        """Each image of a job with its bytes, as the manifest has them. Raises ImageFailed."""
        for image in self.get(_id(job)).images:
            data = bytearray()
            for piece in self.fetch(image):
                data += piece
                if len(data) > image.bytes:
                    break
            if hashlib.sha256(data).hexdigest() != image.sha256:
                raise ImageFailed(f"{image.key} came with other bytes than the manifest has.")
            yield image, bytes(data)

    def save(self, job: str | Job, folder: str | Path) -> list[Path]:
        """Write a job's images into a folder, which is made; their paths. Raises ImageFailed."""
        into, written = Path(folder), []
        into.mkdir(parents=True, exist_ok=True)
        for image, data in self.images(job):
            if not SAFE_NAME.fullmatch(image.name):
                raise ImageFailed(f"{image.name!r} is not a name of an image.")
            path = into / image.name
            aside = path.with_name(f"{path.name}.part")
            aside.write_bytes(data)
            aside.replace(path)
            written.append(path)
        return written

    def fetch(self, image: Image, start: int = 0) -> Iterator[bytes]:
        """An image's bytes from `start` on, in pieces, not verified. Raises ImageFailed."""
        return self._to.fetch(image, start)

    def _look(self, job: str, params: Mapping[str, str]) -> Job:
        return Job.of(self._everywhere("GET", _path(job), "state", params=params))

    def _everywhere(self, method: str, path: str, *fields: str, **more: Any) -> dict[str, Any]:
        """The document of an endpoint that every deployment has: where it is not, there is another
        server, or another path of ours."""
        try:
            return self._to.ask(method, path, *fields, **more).document
        except UnknownJob:
            raise
        except Refused as error:
            status, title = error.problem.status, error.problem.title
            if status in (404, 405) or (status == 400 and title == "Unknown parameter"):
                raise NotTheApi(self.url, status) from None
            raise


def _id(job: str | Job) -> str:
    return job.id if isinstance(job, Job) else job


def _path(job: str) -> str:
    return f"/jobs/{quote(job, safe='')}"
