import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import zk
from tests.support.zk import Small
from vouch.protocol.zk import FIELD
from vouch.prover import bb as barretenberg
from vouch.prover.compiler import compile_noir
from vouch.prover.errors import ProgramFailed, ProgramKilled, StringTooShort
from vouch.prover.toolchain import Toolchain

PUBLIC, ADVICE = (6, 11, 12), (2, 3)


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_proofs_are_deterministic_and_name_their_public_inputs(small: Small) -> None:
    proof = await small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)
    again = await small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)
    assert proof.public == PUBLIC
    assert proof.data == again.data
    assert proof.usage.cpu_seconds > 0
    assert proof.usage.peak_bytes > 1 << 20


async def test_proofs_that_hide_their_inputs_differ_each_time(small: Small) -> None:
    witness = small.witness(PUBLIC, ADVICE)
    proofs = [await small.bb.prove(small.program, witness, small.secret_vk, secret=True) for _ in range(2)]
    assert proofs[0].data != proofs[1].data
    assert proofs[0].public == proofs[1].public == PUBLIC


async def test_large_field_elements_come_back(small: Small) -> None:
    public = (1, FIELD - 1, 0)
    proof = await small.bb.prove(small.program, small.witness(public, (FIELD - 1, FIELD - 1)), small.vk)
    assert proof.public == public


async def test_gates_and_key_agree(small: Small) -> None:
    gates = await small.bb.gates(small.program)
    assert 1 << barretenberg.log_size(small.vk) <= barretenberg.points_for(gates)
    assert gates <= 1 << barretenberg.log_size(small.vk)


@pytest.mark.parametrize(("gates", "points"), [(1, 64), (32, 64), (33, 128), (8160, 8192), (8161, 16384)])
def test_points_leave_room_for_the_rows_that_bb_adds(gates: int, points: int) -> None:
    assert barretenberg.points_for(gates) == points


async def test_a_string_that_is_too_short_is_refused_before_bb_looks_for_more(small: Small) -> None:
    short = replace(small.bb, srs=replace(small.bb.srs, points=8))
    with pytest.raises(StringTooShort, match="has 8 points"):
        await short.write_vk(small.program, gates=20)
    with pytest.raises(StringTooShort, match="has 8 points"):
        await short.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)


async def test_one_thread(small: Small) -> None:
    proof = await replace(small.bb, threads=1).prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)
    assert proof.public == PUBLIC


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds memory")
async def test_memory_is_bounded(small: Small) -> None:
    with pytest.raises(ProgramKilled, match="it may take 20 MiB"):
        await replace(small.bb, memory=20 << 20).gates(small.program)


async def test_what_bb_refuses_has_its_words(small: Small, tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"bb ended with code 1: (?s:.)*gzip"):
        await small.bb.prove(small.program, b"no witness", small.vk)
    broken = tmp_path / "program.json"
    broken.write_text("{}")
    with pytest.raises(ProgramFailed, match="bb ended with code"):
        await small.bb.gates(broken)


@pytest.mark.parametrize("vk", [b"", bytes(1888), (29).to_bytes(32, "big") * 59, (13).to_bytes(32, "big")])
def test_bytes_that_are_no_key_are_refused(vk: bytes) -> None:
    with pytest.raises(ProgramFailed, match="a verifying key of"):
        barretenberg.log_size(vk)


async def test_nothing_is_left_behind(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    await small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk)
    proving = asyncio.create_task(small.bb.prove(small.program, small.witness(PUBLIC, ADVICE), small.vk))
    while not entries(tmp_path):  # noqa: ASYNC110 - nobody sets an event
        await asyncio.sleep(0)
    proving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await proving
    assert entries(tmp_path) == []


@pytest.mark.slow
async def test_the_tests_own_program_is_what_noir_makes(toolchain: Toolchain) -> None:
    assert (await compile_noir(zk.PRODUCT, toolchain))["bytecode"] == zk.BYTECODE
