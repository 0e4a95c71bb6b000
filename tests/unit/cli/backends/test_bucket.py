"""What the command line asks of the bucket while it waits."""

from __future__ import annotations

from cli.backends.bucket import BucketBackend
from tests.kit.world import World


def test_looking_again_at_a_job_that_has_not_moved_is_free() -> None:
    world = World()
    world.queued("cat")
    backend = BucketBackend(world.app("operator"))
    first = backend.status("cat")
    world.bucket.calls.clear()
    assert backend.status("cat") == first
    assert len(world.bucket.calls) == 1, "whether there is a next record, and no estimate"


def test_a_job_that_moved_is_shown_as_it_is_now() -> None:
    world = World()
    world.queued("cat")
    backend = BucketBackend(world.app("operator"))
    assert (backend.status("cat") or {})["state"] == "QUEUED"
    world.app("other").cancellation.cancel("cat")
    assert (backend.status("cat") or {})["state"] == "CANCELED"
