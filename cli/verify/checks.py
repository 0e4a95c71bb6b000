"""The checks that cost nothing. Each returns what was seen, or raises Otherwise or Untried.

A check may raise StoreError and requests' errors too, which mean that it could not be made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cli.bucket_checks import SKEW_SECONDS, Bad, clock
from cli.verify.facts import Otherwise, Untried
from cli.verify.paid import PAID
from cli.verify.trial import Trial
from shared.poller.alarm import EARLY
from shared.poller.inside import CALL, DONE, FORBIDDEN, KEY, MISSING
from shared.storage import layout

Check = Callable[[Trial], str]

ODD_NAMES = ("a", "a b", "a%20b", "a+b", "a-b", "a/b", "aC", "ab", "a~", *"é中\uff5e🐈")
"""In byte order of UTF-8, which neither a dictionary's nor UTF-16's order is."""
ODD_KEY = "a+b %25 c%2Bd 中文.txt"
ARRIVES_SECONDS = 90.0
"""Longest wait for an event; a cold start is a matter of seconds."""
LATEST = 60.0
"""Longest wait for a delayed call after its moment."""
FROM_PLATFORM = ("access-key-id", "access-key-secret", "request-id", "security-token")
PAGE = "text/html"


def _versioning(trial: Trial) -> str:
    status = trial.store.versioning()
    if status:
        raise Otherwise(f"versioning is {status}.")
    return "there never was any."


def _put_if_absent(trial: Trial) -> str:
    key = f"{trial.folder}absent"
    first, second = (trial.store.create(key, body).created for body in (b"first", b"second"))
    if not first:
        raise Untried(f"{key} exists already; run again.")
    if second:
        raise Otherwise("the second PUT replaced the object.")
    return "the second was refused: 409 FileAlreadyExists."


def _list_order(trial: Trial) -> str:
    folder = f"{trial.folder}list/"
    keys = [f"{folder}{name}" for name in ODD_NAMES]
    for key in reversed(keys):
        trial.store.put(key, b"")
    _same("after the PUTs", [one.key for one in trial.store.list(folder)], keys)
    _same("after a key", [one.key for one in trial.store.list(folder, after=keys[2])], keys[3:])
    trial.store.delete(keys[1])
    _same("after a DELETE", [one.key for one in trial.store.list(folder)], [keys[0], *keys[2:]])
    return f"{len(keys)} keys in byte order at once, and one less after the DELETE."


def _same(when: str, found: list[str], wanted: list[str]) -> None:
    if found != wanted:
        lost = len(set(wanted) - set(found))
        order = "in another order" if sorted(found) == sorted(wanted) else f"{lost} missing"
        raise Otherwise(f"{when} the LIST showed {len(found)} of {len(wanted)} keys, {order}.")


def _clocks(trial: Trial) -> str:
    try:
        ours = clock(trial.bucket)
    except Bad as error:
        raise Otherwise(str(error)) from None
    try:
        seen = trial.seen
    except Untried:
        return f"this computer's is {ours}; poll's could not be asked."
    skew = float(seen["now"]) - float(seen["store_now"])
    if abs(skew) > SKEW_SECONDS:
        raise Otherwise(f"poll's clock is {skew:+.0f} s from the store's.")
    return f"this computer's is {ours}, poll's within {max(1.0, abs(skew)):.0f} s."


def _role_missing(trial: Trial) -> str:
    seen = trial.seen
    if seen["listed"] == DONE:
        raise Untried("the role of poll may list state/tasks/; see role-limits.")
    if seen["missing"] != MISSING:
        raise Otherwise(f"reading it: {seen['missing']}.")
    return "404, for a role that may not list."


def _role_limits(trial: Trial) -> str:
    seen = trial.seen
    wide = [
        what
        for what, came in (("list state/tasks/", "listed"), ("read dead/", "foreign"))
        if seen[came] != FORBIDDEN
    ]
    if wide:
        raise Otherwise(f"the role may {' and '.join(wide)}.")
    return "it created the object, and was refused the rest."


def _put_if_absent_inside(trial: Trial) -> str:
    if trial.seen["twice"]:
        raise Otherwise("the second PUT replaced the object.")
    return "the second was refused."


def _kms(trial: Trial) -> str:
    seen = trial.seen
    if not seen["secret"]:
        raise Untried("DASHSCOPE_API_KEY_SECRET is not set; the key is in the settings.", True)
    if seen["key_trouble"]:
        raise Otherwise(str(seen["key_trouble"]))
    return f"secret {seen['secret']} was read."


def _event_keys(trial: Trial) -> str:
    trial.seen  # noqa: B018 - an older poll would take the event for a call to work
    key = f"{layout.WAKE_LOOK}{trial.run}-{ODD_KEY}"
    trial.store.put(key, b"")
    note = trial.await_note(KEY, ARRIVES_SECONDS)
    if note is None:
        _poll_is_free(trial)
        raise Otherwise(f"no event within {ARRIVES_SECONDS:.0f} s; look at poll's trigger wake.")
    if note["key"] != key:
        raise Otherwise(f"the event named {note['key']!r} instead of {key!r}.")
    return f"{key!r} came as it is."


def _runtime(trial: Trial) -> str:
    seen = _platform(trial)
    lacking = [name for name in FROM_PLATFORM if name not in seen["headers"]]
    if lacking:
        raise Otherwise(f"x-fc-{', x-fc-'.join(lacking)} did not come with the request.")
    return f"{len(seen['headers'])} headers, the role's keys among them; Python {seen['python']}."


def _foreign_headers(trial: Trial) -> str:
    name = f"look-{trial.run}"
    if name in _platform(trial, **{f"x-fc-{name}": "1"})["headers"]:
        raise Otherwise("the header came through.")
    return "the header did not come through."


def _platform(trial: Trial, **headers: str) -> Mapping[str, Any]:
    answer = trial.api("/runtime", **headers)
    try:
        seen = answer.json()
    except ValueError:
        seen = None
    if answer.status_code == 200 and isinstance(seen, dict) and {"headers", "python"} <= set(seen):
        return seen
    raise Untried(
        f"GET {trial.access.url}/runtime answered HTTP {answer.status_code}; API_TOKEN must be of"
        " scope admin, and this version of api deployed."
    )


def _page(trial: Trial) -> str:
    answer = trial.api("/")
    if answer.status_code != 200 or PAGE not in answer.headers.get("Content-Type", ""):
        raise Untried(f"GET / answered HTTP {answer.status_code} without a page; deploy api.")
    how = answer.headers.get("Content-Disposition", "")
    if how.lower().startswith("attachment"):
        raise Otherwise(f"{trial.access.url} forces a download (Content-Disposition: {how}).")
    return f"{trial.access.url} shows it."


def _delayed_call(trial: Trial) -> str:
    seen = trial.seen
    if seen.get("call_refused"):
        raise Otherwise(f"the call was not accepted: {seen['call_refused']}")
    due = float(seen["due"])
    note = trial.await_note(CALL, max(0.0, due - trial.clock.now()) + LATEST)
    if note is None:
        _poll_is_free(trial)
        raise Otherwise(f"it did not come within {LATEST:.0f} s after its moment.")
    late = float(note["came"]) - due
    if late > EARLY:
        _poll_is_free(trial)
    if abs(late) > EARLY:
        raise Otherwise(f"it came {late:+.1f} s from its moment.")
    return f"it came {late:+.1f} s from its moment; POLL_TIMER is {seen['poll_timer']}."


def _poll_is_free(trial: Trial) -> None:
    """Raises Untried while poll works: then events wait for it."""
    if trial.ledger.lease.poller_lives():
        raise Untried("poll is at work; run this when no job waits or runs.")


CHECKS: Mapping[str, Check] = {
    "versioning": _versioning,
    "put-if-absent": _put_if_absent,
    "list-order": _list_order,
    "clock": _clocks,
    "role-missing": _role_missing,
    "role-limits": _role_limits,
    "put-if-absent-inside": _put_if_absent_inside,
    "kms": _kms,
    "event-keys": _event_keys,
    "runtime": _runtime,
    "foreign-headers": _foreign_headers,
    "page": _page,
    "delayed-call": _delayed_call,
    **PAID,
}
"""The check of each fact; the names are those of facts.yaml."""
