"""The commands as a person runs them: processes, what they print, Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("VOUCH_") or name == "VOUCH_ANVIL"
}


def vouch(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command, from start to end."""
    return subprocess.run(
        [sys.executable, "-m", "vouch.cli.main", *arguments],
        cwd=folder,
        env={**CLEAN, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


class Running:
    """A command that runs in a session of its own; what it prints goes to a file."""

    def __init__(self, folder: Path, name: str, *arguments: str, **environment: str) -> None:
        self.folder, self.log = folder, folder / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vouch.cli.main", name, *arguments],
                cwd=folder,
                env={**CLEAN, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def find(self, pattern: str) -> str:
        found = re.search(pattern, self.text)
        assert found, self.text
        return found[1]

    def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.text
            assert self.process.poll() is None or condition(), self.text
            time.sleep(0.05)

    def children(self) -> dict[int, str]:
        """Its processes: what they do, by id."""
        listed = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        found = {}
        for line in listed.stdout.splitlines():
            pid, command = line.split(maxsplit=1)
            for name in ("anvil", "node", "prover", "relayer", "watch"):
                if f" {name} " in command.partition("--parent")[2] or f"/{name} --" in command:
                    found[int(pid)] = name
        return found

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
