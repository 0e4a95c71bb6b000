"""s.yaml: rendered as Serverless Devs does, then checked as Function Compute would, and more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.checks.fc_async import async_findings
from deploy.checks.fc_environment import environment_findings
from deploy.checks.fc_function import function_findings
from deploy.checks.fc_models import component, models
from deploy.checks.fc_oss_triggers import oss_trigger_findings
from deploy.checks.fc_shape import Shape, unknown_key
from deploy.checks.serverless_files import (
    code_findings,
    foundation_findings,
    secret_findings,
    yaml_page,
)
from deploy.checks.triggers import config_findings, function_trigger_findings
from deploy.stack.declared import DeclaredFunction, DeclaredStack
from deploy.stack.findings import Finding
from deploy.stack.render import render

ACCOUNT = "1234567890123456"
"""Stands for the account id, which only the access alias knows."""
FUNCTION_RULES: tuple[Callable[[DeclaredFunction], Iterator[Finding]], ...] = (
    function_findings,
    environment_findings,
    function_trigger_findings,
)
STACK_RULES: tuple[Callable[[DeclaredStack], Iterator[Finding]], ...] = (
    oss_trigger_findings,
    async_findings,
)


def check_serverless(path: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Everything wrong with a file, with its variables taken from `environ`.

    Raises DeclarationError when it cannot be rendered, ToolsMissing without the API's models.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    document = render(path, environ, {"AccountID": ACCOUNT})
    return [*secret_findings(text), *check_rendered(document, path.parent)]


def check_rendered(document: Mapping[str, Any], folder: Path) -> list[Finding]:
    """Everything wrong with a rendered document whose file lies in `folder`."""
    document = account_filled_in(document)
    found = list(_top(document))
    for name, resource in document["resources"].items():
        found += _resource(f"resources.{name}", resource, folder)
    stack = declared_stack(document)
    for function in stack.functions:
        found += [finding for rule in FUNCTION_RULES for finding in rule(function)]
        found += code_findings(function)
    found += [finding for rule in STACK_RULES for finding in rule(stack)]
    return [*found, *_names(stack)]


def declared_stack(document: Mapping[str, Any]) -> DeclaredStack:
    """The functions of a rendered document."""
    functions = []
    for name, resource in document["resources"].items():
        if isinstance(resource, dict) and resource.get("component") == "fc3":
            props = resource.get("props")
            where = f"resources.{name}.props"
            functions.append(DeclaredFunction(where, props if isinstance(props, dict) else {}))
    return DeclaredStack(functions)


def account_filled_in(node: Any) -> Any:
    """The document with an account id for `${config('AccountID')}`, which `s preview` leaves."""
    if isinstance(node, Mapping):
        return {key: account_filled_in(value) for key, value in node.items()}
    if isinstance(node, list):
        return [account_filled_in(value) for value in node]
    return re.sub(r"\$\{config\('AccountID'\)\}", ACCOUNT, node) if isinstance(node, str) else node


def _top(document: Mapping[str, Any]) -> Iterator[Finding]:
    for key in document:
        if key not in component()["document"]:
            yield unknown_key(key, component()["document"], "s.yaml", yaml_page())
    if document.get("edition") != "3.0.0":
        yield Finding(
            "edition",
            "edition",
            f"found {document.get('edition')!r}",
            "3.0.0",
            "Write edition: 3.0.0.",
            yaml_page(),
        )
    for key in ("name", "access"):
        if not document.get(key):
            yield Finding("missing-key", key, "nothing", key, f"Add {key}.", yaml_page())


def _resource(where: str, resource: Any, folder: Path) -> Iterator[Finding]:
    if not isinstance(resource, dict):
        yield Finding(
            "wrong-type", where, f"found {resource!r}", "a mapping", "Mend it.", yaml_page()
        )
        return
    for key in resource:
        if key not in component()["resource"]:
            yield unknown_key(key, component()["resource"], where, yaml_page())
    props, kind = resource.get("props"), resource.get("component")
    if kind == "fc3":
        yield from _function(props, f"{where}.props")
    elif kind == "ros":
        yield from foundation_findings(props, f"{where}.props", folder)
    else:
        yield Finding(
            "component",
            f"{where}.component",
            f"found {kind!r}",
            "fc3 or ros",
            "Another component is not known to these checks.",
            yaml_page(),
        )


def _function(props: Any, where: str) -> Iterator[Finding]:
    yield from Shape(models()).findings(props, "FunctionProps", where)
    for trigger in DeclaredFunction(where, props if isinstance(props, dict) else {}).triggers:
        yield from config_findings(
            trigger.type,
            props["triggers"][_place(trigger.where)].get("triggerConfig"),
            f"{trigger.where}.triggerConfig",
        )


def _place(where: str) -> int:
    return int(where.rstrip("]").rsplit("[", 1)[1])


def _names(stack: DeclaredStack) -> Iterator[Finding]:
    """Two functions of one name would overwrite each other; regions must agree."""
    for place, function in enumerate(stack.functions):
        if function.name in [other.name for other in stack.functions[:place]]:
            yield Finding(
                "duplicate-function",
                f"{function.where}.functionName",
                f"{function.name!r} a second time",
                "names that are unique within the region",
                "Rename one: the second would replace the first.",
                "CreateFunctionInput, functionName",
            )
        if function.region != stack.functions[0].region:
            yield Finding(
                "region",
                f"{function.where}.region",
                f"found {function.region!r}",
                f"{stack.functions[0].region!r}, as for the first function",
                "Functions, bucket and log project lie in one region.",
                'Function Compute "OSS triggers" page',
            )
