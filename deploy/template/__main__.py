"""`python -m deploy.template`: the functions of template.yml, generated from s.yaml.

--write brings template.yml up to date; --check says whether it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.stack.render import DeclarationError
from deploy.template.functions import function_lines
from deploy.template.generated import ROOT, TEMPLATE, Generator, TemplateError, rewritten


def made_files() -> dict[Path, str]:
    """What template.yml should hold. Raises DeclarationError, TemplateError, OSError."""
    template = TEMPLATE.read_text(encoding="utf-8")
    lines = function_lines(ROOT / "s.yaml", template)
    return {TEMPLATE: rewritten(template, "functions", {"functions": lines})}


ERRORS = (DeclarationError, TemplateError, OSError)
main = Generator("deploy.template", __doc__, "s.yaml", "make template", made_files, ERRORS).main

if __name__ == "__main__":
    sys.exit(main())
