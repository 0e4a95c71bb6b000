"""`wanx up` and `make up`: the laptop cloud, in a process of its own."""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NoReturn

from rich.cells import cell_len

from local.browser import is_wanted, open_page
from local.own_computer import keep_files_private
from local.page_access import allow_page
from local.supervise import Child, ChildError
from local.up_identities import write_identities
from local.up_settings import (
    PORT,
    ROOT,
    Plan,
    UpError,
    env_line,
    make_plan,
    packaged_pythons,
    server_environment,
    write_private,
)
from shared.catalogue.terminal import COMMON_WORDS, Terminal, print_everything

__all__ = ["LaptopCloud", "UpError", "main", "summary"]

tell = Terminal((COMMON_WORDS,)).tell
_ABOUT = "OSS, Model Studio and the runtime on this computer, until Ctrl-C."
READY_SECONDS = 30.0
PORT_TRIES = 3
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class LaptopCloud:
    """The three servers, as a context manager: ready on entry, stopped on exit.

    `ports` is the first of three, 0 for any free ones; `task_seconds` is how long Model Studio
    takes for a task (None: its own default), `timer_minute` how many seconds a minute of a timer
    trigger lasts (None: 60). A server whose endpoint `environ` names is used
    where it is and not started. `packages` is a folder of built packages to run instead of
    functions/, with their own Python. After entry `env` holds endpoints, bucket and keys.

    Raises UpError when it cannot start.
    """

    def __init__(
        self,
        data: Path,
        ports: int = PORT,
        task_seconds: float | None = None,
        verbose: bool = False,
        environ: Mapping[str, str] | None = None,
        timer_minute: float | None = None,
        packages: Path | None = None,
    ) -> None:
        self.data = data.resolve()
        self.env: dict[str, str] = {}
        self._ports = ports
        self._task_seconds = task_seconds
        self._verbose = verbose
        self._timer_minute = timer_minute
        self._packages = packages.resolve() if packages else None
        self._environ = dict(os.environ if environ is None else environ)
        self._sign_in_code = secrets.token_urlsafe(18)
        self._children: list[Child] = []
        self._plan: Plan | None = None
        self._lock: IO[str] | None = None
        self._wake = threading.Event()

    @property
    def bucket_folder(self) -> Path | None:
        """Where to drop files; None when the OSS is not ours."""
        if not any(child.name == "oss" for child in self._children):
            return None
        return self.data / "oss" / self.env["OSS_BUCKET"]

    @property
    def results_folder(self) -> Path | None:
        """The bucket that holds results/; None when the OSS is not ours."""
        folder = self.bucket_folder
        return folder and folder.parent / self.env.get("RESULTS_BUCKET", folder.name)

    @property
    def sign_in_link(self) -> str | None:
        """Signs one browser of this computer in, once; None when the runtime is not ours."""
        if not any(child.name == "runtime" for child in self._children):
            return None
        return f"{self.env['API_URL']}/#code={self._sign_in_code}"

    @property
    def pids(self) -> dict[str, int]:
        """The process of each server that was started."""
        return {child.name: child.process.pid for child in self._children}

    def __enter__(self) -> LaptopCloud:
        try:
            _make_private(self.data)
            self._lock = _locked(self.data / "lock")
            (self.data / "env").unlink(missing_ok=True)
            self._start()
            if self.bucket_folder is not None:  # which the summary tells people to drop files in
                (self.bucket_folder / "jobs").mkdir(mode=0o700, exist_ok=True)
            lines = [env_line(name, value) for name, value in self.env.items()]
            write_private(self.data / "env", "".join(lines))
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError | ChildError):
                raise UpError(str(error)) from None
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait(self) -> NoReturn:
        """For ever. Raises UpError as soon as a server ends by itself."""
        while True:
            self._wake.wait()
            self._wake.clear()
            for child in self._children:
                if child.ended:
                    raise UpError(child.account())

    def stop(self) -> None:
        """Stops what was started, by its process, and takes the env file away."""
        for child in self._children:
            child.ask_to_stop()
        for child in self._children:
            child.stop()
        self._children.clear()
        if self._lock:
            (self.data / "env").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _start(self) -> None:
        """A free port that was found can be taken a moment later: then others are chosen."""
        for attempt in range(1, PORT_TRIES + 1):
            plan = make_plan(self.data, self._ports, self._environ)
            self.env = plan.env
            self._spawn(plan)
            try:
                for child in self._children:
                    child.wait_ready(READY_SECONDS)
                if "oss" in plan.ports:
                    allow_page(plan.env)
                return
            except ChildError as error:
                if self._ports or attempt == PORT_TRIES or "in use" not in str(error):
                    raise
            for child in self._children:
                child.stop()
            self._children.clear()
            self._wake.clear()

    def restart(self, name: str) -> None:
        """Stop one server and start it again at its port: oss, modelstudio or runtime.

        Raises UpError if it does not come back.
        """
        place = [child.name for child in self._children].index(name)
        self._children.pop(place).stop()
        assert self._plan is not None
        self._children.append(self._child(name, self._plan))
        try:
            self._children[-1].wait_ready(READY_SECONDS)
        except ChildError as error:
            raise UpError(str(error)) from None

    def _spawn(self, plan: Plan) -> None:
        assert self._lock is not None
        self._plan = plan
        for name in plan.ports:  # one by one: what has started is stopped if the next cannot
            self._children.append(self._child(name, plan))
        _note_pids(self._lock, self.pids)

    def _child(self, name: str, plan: Plan) -> Child:
        assert self._lock is not None
        return Child(
            name,
            [sys.executable, "-m", f"local.{name}", *self._options(name, plan)],
            self._environment(name, plan),
            ROOT,
            self.data / "logs" / f"{name}.log",
            self._wake.set,
            inherited=self._lock.fileno(),
            echo=self._verbose,
        )

    def _environment(self, name: str, plan: Plan) -> dict[str, str]:
        environment = server_environment(name, plan, self._environ, self._packages)
        if name == "runtime":
            environment["SIGN_IN_CODE"] = self._sign_in_code
        return environment

    def _options(self, name: str, plan: Plan) -> list[str]:
        options = ["--port", str(plan.ports[name])]
        if name == "oss":
            options += ["--root", str(self.data / "oss"), "--bucket", plan.env["OSS_BUCKET"]]
            if "RESULTS_BUCKET" in plan.env:
                options += ["--bucket", plan.env["RESULTS_BUCKET"]]
            options += ["--region", plan.env["OSS_REGION"], *self._identities(plan)]
            if "runtime" in plan.ports:
                options += ["--notify", f"{plan.env['API_URL']}/_events/oss"]
        elif name == "modelstudio":
            if self._task_seconds is not None:
                options += ["--task-seconds", str(self._task_seconds)]
        else:
            options += ["--s-yaml", str(ROOT / "s.yaml"), "--data", str(self.data)]
            options += ["--verbose"] if self._verbose else []
            if self._packages:
                pythons = packaged_pythons(self._packages, self._environ)
                options += [f"--python={runtime}={path}" for runtime, path in pythons.items()]
            if self._timer_minute is not None:
                options += ["--timer-minute", str(self._timer_minute)]
            options += self._identities(plan) if "oss" in plan.ports else ["--watch-bucket"]
        return options

    def _identities(self, plan: Plan) -> list[str]:
        """On our own OSS each function acts under its role; elsewhere under the user's keys."""
        env = plan.env
        path = write_identities(self.data, env)
        return ["--identities", str(path)]


