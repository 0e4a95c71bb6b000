"""What the YAML of schemas/ says, as one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.catalogue.errors import ErrorTable
from shared.catalogue.models import Catalogue, Model
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

    def price(self, model: str, images: int) -> dict[str, Any] | None:
        """What images cost by the catalogue, as manifests show it; None for an unknown model."""
        entry = self.catalogue.get(model)
        if entry is None:
            return None
        each = entry.price.in_region(self.region).per_image
        return {
            "currency": entry.price.currency,
            "per_image": each,
            "images": images,
            "total": round(each * images, 4),
            "checked": entry.price.checked,
        }
