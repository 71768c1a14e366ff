"""What the chain's history shows of an answer: which hooks of its consumer were called, and where."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vouch.chain.abi import function
from vouch.chain.errors import RpcError
from vouch.chain.hexes import checksum, to_bytes, to_hex
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Call
from vouch.protocol.status import Status

HOOKS = {
    Status.DELIVERED: "_onProvisional",
    Status.SETTLED: "_onSettled",
    Status.REJECTED: "_onRejected",
    Status.EXPIRED: "_onExpired",
}
"""Of InferenceConsumer, by what the hub says when it calls."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One call by the hub; `block` is that of its transaction."""

    name: str
    block: int


async def hooks(rpc: Rpc, consumer: str, *transactions: bytes | None) -> list[Hook]:
    """Which hooks of a contract these transactions called, in order; None is no transaction."""
    codec, found = function("IInferenceConsumer", "onInference"), []
    for tx_hash in transactions:
        if tx_hash is None:
            continue
        trace = await rpc.call("debug_traceTransaction", to_hex(tx_hash), {"tracer": "callTracer"})
        receipt = await rpc.call("eth_getTransactionReceipt", to_hex(tx_hash))
        for call in _flat(trace):
            data = to_bytes(call["input"])
            if checksum(call["to"]) == consumer and data[:4] == codec.selector:
                _, _, status, _ = codec.decode_input(data)
                found.append(Hook(HOOKS[Status(status)], int(receipt["blockNumber"], 16)))
    return found


async def refusal(rpc: Rpc, call: Call, sender: str, block: int | None = None) -> Reverted | None:
    """How a contract would refuse the call, now or right after a block; None: it would go through.

    Raises RpcError, RpcUnavailable.
    """
    try:
        await rpc.call("eth_call", call.to_rpc(sender), "latest" if block is None else hex(block))
    except RpcError as refused:
        if (named := reverted(refused)) is None:
            raise
        return named
    return None


def _flat(call: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield call
    for inner in call.get("calls", ()):
        yield from _flat(inner)
