"""The limits of deploy/stack are of properties that the API has; its models are read rightly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from deploy.checks.fc_models import props_schema
from deploy.stack.rules import SCHEMA
from deploy.stack.schema import read_schema


def paths(schema: Any, root: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Every property of a schema, with those of what it refers to."""
    if "$ref" in schema:
        yield from paths(root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    inner = [schema[keyword] for keyword in ("then", "items") if keyword in schema]
    for part in (*schema.get("allOf", []), *inner):
        yield from paths(part, root, at)
    for name, one in schema.get("properties", {}).items():
        yield f"{at}.{name}"
        yield from paths(one, root, f"{at}.{name}")


LIMITED = sorted(set(paths(read_schema(SCHEMA), read_schema(SCHEMA))))


@pytest.fixture(scope="module")
def of_the_cloud() -> set[str]:
    return set(paths(props_schema(), props_schema()))


def test_the_models_are_read_with_their_nested_ones(of_the_cloud: set[str]) -> None:
    assert {".memorySize", ".logConfig.project", ".triggers.triggerConfig.filter"} <= of_the_cloud
    memory = props_schema()["$defs"]["FunctionProps"]["properties"]["memorySize"]
    assert memory["type"] == "integer"
    assert "CreateFunctionInput of alibabacloud_fc20230330 4.8.3" in memory["source"]


@pytest.mark.parametrize("path", LIMITED)
def test_every_limit_is_of_a_property_that_exists(path: str, of_the_cloud: set[str]) -> None:
    assert path in of_the_cloud
