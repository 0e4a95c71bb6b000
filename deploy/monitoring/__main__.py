"""`python -m deploy.monitoring`: what is watched, from deploy/logs.yaml and deploy/alarms.yaml.

--write brings template.yml and docs/logs.md up to date; --check says whether they are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.monitoring import page, template
from deploy.monitoring.declared import Monitoring, MonitoringError, load_monitoring
from deploy.monitoring.rules import problems
from deploy.template.generated import ROOT, TEMPLATE, TemplateError, bring_up_to_date, rewritten

PAGE = ROOT / "docs" / "logs.md"
SOURCES = "deploy/logs.yaml and deploy/alarms.yaml"


def made_files(declared: Monitoring) -> dict[Path, str]:
    """What the files made from the two should hold. Raises MonitoringError, TemplateError."""
    found = problems(declared)
    if found:
        raise MonitoringError("\n".join(found))
    blocks = {TEMPLATE: template.blocks(declared), PAGE: page.blocks(declared)}
    return {
        path: rewritten(path.read_text("utf-8"), "monitoring", own, path.name)
        for path, own in blocks.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with a message: a stale file, or a query for what no function prints."""
    parser = argparse.ArgumentParser(prog="python -m deploy.monitoring", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="rewrite template.yml, docs/logs.md")
    choice.add_argument("--check", action="store_true", help="rc 1 if one of them is stale")
    options = parser.parse_args(arguments)
    try:
        made = made_files(load_monitoring())
        return bring_up_to_date(made, SOURCES, "make template", write=options.write)
    except (MonitoringError, TemplateError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
