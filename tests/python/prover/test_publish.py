from collections.abc import Callable
from dataclasses import replace

import pytest

from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import ModelRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.prover import audit
from vouch.prover.errors import InsecureCircuit
from vouch.prover.files import CircuitFiles
from vouch.prover.publish import FACTORY, publish, verifier_address

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def dev(deployment: Deployment) -> Deployment:
    return replace(deployment, name="a dev net")


async def test_everything_is_put_there_once(
    rpc: Rpc, sender: TxSender, dev: Deployment, files: CircuitFiles
) -> None:
    said: list[str] = []
    made = await publish(rpc, sender, dev, files, progress=said.append)
    assert [each.batch for each in made] == [1, 2]
    models = ModelRegistry(rpc, dev.models)
    assert await models.resolve(sender.address, "small") == files.model_id
    for each in made:
        built = files.of(each.batch)
        assert each.circuit_id == built.circuit.id
        assert each.verifier == verifier_address(built.verifier.creation)
        bound = await models.circuit_of(files.model_id, each.circuit_id)
        assert bound.circuit(built.circuit.code_hash) == built.circuit
        assert to_bytes(await rpc.call("eth_getCode", each.verifier, "latest")) == built.verifier.runtime
    assert [line.split()[0] for line in said] == [
        "publishing",
        "deploying",
        "binding",
        "deploying",
        "binding",
    ]

    said.clear()
    before = await rpc.call("eth_blockNumber")
    assert await publish(rpc, sender, dev, files, progress=said.append) == made
    assert (said, await rpc.call("eth_blockNumber")) == ([], before)


async def test_it_goes_on_where_it_stopped(
    rpc: Rpc,
    sender_of: Callable[[LocalKey], TxSender],
    accounts: tuple[LocalKey, ...],
    dev: Deployment,
    files: CircuitFiles,
) -> None:
    """A verifier that somebody else has deployed is used, and a name of one's own is given all the same."""
    first, second = sender_of(accounts[0]), sender_of(accounts[1])
    alone = replace(files, circuits={1: files.of(1)})
    with pytest.raises(Exception, match="WrongCircuits"):
        # the manifest names two circuits: nothing but both is the model
        await publish(rpc, first, dev, replace(alone, manifest=replace(files.manifest, zk=())))
    said: list[str] = []
    await publish(rpc, second, dev, files, name="mine", progress=said.append)
    assert [line.split()[0] for line in said].count("deploying") == 1
    assert await ModelRegistry(rpc, dev.models).resolve(second.address, "mine") == files.model_id


async def test_a_verifier_that_is_gone_is_put_there_again(
    rpc: Rpc, sender: TxSender, dev: Deployment, files: CircuitFiles
) -> None:
    await rpc.call("anvil_setCode", FACTORY, "0x")
    first = await publish(rpc, sender, dev, files)
    assert first[0].verifier != verifier_address(files.of(1).verifier.creation)
    assert all(finding.good for finding in await audit.on_chain(rpc, dev, files))
    await rpc.call("anvil_setCode", first[0].verifier, "0x00")
    by_name = {finding.what: finding for finding in await audit.on_chain(rpc, dev, files)}
    assert not by_name["verifier for 1"].good
    assert by_name["verifier for 2"].good
    second = await publish(rpc, sender, dev, files)
    assert second[0].verifier != first[0].verifier
    assert second[1] == first[1]
    assert all(finding.good for finding in await audit.on_chain(rpc, dev, files))


async def test_the_development_string_is_for_development(
    rpc: Rpc, sender: TxSender, deployment: Deployment, files: CircuitFiles
) -> None:
    assert "dev" not in deployment.name
    with pytest.raises(InsecureCircuit, match="anyone can prove anything"):
        await publish(rpc, sender, deployment, files)
    assert not await ModelRegistry(rpc, deployment.models).exists(files.model_id)


async def test_what_a_chain_has_of_it(
    rpc: Rpc, sender: TxSender, deployment: Deployment, dev: Deployment, files: CircuitFiles
) -> None:
    before = {finding.what: finding.good for finding in await audit.on_chain(rpc, dev, files)}
    assert before == {
        "route ZKUH": True,
        "manifest": False,
        "verifier for 1": False,
        "verifier for 2": False,
    }
    await publish(rpc, sender, dev, files)
    after = {finding.what: finding for finding in await audit.on_chain(rpc, dev, files)}
    assert all(finding.good for finding in after.values())
    assert after["reference string for 1"].seen == "dev-srs"
    # the same circuit where it has no business
    real = {finding.what: finding.good for finding in await audit.on_chain(rpc, deployment, files)}
    assert not real["reference string for 1"]


async def test_the_factory_is_where_anvil_has_it() -> None:
    async with Anvil() as anvil, Rpc(anvil.http_url) as rpc:
        assert to_bytes(await rpc.call("eth_getCode", FACTORY, "latest"))
