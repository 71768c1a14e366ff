"""A proving process whose proofs wait while a file is there: zk_held_worker.py FILE"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from vouch.prover.service.orders import Order, Proven
from vouch.prover.service.prove import prove
from vouch.prover.service.worker import main

HOLD = Path(sys.argv[1])


async def held(order: Order, progress: Callable[[str], None]) -> Proven:
    """The real proof, in the end."""
    while HOLD.exists():  # noqa: ASYNC110, ASYNC240 - another process removes it
        await asyncio.sleep(0.02)
    return await prove(order, progress)


if __name__ == "__main__":
    main(held)
