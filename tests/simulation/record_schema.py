"""Every record that a test writes is held against schemas/record.schema.yaml."""

from __future__ import annotations

import json
from functools import lru_cache

import jsonschema_rs

from shared.catalogue.files import SCHEMAS, read_schema
from shared.storage import layout


@lru_cache(maxsize=1)
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(read_schema(SCHEMAS / "record.schema.yaml"))


def wrong_record(key: str, body: bytes) -> list[str]:
    """What is wrong with an object, if its key is a record's."""
    if not key.startswith(layout.RECORDS):
        return []
    errors = _validator().iter_errors(json.loads(body))
    return [f"{key}: {one.message} at {one.instance_path}" for one in errors]
