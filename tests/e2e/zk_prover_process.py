"""A prover service in a process of its own: zk_prover_process.py FOLDER DATABASE PORT HOLD"""

import asyncio
import sys
from pathlib import Path

from tests.support.zk import HOME
from vouch.prover.service.app import serve
from vouch.prover.service.circuits import load
from vouch.prover.service.config import ProverConfig

WORKER = Path(__file__).with_name("zk_held_worker.py")


def announce(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


def main() -> None:
    folder, database, port, hold = sys.argv[1:]
    config = ProverConfig(
        Path(database),
        home=HOME,
        port=int(port),
        shutdown_seconds=0.5,
        worker=(sys.executable, str(WORKER), hold),
    )
    asyncio.run(serve(config, load(Path(folder)), ready=announce))


if __name__ == "__main__":
    main()
