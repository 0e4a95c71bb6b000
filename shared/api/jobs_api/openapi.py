"""`/openapi.json`: the endpoints, described (OpenAPI 3.1).

The paths are those of schemas/http/openapi.yaml; what a job file, a result and a model are comes
from the very schemas that jobs are checked by, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import falcon

from shared.api.context import answer_json, app_of, base_url
from shared.catalogue.files import SCHEMAS, read_schema
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import copy
from shared.catalogue.wire import written_forms
from shared.ledger.record import STATES

COMPONENT = "#/components/schemas/"


class Description:
    """`/openapi.json`"""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """The description, with this deployment's models."""
        base = base_url(request)
        response.set_header("Cache-Control", "private, max-age=300")
        answer_json(response, describe(app_of(request).catalogue, base))


def describe(catalogue: Catalogue, base: str) -> dict[str, Any]:
    """The whole document; `base` is the URL that paths are relative to."""
    paths, job, result = (copy(part) for part in _parts())
    schemas: dict[str, Any] = paths["components"]["schemas"]
    schemas["State"] = {"type": "string", "enum": list(STATES)}
    schemas |= _separate("Result", result)
    models = catalogue.models()
    schemas["JobOptions"] = job["properties"]["job"]
    for model in models:
        schemas[_name(model)] = _job_of(job, model)
    named = [{"$ref": COMPONENT + _name(model)} for model in models]
    schemas["JobFile"] = {"title": "Job file", "anyOf": named}
    schemas["ModelName"] = {"type": "string", "enum": [model.name for model in models]}
    return {**paths, "servers": [{"url": base}]}


@lru_cache(maxsize=1)
def _parts() -> tuple[Any, Any, Any]:
    return (
        read_schema(SCHEMAS / "http" / "openapi.yaml"),
        read_schema(SCHEMAS / "job.schema.yaml"),
        read_schema(SCHEMAS / "result.schema.yaml"),
    )


def _name(model: Model) -> str:
    return f"JobFile.{model.name}"


def _job_of(job: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """What a job file for one model is."""
    forms = [_form(job, model, *schemas) for schemas in written_forms(model)]
    said = {"title": f"Job file for {model.name}", "description": model.description}
    return {**said, **forms[0]} if len(forms) == 1 else {**said, "anyOf": forms}


def _form(
    job: Mapping[str, Any], model: Model, given: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": job["required"],
        "properties": {
            "model": {"const": model.name},
            "input": given,
            "parameters": {**parameters, "type": ["object", "null"]},
            "job": {"$ref": f"{COMPONENT}JobOptions"},
        },
    }


def _separate(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema and its definitions as components of their own."""
    inner = {f"{name}.{key}": value for key, value in schema["$defs"].items()}
    own = {key: value for key, value in schema.items() if key not in ("$defs", "$schema")}
    prefix = f"{COMPONENT}{name}."
    return {key: _renamed(value, prefix) for key, value in {name: own, **inner}.items()}


def _renamed(value: Any, prefix: str) -> Any:
    if isinstance(value, dict):
        return {
            key: inner.replace("#/$defs/", prefix) if key == "$ref" else _renamed(inner, prefix)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_renamed(inner, prefix) for inner in value]
    return value
