"""A verifier contract of bb on a test's chain."""

from collections.abc import Sequence

from eth_abi.abi import encode

from vouch.chain.errors import RpcError
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.protocol.keccak import keccak
from vouch.prover.contract import VerifierCode

VERIFY = keccak(b"verify(bytes,bytes32[])")[:4]


class Honk:
    """Where it lies, and what it says of proofs."""

    def __init__(self, rpc: Rpc, address: str) -> None:
        self._rpc, self.address = rpc, address

    @classmethod
    async def deploy(cls, sender: TxSender, rpc: Rpc, code: VerifierCode) -> "Honk":
        receipt = await sender.transact(Call(None, code.creation))
        assert receipt.contract is not None
        return cls(rpc, receipt.contract)

    async def accepts(self, proof: bytes, public: Sequence[int]) -> bool:
        """False where it reverts."""
        words = [value.to_bytes(32, "big") for value in public]
        data = VERIFY + encode(["bytes", "bytes32[]"], [proof, words])
        try:
            answer = await self.ask(data)
        except RpcError as refused:
            if "execution reverted" not in refused.message:
                raise
            return False
        return int.from_bytes(answer, "big") == 1

    async def ask(self, data: bytes) -> bytes:
        call = {"to": self.address, "data": to_hex(data)}
        return to_bytes(await self._rpc.call("eth_call", call, "latest"))

    async def code(self) -> bytes:
        return to_bytes(await self._rpc.call("eth_getCode", self.address, "latest"))
