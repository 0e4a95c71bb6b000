"""Everything a call may raise; `str()` of each is a sentence for people, without the token."""

from __future__ import annotations

from wanx.results import Job, Problem


class WanxError(Exception):
    """The base of them all; raised itself for an address or token that cannot be one."""


class Unreachable(WanxError):
    """Nobody answers at the address; `reason` names the kind of error."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} could not be reached ({reason}); check address and network.")
        self.reason = reason


class NotTheApi(WanxError):
    """Whoever answers at the address is not the API; `status` is what it answered."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"{url} is not the API of Wanx Functions (it answered HTTP {status}); give the address"
            " of the function api, without the path of a page or a job."
        )
        self.status = status


class Refused(WanxError):
    """The API says no, in the words of `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"the API answered HTTP {problem.status}: {problem.text}")
        self.problem = problem


class UnknownJob(Refused):
    """There is no such job, or the token does not see it."""


class StillRunning(WanxError):
    """The waiting is over and the job is not; it goes on. `job` is the last look at it."""

    def __init__(self, job: Job, seconds: float) -> None:
        super().__init__(
            f"{job.id} is {job.state} after {seconds:g} s of waiting and goes on; wait again."
        )
        self.job = job


class ImageFailed(WanxError):
    """An image could not be fetched, or other bytes came; `status` is the HTTP status, if any."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status
