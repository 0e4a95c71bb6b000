"""What the tools do: the use cases of the commands, with answers for a program that reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import model_words as words
from cli.access import Access
from cli.backends.protocol import View, Wanted, is_over
from cli.commands.check import as_json, checked, images_of, own_hosts
from cli.commands.get import image_bytes
from cli.commands.init import find_model, template
from cli.commands.jobs import model_name, states_of
from cli.commands.models import about
from cli.findings import Report
from cli.following import Followed, first_look, looks
from cli.prices import rules_of
from cli.trouble import Refused, Trouble
from shared.catalogue.groups import group_of
from shared.catalogue.model_file import load_catalogue

NAME = "assistant.json"
"""The name of the job file that a job would lie in; ids of jobs without `job.id` begin with it."""
SHOWN = (
    *("job", "state", "model", "prompt", "created_at", "position", "estimated_wait_seconds"),
    *("price_at_most", "error", "warnings", "violations", "retried_from"),
)
NO_JOB = "there is no such job; the tool list_jobs shows those there are."


@dataclass(frozen=True)
class Fetched:
    """An image: what is known of it, and its bytes unless it was too large."""

    about: dict[str, Any]
    data: bytes | None = None


@dataclass(frozen=True)
class AssistantJobs:
    """The jobs that an assistant sees. Every verb may raise Trouble or Refused."""

    access: Access

    def models(self, name: str | None) -> Any:
        """All models in short, or one in full with a job file to fill in. Raises UsageError."""
        catalogue = load_catalogue()
        if name is not None:
            model = find_model(name, catalogue)
            return {**about(model), "job_file_to_fill_in": template(model)}
        return [
            {
                "name": model.name,
                "does": group_of(model).en,
                "an_image": words.price(model),
                "guidance": model.guidance or model.description,
                "status": words.status(model),
            }
            for model in catalogue.offered()
            if catalogue.main(model) is model
        ]

    def check(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Violations, notices, and what the job costs at most; nothing is sent."""
        report, seen = self._check(_body(job))
        found = as_json([report], seen)
        (file,) = found.pop("files")
        kept = ("violations", "notices", "images_not_looked_at")
        return {**found, **{name: file[name] for name in kept}}

    def submit(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The job, and what it costs at most. Raises Refused, with all violations."""
        body = _body(job)
        report, _ = self._check(body)
        _refuse([one.to_dict() for one in report.violations])
        backend = self.access.backend()
        try:
            sent = backend.submit(body, NAME)
        except Trouble as error:
            again = "Whether it was submitted is not known; the same call again never pays twice."
            raise Trouble(f"{error.message} {again}") from None
        _refuse([violation for one in sent for violation in one.violations])
        return _told(backend.status(sent[0].job) or vars(sent[0]))

    def follow(self, job: str) -> Iterator[tuple[float, View]]:
        """Look until the job is over: per cent, which never fall, and the view."""
        backend, followed = self.access.backend(), Followed(job)
        if not first_look(backend, [followed]):
            raise Refused(NO_JOB)
        most = 0.0
        for _ in looks(backend, [followed]):
            most = max(most, followed.share)
            yield most, _told(followed.view)

    def images(self, job: str, most_bytes: int) -> list[Fetched]:
        """A job's images; those that do not fit into `most_bytes` in all, without their bytes."""
        backend, view = self.access.backend(), self._known(job)
        if not is_over(view):
            raise Refused(f"no images yet, it is {view['state']}; use the tool wait_for_job.")
        links = {one["key"]: one.get("url") for one in view.get("images") or ()}
        fetched, left = list[Fetched](), most_bytes
        for image in (view.get("result") or {}).get("images") or ():
            facts = {name: image[name] for name in ("key", "width", "height", "bytes")}
            if image["bytes"] <= left:
                left -= image["bytes"]
                fetched.append(Fetched(facts, image_bytes(backend, view, image)))
            else:
                ways = {"link_for_an_hour": links.get(image["key"])}
                fetched.append(Fetched({**facts, **ways, "or_run": self._get(job)}))
        if not fetched:
            why = (view.get("error") or {}).get("message") or "look at it with wait_for_job"
            raise Refused(f"the job has no images, it is {view['state']}: {why}")
        return fetched

    def cancel(self, job: str) -> dict[str, Any]:
        """The canceled job."""
        return _told(self.access.backend().cancel(job))

    def listed(self, states: Sequence[str], model: str | None, limit: int) -> dict[str, Any]:
        """The newest jobs that fit, in short. Raises BadParameter."""
        wanted = Wanted(states_of(states), model_name(model), limit=limit)
        listing = self.access.backend().listing(wanted)
        return {"jobs": [_told(view) for view in listing.jobs], "more": listing.more}

    def _known(self, job: str) -> View:
        view = self.access.backend().status(job)
        if view is None:
            raise Refused(NO_JOB)
        return view

    def _check(self, body: bytes) -> tuple[Report, bool]:
        (report,), seen = checked(
            lambda one: [one.body(Path(NAME), body)],
            images_of(self.access),
            own_hosts(self.access),
            rules_of(self.access.environ),
        )
        return report, seen

    def _get(self, job: str) -> str:
        return self.access.command("get", job)


def _body(job: Mapping[str, Any]) -> bytes:
    """As a JSON job file. What one call submits is one job."""
    return json.dumps(job, ensure_ascii=False, sort_keys=True).encode()


def _refuse(violations: Sequence[Mapping[str, Any]]) -> None:
    if violations:
        found = "; ".join(str(one.get("message")) for one in violations)
        raise Refused(f"nothing was submitted: {found}")


def _told(view: Mapping[str, Any]) -> dict[str, Any]:
    """What an assistant needs of a job: no links, no records."""
    result = view.get("result") or {}
    shown = {name: view[name] for name in SHOWN if view.get(name) not in (None, [], {})}
    if result:
        shown["price"] = result.get("price")
        shown["images"] = [image["key"] for image in result.get("images") or ()]
    return shown
