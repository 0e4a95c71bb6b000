"""`/webhooks`: who is told of jobs, and telling once more."""

from __future__ import annotations

import falcon

from shared.api.context import answer_json, app_of
from shared.api.jobs_api.jobs import known_job
from shared.api.jobs_api.json_body import MISSING, read_object, short, wrong
from shared.api.jobs_api.problems import Problem
from shared.jobs.webhooks import NotTold
from shared.platform.webhook_settings import WrongWebhook

NO_WEBHOOK = "No such webhook"


class WebhookCollection:
    """`/webhooks`"""

    needs = "admin"

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """The webhooks that have a name, and receivers that said 410."""
        answer_json(response, app_of(request).webhooks.listed())


class WebhookTest:
    """`/webhooks/test`"""

    needs = "admin"

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Send a test message now, and say what came of it."""
        webhook = _webhook(request)
        try:
            answer = app_of(request).webhooks.test(webhook)
        except WrongWebhook as error:
            raise _wrong(error) from None
        told = {"delivered": answer.is_good, "status": answer.status, "why": answer.why or None}
        answer_json(response, {**told, "seconds": round(answer.took, 3)})


class WebhookEnable:
    """`/webhooks/enable`"""

    needs = "admin"

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Tell a receiver of jobs again that said 410."""
        try:
            enabled = app_of(request).webhooks.enable(_webhook(request))
        except WrongWebhook as error:
            raise _wrong(error) from None
        answer_json(response, {"enabled": enabled})


class WebhookSecret:
    """`/webhooks/secret`"""

    needs = "admin"

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """The secrets with which a receiver verifies what it is told."""
        try:
            secrets = app_of(request).webhooks.secrets(_webhook(request))
        except WrongWebhook as error:
            raise _wrong(error) from None
        response.set_header("Cache-Control", "no-store")
        answer_json(response, {"secrets": secrets})


class JobRedeliver:
    """`/jobs/{job}/redeliver`"""

    needs = "admin"

    def on_post(self, request: falcon.Request, response: falcon.Response, job: str) -> None:
        """Let the job's receiver hear of it once more."""
        last = known_job(request, job)
        try:
            entry = app_of(request).webhooks.redeliver(last)
        except NotTold as error:
            raise Problem(409, "Nobody to tell", str(error)) from None
        answer_json(response, {"job": job, "try": entry.number}, 202)


def _webhook(request: falcon.Request) -> str:
    """The webhook that a body names. Raises Problem."""
    webhook = read_object(request, NO_WEBHOOK, "webhook").get("webhook", MISSING)
    if not isinstance(webhook, str):
        raise wrong(NO_WEBHOOK, [("/webhook", "an https address or a name", short(webhook))])
    return webhook


def _wrong(error: WrongWebhook) -> Problem:
    detail = f"{str(error)[:1].upper()}{str(error)[1:]}. Expected: {error.expected}."
    return Problem(422, NO_WEBHOOK, detail)
