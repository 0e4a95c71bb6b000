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
CALLS = "state/calls/"
WAKE = "state/wake/poll"
WAKE_LOOK = "state/wake/look-"
"""Objects whose event `wanx verify-cloud` looks at; they wake nobody."""
LOOK_NOTES = "state/models/~look-"
"""What poll noted for `wanx verify-cloud`, which removes it."""
RESULTS = "results/"
JOB_FILES = "jobs/"
DEAD = "dead/"
JOBS = "state/jobs/"
HIDDEN = f"{JOBS}~hidden/"
"""The index entries of jobs that lists leave out: behind all others, so that no list meets them."""
UPLOADS = "uploads/"
INPUTS = "inputs/"
REQUESTS = "state/requests/"
OUTBOX = "state/outbox/"
DELIVERIES = "state/deliveries/"
ENDPOINTS = "state/endpoints/"
DEPLOYED = f"{QUEUE}-deployed"
"""Which code is deployed. A listing of all queues begins with it: no model comes before."""
REBUILD = "state/rebuild.json"
"""How far a rebuild has come; it is there while one is under way or was interrupted."""
SWEEP = "state/sweep.json"
"""How far poll has looked for job files whose event never came."""
NO_TENANT = "-"
"""The tenant of jobs that belong to nobody in particular."""
ONLY_KEY = "-"
"""The name of the API key where there is only one."""
MOST_EPOCHS = 999_999_999_999
END_OF_TIME_MS = 9_999_999_999_999
"""The year 2286. Counting down from it puts the newest first in byte order."""
_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
JOB_ID = re.compile(_ID)
_SHAPES = {
    RECORDS: rf"{RECORDS}{_ID}/[0-9]{{6}}\.json",
    QUEUE: rf"{QUEUE}[^/]+/[0-9](?:-|/[^/]+/)[0-9]{{13}}-{_ID}",
    EXPIRY: rf"{EXPIRY}[0-9]{{13}}-{_ID}",
    SLOTS: rf"{SLOTS}(?:[^/]+/)?[^/]+/{_ID}~[0-9]{{6}}~[0-9a-f]+",
    JOBS: rf"{JOBS}[0-9]{{13}}-{_ID}",
    HIDDEN: rf"{HIDDEN}[0-9]{{13}}-{_ID}",
    LEASE: rf"{LEASE}[0-9]{{12}}",
    CALLS: rf"{CALLS}[0-9]{{12}}",
    DOUBTS: rf"{DOUBTS}[^/]+/[^/]+/{_ID}~[0-9]{{6}}~[0-9a-f]+",
    OUTBOX: rf"{OUTBOX}[0-9]{{13}}-[0-9]{{4}}-[0-9a-f]{{12}}-[0-9]{{6}}-{_ID}",
    DELIVERIES: rf"{DELIVERIES}{_ID}/[0-9]{{6}}-[0-9]{{4}}\.json",
}


def is_ours(key: str, folder: str) -> bool:
    """Whether a key below one of our folders has the form that we give keys there.

    Anything else was put there by hand: a console's "create folder" makes an object whose key ends
    in a slash.
    """
    return re.fullmatch(_SHAPES[folder], key) is not None


def is_of_newer(key: str, folder: str) -> bool:
    """Whether a key below the slots or doubts is of an attempt, in the form of a newer release.

    Every form has a `~`, so that it is not taken for what a console or a file manager leaves.
    """
    return "~" in key and not is_ours(key, folder)


def record(job: str, seq: int) -> str:
    """Record number `seq` (from 1) of a job."""
    return f"{RECORDS}{job}/{seq:06d}.json"


def parse_record(key: str) -> tuple[str, int]:
    """The job of a record and its number."""
    job, name = key[len(RECORDS) :].split("/", 1)
    return job, int(name.partition(".")[0])


def last_of(job: str) -> str:
    """What comes right after the records of a job."""
    return f"{RECORDS}{job}/~"


