"""What the documents say is so: links, targets, settings, blocks of code, tables, both READMEs."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from cli.main import wanx
from shared.catalogue.files import load_file
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.terminal import VARIABLES
from shared.ledger.record import STATES
from shared.storage import layout
from tests.kit.documents import DOCUMENTS as WITH_BLOCKS
from tests.kit.documents import ROOT, RUN_ON_LAPTOP, Block, blocks_of, read_blocks

FOLDERS = ("", "docs", "examples", "examples/inputs", "tests/conformance")
DOCUMENTS = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))
IN_CHINESE = ("README.md", *(f"docs/{name}.md" for name in ("deploy", "jobfiles", "operations")))
"""The pages that are there in Chinese as well, as NAME.zh.md."""
NAMES = [str(page.relative_to(ROOT)) for page in DOCUMENTS]

FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
LINK = re.compile(r'(?:\]\(|<img src=")([^)"\s]+)[)"]')
CODE = re.compile(r"`([^`\n]+)`")
TARGET = re.compile(r"(?:^|&& |\$ )make ([a-z][a-z-]*)((?: [a-z][a-z-]*)*)")
SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
WANX = re.compile(r"\./wanx (?:--env \S+ )?([a-z]+(?:-[a-z]+)*)")
ELSEWHERE = {"NEEDS_ATTENTION", "CREATE_COMPLETE", "FAILED_IMAGES", "YYYYMMDD", *VARIABLES}
"""Words in capitals that are no settings: states and others' terms."""
MOST_WORDS = 900
"""Words of README.md, code included: it is a first page."""
MOST_BYTES = 300_000
"""Bytes of a picture."""
NAMING_FILES = (
    "CONTRIBUTING.md",
    *(f"docs/{name}.md" for name in ("architecture", "glossary", "logs", "operations", "security")),
)
SETTINGS_FILES = (
    "s.yaml",
    "shared/platform/settings.py",
    "deploy/ready.py",
    "local/browser.py",
    "local/up_settings.py",
    "cli/access.py",
    "cli/profiles.py",
    "Makefile",
    "shared/poller/poll_intervals.py",  # what docs/scale.md turns
    "shared/poller/schedule.py",
    "shared/poller/poller.py",
)


def chinese_of(name: str) -> str:
    return f"{name.removesuffix('.md')}.zh.md"


@lru_cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """The document without its blocks of code."""
    return FENCE.sub("", text(name))


def headings(name: str) -> list[tuple[int, str]]:
    return [(len(marks), title) for marks, title in HEADING.findall(prose(name))]


def anchor(title: str) -> str:
    """As GitHub makes them: lower case, words joined by hyphens, punctuation left out."""
    plain = re.sub(r"[`*\[\]]|\([^)]*\)", "", title) if "](" in title else title
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def links(name: str) -> list[str]:
    return LINK.findall(CODE.sub("", prose(name)))


def code(name: str) -> Iterator[str]:
    """Everything that is written as code, in blocks and in sentences."""
    for block in FENCE.finditer(text(name)):
        yield from block["body"].splitlines()
    yield from CODE.findall(prose(name))


