"""`/v1/models`: the models that this deployment can call."""

from __future__ import annotations

from typing import Any

import falcon

from shared.api.context import answer_json, app_of
from shared.api.openai.errors import model_unknown
from shared.app import App
from shared.catalogue import models as catalogue
from shared.platform.clock import from_iso

OWNER = "alibaba"


class Models:
    """`/v1/models`"""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """All of them, those that are going last."""
        shown = [_shown(model) for model in _offered(app_of(request))]
        answer_json(response, {"object": "list", "data": shown})


class Model:
    """`/v1/models/{name}`"""

    def on_get(self, request: falcon.Request, response: falcon.Response, name: str) -> None:
        """One of them."""
        offered = {model.name: model for model in _offered(app_of(request))}
        if name not in offered:
            raise model_unknown(name, offered)
        answer_json(response, _shown(offered[name]))


def _offered(app: App) -> list[catalogue.Model]:
    region = app.settings.model_region
    return [model for model in app.catalogue.offered() if region in model.regions]


def _shown(model: catalogue.Model) -> dict[str, Any]:
    """OpenAI's model object. No document says when a model was made: `created` is the day on which
    its price was read."""
    created = int(from_iso(f"{model.price.checked}T00:00:00.000Z"))
    return {"id": model.name, "object": "model", "created": created, "owned_by": OWNER}
