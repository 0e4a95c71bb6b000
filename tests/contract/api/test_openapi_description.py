"""The description at /openapi.json: generated from the schemas jobs are checked by."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.api.jobs_api.app import build
from shared.api.jobs_api.openapi import describe
from shared.catalogue.model_file import load_catalogue
from tests.kit.http import TOKENS, ask
from tests.kit.world import World, run


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return describe(load_catalogue(), "https://fn.example.com")


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for inner in value.values() for one in references(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in references(inner)]
    return []


def test_it_is_openapi_3_1_with_every_reference_resolved(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1.")
    for reference in references(described):
        place: Any = described
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_every_schema_is_one(described: dict[str, Any]) -> None:
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_route_is_described_with_its_methods(described: dict[str, Any]) -> None:
    wsgi = build()
    for path, operations in described["paths"].items():
        asked = re.sub(r"\{\w+\}", "x", path)
        found = wsgi._router.find(asked)
        assert found is not None, path
        verbs = {verb.upper() for verb in operations if verb in ("get", "put", "post")}
        resource, methods, *_ = found
        own = {verb for verb in methods if hasattr(resource, f"on_{verb.lower()}")}
        assert own == verbs, path


def test_the_models_are_those_of_the_catalogue(described: dict[str, Any]) -> None:
    catalogue = load_catalogue()
    schemas = described["components"]["schemas"]
    for name in catalogue.names():
        model = catalogue.get(name)
        assert model is not None
        described_as = schemas[f"JobFile.{name}"]
        forms = described_as.get("anyOf", [described_as])  # flat, and messages where there are any
        assert forms[0]["properties"]["input"] == model.input_schema
        assert len(forms) == (1 if model.messages is None else 2)
    assert len(schemas["JobFile"]["anyOf"]) == len(catalogue.names())


def test_what_is_answered_is_what_is_described() -> None:
    world = World()
    world.queued("cat", labels={"a": "b"})
    run(world)
    app = world.app(tokens=TOKENS)
    document = ask(app, "GET", "/openapi.json").json
    assert document["servers"] == [{"url": "https://fn.example.com"}]
    for path, schema in (("/jobs/cat", "Job"), ("/jobs/cat/result", "Result")):
        whole = {**document, "$ref": f"#/components/schemas/{schema}"}
        errors = list(Draft202012Validator(whole).iter_errors(ask(app, "GET", path).json))
        assert not errors, json.dumps([str(error)[:500] for error in errors])
