"""The policies in template.yml: the blocks between `# BEGIN policies` and `# END policies`."""

from __future__ import annotations

import json
from typing import Any

from deploy.policies.documents import Stack, statement
from deploy.policies.table import Permission, roles

PARAMETERS = Stack(
    name="${Name}",
    bucket="${BucketName}",
    region="${ALIYUN::Region}",
    account="${ALIYUN::TenantId}",
    # Without a secret this is an empty name, which no secret has: the statement allows nothing.
    secret="${DashScopeApiKeySecret}",
    results="${Results}",
)
OF_RESULTS = "{Fn::If: [OwnResults, {Ref: ResultsBucket}, {Ref: BucketName}]}"
OWN_RESULTS = "{Fn::Sub: 'acs:oss:*:*:${ResultsBucket}'}"


def blocks(table: list[Permission]) -> dict[str, list[str]]:
    """The lines of each role's block by the block's name."""
    return {f"policies {role}": _block(role, table) for role in roles(table)}


def _block(role: str, table: list[Permission]) -> list[str]:
    lines = [
        "# Made from deploy/permissions.yaml: make template",
        "Policies:",
        f"  - PolicyName: {{Fn::Sub: '${{Name}}-{role}'}}",
        "    PolicyDocument:",
        "      Version: '1'",
        "      Statement:",
    ]
    for row in table:
        if row.role == role:
            lines += _statement(row)
    return lines


def _statement(row: Permission) -> list[str]:
    made = statement(row, PARAMETERS, _sub)
    lines = [
        f"        # {row.why}",
        "        - Effect: Allow",
        f"          Action: [{row.action}]",
        "          Resource:",
    ]
    lines += [f"            - {resource}" for resource in made["Resource"]]
    if "Condition" in made:
        lines.append(f"          Condition: {_flow(made['Condition'])}")
    return lines


def _sub(text: str) -> str:
    """A text with names of the stack in it; whole rights on the bucket of the results are there
    only where it is another one."""
    if PARAMETERS.results not in text:
        return f"{{Fn::Sub: '{text}'}}"
    if text.endswith(PARAMETERS.results):
        return f"{{Fn::If: [OwnResults, {OWN_RESULTS}, {{Ref: ALIYUN::NoValue}}]}}"
    return f"{{Fn::Sub: ['{text}', {{Results: {OF_RESULTS}}}]}}"


def _flow(value: Any) -> str:
    """JSON is YAML's flow style."""
    return json.dumps(value)
