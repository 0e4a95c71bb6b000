"""Everything that the command line says is there in Chinese, and its words' file holds no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli import language
from cli.commands.models import described
from cli.help import Context, own_help, pieces
from cli.main import wanx
from shared.catalogue.files import SCHEMAS, load_file
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.words import FILE, Template, Words
from shared.jobs.rebuilt import Rebuilt
from tests.kit.messages import Literals, in_code, is_sentence, leaves, literals_of

SAID = (
    "cli",
    "clients/python/wanx",
    "shared/jobs/erase.py",
    "shared/platform/model_hosts.py",
    "shared/platform/settings.py",
)
"""Where the texts are made that the command line shows, beside those of every front."""
FOR_PROGRAMS = ("cli/commands/assistant/", "cli/commands/schema.py", "cli/sarif.py", "cli/help.py")
"""Texts for assistants, editors and analysers, and how help is put together."""
TABLES = ("cli/verify/facts.yaml", "cli/deployment/steps.yaml")
CLICK = ("core", "decorators", "exceptions", "parser", "types")
ROOT = Path(__file__).resolve().parents[3]
NO_MESSAGES = {
    # Pieces of commands, requests and files.
    "chmod go-w {}",
    "chmod 600 {}",
    '--token "${}"',
    "Bearer {}",
    "model: {}",
    "(variant {})",
    "submissions: {}, per_seconds: {}",
    "concurrent: {}",
    "queue_ahead: {}",
    # By which our own words are found.
    "cannot be read",
    "could not be reached",
    "\N{NULL}not looked at",
    # What only a log says, or nobody can see.
    "where it happened",
    "the last attempt returns or raises",
    # A page that no terminal shows, a file that no model can have.
    "{} is {} after {} s of waiting and goes on; wait again.",
    # Settings of functions alone: no command reads them.
    "{}: set them in s.yaml under environmentVariables (on a laptop, start the functions with "
    "`make up`).",
    "holds the SHA-256 of an empty text, which would let everybody in: the shell that made it had "
    "no TOKEN.",
    'Choose a token, TOKEN=$(openssl rand -hex 24), and hash that: printf %s "$TOKEN" | sha256sum',
    'API_TOKENS must be a JSON list: [{"sha256": "…", "scope": "submit", "prefix": "a-"}].',
    "Token {} of API_TOKENS",
    "{} must be an object of sha256, scope, prefix and webhook.",
    "{}: sha256 must be the token's SHA-256 as 64 hex digits.",
    "{}: sha256 {}",
    "{}: scope must be {} or {}.",
    "{}: prefix must have at most 24 letters, digits, dots, underscores and hyphens, begin with a "
    "letter or digit and end with a dot, underscore or hyphen: team-a-",
    "it must be a text",
    "{}: webhook: {}.",
    "not used",
    "what cannot be read",
    # Shown as a dash.
    "left out",
}
NOUNS = (
    *("job", "file", "violation", "notice", "image", "check", "model", "model file", "object"),
    *("fact", "step", "lifecycle rule", "dead event"),
)
COUNTED = {f"{{#n}} {name}{ending}" for name in NOUNS for ending in ("", "s")}
"""What `counted` makes."""
OF_CLICK = {
    # What Click puts together.
    "Directory {name} does not exist.",
    "Directory {name} is a file.",
    "File {name} does not exist.",
    "File {name} is a directory.",
    "File {name} is not readable.",
    "Missing argument {name}.",
    "Missing option {name}.",
    "{*what} (Did you mean one of: {several}?)",
    "{*what} Choose from:",
    "{value} is not a valid integer.",
}
FORMATTED = {"The bucket has more than {most} jobs, any of which may use the job's pictures."}
"""What str.format fills in."""
WORDS: dict[str, str] = load_file(language.OWN_WORDS)
OTHERS: dict[str, str] = load_file(SCHEMAS / FILE)
KNOWN = {literals_of(text) for text in {**OTHERS, **WORDS}}


def test_every_text_of_the_help_has_chinese_words() -> None:
    assert not [text for text in _help_texts() if _is_text(text) and not _is_said(text)]


def _is_said(text: str) -> bool:
    """Whether there are words for all of a text."""
    return text in WORDS or all(language.chinese(one) for one in language.sentences(text))


def _is_text(text: str) -> bool:
    """Commands to type and numbers are the same in every language."""
    return re.search(r"[a-z]{2}", text) is not None and not text.startswith(("wanx ", "# yaml-"))


def _help_texts() -> set[str]:
    return {text for context in _contexts(wanx, None) for text in _texts(context)}


def _contexts(command: click.Command, parent: click.Context | None) -> Iterator[click.Context]:
    context = Context(command, parent, **command.context_settings)
    yield context
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _contexts(one, context)


def _texts(context: click.Context) -> Iterator[str]:
    command = context.command
    for text in (command.help, command.epilog, command.get_short_help_str(60)):
        yield from pieces(text or "")
    for option in command.get_params(context):
        if record := option.get_help_record(context):
            yield own_help(record[1])[0]


def test_every_message_of_the_command_line_has_chinese_words() -> None:
    missing = {
        place: "{}".join(literals)
        for literals, place in _sentences().items()
        if literals not in KNOWN | {(one,) for one in NOUNS}
        and not (len(literals) == 1 and _is_said(literals[0]))
        and "{}".join(literals) not in NO_MESSAGES
    }
    assert not missing


def _sentences() -> dict[Literals, str]:
    every = {_line(one): at for one, at in in_code(*SAID).items() if "\n" not in "".join(one)}
    helped = {literals_of(text) for text in _help_texts()}
    return {
        one: place
        for literals, place in every.items()
        if not place.startswith(FOR_PROGRAMS) and literals not in helped
        for one in _by_sentence(literals)
        if is_sentence(one) and not _is_row(one)
    }


def _line(literals: Literals) -> Literals:
    """Lines keep their indentation in every language."""
    return (literals[0].lstrip(" "), *literals[1:])


def _by_sentence(literals: Literals) -> list[Literals]:
    """A text as a whole if there are words for that, and else its sentences."""
    if literals in KNOWN:
        return [literals]
    return [tuple(one.split("{}")) for one in language.sentences("{}".join(literals))]


def _is_row(literals: Literals) -> bool:
    """A row of the epilogue, whose columns have words of their own."""
    return "  " in literals[0].strip()


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_of_the_cloud_have_chinese_words(table: str) -> None:
    texts = [text for text in leaves(load_file(ROOT / table)) if is_sentence((text,))]
    sources = {row.get("source") for row in load_file(ROOT / table).get("facts", {}).values()}
    assert not [text for text in texts if text not in sources | COMMANDS and not _is_said(text)]


COMMANDS = {"s foundation deploy -y", "s deploy -y", "a house"}


def test_what_the_models_are_for_and_their_fields_have_chinese_words() -> None:
    texts = {text for model in load_catalogue().models() for text in described(model)}
    assert not [text for text in texts if not _is_said(text)]


def test_no_words_are_left_that_nothing_says_any_more() -> None:
    code = {_line(one) for one in in_code(*SAID, "shared")}
    made = {one for each in code for one in (each, *_by_sentence(each))}
    made |= {literals_of(text) for text in _help_texts()}
    made |= {literals_of(one) for text in _help_texts() for one in language.sentences(text)}
    made |= {literals_of(text) for text in _of_click()}
    made |= {(name.replace("_", " "),) for name in Rebuilt().counts}
    for table in TABLES:
        for text in leaves(load_file(ROOT / table)):
            made |= {literals_of(one) for one in (text, *language.sentences(text))}
    for model in load_catalogue().models():
        for text in described(model):
            made |= {literals_of(one) for one in (text, *language.sentences(text))}
    left = {text for text in WORDS if literals_of(text) not in made}
    assert left <= COUNTED | OF_CLICK | FORMATTED


def _of_click() -> Iterator[str]:
    """What Click says, with the places of str.format as ours."""
    folder = Path(click.__file__).parent
    for name in CLICK:
        for literals in in_code(str(folder / f"{name}.py")):
            text = "".join(literals)
            yield re.sub(r"\{([a-z_]+)(![rs])?\}", r"{\1}", text)


def test_the_two_files_of_words_have_nothing_in_common() -> None:
    assert not set(WORDS) & set(OTHERS)


@pytest.mark.parametrize("text", WORDS, ids=lambda text: text[:40])
def test_words_have_the_places_of_their_message(text: str) -> None:
    template, other = Template.of(text), Template.of(WORDS[text])
    assert set(other.names) == set(template.names) and not other.inner | other.numbers
    assert len(set(template.names)) == len(template.names)
    values = {name: f"7{at}" for at, name in enumerate(template.names)}
    filled = "".join(
        f"{literal}{values.get(name, '')}"
        for literal, name in zip(template.literals, (*template.names, ""), strict=True)
    )
    assert Words({text: WORDS[text]}).say(filled) is not None
