"""Noir's compiler as a bounded process."""

import asyncio
import hashlib
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.zk import PRODUCT
from vouch.prover import compiler
from vouch.prover.compiler import NotCompiled, compile_noir, expected_seconds
from vouch.prover.errors import ProgramKilled, ToolchainMissing
from vouch.prover.toolchain import Toolchain

LARGE = """global W: [[Field; 300]; 300] = [[1; 300]; 300];
fn main(public: pub [Field; 1], advice: [Field; 300]) {
    for i in 0..300 {
        let mut sum = 0;
        for j in 0..300 { sum += W[i][j] * advice[j]; }
        assert(sum * sum == public[0]);
    }
}"""


linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
Running = Callable[[], list[int]]


@pytest.fixture
def running() -> Running:
    """Process ids of the compilers that this process has started and that are still there."""

    def find() -> list[int]:
        children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
        ids = [int(child) for each in children for child in each.read_text().split()]
        return [child for child in ids if b"compile.mjs" in Path(f"/proc/{child}/cmdline").read_bytes()]

    return find


async def test_equal_sources_give_equal_programs(toolchain: Toolchain) -> None:
    said: list[str] = []
    first = await compile_noir(PRODUCT, toolchain, said.append, expected=7)
    assert first == await compile_noir(PRODUCT, toolchain)
    assert first["source_sha256"] == hashlib.sha256(PRODUCT.encode()).hexdigest()
    assert first["noir_version"].startswith("1.0.0-beta.26+")
    assert set(first) == {"noir_version", "abi", "bytecode", "source_sha256"}
    *ticks, last = said
    assert ticks
    shown = re.compile(r"Noir compiles the circuit: ([1-7] s of about 7 s|\d+ s, 7 s on an idle core)")
    assert all(shown.fullmatch(tick) for tick in ticks)
    assert re.fullmatch(r"Noir compiled the circuit in \d+ s", last)


async def test_noirs_reasons_come_through(toolchain: Toolchain) -> None:
    with pytest.raises(NotCompiled, match="cannot find `gone` in this scope") as caught:
        await compile_noir("fn main(x: pub Field) {\n    let y = x;\n    assert(y == gone);\n}", toolchain)
    assert "\n    main.nr:3: gone" in str(caught.value)
    assert "/" not in caught.value.output


@linux
async def test_time_is_bounded(toolchain: Toolchain, running: Running) -> None:
    with pytest.raises(ProgramKilled, match="no end after"):
        await compile_noir(LARGE, toolchain, limit=0.5)
    assert running() == []


@linux
async def test_cancelled_it_ends_the_compiler(toolchain: Toolchain, running: Running) -> None:
    compiling = asyncio.create_task(compile_noir(LARGE, toolchain))
    async with asyncio.timeout(60):
        while not running():  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)
    compiling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await compiling
    assert running() == []


async def test_memory_is_bounded(toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "MEMORY", 4)
    with pytest.raises(ProgramKilled, match="ran out of memory"):
        await compile_noir(PRODUCT, toolchain)


async def test_without_node_it_says_what_to_do(toolchain: Toolchain) -> None:
    with pytest.raises(ToolchainMissing, match="vouch zk setup"):
        await compile_noir(PRODUCT, replace(toolchain, node=Path("/nowhere/node")))


@linux
async def test_progress_that_fails_ends_the_compiler(toolchain: Toolchain, running: Running) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("nobody listens")

    with pytest.raises(RuntimeError, match="nobody listens"):
        await compile_noir(PRODUCT, toolchain, broken)
    assert running() == []


def test_larger_circuits_are_expected_to_take_longer() -> None:
    assert 0 < expected_seconds(0) < expected_seconds(10_000) < expected_seconds(100_000)