def queue_of(model: str) -> str:
    """The prefix of a model's queue markers."""
    return f"{QUEUE}{model}/"


def marker(model: str, priority: int, tenant: str | None, queued_ms: int, job: str) -> str:
    """A queue marker; of one tenant, byte order of keys is service order (smaller priority first).

    Without a tenant it has the form that was used before there were tenants.
    """
    lane = f"{priority}-" if tenant is None else f"{priority}/{tenant}/"
    return f"{queue_of(model)}{lane}{queued_ms:013d}-{job}"


def model_of_marker(key: str) -> str:
    """The model whose queue a marker is in."""
    return key[len(QUEUE) :].split("/", 1)[0]


def job_of_marker(key: str) -> str:
    """The job of a marker."""
    return _marker_name(key)[14:]


def queued_ms_of_marker(key: str) -> int:
    """When the job of a marker was queued, in milliseconds since 1970."""
    return int(_marker_name(key)[:13])


def priority_of_marker(key: str) -> int:
    """The priority of a marker's job."""
    return int(key[len(QUEUE) :].split("/", 1)[1][0])


def _marker_name(key: str) -> str:
    name = key.rsplit("/", 1)[1]
    return name[2:] if name[1:2] == "-" else name


def reminder(expires_ms: int, job: str) -> str:
    """Reminds the poller to end a job that waits in the queue for too long."""
    return f"{EXPIRY}{expires_ms:013d}-{job}"


def job_of_reminder(key: str) -> str:
    """The job a reminder is about."""
    return key.rsplit("/", 1)[1].split("-", 1)[1]


def slot(api_key: str | None, model: str, job: str, seq: int, mark: str) -> str:
    """The slot of one claim: for the attempt whose SUBMITTING record is number `seq`, sent with the
    API key of that name. Without one it has the form that was used before keys had names."""
    return SLOTS + _attempt(api_key, model, job, seq, mark)


def parse_slot(key: str) -> tuple[str | None, str, str, int, str]:
    """Name of the API key, model, job, record number and mark of a slot's key."""
    return _parse_attempt(key[len(SLOTS) :])


def _attempt(api_key: str | None, model: str, job: str, seq: int, mark: str) -> str:
    owner = model if api_key is None else f"{api_key}/{model}"
    return f"{owner}/{job}~{seq:06d}~{mark}"


def _parse_attempt(name: str) -> tuple[str | None, str, str, int, str]:
    owner, _, rest = name.rpartition("/")
    api_key, _, model = owner.rpartition("/")
    job, seq, mark = rest.rsplit("~", 2)
    return api_key or None, model, job, int(seq), mark


def lease(epoch: int) -> str:
    """The right to send, for the `epoch`-th time (from 1); byte order is newest first."""
    return f"{LEASE}{MOST_EPOCHS - epoch:012d}"


def open_calls(epoch: int) -> str:
    """Says that a poller, which held the lease in this epoch, still waits for answers to calls."""
    return f"{CALLS}{MOST_EPOCHS - epoch:012d}"


def epoch_of(key: str) -> int:
    """The number of the epoch that a lease, or the open calls of one, is about."""
    return MOST_EPOCHS - int(key.rsplit("/", 1)[1])


def task(task_id: str) -> str:
    """Whose a task of the service is; ids are safe in a key (`shared.modelstudio.client`)."""
    return f"{TASKS}{task_id}"


def doubt(api_key: str | None, model: str, job: str, seq: int, mark: str) -> str:
    """An attempt whose task may exist although no job has it; named as its slot was."""
    return DOUBTS + _attempt(api_key or ONLY_KEY, model, job, seq, mark)


def parse_doubt(key: str) -> tuple[str | None, str, str, int, str]:
    """What a doubt's key says, as `parse_slot` does."""
    return _parse_attempt(key[len(DOUBTS) :])


