"""X509Harness without deploying it: many inputs per eth_call, refusals by name and values."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from tests.contracts.attestation.document_harness import Refusal
from tests.support.artefacts import compiled
from tests.support.contract import codec
from vouch.chain.codec import Codec
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import Rpc
from vouch.protocol.keccak import keccak

NAME: Final = "X509Harness"
ADDRESS: Final = "0x" + "0509" * 10
GAS: Final = 200_000_000
BYTES: Final = 400_000
"""What one call takes at most."""


class Fields(NamedTuple):
    """What a certificate says, as the contract's struct of the same name; what is no Fields was refused."""

    tbs: bytes
    issuer: bytes
    subject: bytes
    key: bytes
    not_before: int
    not_after: int
    ca: bool
    path_len: int
    key_usage: int
    signature: bytes


class X509Harness:
    """The contract's code at some address, for the time of a call."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._code = to_hex(compiled(NAME).deployed)
        self._errors = {}
        for member in compiled(NAME).abi:
            if member["type"] == "error":
                made = Codec.of(member["name"], member["inputs"])
                selector = keccak(f"{member['name']}({','.join(made.types)})".encode())[:4]
                self._errors[selector] = made

    async def one(self, function: str, *args: Any) -> Any:
        """The result, or the refusal."""
        return (await self.many(function, [args]))[0]

    async def many(self, function: str, inputs: Iterable[Sequence[Any]]) -> list[Any]:
        """The same for each of the inputs, in their order."""
        called = codec(NAME, function)
        answers: list[Any] = []
        for batch in _batches([called.encode(args) for args in inputs]):
            for ok, data in zip(*await self._batch(batch), strict=True):
                answers.append(called.decode(data)[0] if ok else self._refusal(data))
        return answers

    async def parse(self, certificates: Iterable[bytes]) -> list[Fields | Refusal]:
        answers = await self.many("parse", [(certificate,) for certificate in certificates])
        return [answer if isinstance(answer, Refusal) else Fields(*answer) for answer in answers]

    async def _batch(self, calls: Sequence[bytes]) -> tuple[Any, ...]:
        called = codec(NAME, "batch")
        call = {"to": ADDRESS, "data": to_hex(called.encode((calls,))), "gas": hex(GAS)}
        answer = await self._rpc.call("eth_call", call, "latest", {ADDRESS: {"code": self._code}})
        return called.decode(to_bytes(answer))

    def _refusal(self, data: bytes) -> Refusal:
        # Anything else, a Panic or an empty revert, is a KeyError: no input may lead there.
        error = self._errors[data[:4]]
        return Refusal(error.what, error.decode(data[4:]))


def _batches(calls: Sequence[bytes]) -> list[list[bytes]]:
    made: list[list[bytes]] = [[]]
    size = 0
    for call in calls:
        size += len(call) + 64
        if size > BYTES and made[-1]:
            made.append([])
            size = len(call) + 64
        made[-1].append(call)
    return made
