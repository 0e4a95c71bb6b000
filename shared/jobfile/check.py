"""Checks a document against the catalogue and the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.catalogue.conditions import default_of
from shared.catalogue.files import SCHEMAS, read_schema
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import MOST_SHOWN, Plain, copy, escape
from shared.catalogue.wire import flat_body, is_native
from shared.jobfile import wording
from shared.jobfile.document import Document
from shared.jobfile.findings import Findings, Notice, Violation, counted
from shared.jobfile.image_check import ImageCheck
from shared.jobfile.quick_check import seconds
from shared.jobfile.references import Place
from shared.jobfile.rules import as_numbers, check_lengths, check_rules
from shared.jobfile.schema_check import Section, check_section
from shared.jobfile.spec import ASK, DEFAULT_PRIORITY, ImageUse, JobSpec
from shared.platform.webhook_settings import LONGEST_URL, WrongWebhook, check_form

_SOURCE = "job file format"


@dataclass(frozen=True)
class Checked:
    """The outcome: a spec exactly if there are no violations."""

    spec: JobSpec | None
    violations: tuple[Violation, ...]
    notices: tuple[Notice, ...]


@lru_cache(maxsize=1)
def _envelope() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = read_schema(SCHEMAS / "job.schema.yaml")
    return schema


def check(
    document: Document, catalogue: Catalogue, place: Place, most: int = MOST_SHOWN
) -> Checked:
    """Finds everything that is wrong with a job, at once; after `most` violations the last one
    counts the rest.

    Raises StoreError if the bucket cannot be asked, which
    says nothing about the job: the caller tries again later.
    """
    found = Findings(document, most)
    job = document.value
    model = _model(job, catalogue, found)
    framed = True
    if model is not None:
        job, framed = _flat(as_numbers(job, model, found), model, found)
    _check_envelope(job, model, found)
    _check_webhook(job, place, found)
    uses: list[ImageUse] = []
    if model is not None and isinstance(job, dict):
        uses = _check_model(_without_null(job), model, found, place, framed)
    violations = counted(_in_file_order(found.violations), found.more)
    notices = tuple(found.notices)
    if violations or model is None:
        return Checked(None, violations, notices)
    return Checked(_spec(_without_null(job), model, tuple(uses)), (), notices)


def _flat(job: Plain, model: Model, found: Findings) -> tuple[Plain, bool]:
    """The job in the flat form, and whether all of it could be read into that."""
    if model.messages is None or not is_native(model, job):
        return job, True
    from shared.jobfile.messages import check_messages

    framed = check_messages(job, model, model.messages, found)
    flat, found.moved = flat_body(model, job)
    return flat, framed


def _without_null(job: dict[str, Any]) -> dict[str, Any]:
    """The job with `parameters` and `job` left out or null read as empty."""
    return {**job, "parameters": job.get("parameters") or {}, "job": job.get("job") or {}}


def _in_file_order(violations: list[Violation]) -> tuple[Violation, ...]:
    unique = dict.fromkeys(violations)
    return tuple(sorted(unique, key=lambda violation: violation.line or 0))


def _model(job: Plain, catalogue: Catalogue, found: Findings) -> Model | None:
    name = job.get("model") if isinstance(job, dict) else None
    if not isinstance(name, str):
        return None  # the envelope's schema says so
    model = catalogue.get(name)
    if model is None:
        near = wording.nearest(name, catalogue.names())
        expected = f"one of {', '.join(catalogue.names())}"
        cure = f"did you mean {near}?" if near else f"use {expected}"
        what = f"this model is not known; {cure}"
        found.violate("/model", expected, name, what, "model catalogue")
        if (meant := catalogue.get(near or "")) is not None:
            _check_keys(job, meant, found)
    return model


def _check_keys(job: Mapping[str, Any], meant: Model, found: Findings) -> None:
    """Mistyped keys, where the model's name is mistyped too; the rest waits for its name."""
    if is_native(meant, job):
        return
    schemas = {"input": meant.input_schema, "parameters": meant.parameters_schema}
    for section, schema in schemas.items():
        known = list(schema["properties"])
        part = job.get(section)
        written = part if isinstance(part, dict) else {}
        for key in written:
            near = None if key in known or found.full() else wording.nearest(key, known)
            if near:
                what = f"{meant.name} has no key `{key[:60]}`; did you mean `{near}`?"
                expected = f"one of {', '.join(sorted(known))}"
                place = f"/{section}/{escape(key)}"
                found.violate(place, expected, written[key], what, meant.title)


