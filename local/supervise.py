"""Child processes: started, their output kept in a log file, their ready line awaited, stopped."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

READY = re.compile(r"\S+ ready (http\S+)\s*")
GRACE_SECONDS = 5.0
TAIL_LINES = 12


class ChildError(Exception):
    """A child that did not start or ended by itself; the text holds its last log lines."""


class Child:
    """One server process. It is ready when it has printed `NAME ready URL`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        log: Path,
        on_end: Callable[[], None],
        *,
        inherited: int,
        echo: bool = False,
    ) -> None:
        """`inherited` is a file descriptor the child keeps open; `echo` copies it to stderr."""
        self.name = name
        self.log = log
        self._on_end = on_end
        self._echo = echo
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._settled = threading.Event()
        self._ready = False
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(inherited,),
            start_new_session=True,  # Ctrl-C reaches the parent alone, which stops its children
        )
        self._thread = threading.Thread(target=self._follow, name=f"log of {name}", daemon=True)
        self._thread.start()

    def wait_ready(self, seconds: float) -> None:
        """Raises ChildError if the child ends first, or is not ready in time."""
        self._settled.wait(seconds)
        if not self._ready:
            raise ChildError(self.account())

    def account(self) -> str:
        """What happened to the child, how it ended, and the last lines it wrote."""
        code = self.process.poll()
        how = "it gave no ready line in time" if code is None else f"exit code {code}"
        lines = "\n".join(f"  | {line}" for line in self._tail)
        what = f"{self.name} did not start ({how}). Its log: {self.log}"
        if self._ready:
            what = f"{self.name} ended by itself ({how}). Its log: {self.log}"
        return f"{what}\n{lines}".rstrip()

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def stop(self) -> None:
        """TERM, and KILL if it has not ended in five seconds."""
        self.ask_to_stop()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._thread.join(1)

    def ask_to_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def _follow(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output, self.log.open("ab", buffering=0) as log:
            for raw in output:
                log.write(raw)
                self._note(raw.decode(errors="replace").rstrip("\n"))
        # The output can end a moment before the process does.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        self._settled.set()
        self._on_end()

    def _note(self, line: str) -> None:
        self._tail.append(line)
        if self._echo:
            print(line, file=sys.stderr, flush=True)
        if not self._ready and READY.fullmatch(line):
            self._ready = True
            self._settled.set()
