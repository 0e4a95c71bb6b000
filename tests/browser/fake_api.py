"""A small stand-in for the HTTP API and the bucket, so that the page can be tested by itself.

It keeps to the contract of the API: real catalogue, presigned uploads to another origin, long
polls. Every time a job is waited for it goes one step on.
"""

from __future__ import annotations

import asyncio
import io
import json
import threading
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web
from PIL import Image

from shared.catalogue.groups import group_of
from shared.catalogue.model_file import load_catalogue
from shared.catalogue.models import SYNC, Model
from shared.catalogue.tasks import load_tasks
from shared.catalogue.words import with_chinese

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
TOKEN = "page-test-token"
STEPS = ("QUEUED", "PENDING", "RUNNING")
CALL = ("QUEUED", "SUBMITTING")
"""The steps of a synchronous model."""
FAILING = {
    "code": "DataInspectionFailed",
    "message": "Input data may contain inappropriate content.",
    "class": "policy",
    "retryable": False,
    "hint": "Change the prompt or the picture.",
    "hint_zh": "请修改提示词或图片。",
}
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}


@dataclass
class FakeJob:
    """One job; `plan` are the states it still goes through."""

    id: str
    spec: dict[str, Any]
    plan: list[str]
    state: str = "QUEUED"
    created_at: str = "2026-11-20T08:00:00.000Z"
    error: dict[str, Any] | None = None
    violations: list[dict[str, Any]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    retried_from: str | None = None
    version: int = 1
    hidden: bool = False
    price: dict[str, Any] | None = None
    erased_at: str | None = None


@dataclass
class Waits:
    """The requests that wait for jobs: what each asked, how many are open and ever were at once.

    `seconds`: how long one waits at most. `failing`: each is answered with an error.
    """

    asked: list[dict[str, str | None]] = field(default_factory=list)
    open: int = 0
    most: int = 0
    seconds: float = 0.2
    failing: bool = False

    def __enter__(self) -> None:
        self.open += 1
        self.most = max(self.most, self.open)

    def __exit__(self, *_: object) -> None:
        self.open -= 1


@dataclass
class FakeApi:
    """Serves the page, the API and, at a port of its own, the bucket. Use it with `with`."""

    jobs: dict[str, FakeJob] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    hold: bool = False
    fail_message: str | None = None
    converted: dict[str, Any] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    closed: bool = False
    """The bucket lets no page of another origin read what it gives."""
    more: tuple[Model, ...] = ()
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    redelivered: list[str] = field(default_factory=list)
    waits: Waits = field(default_factory=lambda: Waits())
    admin: bool = False
    looked_at: int = 1000
    """Jobs that one search looks at."""
    lists: list[dict[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    """Whose requests are answered."""
    codes: dict[str, str] = field(default_factory=dict)
    """By code: the token that the link of `make up` gives for it, once."""

    def __enter__(self) -> FakeApi:
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(20):
            raise RuntimeError("the fake API did not start within 20 s")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runners = [
            web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
            for app in (self._bucket_app(), self._api_app())
        ]
        for runner in runners:
            self._loop.run_until_complete(runner.setup())
        self.bucket = self._listen(runners[0])
        self.url = self._listen(runners[1])
        ready.set()
        self._loop.run_forever()
        for runner in runners:
            self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def _listen(self, runner: web.AppRunner) -> str:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        host, port = runner.addresses[-1][:2]
        return f"http://{host}:{port}"

    # --- the bucket ---

    def _bucket_app(self) -> web.Application:
        app = web.Application(client_max_size=2**25)
        app.router.add_route("OPTIONS", "/{key:.+}", self._preflight)
        app.router.add_put("/{key:.+}", self._put)
        app.router.add_get("/{key:.+}", self._get)
        return app

    async def _preflight(self, _: web.Request) -> web.Response:
        return web.Response(headers={**CORS, "Access-Control-Allow-Methods": "PUT, GET"})

    async def _put(self, request: web.Request) -> web.Response:
        self.objects[request.match_info["key"]] = await request.read()
        return web.Response(headers=CORS)

    async def _get(self, request: web.Request) -> web.Response:
        body = self.objects.get(request.match_info["key"])
        if body is None:
            return web.Response(status=404, headers=CORS)
        headers = {} if self.closed else CORS
        return web.Response(body=body, content_type="image/png", headers=headers)

    # --- the API ---

    def _api_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        routes = app.router
        routes.add_get("/", self._index)
        routes.add_static("/web", WEB)
        routes.add_get("/models", self._models)
        routes.add_post("/models/{name}/convert", self._convert)
        routes.add_post("/uploads", self._uploads)
        routes.add_post("/jobs", self._submit)
        routes.add_get("/jobs", self._list)
        routes.add_get("/jobs/{id}", self._job)
        routes.add_post("/changes", self._changes)
        routes.add_get("/jobs/{id}/events", self._events)
        routes.add_post("/jobs/{id}/redeliver", self._redeliver)
        routes.add_post("/jobs/{id}/cancel", self._cancel)
        routes.add_post("/jobs/{id}/retry", self._retry)
        routes.add_post("/jobs/{id}/hide", self._hide)
        routes.add_post("/jobs/{id}/unhide", self._hide)
        routes.add_post("/jobs/{id}/erase", self._erase)
        routes.add_get("/runtime", self._runtime)
        routes.add_post("/_runtime/sign-in", self._sign_in)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        public = request.path == "/" or request.path.startswith(("/web/", "/_runtime/"))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not public and token not in self.tokens:
            return _problem(401, "Send a valid token.")
        answer: web.StreamResponse = await handler(request)
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'self'; img-src 'self' data: blob: {self.bucket}; "
            f"connect-src 'self' {self.bucket}; style-src 'self'; script-src 'self'; "
            "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    async def _index(self, _: web.Request) -> web.Response:
        return web.Response(body=(WEB / "index.html").read_bytes(), content_type="text/html")

    async def _sign_in(self, request: web.Request) -> web.Response:
        token = self.codes.pop((await request.json())["code"], None)
        return web.json_response({"token": token}) if token else _problem(403, "Used already.")

    async def _models(self, _: web.Request) -> web.Response:
        models = [*load_catalogue().models(), *self.more]
        shown = [self._shown(model) for model in models]
        return web.json_response({"models": shown, "tasks": [asdict(one) for one in load_tasks()]})

    def _shown(self, model: Model) -> dict[str, Any]:
        shown = _shown(model)
        if model.name in self.retired:
            shown["status"] |= {"state": "retired"}
        return shown

    async def _convert(self, request: web.Request) -> web.Response:
        """The answer is prepared by the test; what is asked must be a job file."""
        asked = await request.json()
        job = {**asked, **self.converted, "model": request.match_info["name"]}
        notes = ["at /parameters/style: left out; there are no styles."]
        body = {"model": job["model"], "jobs": [{"job_file": job, "notes": notes}]}
        return web.json_response(body)

    async def _uploads(self, request: web.Request) -> web.Response:
        asked = await request.json()
        key = f"inputs/{len(self.keys):04}/{asked['name'].encode('ascii', 'ignore').decode()}"
        self.keys.append(key)
        put = {"url": f"{self.bucket}/{key}", "headers": {"Content-Type": asked["content_type"]}}
        return web.json_response({"key": key, "url": f"oss:///{key}", "put": put})

    async def _submit(self, request: web.Request) -> web.Response:
        specs = [json.loads(line) for line in (await request.text()).splitlines()]
        views = [self._view(self._taken(spec)) for spec in specs[1:]]
        spec = specs[0]
        if "refuse-me" in prompt_of(spec):
            found = {"pointer": "/input/prompt", "message": "at /input/prompt: refused <b>here</b>"}
            return _problem(422, "The job file is not in order", violations=[found])
        first = self._view(self._taken(spec))
        return web.json_response({"jobs": [first, *views]} if views else first, status=202)

    def _taken(self, spec: dict[str, Any]) -> FakeJob:
        name = (spec.get("job") or {}).get("id") or f"job-{len(self.jobs) + 1:04}"
        return self.add(name, spec)

    def add(self, name: str, spec: dict[str, Any], **more: Any) -> FakeJob:
        """A job that the page will find."""
        ending = "FAILED" if "fail-me" in prompt_of(spec) else "SUCCEEDED"
        model = load_catalogue().get(spec["model"])
        steps = CALL if model is not None and model.mode == SYNC else STEPS
        at = datetime(2026, 11, 20, 8, tzinfo=timezone.utc) + timedelta(seconds=10 * len(self.jobs))
        made = {"created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), **more}
        job = FakeJob(name, spec, plan=[*steps[1:], ending], **made)
        self.jobs[name] = job
        return job

    async def _list(self, request: web.Request) -> web.Response:
        """A page looks at so many jobs, and a cursor is the place of the next one."""
        query = dict(request.query)
        self.lists.append(query)
        limit, place = int(query.get("limit", 20)), int(query.get("cursor", 0))
        everything, page, searched = list(reversed(self.jobs.values())), list[FakeJob](), 0
        while place < len(everything) and len(page) < limit and searched < self.looked_at:
            page += [everything[place]] if _fits(everything[place], query) else []
            place, searched = place + 1, searched + 1
        following = str(place) if place < len(everything) else None
        rows = [self._view(job) for job in page]
        return web.json_response({"jobs": rows, "next": following, "searched": searched})

    async def _hide(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["id"]]
        job.hidden = request.path.endswith("/hide")
        return web.json_response({"job": job.id, "hidden": job.hidden})

    async def _erase(self, request: web.Request) -> web.Response:
        if not self.admin:
            return _problem(403, "This needs a token of scope admin.")
        job = self.jobs.pop(request.match_info["id"])
        return web.json_response({"job": job.id, "removed": job.images, "remains": []})

    async def _runtime(self, _: web.Request) -> web.Response:
        if not self.admin:
            return _problem(403, "This needs a token of scope admin.")
        return web.json_response({"headers": []})

    async def _job(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return _problem(404, "There is no such job.")
        return web.json_response(self._view(job))

    async def _changes(self, request: web.Request) -> web.Response:
        """Without news every job goes one step on, unless time is to stand still."""
        asked = await request.json()
        self.waits.asked.append(asked["jobs"])
        if self.waits.failing:
            return _problem(503, "The bucket cannot be asked at the moment.")
        with self.waits:
            if asked["wait"] and not self._news(asked["jobs"]) and not self._new(asked):
                await self._go_on(asked, asked["wait"])
            news = self._news(asked["jobs"])[:10]
            missing = [name for name in asked["jobs"] if name not in self.jobs]
            new = {"new": self._new(asked)} if "newer" in asked else {}
            return web.json_response({"jobs": news, "missing": missing, **new})

    def _new(self, asked: dict[str, Any]) -> list[str]:
        newer = asked.get("newer")
        if newer is None:
            return []
        return [
            job.id
            for job in reversed(self.jobs.values())
            if job.created_at >= newer["since"] and job.id not in newer["seen"] and not job.hidden
        ]

    def _news(self, known: dict[str, str | None]) -> list[dict[str, Any]]:
        jobs = [self.jobs[name] for name in known if name in self.jobs]
        news = [job for job in jobs if known[job.id] not in (job.state, f"v{job.version}")]
        return [{**self._view(job), "etag": f"v{job.version}"} for job in news]

    async def _go_on(self, asked: dict[str, Any], wait: float) -> None:
        known, clock = asked["jobs"], asyncio.get_running_loop().time
        until = clock() + min(wait, self.waits.seconds)
        while self.hold and clock() < until and not self._news(known) and not self._new(asked):
            await asyncio.sleep(0.01)
        for name in known:
            if not self.hold and self.jobs[name].plan:
                self._step(self.jobs[name])

    def _step(self, job: FakeJob) -> None:
        """One state on."""
        job.state = job.plan.pop(0)
        job.version += 1
        if job.state == "SUCCEEDED":
            self._draw(job)
        if job.state == "FAILED":
            job.error = {**FAILING, "message": self.fail_message or FAILING["message"]}

    def _draw(self, job: FakeJob) -> None:
        """Where the mask is white the picture turns green; without a mask all of it."""
        base, mask = (self._input(job, name) for name in ("base_image_url", "mask_image_url"))
        base = base or Image.new("RGB", (640, 427), (70, 90, 160))
        green = Image.new("RGB", base.size, (60, 160, 90))
        changed = Image.composite(green, base, mask.convert("L")) if mask else green
        for number in range(1, int((job.spec.get("parameters") or {}).get("n", 1)) + 1):
            key = f"results/{job.id}/image-{number}.png"
            self.objects[key] = _png(changed)
            job.images.append(key)

    def _input(self, job: FakeJob, name: str) -> Image.Image | None:
        key = str(job.spec["input"].get(name, "")).removeprefix("oss:///")
        body = self.objects.get(key)
        return Image.open(io.BytesIO(body)).convert("RGB") if body else None

    async def _events(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["id"]]
        events = [{"state": job.state, "at": job.created_at}]
        return web.json_response({"events": events, "deliveries": self.deliveries})

    async def _redeliver(self, request: web.Request) -> web.Response:
        self.redelivered.append(request.match_info["id"])
        return web.json_response({"job": request.match_info["id"], "try": 2}, status=202)

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["id"]]
        job.state, job.plan = "CANCELED", []
        job.version += 1
        self.hold = False
        return web.json_response(self._view(job))

    async def _retry(self, request: web.Request) -> web.Response:
        old = self.jobs[request.match_info["id"]]
        job = self.add(f"{old.id}-retry-1", old.spec, retried_from=old.id)
        job.plan[-1] = "SUCCEEDED"
        return web.json_response(self._view(job), status=202)

    def _result(self, job: FakeJob) -> dict[str, Any] | None:
        if job.erased_at:
            return {"erased_at": job.erased_at, "price": job.price}
        if job.state == "SUCCEEDED":
            return {"texts": job.texts, "price": job.price}
        return {"price": job.price} if job.price else None

    def _inputs(self, given: Any, pointer: str) -> dict[str, str]:
        """A link to every image of the bucket, wherever the job names it."""
        if isinstance(given, str):
            key = given.removeprefix("oss:///")
            return {pointer: f"{self.bucket}/{key}"} if key in self.objects else {}
        steps = given.items() if isinstance(given, dict) else enumerate(given)
        return {
            place: link
            for step, inner in steps
            for place, link in self._inputs(inner, f"{pointer}/{step}").items()
        }

    def _view(self, job: FakeJob) -> dict[str, Any]:
        images = [
            {"key": key, "url": f"{self.bucket}/{key}", "width": 0, "height": 0}
            for key in job.images
        ]
        for image in images:
            size = Image.open(io.BytesIO(self.objects[str(image["key"])])).size
            image["width"], image["height"] = size
        return {
            "job": job.id,
            "state": job.state,
            "model": job.spec["model"],
            "prompt": prompt_of(job.spec)[:80],
            "created_at": job.created_at,
            "position": 2 if job.state == "QUEUED" else None,
            "estimated_wait_seconds": 40 if job.state == "QUEUED" else None,
            "labels": (job.spec.get("job") or {}).get("labels", {}),
            "spec": job.spec,
            "images": images,
            "inputs": self._inputs(job.spec["input"], "/input"),
            "warnings": [],
            "result": self._result(job),
            "error": job.error,
            "violations": [with_chinese(one) for one in job.violations],
            "retried_from": job.retried_from,
        }


def _fits(job: FakeJob, query: dict[str, str]) -> bool:
    text = json.dumps([job.id, job.spec], ensure_ascii=False).lower()
    return (
        query.get("state", job.state) == job.state
        and query.get("model", job.spec["model"]) == job.spec["model"]
        and query.get("label", "") in ("", *_labels(job))
        and (query.get("hidden") == "true") == job.hidden
        and query.get("since", "") <= job.created_at
        and all(word in text for word in query.get("search", "").lower().split())
    )


def _labels(job: FakeJob) -> list[str]:
    labels = (job.spec.get("job") or {}).get("labels", {})
    return [f"{name}:{value}" for name, value in labels.items()]


def _status(model: Model) -> dict[str, Any] | None:
    status = model.status
    if status is None:
        return None
    return {
        "state": status.state,
        "since": status.since,
        "reason": {"en": status.reason, "zh": status.reason_zh},
        "successor": status.successor,
        "convertible": True,
    }


def prompt_of(spec: dict[str, Any]) -> str:
    """Of a model without prompt it is empty."""
    return str(spec["input"].get("prompt", ""))


def _problem(status: int, detail: str, **more: Any) -> web.Response:
    body = json.dumps(with_chinese({"title": "Error", "status": status, "detail": detail, **more}))
    return web.Response(status=status, text=body, content_type="application/problem+json")


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _shown(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": {"en": model.title, "zh": model.title_zh},
        "description": model.description,
        "guidance": {"en": model.guidance, "zh": model.guidance_zh},
        "group": asdict(group_of(model)),
        "tasks": model.tasks,
        "snapshot_of": model.snapshot_of,
        "input": model.input_schema,
        "parameters": model.parameters_schema,
        "mode": model.mode,
        "rules": model.rules,
        "number": [asdict(one) for one in model.number],
        "images": [asdict(rule) for rule in model.images],
        "limits": asdict(model.limits),
        "price": asdict(model.price),
        "status": _status(model),
        "notices": [asdict(notice) for notice in model.remarks()],
        "typical_seconds": model.typical_seconds,
    }
