from vouch.chain.account import LocalKey
from vouch.chain.batch_verifier import BatchVerifier
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.protocol.batch import root_claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED

ROOT, ANYONE = keccak(b"root"), bytes(32)


async def test_sealing_and_reading(
    rpc: Rpc, deployment: Deployment, sender: TxSender, operator: LocalKey
) -> None:
    verifier = BatchVerifier(rpc, deployment.verifiers["BTCH"])
    assert await verifier.sealed_at(ROOT, operator.address, SIGNED, ANYONE) is None
    seal = operator.sign_claim(root_claim(ROOT, operator.address), deployment.chain_id, deployment.hub)
    receipt = await sender.transact(verifier.seal_root(ROOT, operator.address, ANYONE, seal))
    block = await rpc.call("eth_getBlockByNumber", hex(receipt.block_number), False)
    time = int(block["timestamp"], 16)
    assert await verifier.sealed_at(ROOT, operator.address, SIGNED, ANYONE) == time
    before = receipt.block_number - 1
    assert await verifier.sealed_at(ROOT, operator.address, SIGNED, ANYONE, block=before) is None
    for other in ((keccak(b"x"), SIGNED, ANYONE), (ROOT, b"QRUM", ANYONE), (ROOT, SIGNED, keccak(b"x"))):
        root, route, trust = other
        assert await verifier.sealed_at(root, operator.address, route, trust) is None
    assert await verifier.sealed_at(ROOT, sender.address, SIGNED, ANYONE) is None
