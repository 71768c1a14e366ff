"""Each probe with a dependency that is there, and one that is not."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from coincurve import PrivateKey

from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import ModelRegistry, NodeRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.cli import probes
from vouch.cli.devnet import risk_model
from vouch.cli.probes import Outcome, Result, Target, probe_all
from vouch.cli.sources import onnx_manifest, onnx_runtime
from vouch.node.config import NodeConfig
from vouch.node.service import serve
from vouch.relayer.store import Store


async def probe(target: Target) -> dict[str, Result]:
    return {result.name: result async for result in probe_all(target)}


@pytest.fixture
def target(anvil: Anvil, rpc: Rpc, deployment: Deployment, tmp_path: Path) -> Target:
    deployment.save(tmp_path)
    return Target(anvil.http_url, tmp_path)


async def test_what_is_not_named_is_skipped(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOUCH_KEY", raising=False)
    found = await probe(target)
    assert {name for name, result in found.items() if result.outcome is Outcome.OK} == {
        "Python",
        "Anvil",
        "chain",
        "deployment",
    }
    assert all(result.outcome is not Outcome.FAILED for result in found.values())


async def test_a_dead_chain_fails_once_and_skips_what_needs_it(tmp_path: Path) -> None:
    found = await probe(Target("http://127.0.0.1:9", tmp_path))
    assert found["chain"].outcome is Outcome.FAILED
    assert (found["deployment"].outcome, found["deployment"].detail) == (Outcome.SKIPPED, "needs the chain")


async def test_no_anvil_and_an_old_python(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOUCH_ANVIL", "/nonexistent/anvil")
    monkeypatch.setattr(probes, "OLDEST_PYTHON", (99, 0))
    found = await probe(target)
    assert "VOUCH_ANVIL" in found["Anvil"].detail
    assert "install 3.11" in found["Python"].detail
    assert found["Anvil"].outcome is found["Python"].outcome is Outcome.FAILED


async def test_a_deployment_of_another_chain(target: Target, tmp_path: Path) -> None:
    stale = Deployment.load(31337, tmp_path)
    replace(stale, hub="0x" + "11" * 20).save(tmp_path)
    found = await probe(target)
    assert found["deployment"].outcome is Outcome.FAILED
    assert "deploy" in found["deployment"].detail
    missing = await probe(replace(target, deployments=tmp_path / "none"))
    assert "vouch deploy" in missing["deployment"].detail


async def test_websockets(target: Target, anvil: Anvil) -> None:
    assert (await probe(replace(target, ws=anvil.ws_url)))["websocket"].outcome is Outcome.OK
    dead = (await probe(replace(target, ws="ws://127.0.0.1:9")))["websocket"]
    assert (dead.outcome, "leave --ws out" in dead.detail) == (Outcome.FAILED, True)


async def test_balances(target: Target, rpc: Rpc, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("11" * 32)
    poor = (await probe(replace(target, key_file=key)))["key and balance"]
    assert (poor.outcome, "0.01 ether" in poor.detail) == (Outcome.FAILED, True)
    await rpc.call("anvil_setBalance", LocalKey(b"\x11" * 32).address, hex(10**18))
    rich = (await probe(replace(target, key_file=key)))["key and balance"]
    assert (rich.outcome, "1 ether" in rich.detail) == (Outcome.OK, True)
    key.write_text("no key")
    assert (await probe(replace(target, key_file=key)))["key and balance"].outcome is Outcome.FAILED


async def test_the_relayers_database(target: Target, tmp_path: Path) -> None:
    path = tmp_path / "relayer.sqlite"
    assert "does not exist" in (await probe(replace(target, database=path)))["relayer database"].detail
    with Store(path):
        pass
    assert (await probe(replace(target, database=path)))["relayer database"].outcome is Outcome.OK
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    assert (await probe(replace(target, database=path)))["relayer database"].outcome is Outcome.FAILED


async def test_a_node_step_by_step_until_everything_is_there(
    target: Target,
    rpc: Rpc,
    models: ModelRegistry,
    nodes: NodeRegistry,
    sender: TxSender,
    sender_of: Callable[[LocalKey], TxSender],
    tmp_path: Path,
) -> None:
    """What an operator sees who does one thing after the other."""
    secret = b"\x22" * 32
    await rpc.call("anvil_setBalance", LocalKey(secret).address, hex(10**18))
    own, url = sender_of(LocalKey(secret)), asyncio.get_running_loop().create_future()
    model = tmp_path / "risk.onnx"
    model.write_bytes(risk_model().read_bytes())
    manifest, stop = onnx_manifest(model, None), asyncio.Event()
    config = NodeConfig((onnx_runtime(model, None),), tmp_path / "j.sqlite", PrivateKey(secret), port=0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(config, ready=url.set_result, stop=stop))
        asked = replace(target, node=await url)
        found = await probe(asked)
        assert found["node"].outcome is Outcome.OK
        assert "NodeRegistry.register" in found["operator"].detail
        await own.transact(nodes.register(asked.node or ""))
        found = await probe(asked)
        assert found["operator"].outcome is Outcome.OK
        assert "NodeRegistry.setPrice" in found["prices"].detail
        await own.transact(nodes.set_price(manifest.model_id, 10**14))
        found = await probe(asked)
        assert found["prices"].outcome is Outcome.OK
        assert "vouch model publish" in found["models"].detail
        await sender.transact(models.publish("risk", bytes(manifest)))
        assert (await probe(asked))["models"].outcome is Outcome.OK
        model.write_bytes(model.read_bytes() + b"\0")
        changed = (await probe(asked))["models"]
        assert changed.outcome is Outcome.FAILED
        assert manifest.artefact.sha256 is not None
        assert manifest.artefact.sha256 in changed.detail
        stop.set()
    assert (await probe(asked))["node"].outcome is Outcome.FAILED
