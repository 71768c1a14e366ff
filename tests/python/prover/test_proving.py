import asyncio
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import circuits, zk
from vouch.circuit.codec import run_bytes
from vouch.circuit.errors import InputOutOfRange
from vouch.protocol.codec import WrongSize
from vouch.protocol.zk import FIELD, WrongBatch
from vouch.prover import acir, proving
from vouch.prover.errors import (
    ContextOutOfRange,
    OutputMismatch,
    PublicInputsDiffer,
    UnknownBatch,
    WrongString,
)
from vouch.prover.files import CircuitFiles
from vouch.prover.plan import Plan
from vouch.prover.proving import Proof, prove

# Noir's compiler takes seconds for each circuit, more where the machine has other work.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


async def proven(files: CircuitFiles, *rows: circuits.Row, context: int = 99) -> Proof:
    return await prove(files, len(rows), rows, context, srs=zk.string(), toolchain=zk.toolchain())


async def test_its_public_inputs_are_those_of_the_protocol(files: CircuitFiles) -> None:
    rows = [circuits.row(files.model, 1, 2, 3), circuits.row(files.model, -4, 5, -6)]
    circuit = files.of(2).circuit
    expected = circuit.public_inputs([circuit.row(*row) for row in rows], 99)
    proof = await proven(files, *rows)
    assert proof.public == expected
    assert proof.seconds > 0
    assert proof.cpu_seconds > 0
    assert proof.peak_bytes > 1 << 20


async def test_a_run_is_proven_the_same_way_each_time(files: CircuitFiles) -> None:
    row = circuits.row(files.model, 1, 2, 3)
    assert (await proven(files, row)).data == (await proven(files, row)).data


async def test_the_ends_of_the_range(files: CircuitFiles) -> None:
    for values in ((32_767, 32_767, 32_767), (-32_768, -32_768, -32_768), (0, 0, 0)):
        await proven(files, circuits.row(files.model, *values), context=FIELD - 1)


async def test_progress_names_the_string(files: CircuitFiles) -> None:
    said: list[str] = []
    row = circuits.row(files.model, 1, 2, 3)
    await prove(files, 1, [row], 1, srs=zk.string(), toolchain=zk.toolchain(), progress=said.append)
    assert said == ["proving 1 inference(s) over dev-srs (INSECURE: for tests only)"]


async def test_an_output_that_is_not_the_models(files: CircuitFiles) -> None:
    good = circuits.row(files.model, 1, 2, 3)
    words = int.from_bytes(good[1][:32], "big", signed=True)
    bad = good[0], (words + 1).to_bytes(32, "big", signed=True) + good[1][32:]
    with pytest.raises(OutputMismatch, match=rf"row 1: the claimed output is \[{words + 1}, ") as caught:
        await proven(files, good, bad)
    assert caught.value.expected[0] == words
    with pytest.raises(OutputMismatch):
        await proven(files, (good[0], good[1][:32]))


async def test_an_input_out_of_range(files: CircuitFiles) -> None:
    wide = (1 << 15).to_bytes(32, "big") + bytes(64)
    with pytest.raises(InputOutOfRange, match="32768"):
        await proven(files, (wide, run_bytes(files.model, bytes(96))))


async def test_an_input_of_another_size(files: CircuitFiles) -> None:
    with pytest.raises(WrongSize):
        await proven(files, (bytes(32), bytes(64)))


async def test_another_number_of_rows_than_the_batch(files: CircuitFiles) -> None:
    row = circuits.row(files.model, 1, 2, 3)
    with pytest.raises(UnknownBatch):
        await proven(files, row, row, row)
    with pytest.raises(WrongBatch):
        await prove(files, 2, [row], 99, srs=zk.string(), toolchain=zk.toolchain())


@pytest.mark.parametrize("context", [-1, FIELD])
async def test_a_context_that_is_no_field_element(files: CircuitFiles, context: int) -> None:
    with pytest.raises(ContextOutOfRange, match="is no field element"):
        await proven(files, circuits.row(files.model, 1, 2, 3), context=context)


async def test_another_reference_string(files: CircuitFiles) -> None:
    other = replace(files, srs="aztec-ignition")
    with pytest.raises(WrongString, match="is dev-srs, this circuit was built for aztec-ignition"):
        await proven(other, circuits.row(files.model, 1, 2, 3))


@pytest.mark.parametrize(
    ("received", "index"), [((1, 2, 4), 2), ((1, 2), 2), ((1, 2, 3, 4), 3), ((0, 2, 3), 0)]
)
def test_public_inputs_of_bb_that_differ_are_seen(received: tuple[int, ...], index: int) -> None:
    proving.compare((1, 2, 3), (1, 2, 3))
    with pytest.raises(PublicInputsDiffer) as caught:
        proving.compare(received, (1, 2, 3))
    assert caught.value.index == index


async def test_a_proof_of_something_else_is_thrown_away(
    files: CircuitFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, made = circuits.row(files.model, 1, 2, 3), list[bytes]()
    solve = acir.solve

    def first(plan: Plan, public: Sequence[int], private: Iterable[int]) -> bytes:
        made.append(solve(plan, public, private))
        return made[0]

    monkeypatch.setattr(acir, "solve", first)
    await proven(files, row, context=98)
    with pytest.raises(PublicInputsDiffer, match="is 98, expected 99"):
        await proven(files, row, context=99)


async def test_a_folder_that_is_replaced_does_not_matter_to_who_has_read_it(
    files: CircuitFiles, tmp_path: Path
) -> None:
    shutil.copytree(files.folder, tmp_path / "circuit")
    read, row = CircuitFiles.load(tmp_path / "circuit"), circuits.row(files.model, 1, 2, 3)
    shutil.rmtree(tmp_path / "circuit")
    assert (await proven(read, row)).data == (await proven(files, row)).data


async def test_cancelled_it_leaves_nothing(
    files: CircuitFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    running = asyncio.create_task(proven(files, circuits.row(files.model, 1, 2, 3)))
    while not _entries(tmp_path):  # noqa: ASYNC110 - nobody sets an event
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert _entries(tmp_path) == []


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())
