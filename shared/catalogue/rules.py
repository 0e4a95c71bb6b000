"""What the YAML of schemas/ says, as one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.catalogue import price
from shared.catalogue.errors import ErrorTable
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import Plain
from shared.catalogue.price import Bill
from shared.catalogue.retry_policy import RetryPolicy


@dataclass(frozen=True)
class Rules:
    """Models, errors and retry policy. `region` is Model Studio's: prices depend on it."""

    catalogue: Catalogue
    errors: ErrorTable
    policy: RetryPolicy
    region: str

    def model(self, name: str) -> Model | None:
        """The model of this name, if the catalogue has it."""
        return self.catalogue.get(name)

    def service_id(self, name: str) -> str:
        """The id under which the service knows a model, and lists its tasks."""
        entry = self.catalogue.get(name)
        return name if entry is None else entry.id_in(self.region)

    def bill(self, model: Model, request: Plain, areas: Iterable[int | None]) -> Bill:
        """What images of these areas cost (`shared.catalogue.price.bill`)."""
        return price.bill(model, self.region, request, areas)

    def price(self, model: str, billed: Bill) -> dict[str, Any] | None:
        """A bill as manifests show it; None for an unknown model."""
        entry = self.catalogue.get(model)
        return None if entry is None else price.statement(entry, self.region, billed)
