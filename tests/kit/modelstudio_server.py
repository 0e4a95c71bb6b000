"""A real Model Studio server and a host of images for it to fetch."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from local.modelstudio.app import listening
from local.modelstudio.rules import load_models
from local.modelstudio.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-test-one"
OTHER_KEY = "sk-test-two"
PAINTING = "wanx-x-painting"
SKETCH = "wanx-sketch-to-image-lite"
EDIT = "wan2.5-i2i-preview"
SERVICES = "/api/v1/services/aigc/"
CREATE = f"{SERVICES}image2image/image-synthesis"
CALL = f"{SERVICES}multimodal-generation/generation"
OVER = ("SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN")
Json = dict[str, Any]


def picture(size: tuple[int, int] = (400, 400), form: str = "PNG", mode: str = "RGB") -> bytes:
    """An encoded image of one colour with a white square in it."""
    image = Image.new(mode, size, "gray")
    image.paste("white", (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def see_through() -> bytes:
    """A PNG with a palette of which one colour is transparent."""
    out = io.BytesIO()
    Image.new("P", (400, 400)).save(out, "PNG", transparency=0)
    return out.getvalue()


def messages(text: str, *images: str) -> Json:
    """An `input` of one message: pictures, then the text."""
    content = [*({"image": image} for image in images), {"text": text}]
    return {"messages": [{"role": "user", "content": content}]}


class ImageHost:
    """Serves `files` by path; a path in `stuck` is never answered while the host lives."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {
            "base.png": picture(),
            "small-mask.png": picture((300, 300)),
            "tiny.png": picture((100, 100)),
            "256.png": picture((256, 256)),
            "257.png": picture((257, 257)),
            "2048.png": picture((2048, 2048)),
            "2049.png": picture((2049, 2049)),
            "alpha.png": picture(mode="RGBA"),
            "see-through.png": see_through(),
            "photo.gif": picture(form="GIF"),
            "photo.jpg": picture(form="JPEG"),
            "broken.png": picture()[:-40],
            "page.png": b"<html>not an image</html>",
            "huge.png": picture() + bytes(11 * 2**20),
        }
        self.stuck = {"stuck.png"}
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/").partition("?")[0]
                if name in host.stuck:
                    host.released.wait()
                data = host.files.get(name)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    def close(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class Client:
    """Speaks to one server over HTTP."""

    def __init__(self, url: str, host: ImageHost) -> None:
        self.url = url
        self.host = host
        self.images = host.url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {KEY}"

    def body(self, model: str, **parameters: object) -> Json:
        """A create body that the server accepts, with the parameters given."""
        base = f"{self.images}/base.png"
        given: Json = {"prompt": "a cat"}
        if model == PAINTING:
            given.update(base_image_url=base, mask_image_url=base)
        elif model == SKETCH:
            given.update(sketch_image_url=base)
        else:
            given.update(images=[base])
        return {"model": model, "input": given, "parameters": {"n": 1, **parameters}}

    def post(self, body: object, path: str = CREATE, **headers: str) -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"X-DashScope-Async": "enable", "Content-Type": "application/json", **headers}
        return self.http.post(self.url + path, data=data, headers=sent, timeout=20)

    def call(
        self, model: str, *images: str, text: str = "a cat", **more: object
    ) -> requests.Response:
        """A synchronous call with one message; `more` are its parameters."""
        body = {"model": model, "input": messages(text, *images), "parameters": more}
        return self.post(body, CALL, **{"X-DashScope-Async": ""})

    def make(self, body: Json, **headers: str) -> str:
        """The id of a task that was accepted."""
        answer = self.post(body, **headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["output"]["task_id"])

    def get(self, path: str, **query: object) -> requests.Response:
        return self.http.get(
            self.url + path, params={k: str(v) for k, v in query.items()}, timeout=20
        )

    def task(self, task_id: str) -> Json:
        answer = self.get(f"/api/v1/tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, task_id: str, *statuses: str) -> Json:
        """The query's answer once the task has one of the statuses (an ending by default)."""
        return await_true(lambda: self._in(task_id, statuses or OVER))

    def _in(self, task_id: str, statuses: tuple[str, ...]) -> Json | None:
        answer = self.task(task_id)
        return answer if answer["output"]["task_status"] in statuses else None

    def done(self, body: Json, **headers: str) -> Json:
        """Make a task and wait for its end."""
        return self.wait(self.make(body, **headers))

    def cancel(self, task_id: str) -> requests.Response:
        return self.http.post(f"{self.url}/api/v1/tasks/{task_id}/cancel", timeout=20)

    def set(self, **settings: object) -> None:
        answer = self.http.post(f"{self.url}/_admin/settings", json=settings, timeout=20)
        assert answer.status_code == 200, answer.text

    def advance(self, seconds: float) -> None:
        answer = self.http.post(
            f"{self.url}/_admin/clock", json={"advance_seconds": seconds}, timeout=20
        )
        assert answer.status_code == 200, answer.text

    def busy(self) -> int:
        """How many tasks are under way, of all models together."""
        models = self.get("/_admin/stats").json()["models"].values()
        return sum(int(model["in_flight"]) for model in models)

    def stats(self, model: str) -> Json:
        return dict(self.get("/_admin/stats").json()["models"][model])


def await_true(condition: Callable[[], Json | None], seconds: float = 20.0) -> Json:
    """Poll until the condition gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found is not None:
            return found
        time.sleep(0.02)
    raise AssertionError("the awaited condition did not come true")


def calm(settings: Mapping[str, object] | None) -> Json:
    """Tasks take 0.05 s and nothing is limited, except as the settings say."""
    free = {"submissions_per_second": None, "concurrent_tasks": 20, "concurrent_calls": None}
    limits = {"limits": dict.fromkeys(load_models(), free)}
    return {"task_seconds": 0.05, "task_api_qps": None, **limits, **(settings or {})}


@contextmanager
def running_process(
    folder: Path, settings: Mapping[str, object] | None = None
) -> Iterator[tuple[Client, subprocess.Popen[str]]]:
    """A server in a process of its own, as `local.up` starts it."""
    path = folder / "settings.json"
    path.write_text(json.dumps(calm(settings)), encoding="utf-8")
    images = ImageHost()
    process = start(["--settings", str(path)])
    assert process.stdout is not None
    try:
        line = process.stdout.readline().split()
        assert line[:2] == ["modelstudio", "ready"], line
        yield Client(line[2], images), process
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        images.close()


@contextmanager
def running_server(settings: Mapping[str, object] | None = None) -> Iterator[Client]:
    """A server in a thread of this process, over real HTTP: it starts within milliseconds."""
    address: Future[str] = Future()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        try:
            made = Settings(calm(settings))
            async with listening("127.0.0.1", 0, (KEY, OTHER_KEY), made) as url:
                address.set_result(url)
                await stop.wait()
        except Exception as problem:
            address.set_exception(problem)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    images = ImageHost()
    try:
        yield Client(address.result(20), images)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
        images.close()


def start(arguments: list[str], keys: str = f"{KEY},{OTHER_KEY}") -> subprocess.Popen[str]:
    """The server's process."""
    return subprocess.Popen(
        [sys.executable, "-m", "local.modelstudio", *arguments],
        cwd=ROOT,
        env={**os.environ, "DASHSCOPE_API_KEY": keys, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
