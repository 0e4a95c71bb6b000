"""Mistakes about retries, refusals, prices and partial successes."""

from __future__ import annotations

from shared.catalogue.retry_policy import RetryPolicy
from shared.jobs import collect, manifest, submit, transitions
from shared.jobs.calls import CallAttempts
from shared.jobs.collect import Collection
from shared.jobs.refusals import Refusals
from shared.jobs.transitions import Transitions
from tests.simulation.mutating import Change, named, rewritten


def refusal_ends_the_job() -> list[Change]:
    old = 'if rule.breaker == "none" and rule.retry != "after_backoff":'
    return [rewritten(Refusals, "refused", old, "if True:")]


def throttling_ends_the_job() -> list[Change]:
    old = 'if rule.breaker == "none" and rule.retry != "after_backoff":'
    return [rewritten(Refusals, "refused", old, 'if rule.breaker == "none":')]


def refusal_counts_as_attempt() -> list[Change]:
    return [rewritten(Refusals, "_later", "intent.attempt - 1", "intent.attempt")]


def few_is_never() -> list[Change]:
    return [rewritten(Refusals, "refused", 'rule.retry == "few" and', "False and")]


def blocked_task_ends_the_job() -> list[Change]:
    return [rewritten(Collection, "_failed", 'if rule.breaker != "none":', "if False:")]


def blocked_image_is_given_up() -> list[Change]:
    return [(Collection, "_open_breaker", lambda _self, _last, _failed: False)]


def failed_task_not_retried() -> list[Change]:
    old = "if policy.allows(rule, attempt, 0.0):"
    return [rewritten(Collection, "_failed", old, "if False:")]


def failed_task_retried_without_end() -> list[Change]:
    old = "attempt < self.attempts.get(rule.retry, 0)"
    return [rewritten(RetryPolicy, "allows", old, "rule.retry in self.attempts")]


def highest_price_ignored() -> list[Change]:
    return [rewritten(RetryPolicy, "allows", "price <= self.most_price", "True")]


def retried_without_pause() -> list[Change]:
    return [(RetryPolicy, "pause", lambda _self, _attempt, _rng: 0.0)]


def price_of_nothing() -> list[Change]:
    old = "rules.price(last.model, billed)"
    return [rewritten(manifest, "_price", old, "rules.price(last.model, Bill())")]


def price_of_last_attempt() -> list[Change]:
    old = "billed_before(self.rules, last).plus(self._billed(task, asked, made))"
    return [rewritten(Collection, "_billed_by_now", old, "self._billed(task, asked, made)")]


def lost_calls_cost_nothing() -> list[Change]:
    return [(CallAttempts, "_charged", lambda _self, last, _spec, _images: last)]


def usage_of_last_attempt() -> list[Change]:
    old = "_usage(outcome, billed.images - billed.unknown)"
    _, name, wrong = rewritten(manifest, "build", old, "_usage(outcome, billed.images - last.paid)")
    return [(transitions, name, wrong)]


def usage_by_what_was_asked() -> list[Change]:
    return [(collect, "image_count", lambda _answer, _model, _stored, most: most)]


def partial_is_kept_always() -> list[Change]:
    old = 'asked.spec.on_partial != "retry-failed"'
    return [rewritten(Collection, "_once_more", old, "True")]


def partial_is_retried_always() -> list[Change]:
    old = 'asked.spec.on_partial != "retry-failed"'
    return [rewritten(Collection, "_once_more", old, "False")]


def all_images_retried() -> list[Change]:
    return [(submit, "for_missing", lambda body, _missing, _at: body)]


def kept_images_forgotten() -> list[Change]:
    return [rewritten(Transitions, "requeue", "kept=kept.kept", "kept=()")]


def kept_images_lost_in_failure() -> list[Change]:
    return [rewritten(Transitions, "fail", "if last.kept:", "if False:")]


MONEY = named(
    ("every refusal ends its job", refusal_ends_the_job),
    ("throttling ends a job", throttling_ends_the_job),
    ("a refusal counts as an attempt", refusal_counts_as_attempt),
    ("what may pass at create is not tried again", few_is_never),
    ("an unpaid bill in a task ends the job", blocked_task_ends_the_job),
    ("an image refused for the account's sake is given up", blocked_image_is_given_up),
    ("a failed task is never tried again", failed_task_not_retried),
    ("a failed task is tried again without end", failed_task_retried_without_end),
    ("retries know no highest price", highest_price_ignored),
    ("a failed task is tried again at once", retried_without_pause),
    ("nothing costs anything", price_of_nothing),
    ("only the last attempt has a price", price_of_last_attempt),
    ("only the last attempt is used", usage_of_last_attempt),
    ("a lost call costs nothing", lost_calls_cost_nothing),
    ("what was asked for is used", usage_by_what_was_asked),
    ("failed images are never tried again", partial_is_kept_always),
    ("failed images are always tried again", partial_is_retried_always),
    ("all images are tried again", all_images_retried),
    ("images kept are forgotten in the queue", kept_images_forgotten),
    ("images kept are lost where a later attempt fails", kept_images_lost_in_failure),
)
