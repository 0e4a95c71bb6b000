"""The template's functions under the rules for s.yaml: sizes, settings, events, triggers.

ROS takes any mapping as a trigger's configuration, so what is wrong there shows only when the
stack is made; the rules of s.yaml know the API's models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.checks.ros_expressions import Node
from deploy.checks.ros_values import EXAMPLE, Resolver, Stack, Unknown
from deploy.checks.same_stack_view import BESIDE, FUNCTION, TRIGGER, of_template
from deploy.checks.serverless import check_rendered
from deploy.stack.findings import Finding

WHOLE: Mapping[str, str] = {
    **EXAMPLE,
    "BucketName": "example-bucket",
    "DashScopeApiKey": "example-key",
    "CodeBucket": "example-packages",
    "CodePrefix": "code/0/",
}
"""What a person must give, so that all functions are made."""


def function_findings(template: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the functions. Raises ToolsMissing without the API's models."""
    made = Resolver(Stack(template, WHOLE)).resources()
    names = {
        str(one["Properties"]["FunctionName"]): logical
        for logical, one in made.items()
        if one["Type"] == FUNCTION
    }
    resources = {
        names[name]: {"component": "fc3", "props": _props(props)}
        for name, props in of_template(template, WHOLE).items()
    }
    document = {"edition": "3.0.0", "name": "template", "access": "default", "resources": resources}
    places = _places(made, names, resources)
    return [
        replace(one, where=_placed(one.where, places))
        for one in check_rendered(document, Path(__file__).parent)
    ]


def _props(props: Mapping[str, Any]) -> dict[str, Any]:
    """As s.yaml would have them: a region, a folder of code, and a list of triggers."""
    target = str((props.get("code") or {}).get("ossObjectName", ""))
    stem = target.rpartition("/")[2].removesuffix(".zip")
    code = {"code": f"./build/{stem}"} if target else {}
    known = {key: value for key, value in props.items() if not isinstance(value, Unknown)}
    triggers = list(props["triggers"].values())
    return {**known, **code, "region": EXAMPLE["ALIYUN::Region"], "triggers": triggers}


def _places(
    made: Mapping[str, Node], names: Mapping[str, str], resources: Mapping[str, Any]
) -> dict[str, str]:
    """Where a path of s.yaml's form stands in the template, longer paths first."""
    places: dict[str, str] = {}
    for logical, one in made.items():
        properties = one.get("Properties") or {}
        owner = names.get(str(properties.get("FunctionName")))
        if owner is None:
            continue
        path = f"resources.{owner}.props"
        if one["Type"] == TRIGGER:
            titles = [each.get("triggerName") for each in resources[owner]["props"]["triggers"]]
            path = f"{path}.triggers[{titles.index(properties.get('TriggerName'))}]"
        elif one["Type"] in BESIDE:
            path = f"{path}.{BESIDE[one['Type']]}"
        elif one["Type"] != FUNCTION:
            continue
        places[path] = f"Resources.{logical}.Properties"
    return dict(sorted(places.items(), key=lambda item: -len(item[0])))


def _placed(where: str, places: Mapping[str, str]) -> str:
    for path, place in places.items():
        if where.startswith(path):
            rest = where[len(path) :]
            return f"{place}{rest[:1]}{rest[1:2].upper()}{rest[2:]}"
    return where