def _locked(path: Path) -> IO[str]:
    """A lock that the servers inherit: it is held as long as any of them lives."""
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holders = file.read().strip()
        file.close()
        raise UpError(
            f"a laptop cloud runs on {path.parent} already (process ids: {holders or 'unknown'}); "
            "stop it with Ctrl-C there or with kill, or give another folder with --data"
        ) from None
    return file


def _note_pids(lock: IO[str], pids: Mapping[str, int]) -> None:
    lock.truncate(0)
    lock.write(", ".join(f"{name} {pid}" for name, pid in {"up": os.getpid(), **pids}.items()))
    lock.flush()


def summary(cloud: LaptopCloud) -> str:
    """What runs where, and how to use and stop it."""
    env, data = cloud.env, _short(cloud.data)
    folder = cloud.bucket_folder
    drop = f"{_short(folder)}/" if folder else f"oss://{env['OSS_BUCKET']}/"
    made = cloud.results_folder
    find = f"{_short(made)}/" if made else f"oss://{env.get('RESULTS_BUCKET', env['OSS_BUCKET'])}/"
    rows = [
        ("API and page", env["API_URL"] + _foreign(cloud, "runtime")),
        *([("Page, signed in", link)] if (link := cloud.sign_in_link) else []),
        ("OSS", env["OSS_ENDPOINT"] + _foreign(cloud, "oss")),
        ("Model Studio", env["DASHSCOPE_HTTP_BASE_URL"] + _foreign(cloud, "modelstudio")),
        ("", ""),
        ("Drop jobs in", f"{drop}jobs/"),
        ("Find images in", f"{find}results/"),
        ("Endpoints, keys", f"{data}/env"),
        ("Logs", f"{data}/logs/"),
    ]
    lines = [f"  {_column(tell(name))}{value}".rstrip() for name, value in rows]
    text = "\n".join(lines)
    once = "That link works once, in the next 15 minutes; later sign in with API_TOKEN."
    ending = [once] if cloud.sign_in_link else []
    ending.append("Ctrl-C stops it; the files stay.")
    told = "".join(f"  {tell(line)}\n" for line in ending)
    return f"\n  {tell('The laptop cloud is up.')}\n\n{text}\n\n{told}"


