from dataclasses import replace

import pytest

from tests.support import circuits, zk
from vouch.prover import audit
from vouch.prover.files import CircuitFiles

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


async def test_a_folder_is_what_its_model_gives(files: CircuitFiles) -> None:
    one = replace(files, circuits={1: files.of(1)})
    (finding,) = await audit.rebuilt(one, srs=zk.string(), toolchain=zk.toolchain())
    assert finding.good
    assert finding.seen == f"code hash 0x{files.of(1).circuit.code_hash.hex()}"


async def test_a_folder_with_another_models_circuit(files: CircuitFiles) -> None:
    """Every part in order, and none of it of this model: as somebody would do who means to deceive."""
    mixed = replace(files, model=circuits.model(seed=2), circuits={1: files.of(1)})
    (finding,) = await audit.rebuilt(mixed, srs=zk.string(), toolchain=zk.toolchain())
    assert not finding.good
    for part in ("source", "program", "vk", "solidity", "verifier", "id"):
        assert part in finding.seen
