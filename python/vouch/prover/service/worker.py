"""A proving process: takes orders on its standard input, one at a time, and answers on its standard output.

It ends when its input does, so it never outlives the service, and it keeps the circuits that it has read.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import BinaryIO

from vouch.protocol.errors import VouchError
from vouch.prover.errors import ProgramKilled, ToolchainMissing
from vouch.prover.service.orders import LINE, Order, Proven, failure_line, progress_line

Prove = Callable[[Order, Callable[[str], None]], Awaitable[Proven]]

_RETRYABLE = (ProgramKilled, ToolchainMissing, MemoryError, OSError)


def main(prove: Prove) -> None:
    """Proves until standard input ends, or SIGTERM."""
    # Whatever a library prints must not get between the messages.
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    try:
        asyncio.run(_work(prove, replies))
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)


async def _work(prove: Prove, replies: BinaryIO) -> None:
    loop, working = asyncio.get_running_loop(), asyncio.current_task()
    assert working is not None, "in a task"
    loop.add_signal_handler(signal.SIGTERM, working.cancel)
    orders = asyncio.StreamReader(limit=LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    following = asyncio.create_task(orders.readline())
    while line := await following:
        following = asyncio.create_task(orders.readline())
        answering = asyncio.create_task(_answer(prove, line, replies))
        await asyncio.wait((answering, following), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            # Nobody asks twice at once: standard input has ended, and with it the service.
            break
        replies.write(answering.result())


async def _answer(prove: Prove, line: bytes, replies: BinaryIO) -> bytes:
    try:
        return bytes(await prove(Order.parse(line), lambda text: _say(replies, text)))
    except (VouchError, MemoryError, OSError) as error:
        return failure_line(error, retryable=isinstance(error, _RETRYABLE))


def _say(replies: BinaryIO, text: str) -> None:
    replies.write(progress_line(text))
