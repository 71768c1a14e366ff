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
from vouch.relayer.config import (
    CosignerEndpoint,
    NodeEndpoint,
    Patience,
    QuorumConfig,
    RelayerConfig,
    ZkConfig,
)
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
# The same for a request that is delivered first and settled with a quorum's seal later.
GAP_POINTS = (
    "after answered",
    "after sign",
    "before broadcast",
    "after broadcast",
    "after advance 2",
    "after set_deadline",
    "after cosigned",
    "before sealed",
    "after sealed",
    "after sign 2",
    "before broadcast 2",
    "after broadcast 2",
    "after advance 3",
)
# The same for one whose proof a prover service makes: in one step, and delivered first.
ZK_POINTS = ("after answered", "before sealed", "after sealed")
ZK_GAP_POINTS = (
    "after broadcast",
    "after set_deadline",
    "before sealed",
    "after sealed",
    "after sign 2",
    "after broadcast 2",
)


def arm(point: str) -> None:
    """From now on the process ends by SIGKILL when it gets there (the nth time) with a request under way."""
    when, name, *nth = point.split()
    method: Callable[..., Any] = getattr(Store, name)
    left = int(nth[0]) if nth else 1

    def deadly(self: Store, *args: Any, **kwargs: Any) -> Any:
        nonlocal left
        if when == "before" and left == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(self, *args, **kwargs)
        # Blocks without a request are read all the time.
        if name != "advance" or result:
            if when == "after" and left == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return result

    setattr(Store, name, deadly)


def announce(_: str | None) -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> None:
    given = json.loads(sys.argv[1])
    members = given.get("members", [])
    config = RelayerConfig(
        rpc_url=given["rpc"],
        ws_url=given["ws"],
        hub=given["hub"],
        nodes=(NodeEndpoint(given["node"]),),
        database=Path(given["database"]),
        start_block=given["start"],
        zk=ZkConfig(given["prover"], poll=0.1, dev=True) if "prover" in given else None,
        quorum=QuorumConfig(2, tuple(map(CosignerEndpoint, members))) if members else None,
        patience=Patience(poll=0.2, margin=1.0),
    )
    arm(sys.argv[2])
    asyncio.run(serve(config, LocalKey.from_hex(given["key"]), ready=announce))


if __name__ == "__main__":
    main()
