"""A test contract that need not be deployed: many inputs per eth_call, refusals by name and values."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.support.artefacts import compiled
from tests.support.contract import codec
from vouch.chain.codec import Codec
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import Rpc
from vouch.protocol.keccak import keccak


class Refusal(NamedTuple):
    """An error of the contract's."""

    name: str
    values: tuple[Any, ...]


Answer = tuple[Any, ...] | Refusal


def refusal(name: str, *values: Any) -> Refusal:
    return Refusal(name, values)


class Batched:
    """The contract's code at some address, for the time of a call; its `batch` calls itself with each input.

    SIZE is how many bytes one call takes at most, GAS what they may cost.
    """

    NAME: str
    GAS = 200_000_000
    SIZE = 400_000
    ADDRESS = "0x" + "0509" * 10

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._code = to_hex(compiled(self.NAME).deployed)
        self._errors = {}
        for member in compiled(self.NAME).abi:
            if member["type"] == "error":
                made = Codec.of(member["name"], member["inputs"])
                selector = keccak(f"{member['name']}({','.join(made.types)})".encode())[:4]
                self._errors[selector] = made
        self.errors = {made.what for made in self._errors.values()}

    async def one(self, function: str, *args: Any) -> Answer:
        """Results, or the refusal."""
        return (await self.many(function, [args]))[0]

    async def many(self, function: str, inputs: Iterable[Sequence[Any]]) -> list[Answer]:
        """The same for each of the inputs, in their order."""
        called = codec(self.NAME, function)
        answers: list[Answer] = []
        for batch in self._batches([called.encode(args) for args in inputs]):
            for ok, data in zip(*await self._batch(batch), strict=True):
                answers.append(called.decode(data) if ok else self._refusal(data))
        return answers

    async def _batch(self, calls: Sequence[bytes]) -> tuple[Any, ...]:
        called = codec(self.NAME, "batch")
        call = {"to": self.ADDRESS, "data": to_hex(called.encode((calls,))), "gas": hex(self.GAS)}
        answer = await self._rpc.call("eth_call", call, "latest", {self.ADDRESS: {"code": self._code}})
        return called.decode(to_bytes(answer))

    def _refusal(self, data: bytes) -> Refusal:
        # Anything else, a Panic or an empty revert, is a KeyError: no input may lead there.
        error = self._errors[data[:4]]
        return Refusal(error.what, error.decode(data[4:]))

    def _batches(self, calls: Sequence[bytes]) -> list[list[bytes]]:
        made: list[list[bytes]] = [[]]
        size = 0
        for call in calls:
            size += len(call) + 64
            if size > self.SIZE and made[-1]:
                made.append([])
                size = len(call) + 64
            made[-1].append(call)
        return made
