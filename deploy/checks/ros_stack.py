"""What this project demands of its stack beyond what ROS would accept."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.checks.ros_values import Node, Resolver
from deploy.stack.findings import Finding
from deploy.stack.schema import read_schema, schema_findings, validator

DEMANDS = Path(__file__).with_name("demands_ros.schema.yaml")
BUCKET = "ALIYUN::OSS::Bucket"
SOURCE = "this project, docs/architecture.md"


def stack_rules(template: Mapping[str, Any]) -> Iterator[Finding]:
    """Every rule, for each time that records may be kept; then what switches must keep off."""
    days = (template.get("Parameters") or {}).get("RecordDays") or {}
    for value in dict.fromkeys([days.get("Default", 0), *days.get("AllowedValues", [])]):
        for name, resource in _made(template, RecordDays=value).items():
            yield from schema_findings(_demands(), resource, f"Resources.{name}")
            if resource["Type"] == BUCKET:
                yield from _manifests(resource["Properties"], f"Resources.{name}.Properties")
    functions = ("ALIYUN::FC3::", "ALIYUN::EventBridge::")
    yield from _switched_off(template, "DeployFunctions", functions)
    yield from _switched_off(template, "CreateBucket", (BUCKET,))
    yield from _switched_off(template, "Alarms", ("ALIYUN::SLS::Alert", "ALIYUN::SLS::Dashboard"))


@functools.cache
def _demands() -> Any:
    return validator(read_schema(DEMANDS))


def _made(template: Mapping[str, Any], **values: Node) -> dict[str, Node]:
    whole = {"BucketName": "a-bucket", "WakeOnTaskFinished": "true", **values}
    return Resolver(template, whole, {}).made("Resources")


def _switched_off(
    template: Mapping[str, Any], parameter: str, types: tuple[str, ...]
) -> Iterator[Finding]:
    """What a parameter of "false" must keep from being made."""
    for name, resource in _made(template, **{parameter: "false"}).items():
        if resource["Type"].startswith(types):
            found, expected = f"it is made although {parameter} is false", "a Condition"
            advice = f"Add a condition that asks for {parameter}."
            yield Finding("switch", f"Resources.{name}", found, expected, advice, SOURCE)


def _manifests(bucket: Mapping[str, Node], where: str) -> Iterator[Finding]:
    """Results outlive their records, so that no manifest names an image that is gone."""
    rules = (bucket.get("LifecycleConfiguration") or {}).get("Rule", [])
    days = {
        rule.get("Prefix"): (rule.get("Expiration") or {}).get("Days", 0)
        for rule in rules
        if rule.get("Status") == "Enabled"
    }
    records, results = days.get("state/records/"), days.get("results/")
    if results is not None and (records is None or results <= records):
        found = f"results go after {results} days, records after {records}"
        expected = "results at least a day after their records"
        advice = "A manifest must never name an image that is gone."
        at = f"{where}.LifecycleConfiguration"
        yield Finding("lifecycle-results", at, found, expected, advice, SOURCE)
