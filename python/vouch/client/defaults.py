"""Ending a request when somebody is late: what anyone may do, so this client does it where it waits."""

import asyncio
from dataclasses import dataclass

from vouch.chain.errors import RpcError
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.transaction import Call, Receipt
from vouch.client.answer import Asked
from vouch.client.connection import Connection
from vouch.client.gap import due
from vouch.client.settlement import provisional, read_standing
from vouch.protocol.keccak import keccak
from vouch.protocol.status import Status

TOO_EARLY = frozenset({"DeliverByNotPassed", "ProveByNotPassed", "WindowNotPassed"})
"""What the hub says while somebody still has time."""
OVERTAKEN = frozenset({"WrongStatus", "WrongAnswer", "SealRequired", "WindowPassed", "RouteIsTombstoned"})
"""What the hub says when something else happened first; look again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that this client ended."""

    status: Status
    receipt: Receipt


async def end_unanswered(chain: Connection, asked: Asked) -> Ended | None:
    """Expires a request whose deliver_by has passed; None: it has not, or something came after all."""
    if await chain.now() <= asked.request.deliver_by:
        return None
    return await _end(chain, Status.EXPIRED, chain.hub.expire(asked.request))


async def end_delivered(chain: Connection, asked: Asked) -> Ended | None:
    """Gives a delivered request the end that its terms name for silence; None: nobody is late."""
    terms, hub = asked.request, chain.hub
    alive = chain.router.can_verify(terms.route, terms.trust)
    gap, live, now = await asyncio.gather(hub.gap_of(terms), alive, chain.now())
    status = due(gap, now, live)
    if status is None:
        return None
    log = provisional(asked, await read_standing(chain, asked))
    if log is None:
        return None
    match status:
        case Status.SETTLED:
            call = hub.settle(terms, log.operator, log.output)
        case Status.REJECTED:
            call = hub.reject(terms, log.operator, keccak(log.output))
        case _:
            call = hub.expire_delivered(terms, log.operator, keccak(log.output))
    return await _end(chain, status, call)


async def transact_late(chain: Connection, call: Call, purpose: str) -> Receipt:
    """Sends what is allowed after a deadline only. Raises NoAccount, and as TxSender.transact."""
    sender = chain.sender(purpose)
    try:
        return await sender.transact(call)
    except Reverted as refused:
        if refused.tx_hash is not None or refused.error.name not in TOO_EARLY:
            raise
        # A chain that makes blocks on demand has an old newest block, but its next one will be of now.
        try:
            gas = await chain.rpc.call("eth_estimateGas", call.to_rpc(sender.address), "pending")
        except RpcError as error:
            raise (reverted(error) or error) from refused
    return await sender.transact(call, gas=int(gas, 16) * 6 // 5, simulate=False)


async def _end(chain: Connection, status: Status, call: Call) -> Ended | None:
    try:
        return Ended(status, await transact_late(chain, call, "to end the request with"))
    except Reverted as refused:
        if refused.error.name in TOO_EARLY | OVERTAKEN:
            return None
        raise
