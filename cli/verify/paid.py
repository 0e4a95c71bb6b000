"""The checks that need an image which is paid for: one job serves them all.

The job goes the way of every job, from a file in jobs/: its image is fetched by a URL that the
function signed under its role, and nothing pays for it twice.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw

from cli.verify.facts import Otherwise, Untried
from cli.verify.trial import NAME, PaidRun, Trial
from shared.catalogue.errors import INPUT_FETCH
from shared.catalogue.models import Catalogue
from shared.catalogue.retry_policy import RetryPolicy
from shared.jobs.task_list import ZONES, zone_of
from shared.ledger.record import REJECTED, SUCCEEDED, Record
from shared.modelstudio.client import ListedTask, ServiceError
from shared.platform.clock import from_iso
from shared.storage import layout
from shared.storage.objects import StoreError

JOB_SECONDS = 900.0
"""Longest wait for the job: an attempt that failed is followed by others."""
LISTED_SECONDS = 600.0
"""Longest wait for the list to show the task, from its submission."""
TIMES_DIFFER = 300.0
"""Seconds by which a task's time may differ from ours; a wrong zone is off by hours."""
REQUESTS_PRICE = 0.01
"""CNY, of all requests and seconds of functions: some thousand requests at most
(docs/operations.md, "What it costs")."""
EXPIRES = "10m"


def bound(trial: Trial, catalogue: Catalogue, retries: RetryPolicy) -> float:
    """What a run costs at most, in CNY: as if each attempt that the job may make were paid."""
    model = catalogue.get(trial.job.body["model"])
    assert model is not None
    price = model.price.in_region(trial.bucket.settings.model_region).per_image
    return REQUESTS_PRICE + price * max(retries.attempts.values())


def job_name(trial: Trial) -> str:
    """The name of the job of a run."""
    return f"{NAME}{trial.run}"


def paid_run(trial: Trial) -> PaidRun:
    """Submit the job and follow it to its end, once. Raises Untried, StoreError."""
    if trial.paid is None:
        trial.paid = _submitted(trial)
    if isinstance(trial.paid, Untried):
        raise trial.paid
    return trial.paid


def _submitted(trial: Trial) -> PaidRun | Untried:
    try:
        _submit(trial)
        done = _follow(trial)
    except (Untried, StoreError) as error:
        return Untried(str(error))
    if done.last.state == REJECTED:
        return Untried(f"job {done.last.job} was rejected: {done.last.violations[:1]}.")
    return done


def _submit(trial: Trial) -> None:
    name = job_name(trial)
    image = f"{layout.INPUTS}{name}.png"
    trial.store.put(image, _picture(trial.job.side), "image/png")
    body = dict(trial.job.body)
    body["input"] = {**body["input"], trial.job.image: f"oss:///{image}"}
    body["job"] = {"id": name, "priority": 0, "expires_after": EXPIRES}
    trial.store.put(f"{layout.JOB_FILES}{name}.json", json.dumps(body).encode())


