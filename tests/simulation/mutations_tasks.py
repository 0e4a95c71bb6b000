"""Mistakes about tasks and their images: what is fetched, from where, and when a task is over."""

from __future__ import annotations

from shared.jobs import collect, images
from shared.jobs.cancel import Cancellation
from shared.jobs.collect import Collection
from shared.jobs.transitions import Transitions
from shared.ledger.record import CANCELED, SUBMITTING, Record
from shared.ledger.records import Records
from shared.modelstudio.client import ModelStudio
from shared.modelstudio.download import Downloader
from tests.simulation.mutating import Change, named, rewritten


def image_not_stored() -> list[Change]:
    _, name, wrong = rewritten(
        images,
        "store_image",
        "store.put_file(key, download.file, download.md5, media_type)",
        "pass",
    )
    return [(collect, name, wrong)]


def images_numbered_anew() -> list[Change]:
    return [rewritten(collect, "_numbers", "list(last.missing or range", "list(range")]


def images_numbered_backwards() -> list[Change]:
    old = "zip(numbers, items, strict=False)"
    return [rewritten(Collection, "_fetch_all", old, "zip(numbers, items[::-1], strict=False)")]


def image_from_any_host() -> list[Change]:
    def any_host(_self: Downloader, url: str, _hosts: object) -> str:
        return url

    return [(Downloader, "_host", any_host)]


def half_an_image_is_enough() -> list[Change]:
    old = "promised and promised.isdigit() and int(promised) != size"
    return [rewritten(Downloader, "_written", old, "False")]


def download_tried_once() -> list[Change]:
    old = "if self._age(last) < error.retry_for:"
    return [rewritten(Collection, "_fetch_one", old, "if False:")]


def running_written_twice() -> list[Change]:
    old = " and last.state != RUNNING and not known.expected"
    return [rewritten(Collection, "take", old, "")]


def unknown_ends_the_job() -> list[Change]:
    old = "if self._age(last) >= RETENTION:"
    new = 'if task.status == "UNKNOWN" or self._age(last) >= RETENTION:'
    return [rewritten(Collection, "take", old, new)]


def forgotten_task_asked_for_ever() -> list[Change]:
    return [rewritten(Collection, "take", "if self._age(last) >= RETENTION:", "if False:")]


def stuck_task_given_up_early() -> list[Change]:
    old = "if self._age(last) >= RETENTION:"
    return [rewritten(Collection, "take", old, "if self._age(last) >= 60:")]


def canceled_without_asking() -> list[Change]:
    return [(ModelStudio, "cancel", lambda _self, _task: None)]


def refused_cancel_ignored() -> list[Change]:
    old = "raise NotCancelable(last) from None"
    new = "return self.transitions.finish(last, CANCELED)"
    return [rewritten(Cancellation, "_pending", old, new)]


def canceled_while_sent() -> list[Change]:
    old = "last.state in (QUEUED, PENDING)"
    new = 'last.state in (QUEUED, PENDING, "SUBMITTING")'
    asked = Cancellation._pending

    def pending(self: Cancellation, last: Record) -> Record | None:
        if last.state == SUBMITTING:
            return self.transitions.finish(last, CANCELED)
        return asked(self, last)

    return [rewritten(Cancellation, "_cancel", old, new), (Cancellation, "_pending", pending)]


def first_page_of_tasks() -> list[Change]:
    return [rewritten(ModelStudio, "listed", "while page <= pages:", "while page <= 1:")]


def manifest_not_written() -> list[Change]:
    return [(Transitions, "restore_manifest", lambda _self, _last: None)]


def record_replaced() -> list[Change]:
    old = "if self.store.create(layout.record(made.job, made.seq), encode(made)).created:"
    new = "self.store.put(layout.record(made.job, made.seq), encode(made))\n    if True:"
    return [rewritten(Records, "append", old, new)]


TASKS = named(
    ("an image is named and not stored", image_not_stored),
    ("images of a second attempt are numbered from one", images_numbered_anew),
    ("images are numbered from the last", images_numbered_backwards),
    ("images are fetched from any host", image_from_any_host),
    ("half an image is enough", half_an_image_is_enough),
    ("an image is given up after one try", download_tried_once),
    ("RUNNING is written again and again", running_written_twice),
    ("UNKNOWN ends a job at once", unknown_ends_the_job),
    ("a task that is gone is asked for without end", forgotten_task_asked_for_ever),
    ("a task that takes a minute is given up", stuck_task_given_up_early),
    ("a task is canceled without asking the service", canceled_without_asking),
    ("a cancel that the service refuses is believed", refused_cancel_ignored),
    ("a job is canceled while it is being sent", canceled_while_sent),
    ("only the first page of the task list is read", first_page_of_tasks),
    ("the manifest is never written", manifest_not_written),
    ("a record replaces another", record_replaced),
)
