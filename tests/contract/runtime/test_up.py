"""`local.up`: three servers from one command, and nothing left of them afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import oss2
import pytest
import requests

from cli.access import read_env
from local.up import LaptopCloud, UpError, summary
from tests.contract.runtime.functions_under_test.runtime_under_test import (
    ROOT,
    RuntimeUnderTest,
    until,
)

NAMES = {
    *("OSS_ENDPOINT", "OSS_BUCKET", "OSS_REGION", "OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"),
    *("DASHSCOPE_HTTP_BASE_URL", "DASHSCOPE_API_KEY", "API_URL", "API_TOKEN"),
    "INVOKE_ENDPOINT",
}


def _clean_environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in NAMES}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    data = tmp_path_factory.mktemp("cloud") / "data"
    with LaptopCloud(data, ports=0, task_seconds=0.3, environ=_clean_environ()) as running:
        yield running


def _bucket(env: dict[str, str]) -> Any:
    auth = oss2.AuthV4(env["OSS_ACCESS_KEY_ID"], env["OSS_ACCESS_KEY_SECRET"])
    return oss2.Bucket(auth, env["OSS_ENDPOINT"], env["OSS_BUCKET"], region=env["OSS_REGION"])


def _state(cloud: LaptopCloud) -> dict[str, Any]:
    state: dict[str, Any] = requests.get(f"{cloud.env['API_URL']}/_runtime/state", timeout=5).json()
    return state


FOREIGN = {"Origin": "https://evil.example", "Content-Type": "text/plain"}


@pytest.mark.parametrize(
    ("server", "method", "path"),
    [
        ("API_URL", "POST", "/_events/oss"),
        ("API_URL", "POST", "/2023-03-30/functions/wanx-poll/invocations"),
        ("API_URL", "GET", "/_runtime/state"),
        ("DASHSCOPE_HTTP_BASE_URL", "PUT", "/_admin/settings"),
        ("DASHSCOPE_HTTP_BASE_URL", "POST", "/_admin/clock"),
        ("DASHSCOPE_HTTP_BASE_URL", "GET", "/api/v1/tasks/x"),
        ("OSS_ENDPOINT", "GET", "/_admin/access"),
    ],
)
def test_a_page_that_somebody_visits_cannot_use_the_servers(
    cloud: LaptopCloud, server: str, method: str, path: str
) -> None:
    here = f"http://{urlsplit(cloud.env[server]).netloc}{path}"
    for headers in (FOREIGN, {"Host": "evil.example"}):
        answer = requests.request(method, here, headers=headers, data="{}", timeout=5)
        assert answer.status_code == 403, answer.text
        assert "page" in answer.text or "127.0.0.1" in answer.text


def test_a_name_that_leads_here_reaches_neither_api_nor_bucket(cloud: LaptopCloud) -> None:
    for url in (f"{cloud.env['API_URL']}/models", f"{cloud.env['OSS_ENDPOINT']}/studio/x"):
        assert requests.get(url, headers={"Host": "evil.example"}, timeout=5).status_code == 403
        assert "answers to" in requests.get(url, headers={"Host": "evil.example"}, timeout=5).text


def test_what_the_servers_keep_is_for_their_user_alone(cloud: LaptopCloud) -> None:
    _bucket(cloud.env).put_object("inputs/private.txt", b"mine")
    assert cloud.data.stat().st_mode & 0o777 == 0o700
    kept = [*(cloud.data / "oss").rglob("*"), *(cloud.data / "runtime").rglob("*")]
    assert any(path.name == "private.txt" for path in kept)
    assert [path for path in kept if path.exists() and path.stat().st_mode & 0o077] == []


def test_a_line_feed_in_a_path_is_answered_like_any_other(cloud: LaptopCloud) -> None:
    headers = {"Authorization": f"Bearer {cloud.env['API_TOKEN']}"}
    for path in ("/jobs/a%0Ab", "/%0A", "/a%0D%0Ab"):
        answer = requests.get(f"{cloud.env['API_URL']}{path}", headers=headers, timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            *(404, "application/problem+json"),
        )


def test_an_upload_cannot_be_written_again(cloud: LaptopCloud) -> None:
    headers = {"Authorization": f"Bearer {cloud.env['API_TOKEN']}"}
    about = {"name": "a.png", "size": 4, "content_type": "image/png"}
    api = cloud.env["API_URL"]
    put = requests.post(f"{api}/uploads", json=about, headers=headers, timeout=10).json()["put"]
    page = {"Origin": api, "Access-Control-Request-Method": "PUT"}
    asked = {**page, "Access-Control-Request-Headers": ",".join(put["headers"])}
    assert requests.options(put["url"], headers=asked, timeout=5).status_code == 200
    plain = {"Content-Type": "image/png"}
    assert requests.put(put["url"], b"new!", headers=plain, timeout=5).status_code == 403
    sent = [
        requests.put(put["url"], body, headers=put["headers"], timeout=5).status_code
        for body in (b"new!", b"evil")
    ]
    assert sent == [200, 409]


def test_the_env_file_holds_endpoints_and_keys_for_its_owner_alone(cloud: LaptopCloud) -> None:
    path = cloud.data / "env"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (cloud.data / "keys.json").stat().st_mode & 0o777 == 0o600
    lines = path.read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines) == cloud.env
    assert set(cloud.env) == NAMES
    assert cloud.env["DASHSCOPE_HTTP_BASE_URL"].endswith("/api/v1")


def test_the_command_line_may_notify_receivers_as_well(tmp_path: Path) -> None:
    named = {"shop": {"url": "https://shop.example.com/it's"}}
    hooks = {
        "WEBHOOK_KEY": f"{'k' * 32},{'o' * 32}",
        "WEBHOOK_HOSTS": "http://127.0.0.1, *.example.com",
        "WEBHOOKS": json.dumps(named, indent=2),
    }
    environ = {**_clean_environ(), **hooks}
    with LaptopCloud(tmp_path / "d", ports=0, environ=environ) as cloud:
        path = cloud.data / "env"
        assert path.stat().st_mode & 0o777 == 0o600
        read = read_env(path)
        values = " ".join(f'"${name}"' for name in hooks)
        shell = ["sh", "-euc", f'. "$0"; printf "%s\\n" {values}', str(path)]
        sourced = subprocess.run(shell, capture_output=True, text=True, check=True).stdout
        assert sourced.splitlines() == [read[name] for name in hooks]
        assert read["WEBHOOK_KEY"] == hooks["WEBHOOK_KEY"]
        assert json.loads(read["WEBHOOKS"]) == named
        command = [sys.executable, "-m", "cli", "--env", str(path), "webhooks", "secret", "shop"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stdout.startswith("whsec_"), done.stderr


def test_an_object_in_the_bucket_fires_the_function_it_is_for(cloud: LaptopCloud) -> None:
    _bucket(cloud.env).put_object("jobs/not-a-job.yaml", b"- nothing")
    until(lambda: _state(cloud)["functions"]["submit"]["invocations"] >= 1)


def _submits(cloud: LaptopCloud) -> int:
    count: int = _state(cloud)["functions"]["submit"]["invocations"]
    return count


def test_files_dropped_into_the_folder_that_it_names_are_taken(tmp_path: Path) -> None:
    """A fresh start; copied as `cp` does, and saved as an editor does, aside and renamed."""
    with LaptopCloud(tmp_path / "d", ports=0, environ=_clean_environ()) as cloud:
        (line,) = (one for one in summary(cloud).splitlines() if "Drop jobs in" in one)
        folder = Path(line.split("Drop jobs in")[1].strip())
        shutil.copy(ROOT / "examples" / "sketch.yaml", folder)
        until(lambda: _submits(cloud) == 1)
        aside = folder / ".saved.yaml.swp"
        aside.write_text("- nothing\n", encoding="utf-8")
        aside.rename(folder / "saved.yaml")
        until(lambda: _submits(cloud) == 2)


def test_it_says_where_files_are_dropped_and_what_it_started(cloud: LaptopCloud) -> None:
    folder = cloud.bucket_folder
    assert folder is not None
    assert folder == cloud.data / "oss" / "wanx-local"
    assert set(cloud.pids) == {"oss", "modelstudio", "runtime"}


def test_a_second_cloud_on_the_same_folder_is_refused(cloud: LaptopCloud) -> None:
    with pytest.raises(UpError, match=f"runtime {cloud.pids['runtime']}"):
        LaptopCloud(cloud.data, ports=0).__enter__()
    assert (cloud.data / "env").exists()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"OSS_ENDPOINT": "http://h"}, "OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET"),
        ({"DASHSCOPE_HTTP_BASE_URL": "http://h"}, "DASHSCOPE_API_KEY"),
        ({"API_URL": "http://h"}, "API_TOKEN"),
    ],
)
def test_an_endpoint_of_ones_own_needs_its_keys(
    tmp_path: Path, given: dict[str, str], missing: str
) -> None:
    with pytest.raises(UpError, match=f"the environment must hold {missing} too"):
        LaptopCloud(tmp_path, ports=0, environ={**_clean_environ(), **given}).__enter__()


@pytest.mark.parametrize("first", [-1, 65534, 99999])
def test_a_first_port_that_leaves_no_room_for_three_is_refused(tmp_path: Path, first: int) -> None:
    with pytest.raises(
        UpError, match=f"{first} is no first port of three: use one from 1 to 65533"
    ):
        LaptopCloud(tmp_path, ports=first, environ=_clean_environ()).__enter__()


def test_a_folder_that_cannot_be_made_is_refused_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UpError, match=r"cannot be used \(.+\); give one with --data"):
            LaptopCloud(folder, ports=0, environ=_clean_environ()).__enter__()


def test_an_endpoint_of_ones_own_is_used_and_its_server_not_started(tmp_path: Path) -> None:
    given = {"OSS_ENDPOINT": "http://127.0.0.1:9", "API_URL": "http://127.0.0.1:9"}
    keys = {"OSS_ACCESS_KEY_ID": "i", "OSS_ACCESS_KEY_SECRET": "s", "API_TOKEN": "t"}
    environ = {**_clean_environ(), **given, **keys}
    with LaptopCloud(tmp_path, ports=0, environ=environ) as cloud:
        assert set(cloud.pids) == {"modelstudio"}
        assert {name: cloud.env[name] for name in given} == given
        assert cloud.env["OSS_ACCESS_KEY_SECRET"] == "s"


def test_a_key_of_the_users_never_reaches_our_own_server(tmp_path: Path) -> None:
    given = {"OSS_ENDPOINT": "http://127.0.0.1:9", "API_URL": "http://127.0.0.1:9"}
    keys = {"OSS_ACCESS_KEY_ID": "i", "OSS_ACCESS_KEY_SECRET": "s", "API_TOKEN": "t"}
    environ = {**_clean_environ(), **given, **keys, "DASHSCOPE_API_KEY": "sk-real"}
    with LaptopCloud(tmp_path, ports=0, environ=environ) as cloud:
        assert cloud.env["DASHSCOPE_API_KEY"] != "sk-real"


def _up(data: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.up", "--data", str(data), *options],
        cwd=ROOT,
        env=_clean_environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _pids(data: Path) -> dict[str, int]:
    until((data / "env").exists)
    pairs = (pair.split() for pair in (data / "lock").read_text().split(", "))
    return {name: int(pid) for name, pid in pairs}


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_server(tmp_path: Path, number: signal.Signals) -> None:
    process = _up(tmp_path, "--ports", "0")
    pids = _pids(tmp_path)
    assert process.stdout is not None
    said = list(takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
    process.send_signal(number)
    _, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (0, "")
    assert max(len(line) for line in said if str(tmp_path) not in line) <= 80
    assert all(_is_gone(pid) for pid in pids.values())
    assert not (tmp_path / "env").exists()


def _three_free_ports() -> int:
    """The first of them."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
            except (OSError, OverflowError):
                continue
            return port


