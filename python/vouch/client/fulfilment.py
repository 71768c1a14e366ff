"""Who answered, with which seal or signature: read from the transactions that brought an answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vouch.chain import abi
from vouch.chain.abi import BadAbiData
from vouch.protocol.request import Request


@dataclass(frozen=True, slots=True)
class Brought:
    """An answer in calldata.

    seal: of `fulfil`, `fulfilMany` and `settle` (there empty if the window passed and nobody challenged).
    signature: the operator's over the claim, of `deliver`.
    """

    request: Request
    operator: str
    output: bytes
    seal: bytes = b""
    signature: bytes = b""


def brought(data: bytes) -> tuple[Brought, ...]:
    """The answers that calldata for the hub carries; none for calls that bring no answer."""
    try:
        return tuple(_brought(data))
    except (BadAbiData, ValueError):
        # The hub reads calldata more loosely than the ABI asks for; what only it can read has no seal for us.
        return ()


def find(data: bytes, request_id: bytes, chain_id: int, hub: str) -> Brought | None:
    """The answer to one request in the calldata of a transaction to the hub."""
    return next((b for b in brought(data) if b.request.id(chain_id, hub) == request_id), None)


def _brought(data: bytes) -> Iterator[Brought]:
    for name in ("fulfil", "settle", "fulfilMany", "deliver"):
        codec = abi.function("InferenceHub", name)
        if data[:4] != codec.selector:
            continue
        values: tuple[Any, ...] = codec.decode_input(data)
        for terms, operator, output, proof in values[0] if name == "fulfilMany" else (values,):
            field = "signature" if name == "deliver" else "seal"
            yield Brought(Request.from_abi(terms), operator, output, **{field: proof})
