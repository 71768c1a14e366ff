"""What the hub logged about one request."""

from collections.abc import Sequence
from typing import TypeVar

from vouch.chain.errors import RpcError
from vouch.chain.events import (
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    ExpiredLog,
    MalformedLog,
    RejectedLog,
    SettledLog,
    TypedLog,
    decode_log,
    get_logs,
)
from vouch.chain.hexes import to_hex
from vouch.chain.transaction import Log
from vouch.client.connection import Connection

L = TypeVar("L", bound=TypedLog)

ANSWERED: tuple[type[TypedLog], ...] = (
    DeliveredLog,
    ChallengedLog,
    SettledLog,
    RejectedLog,
    EquivocatedLog,
    ExpiredLog,
)
"""What can happen to a request after it was asked."""


async def history(
    chain: Connection,
    request_id: bytes,
    first_block: int,
    kinds: Sequence[type[TypedLog]] = ANSWERED,
) -> list[TypedLog]:
    """The events of these kinds about a request, oldest first."""
    query = {
        "address": chain.hub.address,
        "topics": [[to_hex(kind.topic()) for kind in kinds], to_hex(request_id)],
        "fromBlock": hex(first_block),
        "toBlock": "latest",
    }
    try:
        found = [Log.from_rpc(log) for log in await chain.rpc.call("eth_getLogs", query)]
        logs = [decode_log(log, kinds) for log in found if not log.removed]
    except RpcError:
        # Providers limit the range of one query even when it names a single id: read in parts instead.
        last = int(await chain.rpc.call("eth_blockNumber"), 16)
        every = await get_logs(chain.rpc, chain.hub.address, first_block, last, kinds)
        logs = [log for log in every if getattr(log, "id", None) == request_id]
    return [log for log in logs if log is not None and not isinstance(log, MalformedLog)]


def newest(logs: Sequence[TypedLog], kind: type[L]) -> L | None:
    """The last event of a kind."""
    return next((log for log in reversed(logs) if isinstance(log, kind)), None)
