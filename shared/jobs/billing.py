"""What a job has been billed for, and what another attempt costs at most."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.catalogue.models import Model
from shared.catalogue.price import Bill, area_asked_for
from shared.catalogue.rules import Rules
from shared.jobfile import JobSpec
from shared.jobs.wanted import images_wanted
from shared.ledger.record import Record


def request_of(spec: JobSpec | None) -> dict[str, Any]:
    """The request in the flat form, for reading; empty where the spec is lost."""
    return {} if spec is None else {"input": spec.input, "parameters": spec.parameters}


def billed_before(rules: Rules, last: Record) -> Bill:
    """What the attempts before were billed for. Records from before there were bills say only how
    many images: for these the dearest price counts."""
    if last.bill is not None or not last.paid:
        return last.bill or Bill()
    model = rules.model(last.model)
    if model is None:
        return Bill(((0.0, last.paid),))
    return rules.bill(model, {}, [None] * last.paid)


def at_most(rules: Rules, model: Model, spec: JobSpec | None, images: int) -> Bill:
    """What an attempt for so many images costs if all of them succeed."""
    request = request_of(spec)
    return rules.bill(model, request, [area_asked_for(model, request)] * images)


def at_most_in_all(rules: Rules, model: Model, spec: JobSpec, images: int) -> Bill:
    """What a job costs until it has so many images. Where those that fail are tried again, every
    attempt that makes one pays for the input images."""
    once = at_most(rules, model, spec, images)
    if spec.on_partial != "retry-failed" or images < 2 or not once.input_images:
        return once
    return replace(once, input_images=once.input_images * images, exact=False)


def price_at_most(rules: Rules, spec: JobSpec, last: Record | None = None) -> dict[str, Any] | None:
    """What a job costs at most until all of its images are there, as manifests show a price.

    `last`: the job's last record, where it is one already; then what earlier attempts were billed
    for counts. None for a model that is not known.
    """
    model = rules.model(spec.model)
    if model is None:
        return None
    images = (
        images_wanted(model, request_of(spec)) if last is None else images_left(model, last, spec)
    )
    left = at_most_in_all(rules, model, spec, images)
    before = Bill() if last is None else billed_before(rules, last)
    return rules.price(model.name, before.plus(left))


def images_left(model: Model | None, last: Record, spec: JobSpec | None) -> int:
    """How many images the next attempt of a job is for."""
    return len(last.missing) or images_wanted(model, request_of(spec))
