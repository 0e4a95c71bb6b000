"""s.yaml and the files around it: code folders, the template, and keys that do not belong there."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deploy.checks.ros_parameters import used_names, value_schema
from deploy.stack.declared import DeclaredFunction
from deploy.stack.findings import Finding, shown
from deploy.stack.schema import schema_findings, validator

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
SECRET = re.compile(r"\bsk-[A-Za-z0-9]{16,}|\bLTAI[A-Za-z0-9]{12,}|\bSTS\.[A-Za-z0-9]{12,}")
"""API keys of Model Studio, access key ids, and those of temporary credentials."""
ROS_PAGE = "Serverless Devs component ros, and template.yml"


def secret_findings(text: str) -> Iterator[Finding]:
    """Keys written into the file instead of coming from the environment. They are not shown."""
    for number, line in enumerate(text.splitlines(), 1):
        if SECRET.search(line):
            yield Finding(
                "secret",
                f"line {number}",
                "what looks like a key",
                "${env('NAME')}",
                "Take it out, and replace the key: it may have been seen.",
                "this project, docs/architecture.md",
            )


def code_findings(function: DeclaredFunction) -> Iterator[Finding]:
    """`code` is the build of one of functions/, and holds the handler, if one is needed."""
    code = function.props.get("code")
    if not isinstance(code, str):
        return
    folder = FUNCTIONS / code.rstrip("/").rsplit("/", 1)[-1]
    if not folder.is_dir():
        known = ", ".join(sorted(each.name for each in FUNCTIONS.iterdir() if each.is_dir()))
        yield Finding(
            "code",
            f"{function.where}.code",
            f"found {shown(code)}",
            f"the build of one of {known}",
            "Name a folder that `make package` builds.",
            "functions/",
        )
    elif function.table("customRuntimeConfig"):
        return  # it starts a server instead
    elif not _has(folder, str(function.props.get("handler"))):
        yield Finding(
            "handler",
            f"{function.where}.handler",
            f"{function.props.get('handler')!r} is not in functions/{folder.name}",
            "file.function, such as index.handler",
            "Name a function that is there.",
            "functions/",
        )


def _has(folder: Path, handler: str) -> bool:
    file, _, name = handler.rpartition(".")
    source = folder / f"{file}.py"
    return source.is_file() and f"def {name}(" in source.read_text(encoding="utf-8")


def foundation_findings(props: Any, where: str, folder: Path) -> Iterator[Finding]:
    """A resource of component `ros`: its template is there and takes the parameters given."""
    template = folder / str(props.get("template") if isinstance(props, dict) else None)
    if template.is_file():
        given = props.get("parameters", {})
        yield from schema_findings(_parameters(template), given, f"{where}.parameters")
    else:
        yield Finding(
            "template-file",
            f"{where}.template",
            f"there is no {template.name}",
            "the path of a ROS template, relative to s.yaml",
            "Correct the path.",
            ROS_PAGE,
        )


@functools.lru_cache(maxsize=4)
def _parameters(template: Path) -> Any:
    """What the parameters must be, which s.yaml gives as texts."""
    document = yaml.safe_load(template.read_text(encoding="utf-8"))
    declared = document.get("Parameters") or {}
    values = {name: value_schema(one) for name, one in declared.items()}
    texts = {name: one if one["type"] == "string" else {} for name, one in values.items()}
    needed = {name for name, one in declared.items() if "Default" not in one}
    return validator(
        {
            "source": ROS_PAGE,
            "type": "object",
            "required": sorted(needed | _shared(document) & declared.keys()),
            "additionalProperties": False,
            "properties": texts,
        }
    )


def _shared(document: dict[str, Any]) -> set[str]:
    """Names that both functions and the rest refer to: roles and bucket are made for the same
    settings as the functions only if s.yaml passes these on."""
    functions: set[str] = set()
    rest: set[str] = set()
    for resource in document["Resources"].values():
        if resource["Type"] == "ALIYUN::FC3::Function":
            functions |= used_names(resource)
        elif not resource["Type"].startswith("ALIYUN::FC3::"):
            rest |= used_names(resource)
    return functions & rest
