"""Processes that prove, each one proof at a time."""

import asyncio
import contextlib
import itertools
import logging
import os
import shutil
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from vouch.chain.child import send_signal
from vouch.prover.service.errors import ProofFailed, WorkerDied, WorkerUnavailable
from vouch.prover.service.orders import LINE, Order, Proven, reply_of

_log = logging.getLogger(__name__)

THREADS = "HARDWARE_CONCURRENCY"
"""The variable from which bb takes how many threads it may use."""
_END_SECONDS = 0.5
GRACE_SECONDS = 10.0
"""After its time a process may say itself that it was too slow; one that does not is ended."""


class Worker:
    """One process in a process group of its own, with a folder for temporary files.

    Everything that it started ends with it, and it ends with the service: its standard input is closed then,
    even if the service was killed.
    """

    def __init__(self, process: Process, scratch: Path) -> None:
        self._process, self._scratch = process, scratch
        self.memory = 0
        """Bytes that it keeps between proofs, for all that is known."""

    @classmethod
    async def start(cls, command: Sequence[str], scratch: Path, threads: int) -> Self:
        """Raises WorkerUnavailable."""
        try:
            await asyncio.to_thread(scratch.mkdir, parents=True)
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,
                stdout=PIPE,
                limit=LINE,
                start_new_session=True,
                env={**os.environ, "TMPDIR": str(scratch), THREADS: str(threads)},
            )
        except OSError as error:
            raise WorkerUnavailable(str(error)) from error
        return cls(process, scratch)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def prove(self, order: Order, progress: Callable[[str], None]) -> Proven:
        """Raises ProofFailed, WorkerDied."""
        assert self._process.stdin is not None, "a pipe"
        assert self._process.stdout is not None, "a pipe"
        try:
            self._process.stdin.write(bytes(order))
            await self._process.stdin.drain()
            while line := await self._process.stdout.readline():
                reply = reply_of(line)
                if isinstance(reply, Proven):
                    self.memory = max(0, reply.took.memory - reply.took.peak_bytes)
                    return reply
                if isinstance(reply, ProofFailed):
                    raise reply
                progress(reply)
        except (BrokenPipeError, ConnectionResetError):
            pass  # its exit code says more
        except (ValueError, KeyError, TypeError, AttributeError) as half:
            _log.warning("the proving process said what makes no sense: %r", half)
            await self.kill()
        raise WorkerDied(await self._process.wait())

    async def kill(self) -> None:
        """Ends the process and all that it started; returns when they are gone, cancelled or not."""
        ending = asyncio.create_task(self._end())
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as again:
                cancelled = again
        ending.result()
        if cancelled is not None:
            raise cancelled

    async def _end(self) -> None:
        # It ends its proving program itself, which is in a group of its own.
        send_signal(self._process, signal.SIGTERM)
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)


class Pool:
    """Started as they are needed, at most as many as proofs are asked for at once.

    scratch: folder for their temporary files; it is emptied first, and gone at the end. threads: of each.
    """

    def __init__(self, command: Sequence[str], scratch: Path, threads: int) -> None:
        self._command, self._scratch, self._threads = tuple(command), scratch, threads
        self._idle: list[Worker] = []
        self._numbers = itertools.count()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._idle:
            await worker.kill()
        await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)

    async def prove(self, order: Order, progress: Callable[[str], None]) -> Proven:
        """One proof in a process of its own; cancelling ends that process and what it started.

        Raises ProofFailed, WorkerDied, WorkerUnavailable.
        """
        worker = await self._take()
        limit = None if order.timeout is None else order.timeout + GRACE_SECONDS
        try:
            async with asyncio.timeout(limit):
                made = await worker.prove(order, progress)
        except ProofFailed:
            self._idle.append(worker)
            raise
        except TimeoutError:
            await worker.kill()
            raise ProofFailed("TooSlow", f"no proof after {limit} s", retryable=True) from None
        except BaseException:
            await worker.kill()
            raise
        self._idle.append(worker)
        return made

    async def trim(self, spare: int) -> int:
        """Ends idle processes, the longest idle first, until those that the next proof does not use keep at
        most so many bytes of memory; how many that is then."""
        while (kept := sum(worker.memory for worker in self._idle[:-1])) > spare:
            await self._idle.pop(0).kill()
        return kept

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            await worker.kill()
        scratch = self._scratch / str(next(self._numbers))
        return await Worker.start(self._command, scratch, self._threads)