def test_the_ports_that_were_asked_for_are_used(tmp_path: Path) -> None:
    first = _three_free_ports()
    with LaptopCloud(tmp_path, first, environ=_clean_environ()) as cloud:
        names = ("OSS_ENDPOINT", "DASHSCOPE_HTTP_BASE_URL", "API_URL")
        assert [urlsplit(cloud.env[name]).port for name in names] == [first, first + 1, first + 2]


def test_a_busy_port_is_an_error_and_not_replaced(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        process = _up(tmp_path, "--ports", str(port))
        out, err = process.communicate(timeout=15)
    assert (process.returncode, out) == (1, "")
    assert f"wanx up: port {port}, where oss would listen, cannot be used" in err
    assert "make up PORT=" in err
    assert not (tmp_path / "env").exists()


def test_a_server_that_dies_is_named_with_its_last_words(tmp_path: Path) -> None:
    process = _up(tmp_path, "--ports", "0", "--quiet")
    pids = _pids(tmp_path)
    os.kill(pids["modelstudio"], signal.SIGKILL)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out) == (1, "")
    assert "modelstudio ended by itself (exit code -9)" in err
    assert "| modelstudio ready" in err
    assert all(_is_gone(pid) for pid in pids.values())


def _keys_seen(runtime: RuntimeUnderTest) -> list[str]:
    return [event["events"][0]["oss"]["object"]["key"] for event in runtime.recorded()]


