"""Whether s.yaml and template.yml describe the same stack.

Both are worked out for the same account and settings and compared function by function; where
they may differ is said in same_stack.yaml, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from deploy.checks.ros import check_document, read_template
from deploy.checks.ros_expressions import Node, calls, references
from deploy.checks.ros_parameters import broken_constraints
from deploy.checks.ros_references import section
from deploy.checks.ros_report import cut, listed
from deploy.checks.ros_values import EXAMPLE
from deploy.checks.same_stack_view import FUNCTION, Functions, of_serverless, of_template
from deploy.stack.findings import Finding
from deploy.stack.render import render

AGREEMENT = Path(__file__).with_name("same_stack.yaml")
ACCOUNT = EXAMPLE["ALIYUN::TenantId"]
SECRETS = frozenset({"DASHSCOPE_API_KEY"})
MISSING = object()
READS = re.compile(r"\$\{env\('(\w+)'")
FOUNDATION = "resources.foundation.props.parameters"
SOURCE = "this project"


def check_same(serverless: Path, template: Path) -> list[Finding]:
    """Every difference between the two files, with the defaults and with other settings.

    Raises DeclarationError and TemplateUnreadable when one cannot be read, PackagesUnreadable
    and ToolsMissing without what template.yml is checked with: only a sound one is compared.
    """
    text = serverless.read_text(encoding="utf-8")
    document = read_template(template)
    if check_document(document):
        return [_not_compared(template)]
    found = [*declared_settings(text, document)]
    for settings in variants():
        rendered = render(serverless, settings, {"AccountID": ACCOUNT})
        found += compare(rendered, document, parameters(settings))
    return list(dict.fromkeys(found))


def _not_compared(template: Path) -> Finding:
    return Finding(
        "same.not-compared",
        template.name,
        "it has findings of its own",
        "a template that can be worked out",
        f"Mend it first: python -m deploy.checks {template.name}",
        SOURCE,
    )


def variants() -> Iterator[dict[str, str]]:
    """Settings to compare with: only what is needed, every other value, the key in a secret."""
    others = {name: one["other"] for name, one in agreement()["settings"].items()}
    secret = "DASHSCOPE_API_KEY_SECRET"
    yield {name: others[name] for name in ("OSS_BUCKET", "DASHSCOPE_API_KEY")}
    yield {name: value for name, value in others.items() if name != secret}
    yield {"OSS_BUCKET": others["OSS_BUCKET"], secret: others[secret]}


def parameters(settings: Mapping[str, str]) -> dict[str, Node]:
    """What template.yml is worked out with, for the same settings of s.yaml."""
    known = agreement()["settings"]
    given = {known[name]["parameter"]: value for name, value in settings.items()}
    own = {"CodeBucket": "packages", "CodePrefix": "code/1/", "DeployFunctions": "true"}
    return {**EXAMPLE, **given, **own}


def compare(
    rendered: Mapping[str, Any], template: Mapping[str, Any], values: Mapping[str, Node]
) -> list[Finding]:
    """Every difference between a rendered s.yaml and a template with these parameters."""
    found = [*_functions(of_serverless(rendered), of_template(template, values))]
    return [*found, *_foundation(rendered, template)]


@lru_cache(maxsize=1)
def agreement() -> dict[str, Any]:
    """same_stack.yaml."""
    read: dict[str, Any] = yaml.safe_load(AGREEMENT.read_text(encoding="utf-8"))
    return read


def _functions(left: Functions, right: Functions) -> Iterator[Finding]:
    for name in sorted({*left, *right}):
        if name not in left or name not in right:
            yield _finding("function", name, left.get(name, MISSING), right.get(name, MISSING))
            continue
        for path, one, other in differences(left[name], right[name], name):
            relative = f"*{path[len(name) :]}"
            if not any(fnmatchcase(relative, allowed) for allowed in agreement()["differences"]):
                yield _finding(_area(path, name), path, one, other)


def differences(left: Node, right: Node, path: str) -> Iterator[tuple[str, Node, Node]]:
    """Path and both values wherever two nodes differ; MISSING for what is not there."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}, key=str):
            yield from differences(left.get(key, MISSING), right.get(key, MISSING), f"{path}.{key}")
    elif type(left) is not type(right) or left != right:
        yield path, left, right


