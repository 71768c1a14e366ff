"""The process that proves, without the service around it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.python.prover.service.asking import served
from tests.support import circuits, zk
from vouch.prover.errors import ProgramKilled, StringTooShort, ToolchainMissing, WrongString
from vouch.prover.files import CircuitFiles
from vouch.prover.service import prove
from vouch.prover.service.errors import FolderChanged
from vouch.prover.service.orders import Order
from vouch.prover.service.prove import check


def test_everything_is_there(tmp_path: Path) -> None:
    points = zk.string().points
    check([replace(served(tmp_path), points=points)], zk.HOME)
    with pytest.raises(StringTooShort, match=f"{points} points"):
        check([replace(served(tmp_path), points=2 * points)], zk.HOME)


def test_no_toolchain(tmp_path: Path) -> None:
    with pytest.raises(ToolchainMissing, match="vouch zk setup"):
        check([served(tmp_path)], tmp_path)


def test_a_string_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(WrongString, match="aztec-ignition"):
        check([served(tmp_path, srs="mine")], zk.HOME)


def order(files: CircuitFiles) -> Order:
    row = circuits.row(files.model, 1, 2, 3)
    circuit_id = files.of(1).circuit.id
    return Order(circuit_id, files.folder, zk.HOME, 1, (row,), context=9, memory=1 << 30, timeout=60.0)


def ignored(_: str) -> None:
    pass


@pytest.mark.slow
async def test_a_proof_keeps_to_its_bounds(files: CircuitFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = order(files)
    assert Order.parse(bytes(asked)) == asked
    assert (await prove.prove(asked, ignored)).proof
    with pytest.raises(ProgramKilled, match=r"no end after 0\.001 s"):
        await prove.prove(replace(asked, timeout=0.001), ignored)
    # Little is left beside this process itself, but what bb's threads reserve is not counted.
    assert (await prove.prove(replace(asked, memory=1), ignored)).proof
    monkeypatch.setattr(prove, "_THREAD_SPACE", 8 << 20)
    with pytest.raises(ProgramKilled, match=r"it may take \d+ MiB"):
        await prove.prove(replace(asked, memory=1), ignored)


@pytest.mark.slow
async def test_a_folder_that_was_changed(files: CircuitFiles) -> None:
    asked, other = order(files), files.of(2).circuit.id
    with pytest.raises(FolderChanged, match="start the prover again") as changed:
        await prove.prove(replace(asked, circuit_id=other), ignored)
    assert (changed.value.received, changed.value.expected) == (asked.circuit_id, other)
    with pytest.raises(FolderChanged, match="has no such circuit"):
        await prove.prove(replace(asked, batch=7), ignored)
