"""From the bytes of a job file to its documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.catalogue.plain import Bounds, Capped, Problem, TextUnreadable
from shared.jobfile.document import CUSTOM_ID, Document, Lines, is_batch_line
from shared.jobfile.findings import Unreadable, Violation, counted, short_pointer

_SOURCE = "job file format"
SUFFIXES = (".yaml", ".yml", ".json", ".jsonl")


@dataclass(frozen=True)
class ParseLimits:
    """How much a job file may hold. `bytes` is the file's size, the rest counts per file."""

    bytes: int = 16 * 1024 * 1024
    documents: int = 1000
    depth: int = 64
    nodes: int = 100_000
    aliases: int = 100

    def bounds(self) -> Bounds:
        return Bounds(self.documents, self.depth, self.nodes, self.aliases, self.bytes)


def _refuse(expected: str, found: str, message: str, line: int | None = None) -> Unreadable:
    return Unreadable((Violation("", line, expected, found, message, _SOURCE),))


def parse(body: bytes, name: str, limits: ParseLimits | None = None) -> list[Document]:
    """The documents of a job file, at least one.

    The format follows from the suffix of `name`: .yaml and .yml (documents split by `---`), .json
    (an object or a list of objects), .jsonl (an object a line). Raises Unreadable, nothing else.
    """
    limits = limits or ParseLimits()
    suffix = _suffix(name)
    text = _text(body, limits)
    try:
        documents = _READERS[suffix](text, limits)
    except TextUnreadable as error:
        slip = _slip(text, error.problems[0])
        found = (*slip, *(_violation(one) for one in error.problems[len(slip) :]))
        raise Unreadable(counted(found, error.more)) from None
    if not documents:
        raise _refuse("at least one job", "none", "the file holds no job; write one job per file")
    if len(documents) > limits.documents:
        message = (
            f"the file holds {len(documents)} jobs; at most {limits.documents} are read, split it"
        )
        raise _refuse(f"at most {limits.documents} jobs", f"{len(documents)} jobs", message)
    twice: Capped[Violation] = Capped()
    twice.extend(_same_custom_ids(documents))
    if twice.kept:
        raise Unreadable(counted(twice.kept, twice.more))
    return documents


def _same_custom_ids(documents: Sequence[Document]) -> Iterator[Violation]:
    """Batch lines with the custom_id of an earlier one: nobody could tell their results apart, and
    a line that stands there twice by mistake would be paid twice."""
    lines = [one for one in documents if is_batch_line(one.value)]
    seen = set[str]()
    for one in lines:
        own = one.value[CUSTOM_ID]
        if isinstance(own, str) and own in seen:
            line = one.line(f"/{CUSTOM_ID}")
            message = (
                f"line {line}: the custom_id `{own[:80]}` is that of an earlier line as well; give"
                " each line its own"
            )
            expected = "a custom_id that no other line has"
            yield Violation(f"/{CUSTOM_ID}", line, expected, "", message, _SOURCE)
        elif isinstance(own, str):
            seen.add(own)


def _suffix(name: str) -> str:
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix):
            return suffix
    message = f"the file name must end with one of {', '.join(SUFFIXES)}; rename the file"
    raise _refuse(" or ".join(SUFFIXES), repr(name[-40:]), message)


def _text(body: bytes, limits: ParseLimits) -> str:
    if len(body) > limits.bytes:
        message = f"the file has {len(body)} bytes; at most {limits.bytes} are read, split the file"
        raise _refuse(f"at most {limits.bytes} bytes", f"{len(body)} bytes", message)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(body, error) from None
    if not text.strip():
        raise _refuse("a job", "nothing", "the file is empty; write a job into it")
    return text


def _not_utf8(body: bytes, error: UnicodeDecodeError) -> Unreadable:
    line = body.count(b"\n", 0, error.start) + 1
    message = f"byte {error.start + 1} of the file is not UTF-8 text; save the file as UTF-8"
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        message = "the file is UTF-16 text; save it as UTF-8"
    return _refuse("UTF-8 text", f"byte 0x{body[error.start]:02x}", message, line)


def _slip(text: str, problem: Problem) -> tuple[Violation, ...]:
    from shared.jobfile.slips import slip_in  # for a text that cannot be read

    ends_here = problem.expected.startswith("well-formed") and problem.line
    found = slip_in(text, problem.line, problem.column) if ends_here else None
    if found is None or found[0] > (problem.line or 0):
        return ()
    return (Violation("", found[0], problem.expected, "", found[1], _SOURCE),)


def _violation(problem: Problem) -> Violation:
    message = f"the file: {problem.message}"
    if problem.line and problem.column:
        message = f"line {problem.line}, column {problem.column}: {problem.message}"
    elif problem.line:
        message = f"line {problem.line}: {problem.message}"
    pointer = short_pointer(problem.pointer)
    return Violation(pointer, problem.line, problem.expected, "", message, _SOURCE)


def _yaml(text: str, limits: ParseLimits) -> list[Document]:
    from shared.catalogue.yaml_reader import read_documents  # PyYAML, for those who write YAML

    bounds = limits.bounds()
    values = read_documents(text, bounds)

    def work_out() -> list[dict[str, int]]:
        lines: list[dict[str, int]] = []
        read_documents(text, bounds, lines)
        return lines

    lines = Lines(work_out)
    kept = [(place, value) for place, value in enumerate(values) if value is not None]
    return [Document(index, value, lines, place) for index, (place, value) in enumerate(kept)]


def _json(text: str, limits: ParseLimits) -> list[Document]:
    from shared.jobfile.json_reader import places, read_json  # for those who write JSON

    value = read_json(text, limits.bounds())
    lines = Lines(lambda: [{place.pointer: place.line for place in places(text)}])
    if not isinstance(value, list):
        return [Document(0, value, lines)]
    return [Document(i, item, lines, 0, f"/{i}") for i, item in enumerate(value)]


def _jsonl(text: str, limits: ParseLimits) -> list[Document]:
    from shared.jobfile.json_reader import places, read_json_lines

    numbered = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(numbered) > limits.documents:
        message = f"the file holds {len(numbered)} jobs; at most {limits.documents}; split the file"
        raise _refuse(f"at most {limits.documents} jobs", f"{len(numbered)} jobs", message)
    values = read_json_lines(numbered, limits.bounds())

    def work_out() -> list[dict[str, int]]:
        return [{place.pointer: place.line for place in places(line, n)} for n, line in numbered]

    lines = Lines(work_out)
    return [Document(index, value, lines, index) for index, value in enumerate(values)]


_READERS = {".yaml": _yaml, ".yml": _yaml, ".json": _json, ".jsonl": _jsonl}
