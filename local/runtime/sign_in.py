"""The link that `make up` prints signs a browser of this computer in: its code is good once.

A link with a token would sign in whoever is sent it, to somebody else's jobs. A code is worth
nothing but at the server that made it, which listens on this computer alone.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

LIFE_SECONDS = 900.0
"""How long the code is good after the runtime has started."""


@dataclass
class SignIn:
    """One code for one token. `clock`: seconds that never run backwards."""

    code: str
    token: str
    clock: Callable[[], float]
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + LIFE_SECONDS

    def token_for(self, code: str) -> str | None:
        """The token, the first time that the right code comes in time; None otherwise."""
        right = hmac.compare_digest(code.encode(), self.code.encode())
        if not right or not self.code or self.clock() > self._until:
            return None
        self.code = ""
        return self.token
