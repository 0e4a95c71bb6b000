"""What a lifecycle rule must be beyond its form (documents.yaml), as oss2's own tests show it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from local.oss import xml
from local.oss.errors import OssError, invalid_argument

_FROM_WARM_TO_COLD = ("IA", "Archive", "ColdArchive", "DeepColdArchive")
_WHEN = ("Days", "CreatedBeforeDate", "Date")


def check(root: xml.Element) -> None:
    """Check the rules of a LifecycleConfiguration; raises OssError 400.

    Each has an ID of its own, counts days or names dates, and moves objects to colder classes
    before it deletes them. The service sets no order for dates.
    """
    names = [node.text for node in root.findall("Rule/ID") if node.text]
    if len(set(names)) < len(names):
        raise invalid_argument("Two lifecycle rules have the same ID; each needs its own.")
    for number, rule in enumerate(root.findall("Rule"), 1):
        _check_rule(rule, f"Rule[{number}]")


def _check_rule(rule: xml.Element, where: str) -> None:
    acts = [*rule.findall("Transition"), *rule.findall("Expiration")]
    forms = {part.tag == "Days" for act in acts for part in act if part.tag in _WHEN}
    if len(forms) > 1:
        text = f"{where} counts days and names dates; expected one of the two."
        raise OssError(400, "InvalidRequest", text)
    for (earlier, days), (later, then) in pairwise(_days(rule)):
        if then <= days:
            text = f"{where}: {later} comes after {then} days, {earlier} after {days}"
            raise invalid_argument(f"{text}; expected {later} to come later.")


def _days(rule: xml.Element) -> Iterator[tuple[str, int]]:
    """Yield what the rule does after how many days, in the order that is expected."""
    by_class = {xml.text_of(act, "StorageClass"): act for act in rule.findall("Transition")}
    acts = [(name, by_class[name]) for name in _FROM_WARM_TO_COLD if name in by_class]
    for name, act in [*acts, *(("Expiration", act) for act in rule.findall("Expiration"))]:
        days = xml.text_of(act, "Days", "")
        if days:
            yield name, int(days)
