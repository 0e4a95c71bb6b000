"""template.yml against what ROS knows, and against what this project demands of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.checks.ros_expressions import Node
from deploy.checks.ros_file import TemplateUnreadable, read_template
from deploy.checks.ros_functions import function_findings
from deploy.checks.ros_parameters import Parameters
from deploy.checks.ros_properties import Properties
from deploy.checks.ros_references import References
from deploy.checks.ros_report import Report, listed
from deploy.checks.ros_skeleton import STRUCTURE_PAGE, check_skeleton
from deploy.checks.ros_stack import StackRules
from deploy.checks.ros_types import Types, read_types
from deploy.stack.findings import Finding

__all__ = ["TemplateUnreadable", "check_document", "check_template", "read_template"]
VERSION = "2015-09-01"
SECTIONS = frozenset(
    [
        "ROSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Mappings",
        "Conditions",
        "Rules",
        "Resources",
        "Outputs",
    ]
)
RESOURCE_KEYS = frozenset(
    ["Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "Metadata", "Description"]
)
DELETION_POLICIES = ("Delete", "Retain")
RESOURCES_PAGE = 'ROS "Resources" page'


def check_template(path: Path) -> list[Finding]:
    """Everything wrong with a template file.

    Raises TemplateUnreadable; PackagesUnreadable or ToolsMissing without the tools.
    """
    return check_document(read_template(path))


def check_document(template: Mapping[str, Any], types: Types | None = None) -> list[Finding]:
    """Everything wrong with a template that was read. Raises PackagesUnreadable, ToolsMissing."""
    report = Report()
    check_skeleton(template, report)
    if report.findings:
        return report.findings
    types = types or read_types()
    _structure(template, report)
    _resources(template, types, report)
    References(template, types, report).check()
    Parameters(template, types, report).check()
    if not report.findings:  # what the project demands makes sense of a sound template only
        StackRules(template, report).check()
        report.findings += function_findings(template)
    return report.findings


def _structure(template: Mapping[str, Any], report: Report) -> None:
    version = template.get("ROSTemplateFormatVersion")
    if version != VERSION:
        where, advice = "ROSTemplateFormatVersion", "ROS knows this version only; quote it."
        report.add(
            "ros.format-version", where, repr(version), f"'{VERSION}'", advice, STRUCTURE_PAGE
        )
    for name in sorted(set(template) - SECTIONS):
        expected = f"one of {listed(SECTIONS)}"
        report.add(
            "ros.unknown-section", name, "no such section", expected, "Correct it.", STRUCTURE_PAGE
        )


def _resources(template: Mapping[str, Any], types: Types, report: Report) -> None:
    properties = Properties(template, types, report)
    for name, resource in template["Resources"].items():
        where = f"Resources.{name}"
        _keys(where, resource, report)
        if _known_type(where, resource, types, report):
            properties.check(f"{where}.Properties", resource["Type"], resource.get("Properties"))


def _known_type(where: str, resource: Mapping[str, Node], types: Types, report: Report) -> bool:
    kind = resource.get("Type")
    if kind in types.resources:
        return True
    service = str(kind).rpartition("::")[0]
    near = [name for name in types.resources if name.startswith(f"{service}::")]
    report.add(
        "ros.unknown-type",
        f"{where}.Type",
        repr(kind),
        f"one of {listed(near or types.resources)}",
        "Correct the name.",
        "ros-cdk packages",
    )
    return False


def _keys(where: str, resource: Mapping[str, Node], report: Report) -> None:
    for key in sorted(set(resource) - RESOURCE_KEYS):
        report.add(
            "ros.unknown-key",
            f"{where}.{key}",
            f"there is no {key} here",
            f"one of {listed(RESOURCE_KEYS)}",
            "Is it a property? Then it belongs under Properties.",
            RESOURCES_PAGE,
        )
    policy = resource.get("DeletionPolicy", "Delete")
    if policy not in DELETION_POLICIES:
        report.add(
            "ros.deletion-policy",
            f"{where}.DeletionPolicy",
            repr(policy),
            " or ".join(DELETION_POLICIES),
            "Correct it.",
            RESOURCES_PAGE,
        )
