"""Requests drawn from the description, good and bad, one by one and one after the other.

The application runs in this process over a bucket in memory; nothing listens. Every check of
Schemathesis is on. A job file may be refused (422) though its schema allows it, because rules
between fields and the images themselves are looked at as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.config import SchemathesisConfig

from shared.api.jobs_api import create_app
from shared.app import App
from tests.kit.world import TOKEN, World

IMAGES = ("base_image_url", "mask_image_url")
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CONFIG = SchemathesisConfig.from_dict(
    {
        "auth": {"openapi": {"token": {"bearer": TOKEN}}},
        "checks": {
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "304", "404", "409", "422"],
            }
        },
    }
)


def bounded(examples: int, **more: Any) -> settings:
    """The same requests at each run, and few enough for a test among others."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        **more,
    )


def endless() -> App:
    """A service whose bucket takes any number of requests."""
    world = World()
    world.bucket.most_calls = 10**9
    return world.app("fuzz")


class Fresh:
    """The application over a bucket that can be emptied between two scenarios."""

    def __init__(self) -> None:
        self.empty()

    def empty(self) -> None:
        self._app = create_app(endless())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._app(environ, start_response)


def described(app: Fresh) -> schemathesis.schemas.BaseSchema:
    """The application as it describes itself."""
    return schemathesis.openapi.from_wsgi("/openapi.json", app, config=CONFIG, headers=BEARER)


APP = Fresh()
SINGLE, LINKED = described(Fresh()), described(APP)


@SINGLE.parametrize()
@bounded(40)
def test_any_request_is_answered_as_described(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate()


@LINKED.hook
def map_body(_context: schemathesis.HookContext, body: Any) -> Any:
    """Images that are named get URLs, so that jobs are accepted and can be followed."""
    given = body.get("input") if isinstance(body, Mapping) else None
    named = given if isinstance(given, Mapping) else {}
    if not all(isinstance(named.get(name), str) and named[name].strip() for name in IMAGES):
        return body
    images = {name: f"https://pictures.example.com/{name}.png" for name in IMAGES}
    return {**body, "input": {**named, **images}}


def test_jobs_are_followed_from_submission_to_their_end() -> None:
    seen: Counter[tuple[str, int]] = Counter()
    machine = LINKED.as_state_machine()

    class Followed(machine):  # type: ignore[valid-type, misc]
        def setup(self) -> None:
            APP.empty()

        def after_call(self, response: Any, case: schemathesis.Case[Any]) -> None:
            label = str(case.operation.definition.raw["operationId"])
            seen[label, response.status_code // 100] += 1

    run_state_machine_as_test(Followed, settings=bounded(150, stateful_step_count=6))
    for operation in ("submitJobs", "getJob", "cancelJob"):
        assert seen[operation, 2] > 0, seen
    assert not [label for label, kind in seen if kind == 5]
