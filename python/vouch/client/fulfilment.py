"""Who answered and with which seal: read from the transaction that settled a request."""

from vouch.chain import abi
from vouch.chain.abi import BadAbiData
from vouch.chain.contracts import Fulfilment
from vouch.protocol.request import Request


def fulfilments(data: bytes) -> tuple[Fulfilment, ...]:
    """The answers that calldata of `fulfil` or `fulfilMany` carries; none for any other call."""
    fulfil, many = abi.function("InferenceHub", "fulfil"), abi.function("InferenceHub", "fulfilMany")
    try:
        match data[:4]:
            case fulfil.selector:
                items = [fulfil.decode_input(data)]
            case many.selector:
                (items,) = many.decode_input(data)
            case _:
                return ()
    except BadAbiData:
        # The hub reads calldata more loosely than the ABI asks for; what only it can read has no seal for us.
        return ()
    return tuple(Fulfilment(Request.from_abi(terms), *rest) for terms, *rest in items)


def find(data: bytes, request_id: bytes, chain_id: int, hub: str) -> Fulfilment | None:
    """The answer to one request in a transaction's calldata; None unless it calls the hub directly."""
    return next((f for f in fulfilments(data) if f.request.id(chain_id, hub) == request_id), None)
