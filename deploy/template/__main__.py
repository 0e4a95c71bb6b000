"""`python -m deploy.template`: the functions of template.yml, generated from s.yaml.

--write brings template.yml up to date; --check says whether it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.stack.render import DeclarationError
from deploy.template.functions import function_lines
from deploy.template.generated import ROOT, TEMPLATE, TemplateError, bring_up_to_date, rewritten


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 with a message: a stale template, or one that cannot say what s.yaml says."""
    parser = argparse.ArgumentParser(prog="python -m deploy.template", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="rewrite template.yml")
    choice.add_argument("--check", action="store_true", help="rc 1 if it is stale")
    options = parser.parse_args(arguments)
    try:
        template = TEMPLATE.read_text(encoding="utf-8")
        lines = function_lines(ROOT / "s.yaml", template)
        made = {TEMPLATE: rewritten(template, "functions", {"functions": lines})}
        return bring_up_to_date(made, "s.yaml", "make template", write=options.write)
    except (DeclarationError, TemplateError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
