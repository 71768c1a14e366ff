import json
from dataclasses import replace
from pathlib import Path

import pytest

from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub
from vouch.chain.deploy import create, deploy
from vouch.chain.deployment import BadDeployment, Deployment, NoDeployment, StaleDeployment, load, path_of
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender


async def test_saved_and_loaded(rpc: Rpc, deployment: Deployment, sender: TxSender, tmp_path: Path) -> None:
    example = (await create(sender, "ModelRegistry")).contract
    assert example is not None
    whole = replace(deployment, examples={"Example": example})
    assert whole.save(tmp_path) == tmp_path / "31337.json"
    assert Deployment.load(31337, tmp_path) == whole
    assert await load(rpc, tmp_path) == whole


def test_saving_leaves_nothing_else(deployment: Deployment, tmp_path: Path) -> None:
    deployment.save(tmp_path)
    deployment.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["31337.json"]


def test_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VOUCH_DEPLOYMENTS", raising=False)
    assert path_of(5) == Path("deployments/5.json")
    monkeypatch.setenv("VOUCH_DEPLOYMENTS", str(tmp_path))
    assert path_of(5) == tmp_path / "5.json"
    assert path_of(5, Path("x")) == Path("x/5.json")
    with pytest.raises(NoDeployment, match="vouch deploy"):
        Deployment.load(5)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 9},
        {"hub": "0x12"},
        {"hub": None},
        {"chain_id": 1},
        {"more": 1},
        {"verifiers": []},
        {"block": "x"},
    ],
)
def test_files_that_are_none(deployment: Deployment, tmp_path: Path, change: dict[str, object]) -> None:
    path = deployment.save(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BadDeployment):
        Deployment.load(31337, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_files_that_are_no_json_object(tmp_path: Path, text: str) -> None:
    path_of(1, tmp_path).write_text(text)
    with pytest.raises(BadDeployment):
        Deployment.load(1, tmp_path)


async def test_a_restarted_chain_makes_it_stale(deployment: Deployment) -> None:
    async with Anvil() as fresh, Rpc(fresh.http_url) as rpc:
        with pytest.raises(StaleDeployment, match=r"there is no contract.*vouch deploy"):
            await deployment.verify(rpc)
    async with Anvil(chain_id=5) as other, Rpc(other.http_url) as rpc:
        with pytest.raises(StaleDeployment, match="chain's id is 5, not 31337"):
            await deployment.verify(rpc)


async def test_a_hub_with_other_registries_makes_it_stale(
    rpc: Rpc, sender: TxSender, deployment: Deployment
) -> None:
    other = await deploy(rpc, sender)
    with pytest.raises(StaleDeployment, match="NodeRegistry"):
        await replace(deployment, nodes=other.nodes).verify(rpc)
    assert await Hub(rpc, other.hub).nodes() == other.nodes
