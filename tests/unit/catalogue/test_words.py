"""Every message that a person reads is there in Chinese, and the words' file holds no others."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from shared.catalogue.files import SCHEMAS, load_file
from shared.catalogue.words import FILE, Template, Words, chinese, in_chinese, with_chinese
from tests.kit.messages import in_code, in_schemas, is_sentence, literals_of

SAID = (
    "shared/jobfile",
    "shared/catalogue/yaml_reader.py",
    "shared/catalogue/plain.py",
    "shared/catalogue/models.py",
    *(f"shared/api/jobs_api/{name}.py" for name in ("access", "actions", "admin", "carried")),
    *(f"shared/api/jobs_api/{name}.py" for name in ("changes", "filters", "jobs", "json_body")),
    *(f"shared/api/jobs_api/{name}.py" for name in ("problems", "taking", "uploads", "webhooks")),
    "shared/api/ownership.py",
    *(f"shared/jobs/{name}.py" for name in ("adopt", "cancel", "collect", "idempotency", "images")),
    *(f"shared/jobs/{name}.py" for name in ("calls", "input_urls", "manifest", "retry", "rebuilt")),
    "shared/jobs/clashes.py",
    "shared/ledger/codec.py",
    "shared/modelstudio/answers.py",
    "shared/modelstudio/calls.py",
    "shared/modelstudio/download.py",
    "local/supervise.py",
    "local/up.py",
    "local/up_settings.py",
)
"""Where messages are made that people read."""
MADE_ELSEWHERE = {
    # How lists of messages are put together, by `join`.
    "{*one} or {*other}",
    "{*one} and {*other}",
    "{*one}; {*other}",
    # What `counted` of the command line makes, and what is too much in a file.
    "{#n} job",
    # What Falcon answers by itself.
    "400 Bad Request",
    "404 Not Found",
    "405 Method Not Allowed",
    "406 Not Acceptable",
    "413 Content Too Large",
    "500 Internal Server Error",
    "503 Service Unavailable",
}
NO_MESSAGES = {
    # What libraries say, by which our own words are found.
    "could not find expected ':'",
    "mapping values are not allowed",
    "cannot start any token",
    "found unexpected end of stream",
    "expected node content",
    "expected key",
    "expected <block end>",
    "Expecting property name",
    "Expecting value",
    "Extra data",
    "Unterminated string",
    "Invalid control character",
    "Illegal trailing comma",
    # How the laptop cloud's servers are told apart and followed.
    "\\S+ ready (http\\S+)\\s*",
    "log of {}",
    "in use",
    "wanx up",
    "wanx up: {}",
    # Errors that another one takes the place of.
    " (and {} more)",
    "cut off",
    "a box shorter than its own header",
    "no box {}",
    "too many pixels",
    "negative position",
    "an image without pixels",
    "no WEBP frame header",
    "too long",
    # Forms, not sentences.
    "data:{media type};base64,{data}",
    "{},… ({} characters)",
    "{}… ({} characters)",
}


def _words() -> Mapping[str, str]:
    words: Mapping[str, str] = load_file(SCHEMAS / FILE)
    return words


def test_every_message_of_the_code_has_chinese_words() -> None:
    known = {literals_of(text) for text in _words()}
    found = {"{}".join(literals): place for literals, place in _sentences().items()}
    missing = {
        place: text
        for text, place in found.items()
        if text not in NO_MESSAGES and tuple(text.split("{}")) not in known
    }
    assert not missing


def _sentences() -> dict[tuple[str, ...], str]:
    return {literals: place for literals, place in in_code(*SAID).items() if is_sentence(literals)}


def test_every_message_of_the_schemas_that_a_job_can_meet_has_chinese_words() -> None:
    known = {literals_of(text) for text in _words()}
    texts = {text for path in SCHEMAS.rglob("*.yaml") for text in _shown(load_file(path))}
    assert not {text for text in texts if (text,) not in known}


def _shown(value: object) -> set[str]:
    """Reasons, remarks and forms of values, which become part of violations and notices."""
    if isinstance(value, list):
        return {text for item in value for text in _shown(item)}
    if not isinstance(value, dict):
        return set()
    own = [value.get(key) for key in ("reason", "x-expected", "notice")]
    return {text for text in own if isinstance(text, str)} | _shown(list(value.values()))


def test_no_two_messages_are_told_apart_by_their_places_alone() -> None:
    assert len({literals_of(text) for text in _words()}) == len(_words())


def test_no_words_are_left_of_a_message_that_nobody_makes() -> None:
    made = {*in_code("shared", "cli", "clients", "local"), *in_schemas()}
    left = {text for text in _words() if literals_of(text) not in made}
    assert left <= MADE_ELSEWHERE


@pytest.mark.parametrize("text", _words(), ids=lambda text: text[:40])
def test_words_have_the_places_of_their_message_and_are_found_by_it(text: str) -> None:
    said = _words()[text]
    template, other = Template.of(text), Template.of(said)
    assert len(set(template.names)) == len(template.names)
    assert set(other.names) == set(template.names) and not other.inner | other.numbers
    assert re.search(r"[\u4e00-\u9fff]", said) or not re.search(r"[a-z]{3}", _around(other))
    marks = {name: f"\N{CIRCLED DIGIT ONE}{at}" for at, name in enumerate(template.names)}
    marks |= {name: f"7{at}" for at, name in enumerate(template.names) if name in template.numbers}
    assert chinese(_fill(template, marks)) == in_chinese(_fill(template, marks))
    found = (chinese(_fill(template, marks)) or "").replace(" ", "")
    assert found == _fill(other, marks).replace(" ", "")


def _around(template: Template) -> str:
    return " ".join(template.literals)


def _fill(template: Template, values: Mapping[str, str]) -> str:
    pieces = [template.literals[0]]
    for name, literal in zip(template.names, template.literals[1:], strict=True):
        pieces += [values[name], literal]
    return "".join(pieces)


def test_messages_inside_a_message_are_said_in_chinese_too() -> None:
    text = "at /input: the key `prompt` is missing; add it, a text of at most 800 characters"
    said = "/input：缺少必填的键 `prompt`；请添加，应为不超过 800 个字符的文本"
    assert chinese(text) == said


def test_what_a_stranger_wrote_stays_as_it_is() -> None:
    words = Words({"`{name}` is not known": "没有 `{name}`", "a text": "文本"})
    assert words.say("`a text` is not known") == "没有 `a text`"


def test_a_message_without_words_stays_english() -> None:
    assert chinese("the moon is made of cheese") is None
    assert in_chinese("the moon is made of cheese") == "the moon is made of cheese"


def test_a_message_that_quotes_too_much_stays_english() -> None:
    assert chinese(f"at /{'x' * 5000}: this is empty; write a text") is None


def test_a_message_of_a_thousand_messages_is_not_followed_to_its_end() -> None:
    words = Words({"{*one}; {*other}": "{one}；{other}", "a text": "文本"})
    assert words.say("; ".join(["a text"] * 3)) == "文本；文本；文本"
    assert words.say("; ".join(["a text"] * 400)) is None


def test_both_languages_stand_side_by_side() -> None:
    both = with_chinese(
        {"pointer": "/input/n", "message": "at /input/n: this is empty; write a text"}
    )
    assert both["message_zh"] == "/input/n：内容为空；应为文本"
    assert both["message"] == "at /input/n: this is empty; write a text"
    assert "expected_zh" not in both
