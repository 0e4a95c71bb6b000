"""What the context of an invocation holds, on the Python 3.10 and on the 3.12 runtime."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_TIMEOUT = 60.0


def time_left(context: object, margin: float) -> float:
    """Seconds a handler may work from its start: the function's timeout less `margin`, but at
    least half of the timeout (`context.function.timeout`, Function Compute help page "Context")."""
    timeout = float(getattr(getattr(context, "function", None), "timeout", 0) or DEFAULT_TIMEOUT)
    return max(timeout / 2, timeout - margin)


def request_id(context: object) -> str:
    """The invocation's id, for the log and for answers."""
    return str(getattr(context, "request_id", "") or "")


def function_name(environ: Mapping[str, str], context: object) -> str:
    """The function's name, from the environment or else from the context."""
    told = getattr(getattr(context, "function", None), "name", "")
    return str(environ.get("FC_FUNCTION_NAME") or told or "")
