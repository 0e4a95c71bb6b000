"""The bucket's layout: every key the system reads or writes is made here.

Job ids never hold `~` or `/` (schemas/job.schema.yaml), so that names can be taken apart again.
"""

from __future__ import annotations

import re

RECORDS = "state/records/"
QUEUE = "state/queue/"
EXPIRY = "state/expiry/"
SLOTS = "state/slots/"
MODELS = "state/models/"
TASK_LIST = "state/models/~task-list.json"
LEASE = "state/lease/"
TASKS = "state/tasks/"
DOUBTS = "state/doubts/"
WAKE = "state/wake/poll"
RESULTS = "results/"
JOB_FILES = "jobs/"
DEAD = "dead/"
JOBS = "state/jobs/"
UPLOADS = "uploads/"
INPUTS = "inputs/"
REQUESTS = "state/requests/"
END_OF_TIME_MS = 9_999_999_999_999
"""The year 2286. Counting down from it puts the newest first in byte order."""
_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
JOB_ID = re.compile(_ID)
_SHAPES = {
    RECORDS: re.compile(rf"{RECORDS}{_ID}/[0-9]{{6}}\.json"),
    QUEUE: re.compile(rf"{QUEUE}[^/]+/[0-9]-[0-9]{{13}}-{_ID}"),
    EXPIRY: re.compile(rf"{EXPIRY}[0-9]{{13}}-{_ID}"),
    SLOTS: re.compile(rf"{SLOTS}[^/]+/{_ID}~[0-9]{{6}}~[0-9a-f]+"),
    JOBS: re.compile(rf"{JOBS}[0-9]{{13}}-{_ID}"),
    LEASE: re.compile(rf"{LEASE}[0-9]{{12}}"),
    DOUBTS: re.compile(rf"{DOUBTS}[^/]+/{_ID}~[0-9]{{6}}~[0-9a-f]+"),
}


def is_ours(key: str, folder: str) -> bool:
    """Whether a key below one of our folders has the form that we give keys there.

    Anything else was put there by hand: a console's "create folder" makes an object whose key ends
    in a slash.
    """
    return _SHAPES[folder].fullmatch(key) is not None


def record(job: str, seq: int) -> str:
    """Record number `seq` (from 1) of a job."""
    return f"{RECORDS}{job}/{seq:06d}.json"


def queue_of(model: str) -> str:
    """The prefix of a model's queue markers."""
    return f"{QUEUE}{model}/"


def marker(model: str, priority: int, queued_ms: int, job: str) -> str:
    """A queue marker; byte order of these keys is service order (smaller priority first)."""
    return f"{queue_of(model)}{priority}-{queued_ms:013d}-{job}"


def job_of_marker(key: str) -> str:
    """The job of a marker."""
    return key.rsplit("/", 1)[1].split("-", 2)[2]


def queued_ms_of_marker(key: str) -> int:
    """When the job of a marker was queued, in milliseconds since 1970."""
    return int(key.rsplit("/", 1)[1].split("-", 2)[1])


def reminder(expires_ms: int, job: str) -> str:
    """Reminds the poller to end a job that waits in the queue for too long."""
    return f"{EXPIRY}{expires_ms:013d}-{job}"


def job_of_reminder(key: str) -> str:
    """The job a reminder is about."""
    return key.rsplit("/", 1)[1].split("-", 1)[1]


def slots_of(model: str) -> str:
    """The prefix of a model's slots."""
    return f"{SLOTS}{model}/"


def slot(model: str, job: str, seq: int, mark: str) -> str:
    """The slot of one claim: for the attempt whose SUBMITTING record is number `seq`."""
    return f"{slots_of(model)}{job}~{seq:06d}~{mark}"


def parse_slot(key: str) -> tuple[str, str, int, str]:
    """Model, job, record number and mark of a slot's key."""
    return _parse_attempt(key[len(SLOTS) :])


def _parse_attempt(name: str) -> tuple[str, str, int, str]:
    model, _, rest = name.partition("/")
    job, seq, mark = rest.rsplit("~", 2)
    return model, job, int(seq), mark


def lease(epoch: int) -> str:
    """The right to send, for the `epoch`-th time (from 1)."""
    return f"{LEASE}{epoch:012d}"


def epoch_of(key: str) -> int:
    """The number of a lease's epoch."""
    return int(key.rsplit("/", 1)[1])


def task(task_id: str) -> str:
    """Whose a task of the service is; ids are safe in a key (`shared.modelstudio.client`)."""
    return f"{TASKS}{task_id}"


def doubts_of(model: str) -> str:
    """The prefix of a model's attempts that were given up without an answer."""
    return f"{DOUBTS}{model}/"


def doubt(model: str, job: str, seq: int, mark: str) -> str:
    """An attempt whose task may exist although no job has it."""
    return f"{doubts_of(model)}{job}~{seq:06d}~{mark}"


def parse_doubt(key: str) -> tuple[str, str, int, str]:
    """Model, job, record number and mark of a doubt's key."""
    return _parse_attempt(key[len(DOUBTS) :])


def model_state(model: str) -> str:
    """What was learned of a model: durations, pauses."""
    return f"{MODELS}{model}.json"


def jobs_until(created_ms: int) -> str:
    """What comes right before the index entries of jobs made at `created_ms` or earlier."""
    return f"{JOBS}{END_OF_TIME_MS - created_ms:013d}"


def indexed(created_ms: int, job: str) -> str:
    """The index entry of a job; byte order is newest first."""
    return f"{jobs_until(created_ms)}-{job}"


def parse_indexed(key: str) -> tuple[int, str]:
    """When the job was made, in milliseconds since 1970, and its id."""
    moment, job = key[len(JOBS) :].split("-", 1)
    return END_OF_TIME_MS - int(moment), job


def request(mark: str) -> str:
    """What was sent under an Idempotency-Key; `mark` is a hash of it, so safe in a path."""
    return f"{REQUESTS}{mark}.json"


def dead_event(name: str) -> str:
    """An event that was given up on."""
    return f"{DEAD}{name}"


def result(job: str) -> str:
    """The job's manifest."""
    return f"{RESULTS}{job}/result.json"


def image(job: str, number: int, extension: str) -> str:
    """Image `number` (from 1) of a job."""
    return f"{RESULTS}{job}/image-{number}.{extension}"


def is_job_id(name: str) -> bool:
    """Whether a text from outside can be a job's id, and so part of a key."""
    return JOB_ID.fullmatch(name) is not None and ".." not in name
