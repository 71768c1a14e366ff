"""The zk route as it is typed: `vouch prover start`, `vouch node --circuit`, `vouch relayer --prover`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.relayer_killing import KEY
from tests.e2e.zk_world import reached, zk_world
from tests.support.zk import HOME
from vouch.chain.deploy import deploy
from vouch.cli.probes import Outcome, Result, Target, probe_all
from vouch.prover.files import CircuitFiles
from vouch.relayer.store import Store
from vouch.web.ports import free_port

pytestmark = pytest.mark.slow

TOKEN = "sesame"


@asynccontextmanager
async def vouch(folder: Path, *words: str, lines: int, **env: str) -> AsyncIterator[list[str]]:
    """A command that runs until the end of the block; gives its first lines."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vouch.cli.main", *words),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"COLUMNS": "400", **env},
    )
    assert process.stdout is not None
    try:
        yield [(await process.stdout.readline()).decode() for _ in range(lines)]
    finally:
        process.terminate()
        await process.wait()


async def test_three_commands_and_a_proven_answer(tmp_path: Path, circuit: CircuitFiles) -> None:
    async with zk_world(tmp_path, circuit) as z:
        replace(z.w.deployment, name="vouch-dev").save(tmp_path / "deployments")
        model, trust = f"0x{z.manifest.model_id.hex()}", f"0x{z.circuit_id.hex()}"
        folder, port = str(circuit.folder), str(free_port())
        prover = ("prover", "start", "--circuit", folder, "--port", port)
        node = ("node", "--circuit", folder, "--port", "0")
        where = ("--rpc", z.w.anvil.http_url, "--deployments", "deployments", "--ws", z.w.anvil.ws_url)
        relayer = ("relayer", *where, "--prover", f"http://127.0.0.1:{port}", "--database", "r.sqlite")
        secret = z.w.operator_key.to_hex()
        async with (
            vouch(tmp_path, *prover, lines=1, VOUCH_ZK_HOME=str(HOME), VOUCH_PROVER_TOKEN=TOKEN),
            vouch(tmp_path, *node, lines=2, VOUCH_KEY=secret) as said,
        ):
            url = said[0].split()[3].rstrip(",")
            assert model in said[1]
            more = {"VOUCH_KEY": KEY, "VOUCH_PROVER_TOKEN": TOKEN}
            async with vouch(tmp_path, *relayer, "--node", url, lines=4, **more) as said:
                assert said[3] == (
                    f"  prover http://127.0.0.1:{port} (dev-srs): model {model}, trust {trust}\n"
                )
                asked = await z.ask(prove_within=0, exposure=0, bond=0)
                with Store(tmp_path / "r.sqlite", read_only=True) as store:
                    job = await reached(store, asked)
                assert job.answer is not None
                assert job.answer.node == url
                assert (await z.w.hub.assurance_of(asked)).proven


async def test_whether_a_prover_is_of_use(tmp_path: Path, circuit: CircuitFiles) -> None:
    """`vouch check --prover`: down, up, on a deployment for real, with circuits that the chain has not."""
    async with zk_world(tmp_path, circuit) as z:
        named = replace(z.w.deployment, name="dev")
        named.save(tmp_path / "dev")
        z.w.deployment.save(tmp_path / "real")
        target = Target(z.w.anvil.http_url, tmp_path / "dev", prover=z.prover.url)

        async def found(asked: Target = target) -> Result:
            return {each.name: each async for each in probe_all(asked)}["prover"]

        assert (await found()).detail.startswith(f"prover {z.prover.url}: ")
        async with z.prover.running():
            there = await found()
            assert there.outcome is Outcome.OK, there
            assert there.detail.startswith(f"{z.prover.url} proves 1 circuits over dev-srs")
            refused = await found(replace(target, deployments=tmp_path / "real"))
            assert refused.outcome is Outcome.FAILED
            assert "where anyone can prove anything" in refused.detail
            other = await deploy(z.w.rpc, z.w.sender(0), name="other dev")
            other.save(tmp_path / "other")
            unknown = await found(replace(target, deployments=tmp_path / "other"))
            assert unknown.outcome is Outcome.FAILED
            assert "UnknownCircuit" in unknown.detail
        assert (await found(Target(z.w.anvil.http_url, tmp_path / "dev"))).outcome is Outcome.SKIPPED