def _picture(side: int) -> bytes:
    """A white square with a house in it."""
    image = Image.new("RGB", (side, side), "white")
    draw, third = ImageDraw.Draw(image), side // 3
    draw.rectangle((third, third, 2 * third, 2 * third), outline="black", width=4)
    draw.line([(third, third), (side // 2, third // 2), (2 * third, third)], "black", 4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _follow(trial: Trial) -> PaidRun:
    first = trial.awaited(lambda: trial.ledger.records.get(job_name(trial), 1), JOB_SECONDS)
    if first is None:
        raise Untried(f"no job came of its file within {JOB_SECONDS:.0f} s; see event-keys.")
    # The job has its record: the file, read once more, could only make a second one.
    trial.store.delete(f"{layout.JOB_FILES}{job_name(trial)}.json")
    sent = trial.awaited(
        lambda: _moved(trial, lambda one: one.task_id or one.is_final), JOB_SECONDS
    )
    if sent is None:
        raise Untried(f"job {first.job} was not submitted within {JOB_SECONDS:.0f} s.")
    seen_at = trial.clock.monotonic()
    task_id, submitted = sent.task_id or "", from_iso(sent.submitted_at or sent.at)
    listed = _listed(trial, task_id) if task_id else None
    lag = trial.clock.monotonic() - seen_at + trial.pause
    last = trial.awaited(lambda: _moved(trial, lambda one: one.is_final), JOB_SECONDS)
    if last is None:
        raise Untried(f"job {first.job} was not over within {JOB_SECONDS:.0f} s.")
    return PaidRun(last, task_id, submitted, listed, lag)


def _moved(trial: Trial, is_there: Callable[[Record], object]) -> Record | None:
    """The job's last record once that is so."""
    last = trial.ledger.records.last(job_name(trial))
    return last if last is not None and is_there(last) else None


def _listed(trial: Trial, task_id: str) -> ListedTask | None:
    """The task as soon as the list shows it; None without an API key here."""
    if not trial.api_key:
        return None
    try:
        return trial.awaited(lambda: trial.model_studio.find(task_id), LISTED_SECONDS)
    except ServiceError:
        return None  # the checks of the list ask again, and say why


def _presigned_url(trial: Trial) -> str:
    if trial.seen["input_delivery"] != "presigned":
        raise Untried("INPUT_DELIVERY is inline: no URL is handed over.", True)
    last = paid_run(trial).last
    if last.state == SUCCEEDED:
        return f"job {last.job} SUCCEEDED."
    error = (last.manifest.error if last.manifest else None) or {}
    said = f"job {last.job} is {last.state}: {error.get('code')}: {error.get('message')}"
    if error.get("class") != INPUT_FETCH:
        raise Untried(f"{said}. That does not tell whether the image was fetched.")
    raise Otherwise(said)


def _task_times(trial: Trial) -> str:
    done = _with_task(trial)
    off = _shown(done).created - done.submitted
    if abs(off) > TIMES_DIFFER:
        raise Otherwise(f"its gmt_create is {off / 3600:+.1f} h from our submission.")
    return f"its gmt_create is {off:+.1f} s from our submission."


def _task_list_zone(trial: Trial) -> str:
    listed = _shown(_with_task(trial))
    try:
        zone = zone_of(trial.model_studio, str(trial.job.body["model"]), listed)
    except ServiceError as error:
        raise Untried(f"the service answered {error}.") from None
    if zone is None:
        raise Otherwise(f"neither UTC+{' nor UTC+'.join(map(str, ZONES))} shows the task.")
    return f"UTC+{zone}."


def _task_list_lag(trial: Trial) -> str:
    done = _with_task(trial)
    if done.listed is None:
        raise Otherwise(f"it was not shown within {LISTED_SECONDS:.0f} s.")
    grace = float(trial.seen["unknown_grace"])
    if done.lag > grace:
        raise Otherwise(f"it was shown after {done.lag:.0f} s; UNKNOWN_GRACE is {grace:.0f}.")
    return f"it was shown {done.lag:.1f} s after the submission at the latest."


def _shown(done: PaidRun) -> ListedTask:
    """The task as the list shows it. Raises Untried."""
    if done.listed is None:
        raise Untried("the list did not show the task; see task-list-lag.")
    return done.listed


def _with_task(trial: Trial) -> PaidRun:
    """The job that was submitted, where the service can be asked about it. Raises Untried."""
    trial.model_studio  # noqa: B018 - raises Untried without a key
    done = paid_run(trial)
    if not done.task_id:
        raise Untried(
            f"job {done.last.job} is {done.last.state} and has no task; see presigned-url."
        )
    return done


PAID: Mapping[str, Callable[[Trial], str]] = {
    "presigned-url": _presigned_url,
    "task-times": _task_times,
    "task-list-zone": _task_list_zone,
    "task-list-lag": _task_list_lag,
}
