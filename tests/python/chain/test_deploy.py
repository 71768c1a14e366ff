import pytest

from vouch.chain.account import LocalKey
from vouch.chain.contracts import NodeRegistry, VerifierRouter
from vouch.chain.deploy import NotOwner, deploy
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender


async def test_everything_is_there_and_wired(
    rpc: Rpc, deployment: Deployment, router: VerifierRouter
) -> None:
    assert await deployment.verify(rpc) is deployment
    levels = {"SIGN": "Signed", "QRUM": "Quorum", "BTCH": "Batched", "ZKUH": "Proven"}
    assert deployment.verifiers.keys() == levels.keys()
    for route, level in levels.items():
        assert await router.verifier_of(route.encode()) == deployment.verifiers[route]
        assert await router.name_of(route.encode()) == level
    assert await router.owner() == deployment.publisher


async def test_its_block_is_the_first_that_has_any_of_it(rpc: Rpc, sender: TxSender) -> None:
    # On a deployment of its own: Anvil forgets the state of blocks that are far behind.
    made = await deploy(rpc, sender)
    assert await rpc.call("eth_getCode", made.router, hex(made.block)) != "0x"
    assert await rpc.call("eth_getCode", made.router, hex(made.block - 1)) == "0x"


async def test_delay_and_publisher(rpc: Rpc, sender: TxSender) -> None:
    publisher = LocalKey.generate().address
    made = await deploy(rpc, sender, unbond_delay=77, publisher=publisher, name="other")
    assert (made.publisher, made.name) == (publisher, "other")
    assert await NodeRegistry(rpc, made.nodes).unbond_delay() == 77


async def test_only_the_owner_deploys(rpc: Rpc, sender: TxSender) -> None:
    with pytest.raises(NotOwner, match="deploy with the owner's key"):
        await deploy(rpc, sender, owner=LocalKey.generate().address)
