"""Whether a job that is written with `messages`, as the service takes it, has one that can be read.

Only the frame is looked at: text and images are checked as those of any other job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalogue.models import MessagesForm, Model
from shared.catalogue.plain import Plain, escape
from shared.catalogue.wire import CONTENT, MESSAGES
from shared.jobfile.findings import Findings

_ONE = "one message, {role: user, content: [...]}"


def check_messages(
    job: Mapping[str, Any], model: Model, form: MessagesForm, found: Findings
) -> bool:
    """Reports what is wrong with the frame; whether nothing is."""
    return _Frame(model, form, found).check(job["input"])


@dataclass
class _Frame:
    model: Model
    form: MessagesForm
    found: Findings
    sound: bool = True

    def check(self, given: Mapping[str, Any]) -> bool:
        self._check_beside(given)
        messages = given["messages"]
        if not isinstance(messages, list):
            self._violate(MESSAGES, "a list of one message", messages, f"write a list of {_ONE}")
        elif not messages:
            self._violate(MESSAGES, _ONE, messages, f"there is no message; write {_ONE}")
        else:
            self._check_number(messages)
            self._check_message(messages[0])
        return self.sound

    def _check_beside(self, given: Mapping[str, Any]) -> None:
        """`messages` stands for all of the flat form."""
        for name in given:
            if name == "messages" or self.found.full(skipped=1):
                continue
            if name in self.form.parameters:
                what = f"beside messages, `{name}` belongs under `parameters`; move it there"
            elif name in self.model.input_schema["properties"]:
                what = f"`{name}` and messages say the same in two ways; remove one of the two"
            else:
                what = f"the key `{name[:60]}` is not known beside messages; remove it"
            self._violate(f"/input/{escape(name)}", "messages alone", given[name], what)

    def _check_number(self, messages: list[Plain]) -> None:
        if len(messages) > 1:
            what = f"there are {len(messages)} messages, and the service takes one; keep one"
            self._violate(MESSAGES, _ONE, messages, what)

    def _check_message(self, message: Plain) -> None:
        place = f"{MESSAGES}/0"
        if not isinstance(message, dict):
            self._violate(place, _ONE, message, f"this is no message; write {_ONE}")
            return
        self._check_keys(place, message, ("role", "content"))
        if message.get("role") != "user":
            role = message.get("role")
            shown = "" if "role" in message else "nothing"
            self._violate(f"{place}/role", "user", role, "the role must be user", shown)
        content = message.get("content")
        if isinstance(content, list):
            self._check_content(content)
        else:
            shown = "" if "content" in message else "nothing"
            what = f"write a list, {self._example()}"
            self._violate(CONTENT, f"a list, {self._example()}", content, what, shown)

    def _check_content(self, content: list[Plain]) -> None:
        for index, item in enumerate(content):
            self._check_item(f"{CONTENT}/{index}", item)
        texts = list(self._texts(content))
        if not texts:
            what = "there is no text; add one item {text: ...}"
            self._violate(CONTENT, "exactly one text", content, what)
        for index in texts[1:]:
            what = "a second text, and the service takes exactly one; put all into one"
            self._violate(f"{CONTENT}/{index}", "exactly one text", content[index], what)

    def _texts(self, content: list[Plain]) -> Iterator[int]:
        return (i for i, item in enumerate(content) if isinstance(item, dict) and "text" in item)

    def _check_item(self, place: str, item: Plain) -> None:
        kinds = ("text", "image")
        if not isinstance(item, dict):
            what = f"an item of content is a mapping; write {self._example()}"
            self._violate(place, "{text: ...} or {image: ...}", item, what)
            return
        self._check_keys(place, item, (*kinds, *_type_of(item)))
        if len(item.keys() & set(kinds)) != 1:
            what = "write {text: ...} or {image: ...}, each as an item of its own"
            self._violate(place, "either text or image", item, what)
        elif "image" in item and self.form.images is None:
            what = f"{self.model.name} takes no images; remove this item"
            self._violate(place, "{text: ...}", item, what)

    def _check_keys(self, place: str, value: Mapping[str, Any], known: tuple[str, ...]) -> None:
        expected = f"{' and '.join(known)} alone"
        for name in value:
            if name not in known and not self.found.full(skipped=1):
                listed = " and ".join(known)
                what = f"the key `{name[:60]}` is not known here; remove it (known: {listed})"
                self._violate(f"{place}/{escape(name)}", expected, value[name], what)

    def _example(self) -> str:
        return "[{text: ...}]" if self.form.images is None else "[{image: ...}, {text: ...}]"

    def _violate(self, place: str, expected: str, value: Plain, what: str, shown: str = "") -> None:
        self.sound = False
        self.found.violate(place, expected, value, what, self.model.title, shown)


def _type_of(item: Mapping[str, Any]) -> tuple[str, ...]:
    """The key `type` where it says what the item is, as its other key does: answers of the service
    have it, and so have programs that send them back."""
    return ("type",) if item.get("type") in ("text", "image") and item["type"] in item else ()
