"""`/models`: the catalogue as a form or a program needs it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import falcon

from shared.api.jobs_api.estimates import Estimates
from shared.api.jobs_api.views import answer
from shared.app import App
from shared.catalogue.models import Model


class Models:
    """`/models`"""

    def __init__(self, app: App) -> None:
        self._app = app

    def on_get(self, _request: falcon.Request, response: falcon.Response) -> None:
        """Every model of the catalogue."""
        known = self._app.catalogue
        found = [model for name in known.names() if (model := known.get(name))]
        response.set_header("Cache-Control", "private, max-age=60")
        answer(response, {"models": [self._shown(model) for model in found]})

    def _shown(self, model: Model) -> dict[str, Any]:
        region = self._app.settings.model_region
        price = model.price.in_region(region)
        return {
            "name": model.name,
            "title": {"en": model.title, "zh": model.title_zh},
            "description": model.description,
            "offered": region in model.regions,
            "regions": model.regions,
            "input": model.input_schema,
            "parameters": model.parameters_schema,
            "rules": model.rules,
            "images": [asdict(rule) for rule in model.images],
            "limits": asdict(model.limits),
            "price": {**asdict(model.price), **asdict(price)},
            "notices": [asdict(notice) for notice in model.notices],
            "typical_seconds": model.typical_seconds,
            "expected_seconds": round(Estimates(self._app).seconds_each(model), 1),
            "sources": model.sources,
        }
