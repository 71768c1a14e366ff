"""A program that asyncio started for us."""

import asyncio
import contextlib
import os


def send_signal(process: asyncio.subprocess.Process, number: int) -> None:
    """Nothing happens if it has ended.

    The method of `process` asks the system for the exit code first; asyncio finds none then and reports 255
    (CPython gh-127049).
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # asyncio is about to hear of its end
            os.kill(process.pid, number)
