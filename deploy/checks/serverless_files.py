"""s.yaml and the files around it: code folders, the template, and what must not be in it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deploy.checks.fc_limits import shown
from deploy.checks.fc_models import component
from deploy.checks.fc_shape import unknown_key
from deploy.stack.declared import DeclaredFunction
from deploy.stack.findings import Finding

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
SECRET = re.compile(r"\bsk-[A-Za-z0-9]{16,}|\bLTAI[A-Za-z0-9]{12,}|\bSTS\.[A-Za-z0-9]{12,}")
"""API keys of Model Studio, access key ids, and those of temporary credentials."""
ROS_PAGE = "Serverless Devs component ros, and template.yml"


def yaml_page() -> str:
    """The document that describes the file as a whole."""
    return 'Serverless Devs "yaml" page'


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
    """`code` is the build of one of functions/, and `handler` is in it."""
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
    """A resource of component `ros`: its template is there and has the parameters given."""
    if not isinstance(props, dict):
        yield Finding(
            "wrong-type", where, f"found {shown(props)}", "a mapping", "Mend it.", ROS_PAGE
        )
        return
    known = component()["ros"]
    for key in props:
        if key not in known:
            yield unknown_key(key, known, where, ROS_PAGE)
    for key in ("region", "name", "template"):
        if not isinstance(props.get(key), str):
            yield Finding(
                "missing-key", where, f"no {key}", f"a text {key}", f"Add {key}.", ROS_PAGE
            )
    template = folder / str(props.get("template"))
    if not template.is_file():
        yield Finding(
            "template-file",
            f"{where}.template",
            f"there is no {template.name}",
            "the path of a ROS template, relative to s.yaml",
            "Mend the path.",
            ROS_PAGE,
        )
        return
    yield from _parameters(props.get("parameters") or {}, _declared(template), where)


@functools.lru_cache(maxsize=4)
def _declared(template: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(template.read_text(encoding="utf-8"))
    return dict(loaded.get("Parameters") or {})


def _parameters(given: Any, declared: dict[str, Any], where: str) -> Iterator[Finding]:
    for name, value in given.items():
        place = f"{where}.parameters.{name}"
        if name not in declared:
            yield unknown_key(name, list(declared), f"{where}.parameters", ROS_PAGE)
            continue
        allowed = declared[name].get("AllowedValues")
        if allowed and str(value).lower() not in [str(each).lower() for each in allowed]:
            choices = " or ".join(map(str, allowed))
            yield Finding(
                "not-allowed", place, f"found {shown(value)}", choices, "Use one.", ROS_PAGE
            )
    for name, parameter in declared.items():
        if "Default" not in parameter and name not in given:
            yield Finding(
                "missing-key",
                f"{where}.parameters",
                f"no {name}",
                f"{name}, which has no default",
                f"Add {name}.",
                ROS_PAGE,
            )
