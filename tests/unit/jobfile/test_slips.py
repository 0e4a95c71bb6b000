"""Slips are told at the line where they are, with the cure that works."""

from __future__ import annotations

import pytest

from tests.kit.jobfile import EDIT, checked_yaml, first, only

HEAD = f"model: {EDIT}\ninput:\n"
IMAGES = "  images: ['https://example.com/a.png']\n"


@pytest.mark.parametrize(
    ("text", "name", "line", "words"),
    [
        (f"{HEAD}  prompt：一只猫\n{IMAGES}", "a.yaml", 3, "full-width colon"),
        (f"```yaml\n{HEAD}  prompt: x\n{IMAGES}```\n", "a.yaml", 1, "remove the lines with ```"),
        ('```json\n{"model": "x"}\n```\n', "a.json", 1, "remove the lines with ```"),
        (f"{HEAD}  prompt: 'it's a cat'\n{IMAGES}", "a.yaml", 3, "twice ('')"),
        (f"{HEAD}  prompt: x\nparameters: {{size: *1024}}\n", "a.yaml", 4, "1024*1024"),
        (f"{HEAD}  prompt: *cat\n", "a.yaml", 3, "begins with * in quotes"),
        ("model: x\n input: {}\n", "a.yaml", 2, "`input` is indented deeper than the value above"),
        (f"{HEAD}  prompt: a: cat\n{IMAGES}", "a.yaml", 3, "put the text in quotes"),
        (f"{HEAD}  prompt: a cat\n    and: a: dog\n", "a.yaml", 4, "`and` is indented deeper"),
    ],
)
def test_a_slip_is_told_where_it_is(text: str, name: str, line: int, words: str) -> None:
    violation = first(text, name)
    assert violation.line == line
    assert words in violation.message


def test_a_text_like_a_slip_is_not_blamed_for_another_mistake() -> None:
    text = f"{HEAD}  prompt: |\n    note：it's\n    ```\n  prompt: x\n"
    assert "written twice" in first(text).message


def test_a_job_whose_colons_are_all_full_width_is_told() -> None:
    violation = only(checked_yaml(f"model： {EDIT}\ninput：\n  prompt： x\n").violations)
    assert "full-width" in violation.message


@pytest.mark.parametrize("text", ["hello", "12", "true"])
def test_what_is_not_a_job_is_told_what_a_job_is(text: str) -> None:
    violation = only(checked_yaml(text).violations)
    assert "the keys `model` and `input`; `wanx init MODEL` writes one" in violation.message


def test_mistyped_keys_are_named_beside_a_mistyped_model() -> None:
    text = f"model: {EDIT[:-3]}\ninput:\n  promt: x\n  other: y\nparameters: {{zeed: 1, n: 1}}\n"
    found = [(one.line, one.pointer, one.message) for one in checked_yaml(text).violations]
    assert found == [
        (1, "/model", f"at /model: this model is not known; did you mean {EDIT}?"),
        (3, "/input/promt", f"at /input/promt: {EDIT} has no key `promt`; did you mean `prompt`?"),
        (
            5,
            "/parameters/zeed",
            f"at /parameters/zeed: {EDIT} has no key `zeed`; did you mean `seed`?",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "pointer", "words"),
    [
        (f"{HEAD}  prompt: 2024\n{IMAGES}", "/input/prompt", 'in quotes: "2024"'),
        (f"{HEAD}  prompt: x\n{IMAGES}job: {{id: 12345}}\n", "/job/id", 'in quotes: "12345"'),
    ],
)
def test_a_number_that_is_meant_as_text_belongs_in_quotes(
    text: str, pointer: str, words: str
) -> None:
    violation = only(checked_yaml(text).violations)
    assert violation.pointer == pointer
    assert words in violation.message


def test_the_sample_of_a_document_is_taken_with_a_notice() -> None:
    found = checked_yaml(f'{HEAD}  prompt: x\n{IMAGES}parameters: {{seed: "12345"}}\n')
    assert found.spec is not None
    assert found.spec.parameters["seed"] == 12345
    notice = only(found.notices)
    assert (notice.pointer, notice.line) == ("/parameters/seed", 5)
    assert "sent as 12345" in notice.message
