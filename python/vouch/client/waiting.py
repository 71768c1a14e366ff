"""Waiting for an answer and for a request's end, and ending it when somebody is late."""

import asyncio
from collections.abc import AsyncIterator

from vouch.chain.events import EquivocatedLog, RejectedLog
from vouch.client.answer import Answer, Asked
from vouch.client.connection import Connection
from vouch.client.defaults import Ended, end_delivered, end_unanswered
from vouch.client.errors import AnswerReplaced, RequestExpired, RequestRejected, UnknownRequest
from vouch.client.history import newest
from vouch.client.settlement import NO_ANSWER, read_standing, tag_of
from vouch.protocol.status import Assurance, Status

FIRST_POLL = 0.005
POLL_GROWTH = 1.4


async def answered(chain: Connection, asked: Asked, poll: float) -> None:
    """Returns when the request has an answer, provisional or final.

    With an account, a request that nobody answered in time is expired here.

    Raises RequestExpired, RequestRejected, UnknownRequest.
    """
    await _wait(chain, asked, poll, provisional=True, seen=None)


async def end_of(chain: Connection, asked: Asked, poll: float, seen: Answer | None = None) -> None:
    """Returns when the request is settled. With an account, it is ended here as soon as somebody is late.

    seen: the answer whose end is meant.

    Raises RequestExpired, RequestRejected, UnknownRequest; AnswerReplaced if the hub has another answer.
    """
    await _wait(chain, asked, poll, provisional=False, seen=seen)


async def _wait(
    chain: Connection, asked: Asked, poll: float, *, provisional: bool, seen: Answer | None
) -> None:
    async for _ in _pauses(poll):
        record = await chain.hub.assurance_of(asked.id)
        status = record.status
        if seen is not None and record.answer not in (NO_ANSWER, tag_of(seen.claim)):
            raise AnswerReplaced(asked.id, seen.claim.output_hash)
        ended: Ended | None = None
        match status:
            case Status.NONE if await _passed(chain, asked.block):
                # One of a provider's nodes may lag behind the block that the others have shown.
                raise UnknownRequest(asked.id, chain.hub.address)
            case Status.DELIVERED | Status.CHALLENGED if provisional:
                return
            case Status.REQUESTED if chain.key is not None:
                ended = await end_unanswered(chain, asked)
            case Status.DELIVERED | Status.CHALLENGED if chain.key is not None:
                ended = await end_delivered(chain, asked)
        match status if ended is None else ended.status:
            case Status.SETTLED:
                return
            case Status.REJECTED:
                raise await _rejected(chain, asked, ended)
            case Status.EXPIRED:
                raise _expired(asked, record, ended)
    raise AssertionError("unreachable")


async def _rejected(chain: Connection, asked: Asked, ended: Ended | None) -> RequestRejected:
    terms, logs = asked.request, (await read_standing(chain, asked)).logs
    log = newest(logs, RejectedLog)
    # Another operator's equivocation does not reject a request: only one in the same transaction did.
    found = (each for each in logs if isinstance(each, EquivocatedLog))
    return RequestRejected(
        asked.id,
        terms.fee,
        terms.exposure,
        terms.beneficiary,
        None if log is None else log.rewarded,
        None if ended is None else ended.receipt.tx_hash,
        log is not None and any(each.tx_hash == log.tx_hash for each in found),
    )


def _expired(asked: Asked, record: Assurance, ended: Ended | None) -> RequestExpired:
    terms, tx_hash = asked.request, None if ended is None else ended.receipt.tx_hash
    return RequestExpired(asked.id, terms.fee, terms.beneficiary, tx_hash, delivered=record.delivered_at != 0)


async def _pauses(longest: float) -> AsyncIterator[None]:
    # Short at first, because a local chain answers at once.
    pause = min(FIRST_POLL, longest)
    while True:
        yield
        await asyncio.sleep(pause)
        pause = min(pause * POLL_GROWTH, longest)


async def _passed(chain: Connection, block: int) -> bool:
    return int(await chain.rpc.call("eth_blockNumber"), 16) > block