def cells(table: str) -> Iterator[list[str]]:
    """The rows of every table in a text, without their heads and rules."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if not set(line) <= set("|-: ") and not (following and set(following) <= set("|-: ")):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module, or something in one: a class, a method, a field."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            own = [one.name for one in fields(found)] if is_dataclass(found) else []
            if part not in own and not hasattr(found, part):
                return False
            found = getattr(found, part, None)
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_commands_can_be_pasted_into_any_shell(name: str) -> None:
    """An interactive zsh takes a comment for words of the command; `read -p` is bash alone."""
    lines = [
        line
        for block in FENCE.finditer(text(name))
        if block["kind"] == "sh"
        for line in block["body"].splitlines()
    ]
    assert not [line for line in lines if re.search(r"(?:^|\s)#\s|\bread -\w*[ps]", line)]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    missing = []
    for link in links(name):
        path, _, part = link.partition("#")
        if "://" in link:
            continue
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists():
            missing.append(link)
        elif part and target.suffix == ".md":
            shown = str(target.resolve().relative_to(ROOT))
            if part not in {anchor(title) for _, title in headings(shown)}:
                missing.append(link)
    assert not missing


def test_there_are_documents_with_links() -> None:
    assert {"README.md", "README.zh.md", "docs/operations.md", "docs/security.md"} <= set(NAMES)
    assert sum(len(links(name)) for name in NAMES) > 40


@pytest.mark.parametrize("name", NAMES)
def test_targets_of_make_exist(name: str) -> None:
    known = set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))
    named = {
        word
        for line in code(name)
        for first, more in TARGET.findall(line.split(" # ")[0])
        for word in (first, *more.split())
    }
    assert named <= known


@pytest.mark.parametrize("name", NAMES)
def test_settings_exist(name: str) -> None:
    known = set(ELSEWHERE)
    for file in SETTINGS_FILES:
        known.update(SETTING.findall(text(file)))
    assert {word for line in code(name) for word in SETTING.findall(line)} <= known


@pytest.mark.parametrize("name", NAMES)
def test_commands_of_wanx_exist(name: str) -> None:
    assert {word for line in code(name) for word in WANX.findall(line)} <= set(wanx.commands)


@pytest.mark.parametrize("name", NAMING_FILES)
def test_files_that_are_named_exist(name: str) -> None:
    """Security claims rest on code and tests: both must be there."""
    named = {
        word
        for span in CODE.findall(prose(name))
        if re.fullmatch(
            r"(?:shared|functions|schemas|tests|deploy|cli|web|local)/[\w./-]+", word := span
        )
        and "<" not in span
    }
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_the_glossary_names_what_is_in_the_code_and_in_the_bucket() -> None:
    folders = tuple(value for value in vars(layout).values() if isinstance(value, str))
    places = [span for row in cells(text("docs/glossary.md")) for span in CODE.findall(row[2])]
    in_bucket = [place for place in places if "/" in place]
    assert [place for place in in_bucket if not any(one.startswith(place) for one in folders)] == []
    assert [place for place in places if place not in in_bucket and not exists(place)] == []
    assert len(in_bucket) > 5


def test_the_glossary_has_each_term_once() -> None:
    terms = Counter(row[0] for row in cells(text("docs/glossary.md")))
    assert [term for term, times in terms.items() if times > 1] == []
    assert {"job", "record", "slot", "permit", "breaker", "retry", "requeue", "room"} <= set(terms)


def test_names_that_are_not_in_the_code_are_seen() -> None:
    assert exists("shared.ledger.record") and exists("shared.ledger.record.Record.seq")
    assert not exists("shared.ledger.flights") and not exists("shared.ledger.record.Record.landed")


def test_every_error_of_our_own_is_explained_as_the_system_explains_it() -> None:
    """Code, when, whether the same job can succeed later, and the hint: a row for each."""
    own = load_file(ROOT / "schemas" / "errors.yaml")["ours"]
    wanted = [
        [f"`{row['code']}`", row["when"], "yes" if row["retryable"] else "no", row["hint_en"]]
        for row in own
    ]
    part = text("docs/operations.md").partition("\n## What our own error codes mean\n")[2]
    assert list(cells(part.partition("\n## ")[0])) == wanted


@pytest.mark.parametrize("name", IN_CHINESE)
def test_both_languages_have_the_same_structure(name: str) -> None:
    english, chinese = headings(name), headings(chinese_of(name))
    assert [level for level, _ in english] == [level for level, _ in chinese]


@pytest.mark.parametrize("name", IN_CHINESE)
def test_both_languages_have_the_same_commands(name: str) -> None:
    """Diagrams and names of objects may be in words."""

    def commands(name: str) -> list[tuple[str, str, str, str]]:
        return [(b.kind, b.code if b.kind else "", b.not_run, b.run_by) for b in read_blocks(name)]

    assert commands(name) == commands(chinese_of(name))


def by_section(name: str, pattern: re.Pattern[str]) -> list[list[str]]:
    """What is found in each section, but for the hints, which tests of their own compare."""
    codes = "|".join(row["code"] for row in load_file(ROOT / "schemas" / "errors.yaml")["ours"])
    body = re.sub(rf"^(\| `(?:{codes})` \|).*$", r"\1", prose(name), flags=re.MULTILINE)
    parts = re.split(r"^##+ .*$", body, flags=re.MULTILINE)
    return [sorted(set(pattern.findall(part))) for part in parts]


def place(link: str) -> str:
    """Where a link leads in either language. A section has another name in the other language;
    the other language of the page itself, and a picture in it, count as the same place."""
    path, _, part = link.replace(".zh.", ".").partition("#")
    has_both = not path or path.rpartition("/")[2] in {one.rpartition("/")[2] for one in IN_CHINESE}
    return path if has_both or not part else f"{path}#{part}"


@pytest.mark.parametrize("name", IN_CHINESE)
def test_both_languages_link_to_the_same_places_in_each_section(name: str) -> None:
    english, chinese = (by_section(one, LINK) for one in (name, chinese_of(name)))
    assert [sorted(map(place, part)) for part in chinese] == [
        sorted(map(place, part)) for part in english
    ]


@pytest.mark.parametrize("name", IN_CHINESE)
def test_a_chinese_page_links_to_chinese_pages(name: str) -> None:
    """But for its first lines, which lead to the other language."""
    body = prose(chinese_of(name)).partition("· 中文")[2]
    english = {one.rpartition("/")[2] for one in IN_CHINESE}
    assert [
        link for link in LINK.findall(body) if link.partition("#")[0].rpartition("/")[2] in english
    ] == []


@pytest.mark.parametrize("name", IN_CHINESE)
def test_both_languages_name_the_same_code_in_each_section(name: str) -> None:
    assert by_section(name, CODE) == by_section(chinese_of(name), CODE)
    assert sum(map(len, by_section(name, CODE))) > 20


@pytest.mark.parametrize("name", IN_CHINESE)
def test_a_chinese_paragraph_is_one_line(name: str) -> None:
    """A browser draws a line break between two Chinese characters as a space."""
    lines = prose(chinese_of(name)).splitlines()
    text = re.compile(r"\w|[“《（*`\[]")
    broken = [
        line
        for line, following in itertools.pairwise(lines)
        if line and text.match(following) and not re.match(r"#|\d+\. |\* |\|", following)
    ]
    assert broken == []


@pytest.mark.parametrize("name", IN_CHINESE)
def test_bold_text_is_bold_in_chinese(name: str) -> None:
    """Between punctuation and a character without a space, `**` is no mark but text."""
    rendered = MarkdownIt("commonmark").enable("table").render(prose(chinese_of(name)))
    shown = re.sub(r"<code>.*?</code>", "", rendered)
    assert re.findall(r".{0,20}\*\*.{0,20}", shown) == []


def test_the_chinese_table_of_our_error_codes_is_that_of_the_system() -> None:
    own = load_file(ROOT / "schemas" / "errors.yaml")["ours"]
    wanted = [
        [f"`{row['code']}`", "是" if row["retryable"] else "否", row["hint_zh"]] for row in own
    ]
    part = text("docs/operations.zh.md").partition("\n## 本系统自己的错误码\n")[2]
    rows = list(cells(part.partition("\n## ")[0]))
    assert [[code, again, hint] for code, _, again, hint in rows] == wanted


def test_the_readme_is_short_and_begins_with_two_commands() -> None:
    first, second, *_ = read_blocks("README.md")
    assert [(one.kind, one.body) for one in (first, second)] == [
        ("sh", "make demo\n"),
        ("sh", "make test\n"),
    ]
    assert len(text("README.md").split()) < MOST_WORDS


def test_pictures_are_small() -> None:
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    assert pictures
    assert {
        path.name: path.stat().st_size for path in pictures if path.stat().st_size > MOST_BYTES
    } == {}


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_every_block_is_run_or_says_why_not(name: str) -> None:
    found = [
        f"{block.where}: no test runs a block of {block.kind or 'no kind'}; give it a kind of"
        f" {', '.join(sorted(RUN_ON_LAPTOP))}, or write <!-- not run: REASON --> above it"
        for block in read_blocks(name)
        if not block.is_marked and block.kind not in RUN_ON_LAPTOP
    ]
    assert not found


def test_what_runs_a_block_holds_its_commands_or_names_its_document() -> None:
    named = [block for name in WITH_BLOCKS for block in read_blocks(name) if block.run_by]
    assert len(named) > 3
    assert [block.where for block in named if not is_run_by(block, text(block.run_by))] == []


def is_run_by(block: Block, program: str) -> bool:
    """A script holds the block's commands; a test reads the document and so names it: the English
    one, whose commands the Chinese one has too."""
    if block.run_by.endswith(".py"):
        return block.document.replace(".zh.", ".") in program
    return set(block.code.splitlines()) <= {line.strip() for line in program.splitlines()}


def test_a_mark_counts_for_the_block_right_below_it() -> None:
    page = """
