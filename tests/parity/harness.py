"""Calls contracts/test/CodecHarness.sol, many examples per eth_call, and compares with Python."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.artefacts import compiled
from vouch.chain.codec import Codec, Function
from vouch.chain.rpc import Rpc
from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import UINT256_MAX, Inexact, NotFinite, OutOfInt256, OutOfRange, TooManyDecimals
from vouch.protocol.keccak import keccak

ADDRESS = "0x" + "c0dec" * 8


@dataclass(frozen=True, slots=True)
class Reverted:
    """A named Solidity error."""

    name: str
    args: tuple[Any, ...]


class Harness:
    """`await harness.calls("rescale", [(1, 18, 6), …])` gives a value or a Reverted for each."""

    def __init__(self, rpc: Rpc) -> None:
        contract = compiled("CodecHarness")
        self._rpc = rpc
        self._code = "0x" + contract.deployed.hex()
        self._functions = {
            m["name"]: Function("CodecHarness", m) for m in contract.abi if m["type"] == "function"
        }
        self._errors: dict[bytes, tuple[str, Codec]] = {}
        for member in contract.abi:
            if member["type"] == "error":
                codec = Codec.of(member["name"], member["inputs"])
                signature = f"{member['name']}({','.join(codec.types)})"
                self._errors[keccak(signature.encode())[:4]] = (member["name"], codec)

    async def chain_id(self) -> int:
        return int(await self._rpc.call("eth_chainId"), 16)

    async def calls(self, name: str, arguments: Sequence[Sequence[Any]]) -> list[Any]:
        function, batch = self._functions[name], self._functions["batch"]
        data = batch.encode([[function.encode(args) for args in arguments]])
        returned = await self._rpc.call(
            "eth_call",
            {"to": ADDRESS, "data": "0x" + data.hex()},
            "latest",
            {ADDRESS: {"code": self._code}},
        )
        oks, results = batch.decode(bytes.fromhex(returned[2:]))
        return [
            function.decode(result)[0] if ok else self._error(result)
            for ok, result in zip(oks, results, strict=True)
        ]

    async def call(self, name: str, *args: Any) -> Any:
        return (await self.calls(name, [args]))[0]

    def _error(self, data: bytes) -> Reverted:
        name, codec = self._errors[data[:4]]  # a panic, or no data at all, is a bug: KeyError
        return Reverted(name, codec.decode(data[4:]))


def outcome(call: Callable[..., Any], *args: Any) -> Any:
    """What Python returns, or the error it raises on purpose."""
    try:
        return call(*args)
    except VouchError as error:
        return error


def assert_same(python: Any, solidity: Any, args: Sequence[Any]) -> None:
    """Both returned the same value, or both refused with the same error and the same arguments."""
    if not isinstance(solidity, Reverted):
        assert python == solidity, (args, python, solidity)
        return
    assert isinstance(python, VouchError), (args, python, solidity)
    assert type(python).__name__ == solidity.name, (args, python, solidity)
    match python:
        case OutOfInt256():
            magnitude, negative = solidity.args
            # Solidity cannot say how far beyond 256 bits a magnitude lies
            assert magnitude in (abs(python.value), UINT256_MAX), (args, python, solidity)
            assert negative == (python.value < 0)
        case Inexact():
            assert solidity.args == (python.value, python.from_decimals, python.to_decimals)
        case OutOfRange():
            assert solidity.args == (python.value, python.minimum, python.maximum), (args, python, solidity)
        case TooManyDecimals():
            assert solidity.args == (python.received, python.maximum)
        case NotFinite():
            assert solidity.args == (args[0],)
        case _:
            raise AssertionError(f"compare the arguments of {type(python).__name__} here")
