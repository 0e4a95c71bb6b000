"""`python -m deploy.policies`: RAM policies from deploy/permissions.yaml and deploy/people.yaml.

With --bucket and --account it prints policy documents; --write brings template.yml and
docs/permissions.md up to date; --check says whether they are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.policies.documents import PolicyTooLong, Stack, documents
from deploy.policies.page import page
from deploy.policies.people import Right, checked_rights, person_documents
from deploy.policies.table import Permission, TableError, load_table
from deploy.policies.template import blocks
from deploy.template.generated import (
    ROOT,
    TEMPLATE,
    TemplateError,
    bring_up_to_date,
    rewritten,
)

SOURCE = "deploy/permissions.yaml or deploy/people.yaml"
PAGE = ROOT / "docs" / "permissions.md"


def made_files(table: list[Permission], rights: list[Right]) -> dict[Path, str]:
    """What the files made from the tables should hold. Raises TemplateError, OSError."""
    template = rewritten(TEMPLATE.read_text("utf-8"), "policies", blocks(table))
    return {TEMPLATE: template, PAGE: page(table, rights)}


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with a message: a stale file, an unknown role, a table that is not in order."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        table, rights = load_table(), checked_rights()
        if options.write or options.check:
            made = made_files(table, rights)
            return bring_up_to_date(made, SOURCE, "make template", write=options.write)
        if not options.bucket or not options.account:
            parser.error("give --bucket and --account, or --write, or --check")
        stack = Stack(options.name, options.bucket, options.region, options.account, options.secret)
        stack = replace(stack, results=options.results_bucket)
        return _print(documents(table, stack), person_documents(rights, stack), options.role)
    except (TableError, TemplateError, PolicyTooLong, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _print(of_roles: Mapping[str, Any], of_people: Mapping[str, Any], wanted: Sequence[str]) -> int:
    """Those that are wanted; without a name, those of the functions' roles."""
    made = {**of_roles, **of_people}
    unknown = sorted(set(wanted) - made.keys())
    if unknown:
        known = ", ".join(made)
        print(f"There is no role {unknown[0]}; the roles are {known}.", file=sys.stderr)
        return 1
    if len(wanted) == 1:
        print(_text(made[wanted[0]]))
    else:
        print(json.dumps({name: made[name] for name in wanted or of_roles}, indent=2))
    return 0


def _text(document: Mapping[str, Any]) -> str:
    """A statement a line: RAM counts the characters of what is pasted."""
    lines = ",\n".join(json.dumps(one) for one in document["Statement"])
    return f'{{"Version": "{document["Version"]}", "Statement": [\n{lines}\n]}}'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.policies", description=__doc__)
    add = parser.add_argument
    add("role", nargs="*", help="such as wanx-submit or wanx-deployer; default: all functions'")
    add("--bucket", help="the bucket's name")
    add("--account", help="the account's id, of digits")
    add("--region", default="cn-beijing", help="default: %(default)s")
    add("--name", default="wanx", help="what functions and roles are named after (%(default)s)")
    add("--secret", default="", help="the KMS secret that holds the API key, if one does")
    add("--results-bucket", default="", help="the bucket of the results, if it is another one")
    add("--write", action="store_true", help="rewrite template.yml and docs/permissions.md")
    add("--check", action="store_true", help="rc 1 if one of these two is stale")
    return parser


if __name__ == "__main__":
    sys.exit(main())
