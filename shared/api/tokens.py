"""Who asks: a token's scope, and the jobs it may see."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from shared.platform.settings import SCOPES, Settings, Token


@dataclass(frozen=True)
class Caller:
    """A caller whose token is known. `mark` identifies the token and is not secret. `webhook`: who
    is told of its jobs if they do not say it themselves."""

    scope: str
    prefix: str
    mark: str
    webhook: str = ""

    def may(self, scope: str) -> bool:
        """Whether the caller's scope includes another. A token with a prefix is never admin."""
        if scope == "admin" and self.prefix:
            return False
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def sees(self, job: str) -> bool:
        """Whether the job is one of the caller's."""
        return job.startswith(self.prefix)


def identify(settings: Settings, authorization: str | None) -> Caller | None:
    """The caller behind `Authorization: Bearer <token>`; every known hash is compared, in
    constant time each. An empty token is nobody's."""
    scheme, _, rest = (authorization or "").partition(" ")
    token = rest.strip()
    given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    everybody = (*map(Token, settings.token_hashes), *settings.tokens)
    known = [one for one in everybody if hmac.compare_digest(given.encode(), one.sha256.encode())]
    if scheme.lower() != "bearer" or not token or not known:
        return None
    first = known[0]
    mark = hashlib.sha256(first.sha256.encode()).hexdigest()
    return Caller(first.scope, first.prefix, mark, first.webhook)