def _sections(model: Model | None) -> dict[str, Iterable[str]]:
    envelope = _envelope()["properties"]
    sections: dict[str, Iterable[str]] = {"": envelope, "job": envelope["job"]["properties"]}
    if model is not None:
        sections["input"] = model.input_schema["properties"]
        sections["parameters"] = model.parameters_schema["properties"]
    return sections


def _is_wide(text: str) -> bool:
    from shared.jobfile.slips import is_wide

    return is_wide(text)


def _check_envelope(job: Plain, model: Model | None, found: Findings) -> None:
    if isinstance(job, list):
        what = "a list where one job belongs; split the jobs by --- lines, or use a .json file"
        found.violate("", "a mapping", job, what, _SOURCE)
        return
    if isinstance(job, str) and _is_wide(job):
        what = "one text, because its colons are full-width; write `:` and a space after each key"
        found.violate("", "a mapping", job, what, _SOURCE)
        return
    if not isinstance(job, dict):
        what = (
            "this is not a job: a job has at least the keys `model` and `input`; `wanx init MODEL`"
            " writes one to fill in"
        )
        found.violate("", "a mapping", job, what, _SOURCE)
        return
    section = Section("", _envelope(), _sections(model), {}, _SOURCE)
    check_section(job, section, found)


def _check_webhook(job: Plain, place: Place, found: Findings) -> None:
    """Offline only the form can be checked: names and hosts are the deployment's."""
    webhook = webhook_of(job)
    if webhook is None:
        return
    try:
        check_form(webhook) if place.webhooks is None else place.webhooks.check(webhook)
    except WrongWebhook as error:
        found.violate("/job/webhook", error.expected, webhook, str(error), _SOURCE)


def webhook_of(job: Plain) -> str | None:
    """Whom a job wants to be told, if what it says is a text of bearable length."""
    own = job.get("job") if isinstance(job, dict) else None
    webhook = own.get("webhook") if isinstance(own, dict) else None
    return webhook if isinstance(webhook, str) and 0 < len(webhook) <= LONGEST_URL else None


def _check_model(
    job: dict[str, Any], model: Model, found: Findings, place: Place, framed: bool
) -> list[ImageUse]:
    """`framed`: input is whole, so what is not in it is missing."""
    schemas = {"input": model.input_schema} if framed else {}
    schemas["parameters"] = model.parameters_schema
    for name, schema in schemas.items():
        if isinstance(job.get(name), dict):
            section = Section(name, schema, _sections(model), model.sources, model.title)
            check_section(job[name], section, found)
    if framed:
        check_rules(job, model, found)
    check_lengths(job, model, found)
    _tell(model, found, place.region)
    image_check = ImageCheck(place, model, found)
    image_check.run(job)
    return image_check.uses


def _tell(model: Model, found: Findings, region: str) -> None:
    """What every user of the model should know; of one that is gone, or that the region does not
    have, no job can be made."""
    if model.status is not None and model.status.is_retired:
        expected, notice = model.status.successor or "another model", model.status.notice()
        found.violate("/model", expected, model.name, notice.en, notice.source)
        return
    if region and region not in model.regions:
        what = (
            f"{model.name} is offered in {', '.join(model.regions)} only, and this deployment uses"
            f" {region}; choose another model, or deploy with that region's base URL and key"
        )
        found.violate("/model", f"a model offered in {region}", model.name, what, "model catalogue")
    for notice in model.remarks():
        found.notice("/model", "", model.name, notice.en, notice.source)


def _spec(job: dict[str, Any], model: Model, images: tuple[ImageUse, ...]) -> JobSpec:
    own = job["job"]
    duration = own.get("expires_after")
    return JobSpec(
        model=model.name,
        input=copy(job["input"]),
        parameters={**_sent_defaults(model, job), **copy(job["parameters"])},
        id=own.get("id"),
        priority=own.get("priority", DEFAULT_PRIORITY),
        expires_after=seconds(duration) if duration else None,
        labels=dict(own.get("labels", {})),
        on_partial=own.get("on_partial", "keep"),
        on_unknown=own.get("on_unknown", ASK),
        webhook=own.get("webhook"),
        images=images,
    )


def _sent_defaults(model: Model, job: Plain) -> dict[str, Any]:
    fields = model.parameters_schema["properties"].items()
    sent = ((name, field) for name, field in fields if field.get("x-send-default"))
    defaults = {name: default_of(field, model, job) for name, field in sent}
    return {name: copy(value) for name, value in defaults.items() if value is not None}