def _column(name: str) -> str:
    """A name and the space after it; Chinese characters are two columns wide."""
    return name + " " * (17 - cell_len(name))


def _foreign(cloud: LaptopCloud, server: str) -> str:
    return "" if server in cloud.pids else f"  {tell('(not ours)')}"


def _make_private(data: Path) -> None:
    """The laptop cloud's folder, of this user alone; a folder of other things is left as it is.

    Raises UpError."""
    try:
        ours = not data.exists() or (data / "lock").exists()
        data.mkdir(parents=True, exist_ok=True)
        if ours:
            data.chmod(0o700)
        (data / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise UpError(
            f"the folder {data} cannot be used ({error.strerror}); give one with --data that you"
            " may write to, for example --data .local"
        ) from None


def _short(path: Path) -> str:
    """As the user would write it from where he stands."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def main() -> int:
    """0 after Ctrl-C or SIGTERM; 1 with a message when something could not start or ended."""
    print_everything()
    arguments = _parser().parse_args()
    keep_files_private()
    cloud = LaptopCloud(
        arguments.data,
        arguments.ports,
        arguments.task_seconds,
        arguments.verbose,
        packages=arguments.packages,
    )
    for number in ENDING:
        signal.signal(number, _interrupt)
    try:
        with cloud:
            if not arguments.quiet:
                print(summary(cloud), flush=True)
                _show_page(cloud, arguments.no_browser)
            cloud.wait()
    except KeyboardInterrupt:
        return 0
    except UpError as error:
        print(f"wanx up: {tell(str(error))}", file=sys.stderr)
        return 1


def _show_page(cloud: LaptopCloud, unwanted: bool) -> None:
    link = cloud.sign_in_link
    if unwanted or not link or not is_wanted(os.environ, sys.stdout.isatty(), sys.platform):
        return
    if open_page(link, cloud.data):
        told = tell("It opens in your browser now; NO_BROWSER=1 keeps that closed.")
        print(f"  {told}\n", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wanx up", description=tell(_ABOUT))
    add = parser.add_argument
    add(
        "--data", type=Path, default=Path(".local"), help=tell("folder for all of it (%(default)s)")
    )
    add("--ports", type=int, default=PORT, help=tell("first of three; 0: any free (%(default)s)"))
    add("--task-seconds", type=float, help=tell("how long Model Studio takes for a task"))
    add("--packages", type=Path, help=tell("run the built packages of this folder, not functions/"))
    add("--no-browser", action="store_true", help=tell("do not open the page (also: NO_BROWSER=1)"))
    add("--quiet", action="store_true", help=tell("no summary, no browser"))
    add("--verbose", action="store_true", help=tell("the servers' and functions' logs to stderr"))
    return parser


def _interrupt(*_: object) -> None:
    # A second Ctrl-C must not interrupt the stopping; that takes five seconds at most.
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
