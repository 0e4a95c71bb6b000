"""Whether the catalogue's limits are those of the account, for `wanx doctor`."""

from __future__ import annotations

from collections.abc import Iterator

from cli.model_words import UNITS
from shared.catalogue.files import SCHEMAS, read_schema
from shared.catalogue.index import described
from shared.catalogue.models import ASYNC, Catalogue, Model
from shared.modelstudio.limits import AccountLimits

NEAR = 0.01
"""Share by which rates may differ: an account may count 120 a minute for 2 a second."""


def other_limits(model: Model, region: str, seen: AccountLimits) -> str | None:
    """What is otherwise at the account, and what to write where; None if nothing is."""
    parts = list(_differences(model, seen))
    if not parts:
        return None
    told = "; ".join(what for what, _ in parts)
    wanted = ", ".join(line for _, line in parts)
    place = f"limits.by_region.{region}" if region != model.regions[0] else "limits"
    return (
        f"{told}. Write {wanted} below {place} in schemas/models/{file_of(model.name)}"
        f"{_variant(model.name)}, and deploy."
    )


def _differences(model: Model, seen: AccountLimits) -> Iterator[tuple[str, str]]:
    """What is otherwise in words, and the line of the model's file that says it right."""
    limits = model.limits
    rate = limits.submissions / limits.per_seconds
    if seen.rate is not None and abs(seen.rate - rate) > NEAR * rate:
        here, there = _rate(limits.submissions, limits.per_seconds), _of(seen)
        yield (
            f"the catalogue submits {here}, the account may {there}",
            f"submissions: {seen.requests:g}, per_seconds: {seen.per_seconds:g}",
        )
    if model.mode != ASYNC or seen.concurrent is None:
        return
    if seen.concurrent != limits.concurrent:
        here = f"{limits.concurrent} tasks at once" if limits.concurrent else "no bound of tasks"
        yield (
            f"the catalogue has {here}, the account {seen.concurrent}",
            f"concurrent: {seen.concurrent}",
        )
    if seen.queue is not None and seen.queue < limits.queue_ahead:
        yield (
            f"the catalogue lets {limits.queue_ahead} tasks wait at the service, it takes"
            f" {seen.queue}",
            f"queue_ahead: {seen.queue}",
        )


def _rate(requests: float, seconds: float) -> str:
    unit = UNITS.get(int(seconds)) if seconds == int(seconds) else None
    return f"{requests:g} a {unit}" if unit else f"{requests:g} in {seconds:g} s"


def _of(seen: AccountLimits) -> str:
    return _rate(seen.requests or 0, seen.per_seconds or 1)


def file_of(name: str) -> str:
    """The file that describes a model; a family's file describes several."""
    for path in sorted((SCHEMAS / "models").glob("*.yaml")):
        if any(one == name for one, _ in described(read_schema(path))):
            return path.name
    return f"{name}.yaml"


def _variant(name: str) -> str:
    return "" if file_of(name) == f"{name}.yaml" else f" (variant {name})"


def in_region(catalogue: Catalogue, region: str) -> list[Model]:
    """The models that are offered there, with their limits there."""
    return [model.in_region(region) for model in catalogue.models() if region in model.regions]
