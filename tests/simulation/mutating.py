"""Making deliberate mistakes in `shared`: a change to a method or two, undone after.

A mistake is found when a run breaks an invariant that holds without it.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

Change = tuple[Any, str, Any]
"""Owner, name of the attribute, and what to put there."""


@dataclass(frozen=True)
class Mutation:
    """`what` is wrong, and how to make it so."""

    what: str
    changes: Callable[[], list[Change]]

    @contextmanager
    def applied(self) -> Iterator[None]:
        with ExitStack() as stack:
            for owner, name, wrong in self.changes():
                stack.enter_context(patch.object(owner, name, wrong))
            yield


NONE = Mutation("nothing", list)


def rewritten(owner: Any, name: str, old: str, new: str) -> Change:
    """A method with one piece of its source replaced. Raises ValueError if the piece is gone."""
    method = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(method))
    if source.count(old) != 1:
        raise ValueError(f"{owner.__name__}.{name} does not hold {old!r} once; adapt the mutation.")
    code = "from __future__ import annotations\n" + source.replace(old, new)
    names = dict(vars(sys.modules[method.__module__]))
    exec(compile(code, f"<mutated {name}>", "exec"), names)
    return owner, name, names[name]


def named(*mistakes: tuple[str, Callable[[], list[Change]]]) -> dict[str, Mutation]:
    """Mutations under the names of the functions that make them."""
    return {build.__name__: Mutation(what, build) for what, build in mistakes}
