"""P384 and its tables on the clean chain, and its answers by the names of its errors."""

import pytest_asyncio

from tests.support.artefacts import compiled
from tests.support.contract import codec
from vouch.attestation.p384 import Signed
from vouch.attestation.p384.errors import Refused
from vouch.attestation.p384.tables import creation_code
from vouch.chain.codec import Codec
from vouch.chain.errors import RpcError
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import MAX_TX_GAS, Call, Receipt
from vouch.protocol.keccak import keccak


class Verifier:
    """The contract; `refusal` is None for what it accepts."""

    def __init__(self, rpc: Rpc, sender: TxSender, address: str) -> None:
        self.rpc, self.sender, self.address = rpc, sender, address

    def call(self, signed: Signed, hints: bytes) -> Call:
        return self.raw(*signed.to_bytes(), hints)

    def raw(self, digest: bytes, key: bytes, signature: bytes, hints: bytes) -> Call:
        return Call(self.address, codec("P384", "verify").encode((digest, key, signature, hints)))

    async def refusal(self, call: Call) -> Refused | None:
        return await refusal(self.rpc, call)

    async def transact(self, call: Call) -> Receipt:
        return await self.sender.transact(call)


async def refusal(rpc: Rpc, call: Call) -> Refused | None:
    """What the contract reverts with, by the mirror's own error; None if it does not."""
    try:
        answer = await rpc.call("eth_call", call.to_rpc(gas=MAX_TX_GAS), "latest")
    except RpcError as refused:
        data = to_bytes(str(refused.data))
    else:
        assert answer == "0x"
        return None
    for member in compiled("P384").abi:
        if member["type"] == "error":
            types = [given["type"] for given in member["inputs"]]
            if keccak(f"{member['name']}({','.join(types)})".encode())[:4] == data[:4]:
                return Refused(member["name"], *Codec.of(member["name"], member["inputs"]).decode(data[4:]))
    raise AssertionError(f"no error of P384: {to_hex(data)}")


async def create(sender: TxSender, code: bytes) -> str:
    receipt = await sender.transact(Call(None, code))
    assert receipt.contract is not None
    return receipt.contract


async def create_p384(sender: TxSender, code: bytes) -> str:
    """P384 of this creation code, with the real tables."""
    tables = [await create(sender, creation_code(table)) for table in (0, 1)]
    return await create(sender, code + b"".join(bytes(12) + to_bytes(table) for table in tables))


@pytest_asyncio.fixture(loop_scope="session")
async def p384(rpc: Rpc, sender: TxSender) -> Verifier:
    return Verifier(rpc, sender, await create_p384(sender, compiled("P384").bytecode))
