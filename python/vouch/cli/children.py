"""Child processes of the devnet: started, watched, and always stopped."""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from vouch.chain.child import send_signal
from vouch.protocol.errors import VouchError

KEPT_LINES = 30
STOP_SECONDS = 5.0


class ChildDied(VouchError):
    """A part of the devnet ended on its own."""

    def __init__(self, name: str, code: int, lines: Sequence[str], log: Path) -> None:
        self.name, self.code, self.lines, self.log = name, code, tuple(lines), log
        said = "\n".join(lines) or "(it said nothing)"
        super().__init__(f"{name} ended with code {code}; its last lines (all of them are in {log}):\n{said}")


class ChildNotReady(VouchError):
    """A part of the devnet runs but does not answer."""

    def __init__(self, name: str, url: str, seconds: float, reason: str, lines: Sequence[str]) -> None:
        self.name, self.url, self.seconds, self.reason = name, url, seconds, reason
        said = "\n".join(lines)
        super().__init__(
            f"{name} does not answer at {url} after {seconds:.0f} s ({reason}); its last lines:\n{said}"
        )


class Child:
    """One `vouch` command as a child process.

    It has its own process group, so that Ctrl-C reaches it through its parent only and the parts stop in
    order. Its output goes to `log`, the last lines are kept.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name, self._log = name, log
        self._command = [sys.executable, "-m", "vouch.cli.main", "--parent", str(os.getpid()), *arguments]
        self._environment = {**os.environ, **environment}
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1 << 20,
        )
        self._reading = asyncio.create_task(self._read(self._process), name=f"output of {self.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None, "entered before"
        assert self._reading is not None, "entered before"
        if self._process.returncode is None:
            send_signal(self._process, signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                # A grandchild may hold the output open: the whole group has to go.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
        await self._reading

    @property
    def pid(self) -> int:
        assert self._process is not None, "the child was not started"
        return self._process.pid

    async def watch(self) -> None:
        """Returns never. Raises ChildDied when the process ends."""
        assert self._process is not None, "entered before"
        assert self._reading is not None, "entered before"
        code = await self._process.wait()
        await asyncio.shield(self._reading)
        raise ChildDied(self.name, code, self._lines, self._log)

    async def ready(self, url: str, seconds: float = 30.0) -> None:
        """Wait until `url` answers 200.

        Raises ChildDied, or ChildNotReady after `seconds`.
        """
        assert self._process is not None
        reason = "no answer yet"
        async with aiohttp.ClientSession() as http:
            try:
                async with asyncio.timeout(seconds):
                    while True:
                        if self._process.returncode is not None:
                            await self.watch()
                        try:
                            async with http.get(url) as response:
                                if response.status == 200:
                                    return
                                reason = f"HTTP {response.status}"
                        except aiohttp.ClientError as error:
                            reason = str(error)
                        await asyncio.sleep(0.02)
            except TimeoutError:
                raise ChildNotReady(self.name, url, seconds, reason, self._lines) from None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with self._log.open("ab", buffering=0) as file:
            while line := await process.stdout.readline():
                file.write(line)
                self._lines.append(line.decode(errors="replace").rstrip())
