"""Who may do what: holds every request of a role against the role's policy, and remembers it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from local.oss.errors import OssError
from local.ram import ALLOW, EXPLICIT_DENY, Access, Identity

MOST_DENIALS = 1000
MOST_CALLS = 50_000

logger = logging.getLogger("local.oss")


class Guard:
    """The policies of the account's roles. Requests of the account itself are not judged."""

    def __init__(self, roles: Mapping[str, Identity]) -> None:
        self._roles = roles
        self._denials: deque[dict[str, str]] = deque(maxlen=MOST_DENIALS)
        self._calls: dict[tuple[str, Access], None] = {}
        self._lock = threading.Lock()

    def require(self, role: str, asked: Iterable[Access]) -> None:
        """Raise OssError 403 unless the role may do all of it; an empty name may do anything."""
        if not role:
            return
        for one in asked:
            self._remember(role, one)
            verdict = self._roles[role].policy.judge(one)
            if verdict != ALLOW:
                raise self._denied(role, one, verdict)

    def report(self) -> dict[str, Any]:
        """What was denied (the latest calls), and what was asked for, each once."""
        with self._lock:
            calls = [_row(role, one) for role, one in self._calls]
            return {"denials": list(self._denials), "calls": calls}

    def _remember(self, role: str, one: Access) -> None:
        with self._lock:
            if len(self._calls) < MOST_CALLS:
                self._calls[role, one] = None

    def _denied(self, role: str, one: Access, verdict: str) -> OssError:
        where = f"{one.resource}{_facts(one)}"
        logger.warning("denied: %s may not %s on %s", role, one.action, where)
        with self._lock:
            self._denials.append({**_row(role, one), "verdict": verdict})
        return OssError(
            403,
            "AccessDenied",
            f"You have no right to access this: the policy of the role {role} does not allow "
            f"{one.action} on {where}; see deploy/permissions.yaml.",
            ec="0003-00000201" if verdict == EXPLICIT_DENY else "0003-00000001",
            detail={
                "AuthPrincipalType": "AssumedRoleUser",
                "AuthPrincipalDisplayName": role,
                "NoPermissionType": verdict,
                "AuthAction": one.action,
                "PolicyType": "AccountLevelIdentityBasedPolicy",
            },
        )


def _row(role: str, one: Access) -> dict[str, str]:
    prefix = dict(one.facts).get("oss:Prefix", "")
    return {"role": role, "action": one.action, "resource": one.resource, "prefix": prefix}


def _facts(one: Access) -> str:
    return f" with the prefix {dict(one.facts)['oss:Prefix']!r}" if one.facts else ""
