"""Jobs with pictures and a prompt that can be told from all others, for the tests of erasing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.ledger.record import Record
from shared.storage import layout
from tests.kit.http import ask
from tests.kit.world import World, job_file

PROMPT = "a heron that nobody else writes of"
UPLOAD = f"{layout.INPUTS}{'5' * 32}/heron.png"
BY_HAND = f"{layout.INPUTS}shared/heron.png"
PICTURE = Path("examples/inputs/cat.jpg")


def pictured(job: str, base: str = UPLOAD, **own: Any) -> dict[str, Any]:
    """A job with a picture of the bucket."""
    document: dict[str, Any] = json.loads(job_file(PROMPT, id=job, **own))
    document["input"]["base_image_url"] = f"oss:///{base}"
    return document


def taken(world: World, *documents: dict[str, Any], key: str = "jobs/heron.jsonl") -> list[Record]:
    """The jobs of a file that lies in the bucket."""
    lines = "\n".join(map(json.dumps, documents)).encode()
    world.app("person").store.put(key, lines)
    found = world.app("intake").acceptance.intake.take_object(key)
    assert not [one.violations for one in found if one.violations]
    world.timeline.wait(0.001)
    return [one.record for one in found]


def with_upload(world: World, *keys: str) -> None:
    for key in keys or (UPLOAD,):
        world.app("person").store.put(key, PICTURE.read_bytes())


def pictured_world() -> World:
    """A world with an uploaded picture."""
    made = World()
    with_upload(made)
    return made


def holding(world: World, text: str = PROMPT) -> list[str]:
    """The objects that hold a text."""
    return [key for key in world.bucket.keys("") if text.encode() in world.bucket.peek(key)]


def rejected(world: World, document: dict[str, Any], job: str = "heron") -> None:
    """A job that was sent over HTTP and is not in order."""
    document["parameters"] = {"n": PROMPT}
    assert ask(world, "PUT", f"/jobs/{job}", document).status == 422
    assert world.state(job) == "REJECTED"
    world.timeline.wait(0.001)


def jobs_of(world: World) -> set[str]:
    return {key.split("/")[2] for key in world.bucket.keys(layout.RECORDS)}
