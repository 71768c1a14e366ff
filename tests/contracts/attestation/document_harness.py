"""NitroDocumentHarness without deploying it: many inputs per eth_call, refusals by name and values."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from tests.contracts.attestation.document_rules import Said
from tests.support.artefacts import compiled
from tests.support.contract import codec
from vouch.chain.codec import Codec
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import Rpc
from vouch.protocol.keccak import keccak

NAME: Final = "NitroDocumentHarness"
ADDRESS: Final = "0x" + "0c05" * 10
GAS: Final = 50_000_000
BYTES: Final = 200_000
"""What one call takes at most; about half of its gas."""


class Refusal(NamedTuple):
    """An error of the contract's."""

    name: str
    values: tuple[Any, ...]


Answer = tuple[Any, ...] | Refusal


def refusal(name: str, *values: Any) -> Refusal:
    return Refusal(name, values)


class Harness:
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
        self.errors = {made.what for made in self._errors.values()}

    async def one(self, function: str, *args: Any) -> Answer:
        """Results, or the refusal."""
        return (await self.many(function, [args]))[0]

    async def many(self, function: str, inputs: Iterable[Sequence[Any]]) -> list[Answer]:
        """The same for each of the inputs, in their order."""
        called = codec(NAME, function)
        answers: list[Answer] = []
        for batch in _batches([called.encode(args) for args in inputs]):
            for ok, data in zip(*await self._batch(batch), strict=True):
                answers.append(called.decode(data) if ok else self._refusal(data))
        return answers

    async def parse(self, documents: Sequence[bytes]) -> list[Said | Refusal]:
        """What the documents say to the contract: its positions, cut out."""
        answers = await self.many("parse", [(document,) for document in documents])
        return [
            answer if isinstance(answer, Refusal) else said(document, *answer)
            for document, answer in zip(documents, answers, strict=True)
        ]

    async def _batch(self, calls: Sequence[bytes]) -> tuple[Any, ...]:
        called = codec(NAME, "batch")
        call = {"to": ADDRESS, "data": to_hex(called.encode((calls,))), "gas": hex(GAS)}
        answer = await self._rpc.call("eth_call", call, "latest", {ADDRESS: {"code": self._code}})
        return called.decode(to_bytes(answer))

    def _refusal(self, data: bytes) -> Refusal:
        # Anything else, a Panic or an empty revert, is a KeyError: no input may lead there.
        error = self._errors[data[:4]]
        return Refusal(error.what, error.decode(data[4:]))


def span(start: int, length: int) -> int:
    return start << 128 | length


def cut(data: bytes, part: int) -> bytes:
    start, length = part >> 128, part & (1 << 128) - 1
    assert start + length <= len(data)
    return data[start : start + length]


def said(document: bytes, message: tuple[int, ...], fields: tuple[Any, ...]) -> Said:
    """The contract's structs, cut out of the document."""
    _, payload, signature = message
    module_id, timestamp, pcrs, certificate, cabundle, *optional = fields
    public_key, user_data, nonce = (cut(document, part) if part else None for part in optional)
    return Said(
        payload=cut(document, payload),
        signature=cut(document, signature),
        module_id=cut(document, module_id),
        timestamp=timestamp,
        pcrs=tuple(cut(document, pcr) for pcr in pcrs),
        certificate=cut(document, certificate),
        cabundle=tuple(cut(document, part) for part in cabundle),
        public_key=public_key,
        user_data=user_data,
        nonce=nonce,
    )


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
