"""What ROS knows: resource types, with the schemas of their properties and their attributes.

Read from the generated validators inside the ros-cdk packages (a jsii archive in each), so nothing
here is a list that could go stale. A construction in them that this reader does not know is an
error, never silently "anything goes".
"""

from __future__ import annotations

import functools
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.checks.tools import TOOLS
from deploy.stack.schema import validator

PACKAGES = TOOLS / "python"
SOURCE = "ros-cdk packages"
FUNCTION = re.compile(r"^function (\w+)\([^)]*\) \{\n(.*?)^\}", re.M | re.S)
CLASS = re.compile(r"^class (\w+) extends ros\.RosResource \{\n(.*?)^\}", re.M | re.S)
TYPE_NAME = re.compile(r'^(\w+)\.ROS_RESOURCE_TYPE_NAME = "([\w:]+)";', re.M)
WIRE_NAME = re.compile(r"^\s+'([^']+)': .*\(properties\.(\w+)\),$", re.M)
CHECKED_BY = re.compile(r"(\w+Validator)\(properties\)\.assertSuccess")
SIMPLE = re.compile(r"propertyValidator\('(\w+)', ([^{\n]+)\)\(properties\.\1\)\);")
BOUNDED = re.compile(
    r"propertyValidator\('(\w+)', ros\.validate(Range|Length|AllowedValues|AllowedPattern)\)"
    r"\(\{(.*?)^\s*\}\)\);",
    re.M | re.S,
)
NESTED = re.compile(r"ros\.(list|hash)Validator\((.+)\)")
SCALARS = {
    "ros.validateString": {"type": "string"},
    "ros.validateNumber": {"type": "number"},
    "ros.validateBoolean": {"type": "boolean"},
    "ros.validateAny": {},
    "ros.validateAnyDict": {"type": "object"},
}


class PackagesUnreadable(Exception):
    """The ros-cdk packages are missing, or hold something this reader does not know."""


@dataclass(frozen=True)
class Types:
    """All that the packages say. `resources` maps a type to the name of its properties' schema."""

    resources: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, frozenset[str]] = field(default_factory=dict)
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)

    def validator(self, kind: str) -> Any:
        """Checks the properties of a resource of a known type (deploy.stack.schema)."""
        if kind not in self._made:
            reference = {"$ref": f"#/$defs/{self.resources[kind]}", "$defs": self.schemas}
            self._made[kind] = validator(reference)
        return self._made[kind]

    _made: dict[str, Any] = field(default_factory=dict, repr=False)


@functools.lru_cache(maxsize=2)
def read_types(folder: Path = PACKAGES) -> Types:
    """Everything in the ros-cdk packages below `folder`. Raises PackagesUnreadable."""
    types = Types()
    for path in sorted(folder.glob("ros_cdk_*/_jsii/*.jsii.tgz")):
        _read_package(_members(path), types)
    if not types.resources:
        raise PackagesUnreadable(
            f"{folder} holds no ros-cdk packages: fetch them with `make deploy-tools`."
        )
    return types


def _members(archive: Path) -> str:
    """The text of the archive's own scripts, without the source maps in their last lines."""
    with tarfile.open(archive) as tar:
        texts = [
            opened.read().decode("utf-8").split("\n//# sourceMappingURL", 1)[0]
            for member in tar.getmembers()
            if re.fullmatch(r"package/lib/[\w.-]+\.generated\.js", member.name)
            and (opened := tar.extractfile(member)) is not None
        ]
    return "\n".join(texts)


def _read_package(text: str, read: Types) -> None:
    types = dict(TYPE_NAME.findall(text))
    prefix = next(iter(types.values()), "").rpartition("::")[0]
    functions = dict(FUNCTION.findall(text))
    names = _wire_names(functions)
    for name, body in functions.items():
        if name.endswith("Validator"):
            read.schemas[f"{prefix}.{name}"] = _schema(body, names.get(name, {}), prefix)
    for name, body in CLASS.findall(text):
        read.resources[types[name]] = f"{prefix}.{name}PropsValidator"
        read.attributes[types[name]] = frozenset(re.findall(r"this\.getAtt\('(\w+)'\)", body))


def _wire_names(functions: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """For each validator: script's property name to template's property name."""
    found: dict[str, dict[str, str]] = {}
    for name, body in functions.items():
        checked = CHECKED_BY.search(body)
        if name.endswith("ToRosTemplate") and checked:
            found[checked[1]] = {inner: wire for wire, inner in WIRE_NAME.findall(body)}
    return found


def _schema(body: str, names: Mapping[str, str], prefix: str) -> dict[str, Any]:
    made: dict[str, dict[str, Any]] = {inner: {"source": SOURCE} for inner in names}
    required = []
    for inner, expression in SIMPLE.findall(body):
        if expression == "ros.requiredValidator":
            required.append(names[inner].strip())
        else:
            made[inner] |= _value(expression, prefix)
    for inner, what, arguments in BOUNDED.findall(body):
        made[inner] |= _bound(what, arguments, made[inner])
    return {
        "type": "object",
        "source": SOURCE,
        "additionalProperties": False,
        "required": required,
        "properties": {names[inner].strip(): one for inner, one in made.items()},
    }


def _value(expression: str, prefix: str) -> dict[str, Any]:
    if expression in SCALARS:
        return {**SCALARS[expression], "source": SOURCE}
    nested = NESTED.fullmatch(expression)
    if nested:
        inner = _value(nested[2], prefix)
        if nested[1] == "list":
            return {"type": "array", "items": inner, "source": SOURCE}
        return {"type": "object", "additionalProperties": inner, "source": SOURCE}
    if re.fullmatch(r"Ros\w+Validator", expression):
        return {"$ref": f"#/$defs/{prefix}.{expression}"}
    raise PackagesUnreadable(
        f"the ros-cdk packages use {expression}, which the reader of ros_types does not know;"
        " teach it there"
    )


def _bound(what: str, arguments: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if what == "AllowedValues":
        return {"enum": json.loads(_argument(arguments, r"allowedValues: (\[.*?\]),?$"))}
    if what == "AllowedPattern":
        return {"pattern": _argument(arguments, r"reg: /(.*)/\w*,?$")}
    low, high = "minimum", "maximum"
    if what == "Length":
        unit = "Items" if schema.get("type") == "array" else "Length"
        low, high = f"min{unit}", f"max{unit}"
    bounds = ((low, _number(arguments, "min")), (high, _number(arguments, "max")))
    return {key: bound for key, bound in bounds if bound is not None}


def _argument(arguments: str, pattern: str) -> str:
    found = re.search(pattern, arguments, re.M | re.S)
    if found is None:
        raise PackagesUnreadable(f"the ros-cdk packages hold a bound of unknown form: {arguments}")
    return found[1]


def _number(arguments: str, name: str) -> Any:
    text = _argument(arguments, rf"{name}: ([-\d.eE]+|undefined)")
    return None if text == "undefined" else json.loads(text)