<!-- not run: a reason -->
```sh
one
```

```sh
two
```

* <!-- run by: .ci/run -->
  ```sh
  three
  ```

<!-- not run, sql: no server -->

    four

Text.

```sql
five
```
<!-- not run: text between -->
Text.
```sh
six
```
"""
    marks = {one.code: (one.not_run, one.run_by) for one in blocks_of("page.md", page)}
    assert marks == {
        "one": ("a reason", ""),
        "two": ("", ""),
        "three": ("", ".ci/run"),
        "four": ("", ""),
        "five": ("no server", ""),
        "six": ("", ""),
    }


def test_what_runs_a_block_is_found_by_whole_lines() -> None:
    block = Block("page.md", 1, "sh", "make test  # all of them\n", run_by=".ci/run")
    assert is_run_by(block, "set -e\nmake test\n")
    assert not is_run_by(block, "# page.md: make test\nmake test-all\n")


def first_column(name: str, heading: str) -> list[str]:
    """The code in the first cells of the tables of a section."""
    section = text(name).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_the_tables_of_job_files_are_complete() -> None:
    schema = yaml.safe_load(text("schemas/job.schema.yaml"))
    options, catalogue = schema["properties"]["job"]["properties"], load_catalogue()
    models = [one.name for one in catalogue.models() if one.snapshot_of is None]
    told = first_column("docs/jobfiles.md", "Write one")
    assert told[: len(options)] == list(options)
    assert sorted(told[len(options) :]) == sorted(models)
    assert sorted(first_column("docs/jobfiles.md", "Results")) == sorted(STATES)


def test_the_table_of_endpoints_is_complete() -> None:
    paths = yaml.safe_load(text("schemas/http/openapi.yaml"))["paths"]
    described = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if method in ("get", "post", "put")
    }
    assert set(first_column("docs/http.md", "Endpoints")) == described


def test_the_table_of_commands_is_complete() -> None:
    listed = first_column("docs/cli.md", "Commands")
    assert sorted(listed) == sorted(f"wanx {name}" for name in wanx.commands)


def test_comments_alone_may_differ() -> None:
    """The comparison sees what is typed, and nothing of what is said about it."""

    def code(body: str) -> str:
        return Block("page.md", 1, "sh", body).code

    assert code("make up   # front\n") == code("make up # 前台\n")
    assert code("make up\n") != code("make test\n")
    assert "$schema" in code("# yaml-language-server: $schema=job.schema.json")
