"""Trying all facts, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import requests

from cli.trouble import Trouble
from cli.verify.checks import CHECKS
from cli.verify.facts import HOLDS, OTHERWISE, UNTRIED, Fact, Otherwise, Outcome, Untried
from cli.verify.trial import Trial
from shared.storage.objects import StoreError

DELAYED = "delayed-call"
"""The fact for which poll calls itself."""


def outcomes(trial: Trial, facts: Collection[Fact], skip_paid: bool) -> Iterator[Outcome]:
    """Try the facts. What keeps one from being tried does not keep the others."""
    for fact in facts:
        if fact.paid and skip_paid:
            yield Outcome(fact, UNTRIED, "left out by --skip-paid.", chosen=True)
        else:
            yield _tried(trial, fact)


def _tried(trial: Trial, fact: Fact) -> Outcome:
    try:
        return Outcome(fact, HOLDS, CHECKS[fact.id](trial))
    except Otherwise as error:
        return Outcome(fact, OTHERWISE, str(error))
    except Untried as error:
        return Outcome(fact, UNTRIED, str(error), error.chosen)
    except (StoreError, Trouble, requests.RequestException) as error:
        return Outcome(fact, UNTRIED, _said(error))


def _said(error: Exception) -> str:
    if isinstance(error, requests.RequestException):
        return f"no answer ({type(error).__name__}); check API_URL and the network."
    return error.message if isinstance(error, Trouble) else str(error)