def _area(path: str, name: str) -> str:
    return re.split(r"[.\[]", path[len(name) + 1 :])[0]


def _finding(area: str, path: str, left: Node, right: Node) -> Finding:
    secret = path.rpartition(".")[2] in SECRETS
    return Finding(
        f"same.{area}",
        path,
        f"s.yaml has {_shown(left, secret)}",
        f"what template.yml has, {_shown(right, secret)}",
        "Change one of them; if they must differ, say why in deploy/checks/same_stack.yaml.",
        SOURCE,
    )


def _shown(value: Node, secret: bool) -> str:
    if value is MISSING:
        return "nothing there"
    return "another value" if secret else cut(repr(value))


def declared_settings(text: str, template: Mapping[str, Any]) -> Iterator[Finding]:
    """Each setting that s.yaml reads has a parameter, or a reason why not."""
    known = {**agreement()["settings"], **agreement()["without_parameter"]}
    read = set(READS.findall(text))
    for name in sorted(read ^ set(known)):
        yield Finding(
            "same.setting",
            name,
            "s.yaml reads it" if name in read else "s.yaml does not read it any more",
            "an entry under settings or without_parameter for each setting that is read",
            "Add a parameter to template.yml and the entry to deploy/checks/same_stack.yaml.",
            SOURCE,
        )
    declared = section(template, "Parameters")
    for name, one in agreement()["settings"].items():
        if one["parameter"] not in declared:
            yield Finding(
                "same.parameter",
                f"Parameters.{one['parameter']}",
                f"it stands for {name}, but template.yml does not have it",
                f"one of {listed(declared, 60)}",
                "Correct deploy/checks/same_stack.yaml.",
                SOURCE,
            )


def _foundation(rendered: Mapping[str, Any], template: Mapping[str, Any]) -> Iterator[Finding]:
    """What s.yaml passes to the template when it makes bucket, roles and logs from it."""
    resource = rendered["resources"].get("foundation") or {}
    given = (resource.get("props") or {}).get("parameters") or {}
    declared = section(template, "Parameters")
    for name, value in given.items():
        if name not in declared:
            expected = f"one of {listed(declared, 60)}"
            yield _told(f"{FOUNDATION}.{name}", "template.yml has no such parameter", expected)
            continue
        for expected in broken_constraints(value, {**declared[name], "Type": "String"}):
            yield _told(f"{FOUNDATION}.{name}", repr(value), expected)
    if given.get("DeployFunctions") != "false":
        found = repr(given.get("DeployFunctions"))
        yield _told(f"{FOUNDATION}.DeployFunctions", found, "'false': s deploys the functions")
    for name in sorted(_needed(template) - set(given)):
        yield _told(
            f"{FOUNDATION}.{name}",
            "it is not passed, so roles or bucket would be made for another setting",
            "the setting that the functions get",
        )


def _told(where: str, found: str, expected: str) -> Finding:
    advice = "Correct the parameters of the resource foundation in s.yaml."
    return Finding("same.foundation", where, found, expected, advice, SOURCE)


def _needed(template: Mapping[str, Any]) -> set[str]:
    """Parameters that what is made without functions uses and that are functions' settings too."""
    made: set[str] = set()
    settings: set[str] = set()
    for resource in section(template, "Resources").values():
        names = {one.name for call in calls(resource, "") for one in references(call)}
        if resource.get("Type") == FUNCTION:
            settings |= names
        elif not str(resource.get("Type")).startswith("ALIYUN::FC3::"):
            made |= names
    return made & settings & set(section(template, "Parameters"))
