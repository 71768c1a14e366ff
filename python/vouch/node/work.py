"""Work that several wait for: begun once, and ended even when nobody waits any more."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Self, TypeVar

_T = TypeVar("_T")


class SharedWork:
    """All work under way, by key. Leaving it waits for the end of the work, but not for ever."""

    def __init__(self, shutdown_seconds: float) -> None:
        self._shutdown_seconds = shutdown_seconds
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        # Work whose client has gone still ends, so that its result is stored; but not for ever.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._shutdown_seconds):
                await self._tasks.__aexit__(None, None, None)

    async def share(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """The result of the work under way for a key, which is begun if there is none. Raises what it raises.

        One key always means the same work.
        """
        task: asyncio.Task[_T | Exception] | None = self._running.get(key)
        if task is None:
            task = self._running[key] = self._tasks.create_task(self._outcome(key, work))
        # A client that hangs up must not stop the work that others wait for.
        outcome = await asyncio.shield(task)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _outcome(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T | Exception:
        try:
            return await work()
        except Exception as error:  # noqa: BLE001  everyone who waits for the task raises it; the task group must live on
            return error
        finally:
            del self._running[key]
