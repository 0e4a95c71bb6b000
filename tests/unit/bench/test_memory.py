"""The parts of the memory measurement that need no servers."""

from __future__ import annotations

import base64
import http.client
import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from PIL import Image

from tests.bench.memory import CONFIGURED, LARGEST_FILE, inline_images, job, peak_of
from tests.bench.padding import padded, padding_proxy

ROOT = Path(__file__).resolve().parents[3]


def a_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 4), "red").save(file, "PNG")
    return file.getvalue()


def test_a_padded_picture_is_the_same_picture_in_so_many_bytes() -> None:
    large = padded(a_png(), 5000)
    assert len(large) == 5000
    with Image.open(io.BytesIO(large)) as image:
        image.load()
        assert (image.size, image.getpixel((7, 3))) == ((8, 4), (255, 0, 0))


@pytest.mark.parametrize("body", [a_png(), b"{}", b""])
def test_what_cannot_be_padded_stays(body: bytes) -> None:
    assert padded(body, 20) == body


def test_the_peak_is_read_in_bytes() -> None:
    assert (
        peak_of("Name:\tpython\nVmPeak:\t 99 kB\nVmHWM:\t  2048 kB\nVmRSS:\t1 kB\n") == 2048 * 1024
    )


def test_the_memory_compared_with_is_the_one_configured() -> None:
    document = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))
    sizes = {
        resource["props"].get("memorySize", document["template"]["function"]["memorySize"])
        for resource in document["resources"].values()
        if resource["component"] == "fc3"
    }
    assert sizes == {CONFIGURED // 2**20}


def test_the_inline_images_just_fill_a_job_file() -> None:
    images = inline_images()
    size = sum(map(len, images))
    assert LARGEST_FILE - 2000 < size < LARGEST_FILE - 500
    for image in images:
        body = base64.b64decode(image.partition(",")[2])
        assert Image.open(io.BytesIO(body)).format == "PNG"
        assert len(image) <= 10 * 2**20  # what the service takes
    assert job("a", images, n=4)["parameters"] == {"n": 4}


class Upstream(BaseHTTPRequestHandler):
    """Answers with a picture, or with the request's body and its own address."""

    def do_GET(self) -> None:
        self._answer(a_png())

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(sent + self.headers["Authorization"].encode() + self.headers["Host"].encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_the_proxy_pads_pictures_and_stands_for_the_server() -> None:
    server = HTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with padding_proxy(f"http://127.0.0.1:{server.server_port}/api/v1", 3000) as padding:
        address = urlsplit(padding.url)
        assert address.path == "/api/v1"
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        connection.request("GET", "/results/a.png")
        assert len(connection.getresponse().read()) == 3000
        padding.size = 4000
        connection.request("GET", "/results/a.png")
        assert len(connection.getresponse().read()) == 4000
        connection.request("POST", "/x", b"body ", {"Authorization": "key "})
        assert connection.getresponse().read() == b"body key " + address.netloc.encode()
        connection.close()
    server.shutdown()
    server.server_close()
