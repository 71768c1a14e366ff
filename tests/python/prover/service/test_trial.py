"""The proof of each circuit before a service takes anything."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.python.prover.service import burner
from tests.python.prover.service.asking import BATCH, SINGLE, served
from tests.python.prover.service.conftest import BURNER, RunProver, pids_in
from vouch.protocol.fixed import NotFinite
from vouch.prover.service.app import serve
from vouch.prover.service.circuits import Served
from vouch.prover.service.config import ProverConfig
from vouch.prover.service.errors import CircuitNotProven
from vouch.prover.service.store import Store
from vouch.web.errors import AddressInUse
from vouch.web.server import listener_on


async def start(folder: Path, serving: Sequence[Served], **config: Any) -> list[str]:
    """What is said until the service is ready; then it ends."""
    said: list[str] = []
    stop = asyncio.Event()

    def ready(_: str) -> None:
        said.append("ready")
        stop.set()

    settings: dict[str, Any] = {"port": 0, "worker": BURNER} | config
    made = ProverConfig(folder.parent / "proofs.sqlite", **settings)
    await serve(made, serving, progress=said.append, ready=ready, stop=stop)
    return said


async def test_each_circuit_is_proven_first(folder: Path) -> None:
    single, batch = (f"circuit 0x{circuit.id.hex()}" for circuit in (SINGLE, BATCH))
    said = await start(folder, [served(folder), served(folder, BATCH)])
    assert [line.split(" takes ")[0] for line in said] == [
        f"trying {single} (1 of 2): one proof of zeros",
        single,
        f"trying {batch} (2 of 2): one proof of zeros",
        batch,
        "ready",
    ]
    assert said[1].endswith(" s and 40 MB")
    assert len(pids_in(folder)) == 2
    with Store(folder.parent / "proofs.sqlite") as store:
        for circuit in (SINGLE, BATCH):
            assert [took.memory for took in store.measurements(circuit.id)] == [burner.MEMORY]
        assert store.counts() == {}


async def test_what_it_took_is_the_first_estimate(run_prover: RunProver) -> None:
    async with run_prover(trial=True) as client:
        info = await client.info()
    assert info.eta.keys() == info.seconds.keys() == {SINGLE.id, BATCH.id}
    assert min(info.seconds.values()) > 0


async def test_without_a_trial(folder: Path) -> None:
    assert await start(folder, [served(folder)], trial=False) == ["ready"]
    assert pids_in(folder) == []


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"worker": (sys.executable, "-c", "raise SystemExit(9)")}, "ended with code 9"),
        ({"worker": ("/nowhere/to/be/found",)}, "/nowhere"),
        ({"max_memory": burner.MEMORY - 1}, "--max-memory"),
    ],
)
async def test_no_start_without_a_proof(folder: Path, config: dict[str, Any], reason: str) -> None:
    with pytest.raises(CircuitNotProven, match=reason) as failed:
        await start(folder, [served(folder)], **config)
    assert (failed.value.circuit_id, failed.value.folder) == (SINGLE.id, folder)
    with Store(folder.parent / "proofs.sqlite") as store:
        assert store.measurements(SINGLE.id) == []


async def test_no_start_with_a_model_that_does_not_take_zeros(folder: Path) -> None:
    def refuse(_: bytes) -> bytes:
        raise NotFinite(1.0)

    with pytest.raises(CircuitNotProven, match="finite"):
        await start(folder, [served(folder), replace(served(folder, BATCH), run=refuse)])


async def test_a_wrong_port_is_said_first(folder: Path) -> None:
    with listener_on("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(AddressInUse):
            await start(folder, [served(folder)], port=taken.getsockname()[1])
    assert pids_in(folder) == []
