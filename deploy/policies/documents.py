"""RAM policy documents from the table of permissions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from deploy.policies.table import BUCKET_ACTIONS, Permission, load_table, roles
from shared.storage import layout

LONGEST = 6144
"""Characters a custom policy may have (RAM "Limitations" page)."""


class PolicyTooLong(ValueError):
    """A policy has more characters than RAM takes."""


@dataclass(frozen=True)
class Stack:
    """What the names in a policy are made of. `secret` is the KMS secret of the API key, if any;
    `results` the bucket of the results, if it is another one."""

    name: str
    bucket: str
    region: str
    account: str
    secret: str = ""
    results: str = ""


def role_documents(stack: Stack) -> dict[str, dict[str, Any]]:
    """The policy document of each role of the table. Raises TableError, PolicyTooLong."""
    return documents(load_table(), stack)


def documents(table: list[Permission], stack: Stack) -> dict[str, dict[str, Any]]:
    """The policy document of each role by the role's full name. Raises PolicyTooLong."""
    made = {}
    for role in roles(table):
        rows = [row for row in table if row.role == role and applies(row, stack)]
        document = {"Version": "1", "Statement": [statement(row, stack) for row in rows]}
        size = len(json.dumps(document))
        if size > LONGEST:
            raise PolicyTooLong(
                f"The policy of {role} has {size} characters; RAM takes {LONGEST}. Join rows of"
                " deploy/permissions.yaml."
            )
        made[f"{stack.name}-{role}"] = document
    return made


def applies(row: Permission, stack: Stack) -> bool:
    """Whether the row has a place in this stack: without a secret nobody reads secrets."""
    return row.service != "kms" or bool(stack.secret)


def statement(
    row: Permission, stack: Stack, text: Callable[[str], Any] = lambda plain: plain
) -> dict[str, Any]:
    """The row as a statement; `text` may turn resources into what a template writes."""
    made: dict[str, Any] = {
        "Effect": "Allow",
        "Action": [row.action],
        "Resource": [text(one) for one in resources(row, stack)],
    }
    if row.action == "oss:ListObjects":
        made["Condition"] = {"StringLike": {"oss:Prefix": list(row.resources)}}
    return made


def resources(row: Permission, stack: Stack) -> Iterable[str]:
    """The resources by their names in RAM (the services' pages on RAM authorization)."""
    own = f"{stack.region}:{stack.account}"
    if row.action == "oss:ListObjects" or row.action in BUCKET_ACTIONS:
        both = stack.results and (not row.resources or any(map(_is_result, row.resources)))
        buckets = [stack.bucket, stack.results] if both else [stack.bucket]
        return [f"acs:oss:*:*:{bucket}" for bucket in buckets]
    if row.service == "oss":
        results = stack.results or stack.bucket
        places = [(results if _is_result(one) else stack.bucket, one) for one in row.resources]
        return [f"acs:oss:*:*:{bucket}/{pattern}" for bucket, pattern in places]
    if row.service == "fc":
        return [f"acs:fc:{own}:functions/{stack.name}-{function}" for function in row.resources]
    if row.service == "kms":
        return [f"acs:kms:{own}:secret/{stack.secret}"]
    return [f"acs:log:{own}:project/{stack.name}-{stack.account}/logstore/functions"]


def _is_result(pattern: str) -> bool:
    return pattern.startswith(layout.RESULTS)