def model_state(model: str) -> str:
    """What was learned of a model: durations, pauses."""
    return f"{MODELS}{model}.json"


def look_note(run: str, what: str) -> str:
    """What poll noted for one run of `wanx verify-cloud`."""
    return f"{LOOK_NOTES}{run}-{what}.json"


def jobs_until(created_ms: int, folder: str = JOBS) -> str:
    """What comes right before the index entries of jobs made at `created_ms` or earlier.

    `folder`: `JOBS` or `HIDDEN`.
    """
    return f"{folder}{END_OF_TIME_MS - created_ms:013d}"


def indexed(created_ms: int, job: str, folder: str = JOBS) -> str:
    """The index entry of a job; byte order is newest first."""
    return f"{jobs_until(created_ms, folder)}-{job}"


def parse_indexed(key: str) -> tuple[int, str]:
    """When the job was made, in milliseconds since 1970, and its id."""
    moment, job = key.rsplit("/", 1)[1].split("-", 1)
    return END_OF_TIME_MS - int(moment), job


def request(mark: str) -> str:
    """What was sent under an Idempotency-Key; `mark` is a hash of it, so safe in a path."""
    return f"{REQUESTS}{mark}.json"


def outbox(due_ms: int, number: int, mark: str, seq: int, job: str) -> str:
    """Try `number` (from 1) to tell a receiver of record `seq` of a job; `mark` stands for the
    receiver. Byte order is the order in which tries are due."""
    return f"{OUTBOX}{due_ms:013d}-{number:04d}-{mark}-{seq:06d}-{job}"


def parse_outbox(key: str) -> tuple[int, int, str, int, str]:
    """When a try is due, in milliseconds since 1970, its number, its receiver's mark, record and
    job."""
    due, number, mark, seq, job = key[len(OUTBOX) :].split("-", 4)
    return int(due), int(number), mark, int(seq), job


def deliveries_of(job: str) -> str:
    """The prefix of what became of the tries to tell of a job."""
    return f"{DELIVERIES}{job}/"


def delivery(job: str, seq: int, number: int) -> str:
    """What became of one try."""
    return f"{deliveries_of(job)}{seq:06d}-{number:04d}.json"


def parse_delivery(key: str) -> tuple[str, int, int]:
    """Job, number of the record and of the try."""
    job, name = key[len(DELIVERIES) :].split("/", 1)
    return job, int(name[:6]), int(name[7:11])


def endpoint(mark: str) -> str:
    """Says that a receiver is told nothing any more; `mark` is a hash of its address."""
    return f"{ENDPOINTS}{mark}.json"


def calls_of(mark: str) -> str:
    """The prefix of the calls that asked for one thing; `mark` is a hash of who and what."""
    return f"{REQUESTS}{mark}/"


def call(mark: str, began_ms: int, job: str) -> str:
    """A call that waits, or waited, for a job; byte order is newest first."""
    return f"{calls_of(mark)}{END_OF_TIME_MS - began_ms:013d}-{job}"


def job_of_call(key: str) -> str:
    """The job of a call."""
    return key.rsplit("/", 1)[1].split("-", 1)[1]


def dead_event(name: str) -> str:
    """An event that was given up on."""
    return f"{DEAD}{name}"


def result(job: str) -> str:
    """The job's manifest."""
    return f"{RESULTS}{job}/result.json"


def batch(name: str) -> str:
    """Which jobs came with one file in OpenAI's batch form."""
    return f"{RESULTS}{name}/batch.json"


def batch_output(name: str) -> str:
    """The results of such a file, a line a job."""
    return f"{RESULTS}{name}/output.jsonl"


def image(job: str, number: int, extension: str) -> str:
    """Image `number` (from 1) of a job."""
    return f"{RESULTS}{job}/image-{number}.{extension}"


def is_job_id(name: str) -> bool:
    """Whether a text from outside can be a job's id, and so part of a key."""
    return JOB_ID.fullmatch(name) is not None and ".." not in name
