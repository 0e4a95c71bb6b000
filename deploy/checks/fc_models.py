"""What the Function Compute API takes, read from the source of its SDK's generated models.

The SDK (alibabacloud-fc20230330) is read, not imported: it brings dependencies of its own that
quarrel with the functions'. `component.yaml` says where s.yaml differs from the API.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deploy.checks.tools import python_package
from deploy.stack.schema import Schema

PACKAGE = "alibabacloud_fc20230330"
HERE = Path(__file__).parent
REQUIRED = "This parameter is required."
"""The line the generator writes into the comment of a required property."""


SCALARS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def props_schema() -> Schema:
    """`props` of s.yaml, by the models, with the differences of component.yaml.

    Raises ToolsMissing without the SDK among the tools.
    """
    models = _Models(python_package(PACKAGE))
    models.define("FunctionProps")
    trigger = models.schemas["CreateTriggerInput"]
    trigger["allOf"] = [models.trigger_config(kind) for kind in component()["trigger_types"]]
    return {"$ref": "#/$defs/FunctionProps", "$defs": models.schemas}


@functools.cache
def component() -> dict[str, Any]:
    """component.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((HERE / "component.yaml").read_text(encoding="utf-8"))
    return loaded


class _Models:
    """The SDK's models as JSON Schemas, each made when another one first names it."""

    def __init__(self, package: Path) -> None:
        self._folder = package / "models"
        self._files = dict(_class_files(self._folder / "__init__.py"))
        self._version = _version(package)
        self.schemas: dict[str, dict[str, Any]] = {}

    def define(self, name: str) -> Schema:
        """A reference to a model, which is among `schemas` from now on."""
        if name not in self.schemas:
            self.schemas[name] = {}
            change = component().get(name, {})
            fields, source = self._own(change.get("base", name))
            fields = change.get("only") or {**fields, **change.get("fields", {})}
            self.schemas[name] |= {
                "type": "object",
                "source": source,
                "additionalProperties": False,
                "required": [key for key, text in fields.items() if text.endswith("!")],
                "properties": {
                    key: self._typed(text.rstrip("!"), source) for key, text in fields.items()
                },
            }
        return {"$ref": f"#/$defs/{name}"}

    def trigger_config(self, kind: str) -> Schema:
        """What the configuration of a trigger of this type must be."""
        model = self.define(component()["trigger_types"][kind])
        given = {"required": ["triggerType"], "properties": {"triggerType": {"const": kind}}}
        return {"if": given, "then": {"properties": {"triggerConfig": model}}}

    def _typed(self, type_: str, source: str) -> Schema:
        nested = re.fullmatch(r"(?:List\[|Dict\[str, )(.+)\]", type_)
        if type_ == "any":
            return {}
        if nested:
            kind, inner = ("array", "items"), self._typed(nested[1], source)
            if type_.startswith("Dict"):
                kind = ("object", "additionalProperties")
            return {"type": kind[0], kind[1]: inner, "source": source}
        if type_ in SCALARS:
            return {"type": SCALARS[type_], "source": source}
        return self.define(type_)

    def _own(self, name: str) -> tuple[dict[str, str], str]:
        """The fields of a model of the SDK with their types, and where they are from."""
        if name not in self._files:
            return {}, 'Serverless Devs "fc3" page'
        text = (self._folder / f"{self._files[name]}.py").read_text(encoding="utf-8")
        return dict(_fields(text)), f"model {name} of {PACKAGE} {self._version}"


def _version(package: Path) -> str:
    found = sorted(package.parent.glob(f"{package.name}-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info").rsplit("-", 1)[1] if found else "?"


def _class_files(init: Path) -> Iterator[tuple[str, str]]:
    for node in ast.parse(init.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.name, node.module


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Wire name and type of every property: names from `to_map`, types from `__init__`; "!" after
    the type marks what is required."""
    tree = ast.parse(text)
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    arguments = functions["__init__"].args.args[1:]
    types = {each.arg: _plain(each.annotation) for each in arguments}
    required = set(_required(text))
    for attribute, wire in _wire_names(functions["to_map"]):
        yield wire, types[attribute] + ("!" if attribute in required else "")


def _plain(annotation: ast.expr | None) -> str:
    text = ast.unparse(annotation) if annotation else "any"
    return text.replace("main_models.", "").replace("Any", "any")


def _wire_names(to_map: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """`if self.cpu is not None:` says the attribute, `result['cpu'] = …` within it the name."""
    for node in to_map.body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Compare):
            attribute = node.test.left
            names = re.findall(r"result\['([^']+)'\]", ast.unparse(node))
            if isinstance(attribute, ast.Attribute) and names:
                yield attribute.attr, names[0]


def _required(text: str) -> Iterator[str]:
    """Attributes whose comment, just above the assignment, says that they are required."""
    comment = ""
    for line in text.splitlines():
        stripped = line.strip()
        assigned = re.fullmatch(r"self\.(\w+) = \w+", stripped)
        if assigned and REQUIRED in comment:
            yield assigned[1]
        comment = comment + stripped if stripped.startswith("#") else ""
