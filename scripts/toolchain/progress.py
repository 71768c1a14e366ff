"""One line per step with the seconds it took, and the error that ends a set-up."""

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.toolchain import paths

LOG_LINES_SHOWN = 15


class SetupError(Exception):
    """A step cannot be done on this machine; the message says what to do about it."""


class CommandFailed(SetupError):
    """A program of a step failed.

    Attributes:
        output: stdout and stderr together.
    """

    def __init__(self, command: Sequence[str], why: str, output: str) -> None:
        self.output = output
        tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-LOG_LINES_SHOWN:])
        super().__init__(f"{why}: {' '.join(command)}\n{tail}")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, run it, and say how long it took."""
    begin = time.monotonic()
    print(f"  {title} ...", flush=True)
    yield
    print(f"  {title}: done in {time.monotonic() - begin:.1f} s", flush=True)


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    cwd: Path = paths.ROOT,
) -> str:
    """Run a program quietly and give back what it wrote.

    Raises:
        CommandFailed: it could not be started, ended with a code other than 0, or ran past `timeout` seconds.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env=env,
            cwd=cwd,
            timeout=timeout,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise CommandFailed(words, f"no end after {timeout} s", str(late.output or "")) from late
    except OSError as missing:
        raise CommandFailed(words, "cannot be started", str(missing)) from missing
    if done.returncode != 0:
        raise CommandFailed(words, f"ended with code {done.returncode}", done.stdout)
    return done.stdout
