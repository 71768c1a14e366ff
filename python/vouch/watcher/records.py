"""Inputs and outputs, read from the chain when they are needed: nobody has to keep megabytes of them."""

from vouch.chain.events import DeliveredLog, MalformedLog, RequestedLog, TypedLog, decode_log
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Log
from vouch.protocol.keccak import keccak
from vouch.watcher.case import Case, Delivery, Place
from vouch.watcher.errors import NotNow


class Records:
    """The hub's events by where they were seen: a block's hash, so that no lagging node can leave one out.

    Raises NotNow, RpcError when the chain's node does not have the block or the event (any more).
    """

    def __init__(self, rpc: Rpc, hub: str) -> None:
        self._rpc, self._hub = rpc, hub

    async def input(self, case: Case) -> bytes:
        """What was asked."""
        for log in await self._logs(RequestedLog, case.id, case.asked):
            if isinstance(log, RequestedLog) and keccak(log.input) == case.terms.input_hash:
                return log.input
        raise NotNow(f"block {case.asked.block} does not have the input of 0x{case.id.hex()}")

    async def output(self, delivery: Delivery) -> bytes:
        """What was delivered."""
        answer = delivery.answer
        for log in await self._logs(DeliveredLog, answer.request, delivery.at):
            if isinstance(log, DeliveredLog) and keccak(log.output) == answer.output_hash:
                return log.output
        raise NotNow(f"block {delivery.at.block} does not have the output of 0x{answer.request.hex()}")

    async def _logs(
        self, kind: type[TypedLog], request: bytes, at: Place
    ) -> list[TypedLog | MalformedLog | None]:
        query = {
            "address": self._hub,
            "topics": [[kind.topic()], [request]],
            "blockHash": at.block_hash,
        }
        return [decode_log(Log.from_rpc(raw), (kind,)) for raw in await self._rpc.call("eth_getLogs", query)]
