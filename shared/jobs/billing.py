"""What a job has been billed for, and what another attempt costs at most."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.catalogue.models import SYNC, Model
from shared.catalogue.price import Bill, area_asked_for
from shared.catalogue.rules import Rules
from shared.jobfile.spec import RESEND, JobSpec
from shared.jobs.wanted import images_wanted
from shared.ledger.record import QUEUED, RUNNING, Record


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


def is_affordable(rules: Rules, model: Model, billed: Bill) -> bool:
    """Whether a job may be billed for so much by itself."""
    price = rules.price(model.name, billed)
    return price is not None and price["total"] <= rules.policy.most_price


def price_at_most(rules: Rules, spec: JobSpec, last: Record | None = None) -> dict[str, Any] | None:
    """What a job costs at most until all of its images are there, as manifests show a price.

    `last`: the job's last record, where it is under way; then what earlier attempts were billed
    for counts. Of a job that is over it is what the same job costs if it is run again. None for a
    model that is not known.
    """
    model = rules.model(spec.model)
    if model is None:
        return None
    before, images = Bill(), images_wanted(model, request_of(spec))
    if last is not None and not last.is_final:
        before, images = billed_before(rules, last), images_left(model, last, spec)
    once = at_most(rules, model, spec, images)
    again = _called_again(rules, model, spec, last)
    lost = [once.lost().times(number) for number in range(1, again + 1)]
    fits = [one for one in lost if is_affordable(rules, model, before.plus(one).plus(once))]
    if fits:
        return rules.price(model.name, before.plus(fits[-1]).plus(once))
    return rules.price(model.name, before.plus(at_most_in_all(rules, model, spec, images)))


def _called_again(rules: Rules, model: Model, spec: JobSpec, last: Record | None) -> int:
    """How often a job may be called again whose calls are lost, all of which may be billed."""
    if model.mode != SYNC or spec.on_unknown != RESEND:
        return 0
    most, made = rules.policy.attempts["after_backoff"], 0
    if last is not None and not last.is_final:
        if last.state == RUNNING and spec.on_partial != "retry-failed":
            return 0  # it was answered
        made = last.attempt if last.state == QUEUED else last.attempt - 1
    return most - 1 - made


def images_left(model: Model | None, last: Record, spec: JobSpec | None) -> int:
    """How many images the next attempt of a job is for."""
    return len(last.missing) or images_wanted(model, request_of(spec))
