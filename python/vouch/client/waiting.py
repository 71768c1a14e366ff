"""Waiting for a request's end, and ending it when nobody answers."""

import asyncio
import time
from collections.abc import AsyncIterator

from vouch.chain.errors import RpcError
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.transaction import Receipt
from vouch.client.answer import Asked
from vouch.client.connection import Connection
from vouch.client.errors import RequestExpired, RequestRejected, UnknownRequest
from vouch.protocol.request import Request
from vouch.protocol.status import Status

FIRST_POLL = 0.005
POLL_GROWTH = 1.4
PURPOSE = "to expire the request with"


async def end_of(chain: Connection, asked: Asked, poll: float) -> Status:
    """Returns when the request is settled.

    With an account, a request that nobody answered in time is expired here.

    Raises RequestExpired, RequestRejected, UnknownRequest.
    """
    terms = asked.request
    async for _ in _pauses(poll):
        match await chain.hub.status_of(asked.id):
            case Status.SETTLED:
                return Status.SETTLED
            case Status.REJECTED:
                raise RequestRejected(asked.id)
            case Status.EXPIRED:
                raise RequestExpired(asked.id, terms.fee, terms.beneficiary, None)
            case Status.NONE if await _passed(chain, asked.block):
                # One of a provider's nodes may lag behind the block that the others have shown.
                raise UnknownRequest(asked.id, chain.hub.address)
            case Status.REQUESTED if chain.key is not None and await _overdue(chain, terms):
                if (receipt := await _expire(chain, terms, chain.key.address)) is not None:
                    raise RequestExpired(asked.id, terms.fee, terms.beneficiary, receipt.tx_hash)
    raise AssertionError("unreachable")


async def _pauses(longest: float) -> AsyncIterator[None]:
    # Short at first, because a local chain answers at once.
    pause = min(FIRST_POLL, longest)
    while True:
        yield
        await asyncio.sleep(pause)
        pause = min(pause * POLL_GROWTH, longest)


async def _overdue(chain: Connection, terms: Request) -> bool:
    # An idle development chain's newest block is old, a warped or busy one's lies ahead of the clock here.
    return time.time() > terms.deliver_by or await chain.time() > terms.deliver_by


async def _passed(chain: Connection, block: int) -> bool:
    return int(await chain.rpc.call("eth_blockNumber"), 16) > block


async def _expire(chain: Connection, terms: Request, sender: str) -> Receipt | None:
    """None if the request cannot be expired now."""
    call = chain.hub.expire(terms)
    try:
        return await chain.sender(PURPOSE).transact(call)
    except Reverted as refused:
        if refused.error.name == "WrongStatus":  # answered or expired by someone else meanwhile
            return None
        if refused.error.name != "DeliverByNotPassed":
            raise
    # A chain that makes blocks on demand has an old newest block, but its next one will be of now.
    try:
        gas = await chain.rpc.call("eth_estimateGas", call.to_rpc(sender), "pending")
    except RpcError as refused:
        if reverted(refused) is None:
            raise
        return None
    return await chain.sender(PURPOSE).transact(call, gas=int(gas, 16) * 6 // 5, simulate=False)
