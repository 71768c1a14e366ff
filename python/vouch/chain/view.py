"""Reading one contract: eth_call through cached codecs, reverts raised by name."""

from typing import Any

from vouch.chain.abi import function
from vouch.chain.errors import ChainError, RpcError
from vouch.chain.hexes import checksum, to_bytes
from vouch.chain.reverts import reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call

Block = int | str
"""A block number, or "latest", "safe", "finalized", "pending"."""


class NoContract(ChainError):
    """There is no code at an address, so nothing answered the call."""

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address = name, address
        super().__init__(f"no {name} at {address}: is this the right chain, and was it deployed there?")


class View:
    """Base of the typed views: one contract's ABI at one address."""

    ABI: str

    def __init__(self, rpc: Rpc, address: str) -> None:
        self.rpc, self.address = rpc, checksum(address)

    async def _read(self, name: str, *args: Any, block: Block = "latest") -> Any:
        """The function's result, a tuple if it returns several values.

        Raises:
            Reverted: the contract refused.
            NoContract: nothing is deployed there.
            RpcError, RpcUnavailable: as Rpc.call.
        """
        codec = function(self.ABI, name)
        call = Call(self.address, codec.encode(args))
        at = hex(block) if isinstance(block, int) else block
        try:
            data = to_bytes(await self.rpc.call("eth_call", call.to_rpc(), at))
        except RpcError as refused:
            if (named := reverted(refused)) is not None:
                raise named from refused
            raise
        if not data:
            raise NoContract(self.ABI, self.address)
        values = codec.decode(data)
        return values[0] if len(values) == 1 else values

    def _call(self, name: str, *args: Any, value: int = 0) -> Call:
        return Call(self.address, function(self.ABI, name).encode(args), value)
