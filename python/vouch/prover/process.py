"""A program run to its end: what it wrote, the processor seconds it took and its largest memory."""

import asyncio
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vouch.chain.parent import end_with_parent
from vouch.prover.errors import ProgramFailed, ProgramKilled, ToolchainMissing

_NO_MEMORY: Final = ("bad_alloc", "out of memory", "Cannot allocate memory")
_REFUSAL: Final = "uncaught exception"
"""How bb, which aborts then, says that it cannot take an input."""
_VM_HWM: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_LOOK_MS: Final = 10
"""How often a program's memory is looked at."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program used: seconds by the clock, seconds of all its threads, bytes of memory at the most."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that ended with code 0; `output` is its stdout and stderr together."""

    output: str
    usage: Usage


async def run(
    command: Sequence[str | Path],
    *,
    home: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    memory: int | None = None,
    timeout: float | None = None,
) -> Finished:
    """Run a program of the toolchain in `home`. Cancelled, it kills the program and waits for its end.

    It also ends when this process is killed (on Linux).

    env: variables besides our own.
    memory: bytes of address space it may take (bounded on Linux only).
    timeout: seconds by the clock.

    Raises:
        ProgramFailed: it ended with another code than 0.
        ProgramKilled: a signal, its memory or its time ended it.
        ToolchainMissing: it cannot be started.
    """
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as output:
        try:
            child = _Child([str(word) for word in command], output.fileno(), cwd, env, memory)
        except OSError as missing:
            raise ToolchainMissing(home, f"{command[0]} cannot be started: {missing.strerror}") from missing
        try:
            async with asyncio.timeout(timeout):
                await child.end()
        except TimeoutError:
            raise ProgramKilled(name, f"no end after {timeout} s") from None
        finally:
            await child.kill()
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    code = child.code
    limit = "" if memory is None else f" (it may take {memory >> 20} MiB)"
    if code != 0 and any(mark in text for mark in _NO_MEMORY):
        raise ProgramKilled(name, f"it ran out of memory{limit}")
    if code < 0 and _REFUSAL not in text:
        said = text.strip()[-500:] or "no output"
        raise ProgramKilled(name, f"{signal.Signals(-code).name} ended it{limit}: {said}")
    if code:
        raise ProgramFailed(name, code, text)
    return Finished(text, child.usage)


class _Child:
    """A running program. A thread of its own waits for it: only wait4 tells what it used."""

    def __init__(
        self,
        command: list[str],
        output: int,
        cwd: Path | None,
        env: Mapping[str, str] | None,
        memory: int | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._begin = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            preexec_fn=_bounded(memory),
        )
        self._reaped = threading.Lock()
        self.code, self.usage = 0, Usage(0.0, 0.0, 0)
        threading.Thread(target=self._wait, name=f"wait for {command[0]}", daemon=True).start()

    async def end(self) -> None:
        await asyncio.shield(self._ended)

    async def kill(self) -> None:
        """Kill it if it still runs, and wait until it is gone, even if cancelled meanwhile."""
        with self._reaped:
            if self._process.returncode is None:
                os.kill(self._process.pid, signal.SIGKILL)
        cancelled: asyncio.CancelledError | None = None
        while not self._ended.done():
            try:
                await self.end()
            except asyncio.CancelledError as again:
                cancelled = again
        if cancelled is not None:
            raise cancelled

    def _wait(self) -> None:
        peak = _largest(self._process.pid)
        # Not reaped before the lock is held: a process id is another program's once it is.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.monotonic() - self._begin
        with self._reaped:
            _, status, used = os.wait4(self._process.pid, 0)
            self.code = self._process.returncode = os.waitstatus_to_exitcode(status)
        # Linux counts KiB, macOS bytes.
        most = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.usage = Usage(seconds, used.ru_utime + used.ru_stime, peak or most)
        self._loop.call_soon_threadsafe(self._ended.set_result, None)


def _largest(pid: int) -> int:
    """Follow the program to its end; its largest memory in bytes, 0 where only wait4 tells.

    On Linux wait4 also counts what our own process had when it forked.
    """
    if sys.platform != "linux":
        return 0
    peak, ended = 0, select.poll()
    watched = os.pidfd_open(pid)
    try:
        ended.register(watched, select.POLLIN)
        while not ended.poll(_LOOK_MS):
            status = Path(f"/proc/{pid}/status").read_text()
            if found := _VM_HWM.search(status):
                peak = int(found[1]) * 1024
    finally:
        os.close(watched)
    return peak


def _bounded(memory: int | None) -> Callable[[], None] | None:
    """What the child does, on Linux, before it becomes the program: end with us, and keep to its memory."""
    if memory is None:
        return end_with_parent()
    return end_with_parent(lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)))
