"""Logs of the hub and the model registry as typed values, read in ranges that the chain's node accepts."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from vouch.chain.abi import BadAbiData, EventArgs, event
from vouch.chain.errors import RpcError
from vouch.chain.rpc import Rpc
from vouch.chain.transaction import Log, Receipt
from vouch.protocol.request import Request
from vouch.protocol.status import Gate

MAX_RANGE = 2_000
"""Blocks of one eth_getLogs at most; few providers take more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLog:
    """Where a log is. `address` is the contract that emitted it."""

    address: str
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedLog(ChainLog):
    """A log under a known event's topic whose contents are no encoding of that event."""

    topics: tuple[bytes, ...]
    data: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLog(ChainLog):
    """Base of the decoded logs."""

    SOURCE: ClassVar[tuple[str, str]]

    @classmethod
    def topic(cls) -> bytes:
        """First topic of this event."""
        return event(*cls.SOURCE).topic0

    @classmethod
    def _fields(cls, args: EventArgs) -> EventArgs:
        return args

    @classmethod
    def from_log(cls, log: Log) -> Self:
        """Decoded; raises BadAbiData if the log is another event's or its contents are malformed."""
        args = event(*cls.SOURCE).decode(log)
        try:
            fields = cls._fields(args)
        except ValueError as bad:  # an enum value that does not exist
            raise BadAbiData(cls.SOURCE[1], str(bad)) from bad
        return cls(**_where(log), **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedLog(TypedLog):
    """A consumer asked: terms, whose hash is the id, and the input."""

    SOURCE = ("InferenceHub", "Requested")
    id: bytes
    model_id: bytes
    request: Request
    input: bytes

    @classmethod
    def _fields(cls, args: EventArgs) -> EventArgs:
        *before, gate, route, trust, model_id, input_hash, salt = args["request"]
        # Not Request.from_abi: the codec made the addresses checksummed already.
        request = Request(*[*before, Gate(gate), route, trust, model_id, input_hash, salt])
        return {"id": args["id"], "model_id": args["modelId"], "request": request, "input": args["input"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredLog(TypedLog):
    """A result is out, its proof is not."""

    SOURCE = ("InferenceHub", "Delivered")
    id: bytes
    operator: str
    output: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengedLog(TypedLog):
    """Somebody put up the bond and demands the proof."""

    SOURCE = ("InferenceHub", "Challenged")
    id: bytes
    challenger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnchallengedLog(TypedLog):
    """Follows SettledLog where no seal was checked: the window passed and nobody challenged."""

    SOURCE = ("InferenceHub", "Unchallenged")
    id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLog(TypedLog):
    """The proof never came or the operator equivocated; `rewarded` has the bond from its stake."""

    SOURCE = ("InferenceHub", "Rejected")
    id: bytes
    operator: str
    rewarded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EquivocatedLog(TypedLog):
    """The operator signed two outputs for this request; `slashed` in token units."""

    SOURCE = ("InferenceHub", "Equivocated")
    id: bytes
    operator: str
    rewarded: str
    slashed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledLog(TypedLog):
    """A seal was checked (unless an UnchallengedLog follows) and the operator paid."""

    SOURCE = ("InferenceHub", "Settled")
    id: bytes
    operator: str
    output: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredLog(TypedLog):
    """Nothing came in time, or nothing could be proven any more; the fee went back."""

    SOURCE = ("InferenceHub", "Expired")
    id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackFailedLog(TypedLog):
    """The consumer's callback failed; `reason` is at most 256 bytes of what it reverted with or returned."""

    SOURCE = ("InferenceHub", "CallbackFailed")
    id: bytes
    reason: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRetriedLog(TypedLog):
    """A failed callback ran again and succeeded."""

    SOURCE = ("InferenceHub", "CallbackRetried")
    id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLog(TypedLog):
    """A manifest was published, or a publisher's name moved to it."""

    SOURCE = ("ModelRegistry", "Published")
    model_id: bytes
    publisher: str
    name: str
    manifest: bytes

    @classmethod
    def _fields(cls, args: EventArgs) -> EventArgs:
        return {"model_id": args["modelId"], **{k: args[k] for k in ("publisher", "name", "manifest")}}


HubLog = TypedLog | MalformedLog
"""A log as it was read."""

HUB_EVENTS: tuple[type[TypedLog], ...] = (
    RequestedLog,
    DeliveredLog,
    ChallengedLog,
    SettledLog,
    UnchallengedLog,
    RejectedLog,
    EquivocatedLog,
    ExpiredLog,
    CallbackFailedLog,
    CallbackRetriedLog,
)


def decode_log(log: Log, kinds: Sequence[type[TypedLog]] = HUB_EVENTS) -> HubLog | None:
    """The log as the kind its first topic names, or as MalformedLog; None for any other event."""
    for kind in kinds:
        if log.topics and log.topics[0] == kind.topic():
            try:
                return kind.from_log(log)
            except BadAbiData as bad:
                return MalformedLog(**_where(log), topics=log.topics, data=log.data, reason=str(bad))
    return None


def decode_logs(logs: Iterable[dict[str, Any]], kinds: Sequence[type[TypedLog]] = HUB_EVENTS) -> list[HubLog]:
    """The known ones among what eth_getLogs gave, in its order, without those that a fork took back."""
    read = (Log.from_rpc(log) for log in logs)
    return [known for log in read if not log.removed and (known := decode_log(log, kinds)) is not None]


def receipt_logs(
    receipt: Receipt, address: str, kinds: Sequence[type[TypedLog]] = HUB_EVENTS
) -> list[HubLog]:
    """The known logs that one contract emitted in a transaction, in their order."""
    decoded = (decode_log(log, kinds) for log in receipt.logs if log.address == address)
    return [log for log in decoded if log is not None]


async def get_logs(
    rpc: Rpc,
    hub: str,
    from_block: int,
    to_block: int,
    kinds: Sequence[type[TypedLog]] = HUB_EVENTS,
) -> list[HubLog]:
    """All logs of these kinds in both blocks and between, in the chain's order.

    Raises:
        RpcError: the node refuses even a single block.
        RpcUnavailable: as Rpc.call.
    """
    return [log async for part in log_ranges(rpc, hub, from_block, to_block, kinds) for log in part]


async def log_ranges(
    rpc: Rpc,
    hub: str,
    from_block: int,
    to_block: int,
    kinds: Sequence[type[TypedLog]] = HUB_EVENTS,
    *,
    max_range: int = MAX_RANGE,
) -> AsyncIterator[list[HubLog]]:
    """As get_logs, range by range. A range that the node refuses (too many blocks or results) is halved."""
    topics = [[kind.topic() for kind in kinds]]
    start, size = from_block, max_range
    while start <= to_block:
        end = min(start + size - 1, to_block)
        query = {"address": hub, "topics": topics, "fromBlock": hex(start), "toBlock": hex(end)}
        try:
            found = await rpc.call("eth_getLogs", query)
        except RpcError:
            # Every provider words its limit differently, so any refusal of more than one block counts as one.
            if start == end:
                raise
            size = (end - start + 1) // 2
            continue
        yield decode_logs(found, kinds)
        start, size = end + 1, min(size * 2, max_range)


def _where(log: Log) -> EventArgs:
    names = ("address", "block_number", "block_hash", "tx_hash", "log_index")
    return {name: getattr(log, name) for name in names}
