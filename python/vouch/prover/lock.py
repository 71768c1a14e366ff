"""One at a time across processes: a locked file that ends with its process."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Final

Progress = Callable[[str], None]
_PAUSE: Final = 0.1


def silent(_: str) -> None:
    """Progress that nobody reads."""


@contextmanager
def alone(path: Path, progress: Progress = silent) -> Iterator[None]:
    """Hold the lock file `path`; says so when it has to wait for another process."""
    with _opened(path) as file:
        if not _taken(file):
            progress(_waiting(path))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def alone_async(path: Path, progress: Progress = silent) -> AsyncIterator[None]:
    """The same, without blocking the event loop."""
    with _opened(path) as file:
        if not _taken(file):
            progress(_waiting(path))
            while not _taken(file):  # noqa: ASYNC110 (no event tells of another process's lock)
                await asyncio.sleep(_PAUSE)
        yield


def _opened(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a")


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _waiting(path: Path) -> str:
    return f"waiting for another process that works in {path.parent}"
