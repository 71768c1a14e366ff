"""Which hooks an answer called, and what a contract would say to another one."""

from vouch.chain.abi import function
from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub, NodeRegistry
from vouch.chain.deploy import create
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.cli.devnet import risk_model
from vouch.cli.sources import onnx_manifest
from vouch.cli.zk_seen import Hook, hooks, refusal
from vouch.client import Client
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import SIGNED

OUTPUT, OTHER = (17 * 10**16).to_bytes(32, "big"), bytes(32)


async def test_an_answer_and_a_lie(rpc: Rpc, deployment: Deployment, accounts: tuple[LocalKey, ...]) -> None:
    owner, operator, user = accounts[0], accounts[1], accounts[5]
    manifest, hub = onnx_manifest(risk_model(), "seen"), Hub(rpc, deployment.hub)
    await TxSender(rpc, operator).transact(NodeRegistry(rpc, deployment.nodes).register("http://127.0.0.1:9"))
    async with Client(rpc, owner, deployment=deployment) as client:
        await client.publish(manifest)
        terms = (manifest.model_id, SIGNED, bytes(32), 10**18)
        gate = (await create(TxSender(rpc, owner), "RiskGate", hub.address, *terms)).contract
        assert gate is not None
        data = function("RiskGate", "ask").encode((1, [1, 2, 3, 4, 5], operator.address))
        receipt = await TxSender(rpc, user).transact(Call(gate, data))
        (log,) = [log for log in receipt.logs if log.address == hub.address]
        asked = await client.find(log.topics[1])
    claim = Claim(asked.id, manifest.model_id, keccak(asked.input), keccak(OUTPUT), operator.address)
    seal = bytes(operator.sign_claim(claim, deployment.chain_id, hub.address))
    truth = hub.fulfil(asked.request, operator.address, OUTPUT, seal)
    lie = hub.fulfil(asked.request, operator.address, OTHER, seal)

    said = await refusal(rpc, lie, user.address)
    assert said is not None
    assert said.error.name == "WrongSigner"
    early = await refusal(rpc, truth, user.address, asked.block - 1)
    assert early is not None
    assert early.error.name in ("UnknownRequest", "WrongStatus")
    assert await refusal(rpc, truth, user.address) is None
    done = await TxSender(rpc, user).transact(truth)
    assert await refusal(rpc, truth, user.address) is not None
    assert await refusal(rpc, truth, user.address, asked.block) is None

    hook = Hook("_onSettled", done.block_number)
    assert await hooks(rpc, gate, receipt.tx_hash, None, done.tx_hash) == [hook]
    assert await hooks(rpc, NATIVE, done.tx_hash) == []
    assert await hooks(rpc, gate, done.tx_hash, done.tx_hash) == [hook, hook]
