import asyncio
import signal
import sys

import pytest

from vouch.chain.child import send_signal

DIES = "import os, sys; sys.stdin.read(1); os.kill(os.getpid(), 9)"


async def started(code: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_signal_arrives(number: int) -> None:
    process = await started("input()")
    send_signal(process, number)
    assert await process.wait() == -number
    send_signal(process, number)


async def test_the_exit_code_of_one_that_ends_meanwhile() -> None:
    for _ in range(10):
        process = await started(DIES)
        assert process.stdin is not None
        process.stdin.write(b"x")
        await process.stdin.drain()
        # Nothing is awaited, so that asyncio does not hear of the end before this does.
        for _ in range(50_000):
            send_signal(process, 0)
        assert await process.wait() == -signal.SIGKILL
