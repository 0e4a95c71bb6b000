"""`python -m deploy.checks [FILE …]`: everything wrong with s.yaml and template.yml, for a person.

Status 0 without findings, 1 with some, 2 when a file could not be checked. No request is made.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.checks.ros import check_template
from deploy.checks.ros_file import TemplateUnreadable
from deploy.checks.ros_types import PackagesUnreadable
from deploy.checks.serverless import check_serverless
from deploy.checks.tools import ToolsMissing
from deploy.stack.findings import Finding
from deploy.stack.render import DeclarationError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ("s.yaml", "s.dev.yaml", "template.yml")
EXAMPLES = {"OSS_BUCKET": "example-bucket", "DASHSCOPE_API_KEY": "example-key"}
"""Stand in for what a deployment must set, so that a file can be checked without it."""
UNREADABLE = (
    DeclarationError,
    ToolsMissing,
    TemplateUnreadable,
    PackagesUnreadable,
    OSError,
    UnicodeDecodeError,
)


def check_file(path: Path, environ: Mapping[str, str]) -> list[Finding]:
    """The findings of one file, whichever of the two kinds it is."""
    text = path.read_text(encoding="utf-8")
    if "ROSTemplateFormatVersion" in text:
        return check_template(path)
    return check_serverless(path, with_examples(environ))


def with_examples(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with examples for what it lacks."""
    lacking = {name: value for name, value in EXAMPLES.items() if not environ.get(name)}
    if environ.get("DASHSCOPE_API_KEY_SECRET"):
        lacking.pop("DASHSCOPE_API_KEY", None)
    return {**environ, **lacking}


def described(path: Path, finding: Finding) -> str:
    """A finding on five lines."""
    return (
        f"{path}: {finding.where}\n"
        f"  found     {finding.found.removeprefix('found ')}\n"
        f"  expected  {finding.expected}\n"
        f"  do        {finding.advice}\n"
        f"  source    {finding.source} [{finding.id}]"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the files named, or those of the repository."""
    parser = argparse.ArgumentParser(prog="python -m deploy.checks", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    files = parser.parse_args(arguments).files or [ROOT / name for name in DEFAULT]
    _say_examples(os.environ)
    return max(_checked(file) for file in files)


def _checked(path: Path) -> int:
    try:
        findings = check_file(path, os.environ)
    except UNREADABLE as error:
        reason = f"{path}: {error.strerror}" if isinstance(error, OSError) else str(error)
        print(f"cannot check: {reason}", file=sys.stderr)
        return 2
    for finding in findings:
        print(described(path, finding))
    print(f"{path}: {len(findings) or 'no'} finding{'' if len(findings) == 1 else 's'}")
    return 1 if findings else 0


def _say_examples(environ: Mapping[str, str]) -> None:
    for name, value in with_examples(environ).items():
        if value == EXAMPLES.get(name):
            print(f"notice: {name} is not set; checked with {value!r} for it", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
