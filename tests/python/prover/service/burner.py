"""A proving process whose proofs are hashes: everything is real but the mathematics.

The input's first word says what happens. A positive one: a program of the toolchain's kind burns so many
milliseconds of CPU (for zeros $BURN_ZEROS, or none); the others are the failures below. The order's folder
gets a file per program, named after its process id, with the order's bounds: bytes and seconds.
"""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable

from vouch.prover.errors import ProgramFailed, ProgramKilled
from vouch.prover.process import run
from vouch.prover.service.estimate import Measurement
from vouch.prover.service.orders import Order, Proven
from vouch.prover.service.worker import main

REFUSED, KILLED, DIED, BUG, HALF, NOISE, DEAF = -1, -2, -3, -4, -5, -6, -7
MEMORY = 40_000_000
"""What every proof says that it took."""

BURN = """
import os, pathlib, sys, tempfile, time
folder, milliseconds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
tempfile.mkdtemp()
(folder / f"{os.getpid()}.new").write_text(sys.argv[3])
(folder / f"{os.getpid()}.new").rename(folder / str(os.getpid()))
while time.process_time() * 1000 < milliseconds:
    sum(range(1000))
"""


def proof_of(order: Order) -> bytes:
    return hashlib.sha256(bytes(order)).digest()


async def prove(order: Order, progress: Callable[[str], None]) -> Proven:
    what = int.from_bytes(order.rows[0][0][:32], "big", signed=True)
    what = what or int(os.environ.get("BURN_ZEROS", "0"))
    match what:
        case _ if what == REFUSED:
            raise ProgramFailed("burner", 7, "no such circuit")
        case _ if what == KILLED:
            raise ProgramKilled("burner", "it ran out of memory")
        case _ if what == DIED:
            os._exit(9)
        case _ if what == BUG:
            raise RuntimeError("a defect")
        case _ if what == HALF:
            os.write(REPLIES, b'{"proof":"00')
            os.kill(os.getpid(), signal.SIGKILL)
        case _ if what == NOISE:
            os.write(REPLIES, b"[1]\n")
            await asyncio.sleep(60)
        case _ if what == DEAF:
            await asyncio.sleep(60)
    print("this must not get between the messages")  # noqa: T201 - as a library might
    progress("burning")
    bounds = f"{order.memory} {order.timeout}"
    burned = await run([sys.executable, "-c", BURN, order.folder, str(what), bounds], home=order.folder)
    used = burned.usage
    return Proven(proof_of(order), Measurement(used.cpu_seconds, used.seconds, used.peak_bytes, MEMORY))


if __name__ == "__main__":
    REPLIES = os.dup(1)
    main(prove)
