"""s.yaml: what the cloud takes (deploy.stack), its own types, and what this project demands."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.checks.environment import environment_findings
from deploy.checks.events import event_findings
from deploy.checks.fc_models import props_schema
from deploy.checks.serverless_files import code_findings, foundation_findings, secret_findings
from deploy.checks.triggers import trigger_findings
from deploy.checks.web import web_findings
from deploy.stack.declared import DeclaredFunction, declared_stack
from deploy.stack.findings import Finding, distinct
from deploy.stack.render import render
from deploy.stack.rules import stack_findings
from deploy.stack.schema import read_schema, schema_findings, validator

ACCOUNT = "1234567890123456"
"""Stands for the account id, which only the access alias knows."""
HERE = Path(__file__).parent
RULES: tuple[Callable[[DeclaredFunction], Iterator[Finding]], ...] = (
    code_findings,
    environment_findings,
    event_findings,
    trigger_findings,
    web_findings,
)


def check_serverless(path: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Everything wrong with a file, with its variables taken from `environ`.

    Raises DeclarationError when it cannot be rendered, ToolsMissing without the API's models.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    document = render(path, environ, {"AccountID": ACCOUNT})
    return [*secret_findings(text), *check_rendered(document, path.parent)]


def check_rendered(document: Mapping[str, Any], folder: Path) -> list[Finding]:
    """Everything wrong with a rendered document whose file lies in `folder`.

    What the laptop refuses too comes first, in the same words.
    """
    stack = declared_stack(document)
    found = [*stack_findings(stack), *schema_findings(_form(), document, "")]
    for name, resource in document["resources"].items():
        if isinstance(resource, dict) and resource.get("component") == "ros":
            found += foundation_findings(resource.get("props"), f"resources.{name}.props", folder)
    for function in stack.functions:
        found += schema_findings(_cloud(), function.props, function.where)
        found += schema_findings(_demands(), function.props, function.where)
        found += [finding for rule in RULES for finding in rule(function)]
    return distinct(found)


@functools.cache
def _form() -> Any:
    return validator(read_schema(HERE / "document.schema.yaml"))


@functools.cache
def _demands() -> Any:
    return validator(read_schema(HERE / "demands.schema.yaml"))


@functools.cache
def _cloud() -> Any:
    return validator(props_schema())
