"""`wanx schema`: one JSON Schema of a job file, for editors.

Job file and models are described in files of their own; here they are put together with `if` the
model is named so, `then` its input and parameters are these. Rules across fields and images cannot
be said in JSON Schema; `wanx check` holds those against the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cli.output import say
from cli.trouble import Trouble
from shared.catalogue.files import SCHEMAS, read_schema
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import Catalogue, Model
from shared.catalogue.plain import copy
from shared.catalogue.wire import written_forms

MODELINE = "# yaml-language-server: $schema="


def run(out: Path | None) -> None:
    """Print the schema, or write it and say how to use it. Raises Trouble."""
    text = json.dumps(job_schema(load_catalogue()), ensure_ascii=False, indent=2) + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Trouble(f"{out} cannot be written: {error.strerror}.") from None
    say(f"{out} is written. Put this line at the top of a YAML job file beside it:")
    click.echo(f"  {MODELINE}{out.name}")


def job_schema(catalogue: Catalogue) -> dict[str, Any]:
    """The whole as a draft 2020-12 schema."""
    models = catalogue.models()
    base: dict[str, Any] = _for_editors(copy(read_schema(SCHEMAS / "job.schema.yaml")))
    base["properties"]["model"] |= {
        "description": "The model to call.",
        "enum": [model.name for model in models],
        "enumDescriptions": [f"{model.title}: {model.description}" for model in models],
    }
    base["allOf"] = [_branch(model) for model in models]
    return base


def _branch(model: Model) -> dict[str, Any]:
    forms = [_parts(given, parameters) for given, parameters in written_forms(model)]
    chosen = {"properties": {"model": {"const": model.name}}, "required": ["model"]}
    then: dict[str, Any] = {"properties": forms[0]}
    if len(forms) > 1:
        messages = {"properties": {"input": {"required": ["messages"]}}}
        then = {"if": messages, "then": {"properties": forms[1]}, "else": then}
    return {"if": chosen, "then": then}


def _parts(given: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "input": _for_editors(copy(dict(given))),
        "parameters": _for_editors(copy(dict(parameters))) | {"type": ["object", "null"]},
    }


def _for_editors(node: Any) -> Any:
    """Our own x- keys as words that editors know."""
    if isinstance(node, list):
        return [_for_editors(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _for_editors(item) for key, item in node.items() if not key.startswith("x-")}
    if isinstance(node.get("x-expected"), str) and "pattern" in node:
        made["patternErrorMessage"] = f"expected {node['x-expected']}"
    if "x-recommended" in node:
        made["examples"] = node["x-recommended"]
    if "x-truncated-after" in node:
        cut = f"The service reads {node['x-truncated-after']} characters and cuts off the rest."
        made["description"] = f"{node.get('description', '')} {cut}".strip()
    return made