def test_a_bucket_that_cannot_notify_is_watched(tmp_path: Path) -> None:
    keys = {"OSS_ACCESS_KEY_ID": "i", "OSS_ACCESS_KEY_SECRET": "s", "OSS_BUCKET": "bucket"}
    command = [sys.executable, "-m", "local.oss", "--root", str(tmp_path / "oss")]
    oss = subprocess.Popen(
        [*command, "--bucket", "bucket", "--region", "cn-beijing", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, **keys},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert oss.stdout is not None
        endpoint = oss.stdout.readline().split()[2]
        env = {**keys, "OSS_ENDPOINT": endpoint, "OSS_REGION": "cn-beijing"}
        bucket = _bucket(env)
        bucket.put_object("jobs/before.yaml", b"1")
        with RuntimeUnderTest(tmp_path, "--watch-bucket", **env) as runtime:
            until((runtime.data / "watch-bucket.json").exists)
            bucket.put_object("jobs/new.yaml", b"2")
            bucket.put_object("elsewhere/new.yaml", b"2")
            until(lambda: "jobs/new.yaml" in _keys_seen(runtime))
            bucket.put_object("jobs/before.yaml", b"3")
            until(lambda: "jobs/before.yaml" in _keys_seen(runtime))
        bucket.put_object("jobs/while-stopped.yaml", b"4")
        with RuntimeUnderTest(tmp_path, "--watch-bucket", **env) as runtime:
            until(lambda: "jobs/while-stopped.yaml" in _keys_seen(runtime))
    finally:
        oss.terminate()
        oss.wait()
        assert oss.stdout is not None
        oss.stdout.close()
    # Nothing else, though an event may come twice where the runtime stopped in between.
    expected = ["jobs/new.yaml", "jobs/before.yaml", "jobs/while-stopped.yaml"]
    assert list(dict.fromkeys(_keys_seen(runtime))) == expected


def test_a_terminal_that_cannot_show_chinese_ends_nothing() -> None:
    environ = {**os.environ, "LC_ALL": "zh_CN.UTF-8", "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "local.up", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u672c\\u673a" in done.stdout
