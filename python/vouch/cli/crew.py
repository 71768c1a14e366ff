"""The processes of a devnet: each is watched from the moment it is ready until it is stopped on purpose."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from vouch.cli.children import Child

READY_SECONDS = 60.0
"""Several at a time load their models on a small machine."""


@dataclass(frozen=True, slots=True)
class _Member:
    child: Child
    watching: asyncio.Task[None]
    stack: AsyncExitStack


class Crew:
    """Made by `crew`. Members are known by their child's name."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._members: dict[str, _Member] = {}

    async def start(self, child: Child, url: str) -> None:
        """Returns when `url` answers 200. Raises ChildDied, ChildNotReady."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(child)
            await child.ready(url, READY_SECONDS)
            watching = self._tasks.create_task(child.watch(), name=f"watch {child.name}")
            self._members[child.name] = _Member(child, watching, stack.pop_all())

    async def kill(self, name: str) -> None:
        """It ends at once, without a word; `start` may start another one in its place."""
        with contextlib.suppress(ProcessLookupError):  # it ended on its own a moment ago
            os.kill(self._members[name].child.pid, signal.SIGKILL)
        await self._stop(name)

    async def stop_all(self) -> None:
        """The last one that started ends first."""
        for member in self._members.values():
            member.watching.cancel()
        for name in reversed(list(self._members)):
            await self._stop(name)

    async def _stop(self, name: str) -> None:
        member = self._members.pop(name)
        member.watching.cancel()
        await member.stack.aclose()


@asynccontextmanager
async def crew() -> AsyncIterator[Crew]:
    """Stops everybody at the end.

    A member that ends on its own cancels the body, and ChildDied comes out in an exception group.
    """
    async with asyncio.TaskGroup() as tasks:
        made = Crew(tasks)
        try:
            yield made
        finally:
            await made.stop_all()
