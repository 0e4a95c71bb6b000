"""Text that is generated into files which people keep by hand: between marks, and kept fresh."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yml"
_BLOCK = re.compile(
    r"^(?P<indent> *)(?P<open># |<!-- )BEGIN (?P<name>[a-z -]+?)(?P<close>| -->)\n"
    r".*?^ *(?P=open)END (?P=name)(?P=close)\n",
    re.MULTILINE | re.DOTALL,
)


class TemplateError(ValueError):
    """The template has no place for a generated block, or cannot say what s.yaml says."""


def rewritten(
    text: str, kind: str, blocks: Mapping[str, list[str]], file: str = TEMPLATE.name
) -> str:
    """The text with the lines of each block between its marks `# BEGIN name` and `# END name`.

    In Markdown the marks are comments. `kind` is the first word of the names, `file` the text's
    name in errors. Raises TemplateError unless each block has one place.
    """
    found = [one["name"] for one in _BLOCK.finditer(text) if one["name"].split()[0] == kind]
    if sorted(found) != sorted(blocks):
        raise TemplateError(
            f"{file}: expected one block from BEGIN NAME to END NAME for each of"
            f" {', '.join(blocks)}; found {', '.join(found) or 'none'}"
        )
    return _BLOCK.sub(lambda one: _block(one, blocks.get(one["name"])), text)


def bring_up_to_date(made: Mapping[Path, str], source: str, command: str, *, write: bool) -> int:
    """Write the files that differ from what is generated, or say so. 1 when one stays stale."""
    stale = [
        path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text
    ]
    for path in stale:
        name = path.relative_to(ROOT)
        if write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(made[path], "utf-8")
            print(f"{name}: written")
        else:
            print(f"{name}: not what {source} says; run: {command}", file=sys.stderr)
    return 1 if stale and not write else 0


@dataclass(frozen=True)
class Generator:
    """A command with --write and --check for the files that are made of a source.

    `about` is its help; `make` the target that writes the files; `made` makes what they should
    hold, and raises one of `errors` where it cannot.
    """

    program: str
    about: str | None
    source: str
    make: str
    made: Callable[[], Mapping[Path, str]]
    errors: tuple[type[Exception], ...]

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """0, or 1 with a message: a file is stale, or cannot be made."""
        parser = argparse.ArgumentParser(prog=f"python -m {self.program}", description=self.about)
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument("--write", action="store_true", help="rewrite the files that are stale")
        choice.add_argument("--check", action="store_true", help="rc 1 if one of them is stale")
        options = parser.parse_args(arguments)
        try:
            return bring_up_to_date(self.made(), self.source, self.make, write=options.write)
        except self.errors as error:
            print(error, file=sys.stderr)
            return 1


def _block(found: re.Match[str], lines: list[str] | None) -> str:
    if lines is None:
        return found[0]
    begin, end = (
        f"{found['open']}{word} {found['name']}{found['close']}" for word in ("BEGIN", "END")
    )
    framed = [begin, *lines, end]
    return "".join(f"{found['indent']}{line}".rstrip() + "\n" for line in framed)
