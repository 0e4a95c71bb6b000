"""The policies in template.yml: the blocks between `# BEGIN policies` and `# END policies`."""

from __future__ import annotations

import json
import re
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
)
_BLOCK = re.compile(
    r"^(?P<indent> *)# BEGIN policies (?P<role>[a-z-]+)\n.*?^ *# END policies (?P=role)\n",
    re.MULTILINE | re.DOTALL,
)


class TemplateError(ValueError):
    """The template has no place for a role's policy, or a place for an unknown role."""


def rewritten(template: str, table: list[Permission]) -> str:
    """The template with every block made from the table. Raises TemplateError."""
    found = [match["role"] for match in _BLOCK.finditer(template)]
    if sorted(found) != sorted(roles(table)):
        raise TemplateError(
            "template.yml: expected one block `# BEGIN policies ROLE` … `# END policies ROLE` for "
            f"each of {', '.join(roles(table))}; found {', '.join(found) or 'none'}"
        )
    return _BLOCK.sub(lambda match: _block(match["role"], match["indent"], table), template)


def _block(role: str, indent: str, table: list[Permission]) -> str:
    lines = [
        f"# BEGIN policies {role}",
        "# Made from deploy/permissions.yaml: python -m deploy.policies --write",
        "Policies:",
        f"  - PolicyName: {{Fn::Sub: '${{Name}}-{role}'}}",
        "    PolicyDocument:",
        "      Version: '1'",
        "      Statement:",
    ]
    for row in table:
        if row.role == role:
            lines += _statement(row)
    lines.append(f"# END policies {role}")
    return "".join(f"{indent}{line}\n" for line in lines)


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
    return f"{{Fn::Sub: '{text}'}}"


def _flow(value: Any) -> str:
    """JSON is YAML's flow style."""
    return json.dumps(value)
