"""Any compiled contract at an address: those of contracts/test, which vouch.chain has no views for."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.support.artefacts import compiled
from vouch.chain.codec import Codec, Function
from vouch.chain.errors import RpcError
from vouch.chain.hexes import checksum, to_bytes
from vouch.chain.reverts import reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call


def creation(name: str, *args: Any) -> Call:
    """The transaction that creates contract `name` with these constructor arguments."""
    constructors = [m for m in compiled(name).abi if m["type"] == "constructor"]
    inputs = constructors[0]["inputs"] if constructors else ()
    return Call(None, compiled(name).bytecode + Codec.of(name, inputs).encode(args))


class Contract:
    """One contract: `call` builds a transaction, `read` asks by eth_call."""

    def __init__(self, rpc: Rpc, name: str, address: str) -> None:
        self.rpc, self.name, self.address = rpc, name, checksum(address)

    def call(self, function: str, *args: Any, value: int = 0) -> Call:
        """Raises LookupError if the contract has no such function."""
        return Call(self.address, codec(self.name, function).encode(args), value)

    async def read(self, function: str, *args: Any, sender: str | None = None) -> Any:
        """The result, a tuple if there are several; raises Reverted as vouch.chain's views do."""
        call = self.call(function, *args)
        try:
            data = to_bytes(await self.rpc.call("eth_call", call.to_rpc(sender), "latest"))
        except RpcError as refused:
            raise (reverted(refused) or refused) from refused
        values = codec(self.name, function).decode(data)
        return values[0] if len(values) == 1 else values


@cache
def codec(contract: str, function: str) -> Function:
    return Function(contract, member(contract, "function", function))


def member(contract: str, kind: str, name: str) -> Mapping[str, Any]:
    for found in compiled(contract).abi:
        if found["type"] == kind and found["name"] == name:
            return found
    raise LookupError(f"{contract} has no {kind} {name}")
