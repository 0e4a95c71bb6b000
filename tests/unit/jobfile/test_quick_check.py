"""What the quick check lets pass, the library lets pass too; right jobs never need the library."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalogue.files import SCHEMAS, read_schema
from shared.catalogue.model_file import load_catalogue
from shared.jobfile import schema_check
from shared.jobfile.quick_check import surely_fits
from tests.kit.jobfile import EDIT

ENVELOPE = read_schema(SCHEMAS / "job.schema.yaml")
CATALOGUE = load_catalogue()
MODELS = CATALOGUE.models()
SCHEMAS_IN_USE: list[Any] = [ENVELOPE] + [
    schema for model in MODELS for schema in (model.input_schema, model.parameters_schema)
]
TEXTS = [
    "",
    " ",
    "a",
    "1280*1280",
    "1024*1024",
    "768*768",
    "<auto>",
    "6h",
    "31d",
    "keep",
    "x" * 300,
]
NUMBERS = [0, 1, 4, 5, 9, 10, -1, 2**31, 1.0, 0.5, True, False]


def library_fits(value: Any, schema: Any) -> bool:
    return bool(schema_check._validator_class()(schema).is_valid(value))


def scalars() -> st.SearchStrategy[Any]:
    return st.sampled_from([*TEXTS, *NUMBERS, None])


def names_in(schema: Any) -> list[str]:
    """Every property anywhere in a schema, so that values are near to what it describes."""
    if isinstance(schema, list):
        return [name for item in schema for name in names_in(item)]
    if not isinstance(schema, dict):
        return []
    own = list(schema.get("properties", {}))
    return own + [name for inner in schema.values() for name in names_in(inner)]


NAMES = sorted({name for schema in SCHEMAS_IN_USE for name in names_in(schema)} | {"other", ""})
VALUES = st.recursive(
    scalars(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(VALUES, st.sampled_from(SCHEMAS_IN_USE))
def test_what_passes_quickly_passes_the_library(value: Any, schema: Any) -> None:
    if surely_fits(value, schema):
        assert library_fits(value, schema)


KEYWORDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["object", "array", "string", "integer", "number", "null"])
        | st.lists(st.sampled_from(["object", "boolean", "string"]), min_size=1, unique=True),
        "enum": st.lists(scalars(), min_size=1, unique_by=repr),
        "required": st.lists(st.sampled_from(NAMES), unique=True, max_size=2),
        "minimum": st.integers(-1, 9),
        "maximum": st.integers(-1, 9),
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minItems": st.integers(0, 3),
        "maxItems": st.integers(0, 3),
        "maxProperties": st.integers(0, 3),
        "pattern": st.sampled_from(["^a$", "[0-9]", r"\S"]),
        "x-max-seconds": st.sampled_from([60, 86400]),
        "not": st.just({"type": "string"}),
        "const": st.sampled_from([1, "a", None]),
        "title": st.text(max_size=3),
    },
)
SCHEMAS_OF_ANY_KIND = st.recursive(
    KEYWORDS | st.booleans(),
    lambda inner: st.builds(
        lambda own, members, others, items: {
            **own,
            "properties": members,
            "additionalProperties": others,
            "items": items,
            "propertyNames": {"maxLength": 7},
        },
        KEYWORDS,
        st.dictionaries(st.sampled_from(NAMES[:6]), inner, max_size=3),
        inner,
        inner,
    ),
    max_leaves=4,
)


@pytest.mark.slow
@given(VALUES, SCHEMAS_OF_ANY_KIND)
def test_it_is_right_about_other_schemas_too(value: Any, schema: Any) -> None:
    if surely_fits(value, schema):
        assert library_fits(value, schema)


(EDITING,) = (model for model in MODELS if model.name == EDIT)
RIGHT: list[tuple[Any, Any]] = [
    (ENVELOPE, {"model": "m", "input": {}}),
    (
        ENVELOPE,
        {
            "model": "m",
            "input": {},
            "parameters": None,
            "job": {"id": "a-b", "priority": 9, "expires_after": "6h", "labels": {"a": "b"}},
        },
    ),
    (
        EDITING.input_schema,
        {"prompt": "a", "images": ["oss:///a.png"], "negative_prompt": "b"},
    ),
    (EDITING.parameters_schema, {"n": 4, "size": "1280*1280", "watermark": True, "seed": 0}),
]


@pytest.mark.parametrize(("schema", "value"), RIGHT)
def test_right_jobs_do_not_need_the_library(schema: Any, value: Any) -> None:
    assert surely_fits(value, schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {"job": {"priority": 10}},
        {"job": {"priority": True}},
        {"job": {"expires_after": "31d"}},
        {"job": {"expires_after": "soon"}},
        {"job": {"id": "a..b"}},
        {"job": {"labels": {"": "a"}}},
        {"job": {"labels": {"a": 1}}},
        {"job": {"on_partial": "forget"}},
        {"job": []},
        {"input": None},
        {"model": 1},
        {"other": 1},
    ],
)
def test_what_is_wrong_never_passes(wrong: dict[str, Any]) -> None:
    job = {**copy.deepcopy(RIGHT[0][1]), **wrong}
    assert not surely_fits(job, ENVELOPE)
    assert not library_fits(job, ENVELOPE)


def test_a_job_without_a_required_key_does_not_pass() -> None:
    assert not surely_fits({"model": "m"}, ENVELOPE)


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "integer"}, 3, True),
        ({"type": "number"}, 0.5, "0.5"),
        ({"type": "boolean"}, False, 0),
        ({"type": ["object", "null"]}, None, []),
        ({"enum": ["a", "b"]}, "b", "c"),
        ({"required": ["a"]}, {"a": None}, {"b": None}),
        ({"maxProperties": 1}, {"a": 1}, {"a": 1, "b": 1}),
        ({"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}),
        ({"properties": {"a": {"type": "null"}}}, {"a": None, "b": 1}, {"a": 1}),
        ({"additionalProperties": {"type": "null"}}, {"a": None}, {"a": 1}),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1}, {"b": 1}),
        ({"items": {"type": "null"}}, [None], [None, 1]),
        ({"minItems": 1}, [1], []),
        ({"maxItems": 1}, [1], [1, 2]),
        ({"pattern": "^a"}, "ab", "ba"),
        ({"minLength": 2}, "äb", "ä"),
        ({"maxLength": 2}, "äb", "äbc"),
        ({"minimum": 2}, 2, 1),
        ({"maximum": 2}, 2.0, 2.5),
        ({"x-max-seconds": 3600}, "1h", "2h"),
    ],
)
def test_each_keyword_tells_right_from_wrong(schema: Any, right: Any, wrong: Any) -> None:
    assert surely_fits(right, schema)
    assert not surely_fits(wrong, schema)
    assert library_fits(right, schema)
    assert not library_fits(wrong, schema)


@pytest.mark.parametrize("keyword", ["const", "not", "$ref", "anyOf", "if", "patternProperties"])
def test_of_other_keywords_nothing_is_claimed(keyword: str) -> None:
    assert not surely_fits({}, {keyword: {}})


@pytest.mark.parametrize("value", [1, 1.0, True])
def test_nothing_is_claimed_of_numbers_that_are_listed(value: Any) -> None:
    """1, 1.0 and true are equal in Python, and only the first two in JSON."""
    assert not surely_fits(value, {"enum": [1, "a"]})
