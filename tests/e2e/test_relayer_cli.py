"""`vouch relayer` and `vouch status` as processes: what an operator and its consumers read of a quorum."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.relayer_quorum import Trio, says, trio
from tests.e2e.relayer_world import ended, until
from vouch.chain.contracts import ModelRegistry
from vouch.relayer.job import JobStatus
from vouch.relayer.store import Store
from vouch.runtimes.echo import EchoRuntime

KEY = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""Anvil's account 2, which relays."""
VOUCH = (sys.executable, "-m", "vouch.cli.main")


def _options(t: Trio, folder: Path) -> list[str]:
    return ["--rpc", t.w.anvil.http_url, "--deployments", str(folder / "deployments")]


@asynccontextmanager
async def _relayer(t: Trio, folder: Path, *more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    quorum = [option for url in t.urls for option in ("--cosigner", url)]
    arguments = ["relayer", *_options(t, folder), "--node", t.url, *quorum, "--threshold", "2"]
    arguments += ["--max-window", "1000", *more]
    arguments += ["--database", str(folder / "relayer.sqlite"), "--ws", t.w.anvil.ws_url]
    process = await asyncio.create_subprocess_exec(
        *VOUCH, *arguments, env={**os.environ, "VOUCH_KEY": KEY}, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def test_the_quorums_trust_value_and_the_gap_in_one_line(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members():
        t.w.deployment.save(tmp_path / "deployments")
        models, manifest = ModelRegistry(t.w.rpc, t.w.deployment.models), EchoRuntime().manifest
        await t.w.sender(0).transact(models.publish(manifest.name, bytes(manifest)))
        async with _relayer(t, tmp_path) as process:
            assert process.stdout is not None
            lines = [(await process.stdout.readline()).decode() for _ in range(4)]
            signers = ", ".join(t.policy.signers)
            assert lines[3] == f"  quorum 2 of 3 ({signers}), trust 0x{t.policy.trust.hex()}\n"
            asked = await t.ask(window=1_000)
            with Store(tmp_path / "relayer.sqlite", read_only=True) as store:
                await ended(store, asked, JobStatus.DELIVERED)
                await until(lambda: _deadline(store, asked))
                longer = await t.ask(window=1_001)
                await ended(store, longer)
                assert await says(
                    store, longer, "proof first (the window is 1001 s, we wait 1000 for the fee"
                )
            told = await _status(t, tmp_path, asked)
        (line,) = (line for line in told.splitlines() if line.startswith("relayer "))
        assert line.startswith("relayer   delivered, can be challenged until ")
        assert line.endswith("the end of the window")


async def test_gas_that_costs_more_than_the_cap_in_one_line(tmp_path: Path) -> None:
    async with trio(tmp_path) as t, t.members():
        t.w.deployment.save(tmp_path / "deployments")
        models, manifest = ModelRegistry(t.w.rpc, t.w.deployment.models), EchoRuntime().manifest
        await t.w.sender(0).transact(models.publish(manifest.name, bytes(manifest)))
        await t.w.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(10**13))
        await t.w.rpc.call("evm_mine")
        asked = await t.w.ask()
        async with _relayer(t, tmp_path, "--max-fee", "100gwei") as process:
            assert process.stdout is not None
            await process.stdout.readline()  # it runs, so its database is there
            with Store(tmp_path / "relayer.sqlite", read_only=True) as store:
                await until(lambda: says(store, asked, "waits: gas costs at least"))
                told = await _status(t, tmp_path, asked)
                (line,) = (line for line in told.splitlines() if line.startswith("relayer "))
                assert line.startswith("relayer   answered: fulfil waits: gas costs at least ")
                assert "and the cap is 100 gwei (--max-fee)" in line
                await t.w.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(10**9))
                await ended(store, asked, seconds=20)


async def _deadline(store: Store, request: bytes) -> bool:
    job = store.get(request)
    return job is not None and "the end of the window" in job.reason


async def _status(t: Trio, folder: Path, request: bytes) -> str:
    database = ("--db", str(folder / "relayer.sqlite"))
    process = await asyncio.create_subprocess_exec(
        *VOUCH,
        "status",
        f"0x{request.hex()}",
        *_options(t, folder),
        *database,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    return output.decode()
