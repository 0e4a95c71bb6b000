"""The deliberate mistakes of mistakes_template.yaml, and how one is made."""

from __future__ import annotations

import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from deploy.checks.ros import read_template
from deploy.checks.ros_values import EXAMPLE
from deploy.checks.same_stack import parameters, variants
from deploy.stack.render import render

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE.parents[2] / "template.yml"
SERVERLESS = HERE.parents[2] / "s.yaml"
ACCOUNT = {"AccountID": EXAMPLE["ALIYUN::TenantId"]}
MISTAKES: list[dict[str, Any]] = yaml.safe_load(
    (HERE / "mistakes_template.yaml").read_text(encoding="utf-8")
)


@lru_cache(maxsize=1)
def template() -> dict[str, Any]:
    """template.yml as it is; not to be changed."""
    return read_template(TEMPLATE)


@lru_cache(maxsize=1)
def stacks() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """s.yaml as rendered for each set of settings, with template.yml's parameters for them."""
    return [(render(SERVERLESS, one, ACCOUNT), parameters(one)) for one in variants()]


def patched(document: Any, mistake: dict[str, Any]) -> Any:
    """A copy of the document with the mistake in it."""
    changed = copy.deepcopy(document)
    *path, last = mistake["at"]
    holder = changed
    for key in path:
        holder = holder[key]
    if mistake.get("drop"):
        del holder[last]
    else:
        holder[last] = mistake["put"]
    return changed
