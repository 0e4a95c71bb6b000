"""What the functions' code does under their roles in trouble that cannot be made from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import oss2

from shared.platform.clock import SystemClock, new_random
from shared.platform.settings import load_credentials, load_settings
from shared.storage import layout
from shared.storage.oss import OssStore, open_store
from tests.deploy.policies.least_privilege_kit import SKETCH, World, rested
from tests.kit.served import served

ACCOUNT, SECRET = "1000000000000000", "model-studio"


class _Impatient(SystemClock):
    def sleep(self, seconds: float) -> None:
        """Try again at once."""


class _LosesAnswers:
    """Sends every PUT and loses the answer to the first one of each key."""

    def __init__(self) -> None:
        self._session, self._lost = oss2.Session(), set[str]()

    def do_request(self, request: Any, timeout: Any) -> Any:
        answer = self._session.do_request(request, timeout)
        if request.method == "PUT" and request.url not in self._lost:
            self._lost.add(request.url)
            raise oss2.exceptions.RequestError(ConnectionError("the answer was lost"))
        return answer


def _created(job: str) -> dict[str, tuple[str, ...]]:
    """What each role creates if it is absent; whether a lost answer was a yes, it has to read."""
    queue = (layout.marker(SKETCH, 5, "-", 1, job), layout.reminder(layout.END_OF_TIME_MS, job))
    sending = (layout.slot("-", SKETCH, job, 1, "m"), layout.lease(0))
    whose = (layout.task(job), layout.doubt("-", SKETCH, job, 1, "m"))
    taken_in = (layout.indexed(1, job), layout.result(job))
    told = (layout.outbox(1, 1, "0" * 12, 1, job),)
    every = (layout.record(job, 1), *queue, *sending, *whose, *taken_in, *told)
    own = {"wanx-submit": (), "wanx-poll": (), "wanx-api": (layout.request("0" * 64),)}
    return {role: (*every, *more) for role, more in own.items()}


def lost_answers(world: World) -> None:
    rested(world)
    for role in ("wanx-submit", "wanx-poll", "wanx-api"):
        store = _forgetful_store(world, role)
        for key in _created(f"lost-{role}")[role]:
            assert store.create(key, b"{}").created, key
            world.bucket.delete_object(key)


def _forgetful_store(world: World, role: str) -> OssStore:
    environ = world.environ(role)
    settings = load_settings(environ)
    credentials = load_credentials(environ)
    return open_store(settings, credentials, _Impatient(), new_random(), _LosesAnswers())


def secret(world: World) -> None:
    """The API key lies in a secret: whoever calls the service reads it under its own role."""
    for role in ("wanx-submit", "wanx-poll", "wanx-api"):
        with _kms(world, role) as endpoint:
            place = {"KMS_ENDPOINT": endpoint, "DASHSCOPE_API_KEY_SECRET": SECRET}
            service = world.acting(role, **place, DASHSCOPE_API_KEY="")
            assert service.model_studio.listed(SKETCH) is not None


@contextmanager
def _kms(world: World, role: str) -> Iterator[str]:
    """Answers GetSecretValue, and remembers that the role asked for it."""
    environ = world.environ(role)
    resource = f"acs:kms:{environ['OSS_REGION']}:{ACCOUNT}:secret/"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked = dict(parse_qsl(urlsplit(self.path).query) + parse_qsl(body))
            assert asked["AccessKeyId"] == environ["ALIBABA_CLOUD_ACCESS_KEY_ID"]
            row = {"role": role, "action": f"kms:{asked['Action']}", "prefix": ""}
            world.kms_calls.append({**row, "resource": resource + asked["SecretName"]})
            told = json.dumps({"SecretData": environ["DASHSCOPE_API_KEY"]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with served(Handler) as address:
        yield address
