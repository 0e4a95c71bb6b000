"""What the commands ask for; the bucket and the HTTP API both answer it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.ledger.record import FINAL

View = dict[str, Any]
"""A job as `GET /jobs/{id}` shows it."""


@dataclass(frozen=True)
class Submitted:
    """What became of one document. `new` is None where that is not known."""

    job: str
    state: str
    new: bool | None = None
    violations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Wanted:
    """Which jobs to list. `since` and `until` in seconds since 1970; `search`: words.

    `hidden`: the hidden ones instead of all others.
    """

    states: tuple[str, ...] = ()
    model: str | None = None
    since: float = 0.0
    limit: int = 20
    until: float | None = None
    labels: tuple[tuple[str, str], ...] = ()
    search: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Listing:
    """Jobs, newest first; `more` says in words why there may be others."""

    jobs: list[View] = field(default_factory=list)
    more: str | None = None


class Backend(Protocol):
    """The way to the jobs. Every verb may raise Trouble."""

    @property
    def place(self) -> str:
        """Where the jobs are, for people."""

    def submit(self, body: bytes, name: str) -> list[Submitted]:
        """Take in a job file, named as it is called on disk; nothing is ever submitted twice."""

    def status(self, job: str) -> View | None:
        """The job as it is now; None for an unknown name."""

    def listing(self, wanted: Wanted) -> Listing:
        """The newest jobs that fit."""

    def pages(self, wanted: Wanted) -> Iterator[list[View]]:
        """All jobs that fit, newest first, in pages; a page may be empty."""

    def decide(self, job: str, decision: str) -> Submitted:
        """End a job whose call was lost: the retry, or the job itself. Raises Refused."""

    def cancel(self, job: str) -> View:
        """Take back a job that waits. Raises Refused."""

    def erase(self, job: str, all_inputs: bool) -> Mapping[str, Any]:
        """Remove a job's pictures and texts; as `POST /jobs/{id}/erase` answers. Raises Refused."""

    def hide(self, job: str, hidden: bool) -> None:
        """Leave a job out of lists, or list it again; either may be repeated. Raises Refused."""

    def retry(self, job: str) -> Submitted:
        """Run a job again under a new name, or return the retry that exists. Raises Refused."""

    def adopt(self, job: str, task: str) -> View:
        """Let a job go on with a task of the service. Raises Refused."""

    def events(self, job: str) -> list[View] | None:
        """The job's records in order; None: there is no such job."""

    def webhooks(self) -> Mapping[str, Any]:
        """As `GET /webhooks` shows them: those with a name, and receivers that are disabled."""

    def redeliver(self, job: str) -> int:
        """Let a job's receiver hear of it once more; the number of the try. Raises Refused."""

    def test_webhook(self, webhook: str) -> Mapping[str, Any]:
        """Send a test message; as `POST /webhooks/test` answers. Raises Refused."""

    def enable_webhook(self, webhook: str) -> bool:
        """Tell a receiver of jobs again; whether it was disabled. Raises Refused."""

    def webhook_secrets(self, webhook: str) -> list[str]:
        """With which its receiver verifies. Raises Refused."""

    def image(self, view: View, image: Mapping[str, Any], start: int) -> Iterator[bytes]:
        """An image's bytes from `start` on, in pieces."""


def is_over(view: Mapping[str, Any]) -> bool:
    """Whether nothing will change any more."""
    return view.get("state") in FINAL
