"""What the people of a deployment may do: the RAM users who deploy it and who work with it.

The table deploy/people.yaml says what each part of the stack needs. Which parts there are is read
from template.yml and s.yaml, so that a part that is added cannot be forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.policies.documents import LONGEST, PolicyTooLong, Stack
from deploy.policies.table import TableError, load_table, roles
from deploy.template.generated import ROOT, TEMPLATE

TABLE = Path(__file__).parents[1] / "people.yaml"
S_YAML = ROOT / "s.yaml"
PERSONS = ("deployer", "operator")
FIELDS = {"for", "actions", "resources", "why", "source"}
SWITCH = "Deploy"
"""The condition of template.yml that s.yaml turns off: it deploys the functions itself."""


@dataclass(frozen=True)
class Right:
    """One row of deploy/people.yaml, whose head says what the fields mean."""

    person: str
    need: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str
    source: str


def load_rights(path: Path = TABLE) -> list[Right]:
    """Every row, in the file's order. Raises TableError."""
    document = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(document, dict) or tuple(document) != PERSONS:
        raise TableError(f"{path.name}: expected the lists {' and '.join(PERSONS)}")
    return [
        _right(path.name, person, number, row)
        for person, rows in document.items()
        for number, row in enumerate(rows, 1)
    ]


def _right(file: str, person: str, number: int, row: Any) -> Right:
    where = f"{file}: row {number} of {person}"
    if not isinstance(row, dict) or set(row) != FIELDS:
        raise TableError(f"{where}: expected a mapping of {', '.join(sorted(FIELDS))}")
    return Right(
        person,
        row["for"],
        tuple(row["actions"]),
        tuple(row["resources"]),
        " ".join(row["why"].split()),
        row["source"],
    )


def deployed_parts(template: Mapping[str, Any], declared: Mapping[str, Any]) -> list[str]:
    """What `s deploy` makes: resource types of the template, and parts of s.yaml."""
    off = {name for name, one in template["Conditions"].items() if SWITCH in (name, *_words(one))}
    found = [
        one["Type"] for one in template["Resources"].values() if one.get("Condition") not in off
    ]
    for one in declared["resources"].values():
        found += _parts(one["component"], one["props"])
    return list(dict.fromkeys(found))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _words(one)


def _parts(component: str, props: Mapping[str, Any]) -> Iterator[str]:
    if component != "fc3":
        yield f"{component} stack"
        return
    yield from ("fc3 function", "fc3 tags")
    yield from (
        f"fc3 {name}"
        for name in ("role", "asyncInvokeConfig", "concurrencyConfig")
        if name in props
    )
    if "destinationConfig" in props.get("asyncInvokeConfig", {}):
        yield "fc3 destination"
    for trigger in props.get("triggers", ()):
        yield "fc3 triggers"
        if trigger["triggerType"] == "oss":
            yield "fc3 oss trigger"


def checked_rights() -> list[Right]:
    """The rows, each for something that is deployed, and all of that. Raises TableError."""
    rights = load_rights()
    parts = deployed_parts(
        yaml.safe_load(TEMPLATE.read_text("utf-8")), yaml.safe_load(S_YAML.read_text("utf-8"))
    )
    needs = [row.need for row in rights if row.person == "deployer"]
    for part in parts:
        if part not in needs:
            raise TableError(f"{TABLE.name} has no row for {part}; say which actions it needs")
    for need in needs:
        if need not in parts:
            raise TableError(f"{TABLE.name} has a row for {need}, which is not deployed; remove it")
    return rights


def person_documents(rights: list[Right], stack: Stack) -> dict[str, dict[str, Any]]:
    """The policy document of each person by its name in this stack. Raises PolicyTooLong."""
    made = {}
    for person in PERSONS:
        rows = [row for row in rights if row.person == person]
        document = {"Version": "1", "Statement": list(_statements(rows, arns(stack)))}
        size = len(json.dumps(document, separators=(",", ":")))
        if size > LONGEST:
            raise PolicyTooLong(
                f"The policy of {person} has {size} characters; RAM takes {LONGEST}. Join rows of"
                " deploy/people.yaml."
            )
        made[f"{stack.name}-{person}"] = document
    return made


def _statements(rows: list[Right], names: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    """One for all rows on the same things: a policy must be short."""
    together: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        unknown = [one for one in row.resources if one not in names]
        if unknown:
            raise TableError(f"{TABLE.name}: {unknown[0]!r} is none of {', '.join(names)}")
        together.setdefault(row.resources, []).extend(row.actions)
    for on, actions in together.items():
        arns_of = [arn for one in on for arn in names[one]]
        yield {"Effect": "Allow", "Action": actions, "Resource": arns_of}


def arns(stack: Stack) -> dict[str, list[str]]:
    """The ARNs behind the names in `resources` (the services' pages on RAM authorization). Stacks
    of ROS have ids that nobody knows before."""
    own = f"{stack.region}:{stack.account}"
    project = f"acs:log:{own}:project/{stack.name}-{stack.account}"
    of_roles = [f"{stack.name}-{role}" for role in roles(load_table())]
    buckets = [f"acs:oss:*:*:{one}" for one in (stack.bucket, stack.results) if one]
    functions = [f"acs:fc:{own}:functions/{stack.name}-{name}" for name in _functions()]
    return {
        "stacks": [f"acs:ros:{own}:stack/*"],
        "bucket": buckets,
        "objects": [f"{one}/*" for one in buckets],
        "project": [project],
        "logstore": [f"{project}/logstore/functions"],
        "dashboards": [f"{project}/dashboard/*"],
        "alert rules": [f"{project}/job/*"],
        "roles": [f"acs:ram:*:{stack.account}:role/{name}" for name in of_roles],
        "role policies": [f"acs:ram:*:{stack.account}:policy/{name}" for name in of_roles],
        "functions": functions,
        "function parts": [f"{name}/*" for name in functions],
        "triggers": [f"{name}/triggers/*" for name in functions],
        "poll": [f"acs:fc:{own}:functions/{stack.name}-poll"],
    }


def _functions() -> list[str]:
    resources = yaml.safe_load(S_YAML.read_text("utf-8"))["resources"]
    return [name for name, one in resources.items() if one["component"] == "fc3"]
