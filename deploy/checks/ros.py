"""template.yml against what ROS knows, and against what this project demands of it."""

from __future__ import annotations

import functools
import graphlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.checks.ros_file import read_template
from deploy.checks.ros_parameters import parameter_findings, used_names
from deploy.checks.ros_stack import stack_rules
from deploy.checks.ros_types import Types, read_types
from deploy.checks.ros_values import Node, Resolver
from deploy.stack.findings import Finding, distinct, listed, shown
from deploy.stack.schema import read_schema, schema_findings, validator

FORM = Path(__file__).with_name("ros_template.schema.yaml")
SECRET = "a-secret-value"
WHOLE: Mapping[str, Node] = {
    "BucketName": "example-bucket",
    "CodeBucket": "example-packages",
    "CodePrefix": "code/0/",
    "DashScopeApiKey": SECRET,
    "WakeOnTaskFinished": "true",
    "Alarms": "true",
    "AlarmPolicy": "example-policy",
}
"""What a person gives, so that everything is made."""
PAGE = 'ROS "DependsOn" page'


def check_template(path: Path) -> list[Finding]:
    """Everything wrong with a template file.

    Raises TemplateUnreadable; PackagesUnreadable or ToolsMissing without the tools.
    """
    return check_document(read_template(path))


def check_document(template: Mapping[str, Any], types: Types | None = None) -> list[Finding]:
    """Everything wrong with a template that was read. Raises PackagesUnreadable, ToolsMissing."""
    found = list(schema_findings(_form(), template, ""))
    if not found:  # everything else takes the form for granted
        found = [*parameter_findings(template), *_cycles(template)]
        found += _worked_out(template, types or read_types())
    if not found:  # what the project demands makes sense of a sound template only
        found = list(stack_rules(template))
    return distinct(found)


@functools.cache
def _form() -> Any:
    return validator(read_schema(FORM))


def variants(template: Mapping[str, Any]) -> Iterator[dict[str, Node]]:
    """Parameters under which every part of the template is worked out at least once: the whole,
    then each parameter with each value it allows, or with one instead of none."""
    yield dict(WHOLE)
    for name, declared in (template.get("Parameters") or {}).items():
        default = WHOLE.get(name, declared.get("Default"))
        others = declared.get("AllowedValues", ["another-value"] if default == "" else [])
        yield from ({**WHOLE, name: value} for value in others if value != default)


def _worked_out(template: Mapping[str, Any], types: Types) -> Iterator[Finding]:
    seen = set()
    for values in variants(template):
        resolver = Resolver(template, values, types.attributes)
        for name, resource in resolver.made("Resources").items():
            key = (name, json.dumps(resource, default=str))
            if key not in seen:
                seen.add(key)
                yield from _resource(f"Resources.{name}", resource, types)
        for name, output in resolver.made("Outputs").items():
            if SECRET in str(output):
                yield _secret(f"Outputs.{name}")
        for name, rule in (template.get("Rules") or {}).items():
            for one in [
                rule.get("RuleCondition", True),
                *(a["Assert"] for a in rule["Assertions"]),
            ]:
                resolver.holds(one, f"Rules.{name}")
        yield from resolver.findings


def _resource(where: str, resource: Mapping[str, Node], types: Types) -> Iterator[Finding]:
    kind = resource["Type"]
    if kind in types.resources:
        properties = resource.get("Properties", {})
        yield from schema_findings(types.validator(kind), properties, f"{where}.Properties")
        return
    service = str(kind).rpartition("::")[0]
    near = [name for name in types.resources if name.startswith(f"{service}::")]
    expected = f"one of {listed(near or types.resources, 12)}"
    at, source = f"{where}.Type", "ros-cdk packages"
    yield Finding("unknown-type", at, shown(kind), expected, "Correct the name.", source)


def _secret(where: str) -> Finding:
    found, expected = "it shows a parameter that is NoEcho", "no secret in an output"
    return Finding("secret-output", where, found, expected, "Remove it.", 'ROS "Outputs" page')


def _cycles(template: Mapping[str, Any]) -> Iterator[Finding]:
    """Resources that wait for each other, by DependsOn or by what they refer to, or that
    conditions ask, which are decided before anything is made."""
    resources = template["Resources"]
    for name in sorted(used_names(template.get("Conditions")) & {*resources}):
        expected, advice = "parameters alone", "Ask a parameter."
        yield Finding("ros.condition", "Conditions", f"{name!r} is asked", expected, advice, PAGE)
    needs: dict[str, set[str]] = {}
    for name, resource in resources.items():
        after = resource.get("DependsOn", [])
        after = [after] if isinstance(after, str) else after
        needs[name] = {*after, *(used_names(resource) & {*resources})}
        for other in after:
            if other not in resources:
                where = f"Resources.{name}.DependsOn"
                expected = f"one of {listed(resources)}"
                yield Finding("ros.name", where, shown(other), expected, "Correct it.", PAGE)
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        circle = " needs ".join(error.args[1][::-1])
        expected, advice = "an order in which they can be made", "Break the circle."
        yield Finding("ros.cycle", f"Resources.{error.args[1][0]}", circle, expected, advice, PAGE)
