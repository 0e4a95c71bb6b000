"""`python -m deploy.monitoring`: what is watched, from deploy/logs.yaml and deploy/alarms.yaml.

--write brings template.yml and docs/logs.md up to date; --check says whether they are.
"""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.monitoring import page, template
from deploy.monitoring.declared import MonitoringError, load_monitoring
from deploy.monitoring.rules import problems
from deploy.template.generated import ROOT, TEMPLATE, Generator, TemplateError, rewritten

PAGE = ROOT / "docs" / "logs.md"
SOURCES = "deploy/logs.yaml and deploy/alarms.yaml"


def made_files() -> dict[Path, str]:
    """What the files made from the two should hold. Raises MonitoringError, TemplateError."""
    declared = load_monitoring()
    found = problems(declared)
    if found:
        raise MonitoringError("\n".join(found))
    blocks = {TEMPLATE: template.blocks(declared), PAGE: page.blocks(declared)}
    return {
        path: rewritten(path.read_text("utf-8"), "monitoring", own, path.name)
        for path, own in blocks.items()
    }


ERRORS = (MonitoringError, TemplateError, OSError)
main = Generator("deploy.monitoring", __doc__, SOURCES, "make template", made_files, ERRORS).main

if __name__ == "__main__":
    sys.exit(main())
