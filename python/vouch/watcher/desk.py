"""Work on many things, the most urgent first, a few at a time; what cannot be done now comes back later."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vouch.chain.errors import ChainError
from vouch.watcher.config import Patience
from vouch.watcher.errors import NotNow

_log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class _Entry:
    urgency: float
    not_before: float = 0.0
    """On the monotonic clock."""
    attempts: int = 0


class Desk(Generic[Key]):
    """`put` keys, and `run` calls `work(key, attempt)` for each, attempts counted from 1.

    What raises NotNow or ChainError comes back after a pause, for ever: `work` decides when it was enough. A
    key that is put again while it is worked on is worked on once more.
    """

    def __init__(
        self, name: str, work: Callable[[Key, int], Awaitable[None]], workers: int, patience: Patience
    ) -> None:
        self._name, self._work, self._workers, self._patience = name, work, workers, patience
        self._entries: dict[Key, _Entry] = {}
        self._busy: set[Key] = set()
        self._news = asyncio.Event()
        self.trouble = ""
        """Why something has to wait; empty if all is well."""

    def __len__(self) -> int:
        """How much waits or is being worked on."""
        return len(self._entries)

    def put(self, key: Key, urgency: float = 0.0) -> None:
        """Work on this now; smaller is more urgent."""
        self._entries[key] = _Entry(urgency)
        self._news.set()

    async def run(self) -> None:
        """Works for ever."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._workers):
                tasks.create_task(self._worker(), name=f"{self._name} {number}")

    async def _worker(self) -> None:
        while True:
            key = await self._next()
            entry = self._entries[key]
            entry.attempts += 1
            self._busy.add(key)
            try:
                await self._work(key, entry.attempts)
            except (NotNow, ChainError) as error:
                self.trouble = str(error)
                _log.info("%s waits (attempt %d): %s", self._name, entry.attempts, error)
                entry.not_before = time.monotonic() + self._pause(entry.attempts)
            else:
                self.trouble = ""
                if self._entries[key] is entry:
                    del self._entries[key]
            finally:
                self._busy.discard(key)
                self._news.set()

    def _pause(self, attempts: int) -> float:
        return min(self._patience.retry_first * 2.0 ** min(attempts - 1, 20), self._patience.retry_most)

    async def _next(self) -> Key:
        while True:
            now = time.monotonic()
            free = [(entry, key) for key, entry in self._entries.items() if key not in self._busy]
            due = [(entry.urgency, index) for index, (entry, _) in enumerate(free) if entry.not_before <= now]
            if due:
                return free[min(due)[1]][1]
            pause = min((entry.not_before - now for entry, _ in free), default=None)
            self._news.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._news.wait()
            except TimeoutError:
                pass  # something is due
