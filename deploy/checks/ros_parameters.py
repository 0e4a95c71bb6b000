"""Parameters of a template: as schemas of their values, and whether each is used and shown."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.stack.findings import Finding
from deploy.stack.schema import Schema, schema_findings, validator

PAGE = 'ROS "Parameters" page'
KEYWORDS = {
    "AllowedValues": "enum",
    "AllowedPattern": "pattern",
    "MinLength": "minLength",
    "MaxLength": "maxLength",
    "MinValue": "minimum",
    "MaxValue": "maximum",
}
USED = re.compile(r'(?:"Ref": "|"Fn::GetAtt": \["|\$\{)([\w:]+)')


def parameter_findings(template: Mapping[str, Any]) -> Iterator[Finding]:
    """Defaults that break their own parameter, and parameters that nothing uses or shows."""
    parameters = template.get("Parameters") or {}
    for name, declared in parameters.items():
        yield from _own_values(declared, f"Parameters.{name}")
    yield from _unused(template, parameters)
    interface = (template.get("Metadata") or {}).get("ALIYUN::ROS::Interface") or {}
    groups = interface.get("ParameterGroups", [])
    times = Counter(name for group in groups for name in group["Parameters"])
    for name in sorted({*times, *parameters}):
        if times[name] != 1 or name not in parameters:
            known = "" if name in parameters else " and is not a parameter"
            yield Finding(
                "parameter-group",
                "Metadata.ALIYUN::ROS::Interface.ParameterGroups",
                f"{name} is in {times[name]} groups{known}",
                "each parameter in exactly one group",
                "Correct the groups.",
                PAGE,
            )


def value_schema(declared: Mapping[str, Any]) -> Schema:
    """What a parameter's value must be."""
    bounds = {ours: declared[theirs] for theirs, ours in KEYWORDS.items() if theirs in declared}
    return {"type": str(declared["Type"]).lower(), "source": PAGE, **bounds}


def used_names(node: Any) -> set[str]:
    """Parameters and resources that a part of a template refers to."""
    return set(USED.findall(json.dumps(node)))


def _own_values(declared: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """ROS takes a default, and shows an allowed value, that no person could give."""
    try:
        re.compile(declared.get("AllowedPattern", ""))
    except re.error as error:
        found = f"not a regular expression: {error}"
        at, expected = f"{where}.AllowedPattern", "a regular expression"
        yield Finding("parameter-pattern", at, found, expected, "Correct it.", PAGE)
        return
    values = [(f"{where}.AllowedValues", one) for one in declared.get("AllowedValues", [])]
    if "Default" in declared:
        values.append((f"{where}.Default", declared["Default"]))
    checked = validator(value_schema(declared))
    for place, value in values:
        yield from schema_findings(checked, value, place)


def _unused(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[Finding]:
    named = used_names({key: part for key, part in template.items() if key != "Parameters"})
    conditions = template.get("Conditions") or {}
    rest = json.dumps({key: part for key, part in template.items() if key != "Metadata"})
    lost = [f"Parameters.{name}" for name in parameters if name not in named]
    lost += [f"Conditions.{name}" for name in conditions if rest.count(f'"{name}"') < 2]
    for where in lost:
        yield Finding("unused", where, "nothing uses it", "a use", "Remove it.", "this project")
