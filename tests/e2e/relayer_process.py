"""A relayer in a process of its own that kills itself at a chosen point: relayer_process.py CONFIG POINT"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vouch.chain.account import LocalKey
from vouch.relayer.config import NodeEndpoint, Patience, RelayerConfig
from vouch.relayer.service import serve
from vouch.relayer.store import Store

# Points in the life of a request, as "before" or "after" a method of the store.
POINTS = (
    "after advance",
    "before answered",
    "after answered",
    "after sign",
    "before broadcast",
    "after broadcast",
)


def arm(point: str) -> None:
    """From now on the process ends by SIGKILL when it gets there with a request under way."""
    when, name = point.split()
    method: Callable[..., Any] = getattr(Store, name)

    def deadly(self: Store, *args: Any, **kwargs: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(self, *args, **kwargs)
        # Blocks without a request are read all the time.
        if name != "advance" or result:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(Store, name, deadly)


def announce(_: str | None) -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> None:
    given = json.loads(sys.argv[1])
    config = RelayerConfig(
        rpc_url=given["rpc"],
        ws_url=given["ws"],
        hub=given["hub"],
        nodes=(NodeEndpoint(given["node"]),),
        database=Path(given["database"]),
        start_block=given["start"],
        patience=Patience(poll=0.2, margin=1.0),
    )
    arm(sys.argv[2])
    asyncio.run(serve(config, LocalKey.from_hex(given["key"]), ready=announce))


if __name__ == "__main__":
    main()
