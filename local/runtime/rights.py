"""What the declared roles may do in Function Compute itself: call functions, write logs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.stack.render import DeclarationError
from local.ram import Identity
from local.runtime.declaration import Function

LOG = logging.getLogger("local.runtime")


@dataclass
class Rights:
    """Judges by the roles' policies; without roles everything is allowed.

    Nothing here can happen often: what was asked is kept, each once.
    """

    roles: Mapping[str, Identity] = field(default_factory=dict)
    account: str = ""
    _asked: dict[tuple[str, str, str], bool] = field(default_factory=dict)

    def check_declared(self, functions: list[Function]) -> None:
        """Raises DeclarationError if a function or trigger names a role that is not there."""
        if not self.roles:
            return
        named = {f.role: f"role of {f.name}" for f in functions if f.role}
        for function in functions:
            for trigger in function.oss_triggers:
                if trigger.role:
                    named.setdefault(trigger.role, f"invocationRole of {trigger.name}")
        for arn, where in named.items():
            if role_name(arn) not in self.roles:
                raise DeclarationError(
                    f"{where}: the role {role_name(arn)!r} has no permissions; the roles of "
                    f"deploy/permissions.yaml are {', '.join(self.roles)}"
                )

    def identity(self, arn: str) -> Identity | None:
        """The role with its credentials; None where roles are not enforced."""
        return self.roles.get(role_name(arn))

    def may_call(
        self, arn: str | None, function: Function, action: str = "fc:InvokeFunction"
    ) -> bool:
        """Whether a role may do this with a function; a refusal is logged."""
        resource = f"acs:fc:{function.region}:{self.account}:functions/{function.name}"
        return self._judge(arn, action, resource)

    def may_log(self, function: Function) -> bool:
        """Whether the function's role may write to its log store; a refusal is logged."""
        if not function.log_project:
            return True
        place = f"project/{function.log_project}/logstore/{function.log_store}"
        resource = f"acs:log:{function.region}:{self.account}:{place}"
        return self._judge(function.role, "log:PostLogStoreLogs", resource)

    def report(self) -> dict[str, Any]:
        """What was asked for, and what of it was denied; in the form of the OSS server's report."""
        rows = [
            ({"role": role, "action": action, "resource": resource, "prefix": ""}, allowed)
            for (role, action, resource), allowed in self._asked.items()
        ]
        denials = [row for row, allowed in rows if not allowed]
        return {"denials": denials, "calls": [row for row, _ in rows]}

    def _judge(self, arn: str | None, action: str, resource: str) -> bool:
        if not arn or not self.roles:
            return True
        name = role_name(arn)
        allowed = self.roles[name].may(action, resource)
        if not allowed:
            LOG.warning("denied: %s may not %s on %s", name, action, resource)
        self._asked[name, action, resource] = allowed
        return allowed


def role_name(arn: str) -> str:
    """`acs:ram::1000:role/wanx-submit` names the role wanx-submit."""
    return arn.rpartition("/")[2]
