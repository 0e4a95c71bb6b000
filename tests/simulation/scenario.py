"""What people do in one run: models, job files, corrections, repeated uploads."""

from __future__ import annotations

import json
import random
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import ASYNC, SYNC, Catalogue, Limits, Model

MODELS = ("brush", "pencil")


@dataclass(frozen=True)
class Upload:
    """A job file put into the bucket `at` seconds after the start."""

    at: float
    key: str
    body: bytes


@dataclass
class Scenario:
    """`prompts`: of every document that is in order and whose id is its own; `cancels`: when
    which job is canceled; `losses`: when the indexes are lost; `clashes`: for each id that two
    documents ask for, their prompts, each with its file."""

    limits: dict[str, Limits]
    uploads: list[Upload] = field(default_factory=list)
    prompts: set[str] = field(default_factory=set)
    cancels: dict[str, float] = field(default_factory=dict)
    clashes: dict[str, dict[str, str]] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    def last_act(self) -> float:
        """When people have done all that they planned, in seconds from the beginning."""
        uploads = [upload.at for upload in self.uploads]
        return max([0.0, *uploads, *self.cancels.values(), *self.losses])


def scenario(rng: random.Random, crowd: bool = False) -> Scenario:
    """One to six job files within two minutes, some of them troublesome; a crowd is many more
    within seconds."""
    names = MODELS[: rng.choice((1, 1, 1, 2))]
    made = Scenario({name: _limits(rng) for name in names})
    span = rng.choice((0.0, 3.0, 60.0, 120.0))
    for number in range(rng.choice((1, 1, 2, 2, 3, 4, 6))):
        _add(made, rng, number, rng.random() * span)
    if crowd:
        _add_crowd(made, rng)
    if rng.random() < 0.1:
        made.losses.append(60 * rng.random())
    return made


def _limits(rng: random.Random) -> Limits:
    return Limits(
        submissions=rng.choice((1, 2, 2, 5)),
        per_seconds=1,
        concurrent=rng.choice((1, 1, 2, 3)),
        queue_ahead=rng.choice((0, 1, 1, 2)),
    )


def _add(made: Scenario, rng: random.Random, number: int, at: float) -> None:
    key, prompt = f"jobs/f{number}.json", f"prompt-{number}"
    model = rng.choice(list(made.limits))
    own: dict[str, Any] = {}
    if rng.random() < 0.6:
        own["id"] = f"job-{number}"
    if rng.random() < 0.2:
        own["priority"] = rng.choice((1, 8))
    if rng.random() < 0.1:
        own["expires_after"] = "2m"
    if rng.random() < 0.3:
        own["on_partial"] = "retry-failed"
    right = document(model, prompt, rng.choice((1, 1, 2, 3)), own)
    kind = rng.choice(("plain", "plain", "plain", "double", "corrected", "again", "clash"))
    if kind == "corrected":
        wrong = document(model, prompt, 9, own)
        made.uploads.append(Upload(at, key, job_file(wrong)))
        at += rng.choice((0.3, 5.0, 60.0)) * rng.random()
    made.uploads.append(Upload(at, key, job_file(right)))
    made.prompts.add(prompt)
    if "id" in own and rng.random() < 0.15:
        made.cancels[own["id"]] = at + 30 * rng.random()
    later = at + rng.choice((1.0, 30.0, 200.0)) * rng.random()
    if kind == "again":
        made.uploads.append(Upload(later, key, job_file(right)))
    elif kind == "double":
        made.uploads.pop()
        second = document(model, f"{prompt}-second", 1, {})
        made.prompts.add(f"{prompt}-second")
        made.uploads.append(Upload(at, key, job_file(right, second)))
    elif kind == "clash" and "id" in own:
        other = document(model, f"{prompt}-clash", 1, {"id": own["id"]})
        made.prompts.discard(prompt)
        made.clashes[own["id"]] = {prompt: key, f"{prompt}-clash": f"jobs/f{number}-clash.json"}
        made.uploads.append(Upload(later, f"jobs/f{number}-clash.json", job_file(other)))


def _add_crowd(made: Scenario, rng: random.Random) -> None:
    """Plain jobs of one model that wait for each other, some before others, some not for long."""
    model = rng.choice(list(made.limits))
    for number in range(rng.choice((6, 10))):
        own: dict[str, Any] = {"priority": rng.choice((2, 5, 5, 5, 8))}
        if rng.random() < 0.2:
            own["expires_after"] = "1m"
        prompt = f"crowd-{number}"
        body = job_file(document(model, prompt, 1, own))
        made.uploads.append(Upload(20 * rng.random(), f"jobs/c{number}.json", body))
        made.prompts.add(prompt)


def document(model: str, prompt: str, n: int, own: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": model,
        "input": {
            "prompt": prompt,
            "base_image_url": "https://pictures.invalid/base.png",
            "mask_image_url": "https://pictures.invalid/mask.png",
        },
        "parameters": {"n": n},
        "job": own,
    }


def job_file(*documents: dict[str, Any]) -> bytes:
    return json.dumps(documents if len(documents) > 1 else documents[0]).encode()


@lru_cache(maxsize=1)
def inpainting() -> Model:
    """The inpainting model of the catalogue; tests give it names and limits of their own."""
    found = load_catalogue().get("wanx-x-painting")
    assert found is not None
    return found


def catalogue(
    limits: dict[str, Limits], per_image: float = 0.0, synchronous: Collection[str] = ()
) -> Catalogue:
    """Models that take what the inpainting model takes, under limits of the run's own and for a
    price of the run's own; some of them are called."""
    price = replace(inpainting().price, per_image=per_image, by_region={})
    return Catalogue(
        tuple(
            replace(
                inpainting(),
                name=name,
                limits=limit,
                price=price,
                mode=SYNC if name in synchronous else ASYNC,
            )
            for name, limit in limits.items()
        )
    )
