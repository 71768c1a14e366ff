"""How a request stands and what was answered, read from the chain."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vouch.chain.events import (
    ChallengedLog,
    DeliveredLog,
    ExpiredLog,
    RejectedLog,
    RequestedLog,
    SettledLog,
    TypedLog,
)
from vouch.chain.hexes import checksum, to_bytes
from vouch.chain.transaction import Receipt
from vouch.client.answer import Answer, Asked, Chain, Gas
from vouch.client.connection import Connection
from vouch.client.errors import AnswerReplaced, UnknownRequest
from vouch.client.fulfilment import Brought, find
from vouch.client.gap import TrustGap
from vouch.client.history import history, newest
from vouch.client.models import decode_output
from vouch.client.signature import check_seal, check_signature
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED, Seal
from vouch.protocol.status import Assurance, Gap, Status

LOG_PATIENCE, LOG_PAUSE = 5.0, 0.02
"""Seconds that a node's logs may lag behind its state, and between two looks at them."""

NO_ANSWER = bytes(18)
"""What the record says where nothing was answered, or the answer was retracted."""

_LAST: Mapping[Status, type[TypedLog]] = {
    Status.DELIVERED: DeliveredLog,
    Status.CHALLENGED: ChallengedLog,
    Status.SETTLED: SettledLog,
    Status.REJECTED: RejectedLog,
    Status.EXPIRED: ExpiredLog,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """The hub's record of a request, its gap (None unless it is open), and what was logged about it."""

    assurance: Assurance
    gap: Gap | None
    logs: Sequence[TypedLog]

    @property
    def answered(self) -> bool:
        """There is an answer, provisional or final, and it was not retracted."""
        return self.assurance.status.open or self.assurance.status is Status.SETTLED


async def find_asked(chain: Connection, request_id: bytes) -> Asked:
    """What was asked under an id. Raises UnknownRequest, UnknownModel."""
    logs = await history(chain, request_id, chain.deployment.block, (RequestedLog,))
    log = newest(logs, RequestedLog)
    if log is None or log.request.id(chain.chain_id, chain.hub.address) != request_id:
        raise UnknownRequest(request_id, chain.hub.address)
    manifest = await chain.models.manifest(log.model_id)
    return Asked(request_id, log.request, log.input, manifest, log.tx_hash, log.block_number)


async def read_standing(chain: Connection, asked: Asked) -> Standing:
    """Record first and logs afterwards, so that the logs know all that the record says.

    Only a node that forgets or hides events makes them incomplete.
    """
    until = time.monotonic() + LOG_PATIENCE
    while True:
        assurance, gap = await chain.hub.assurance_of(asked.id), None
        if assurance.status.open:
            gap = await chain.hub.gap_of(asked.request)
            if gap.status is not assurance.status:  # the chain moved on between the two
                continue
        logs = await history(chain, asked.id, asked.block)
        last = _LAST.get(assurance.status)
        if last is None or newest(logs, last) is not None or time.monotonic() > until:
            return Standing(assurance, gap, logs)
        await asyncio.sleep(LOG_PAUSE)


async def read_answer(chain: Connection, asked: Asked, standing: Standing, handle: Chain) -> Answer:
    """The answer of a request that has one.

    Raises UnknownRequest if its event is gone, BadAnswer, the codec's errors.
    """
    log = _bringing(asked, standing)
    if log is None:
        raise UnknownRequest(asked.id, chain.hub.address)
    claim = claim_of(asked, log.operator, log.output)
    settled = log if isinstance(log, SettledLog) else None
    first, last, gap, level = await asyncio.gather(
        _sent(chain, asked.id, newest(standing.logs, DeliveredLog)),
        _sent(chain, asked.id, settled),
        read_gap(chain, standing),
        chain.router.name_of(asked.request.route),
    )
    seal = None if last.brought is None or not last.brought.seal else Seal.parse(last.brought.seal)
    signature = None if first.brought is None else first.brought.signature
    if seal is not None:
        check_seal(seal, claim, chain.chain_id, chain.hub.address)
        if seal.route == SIGNED and signature is None:
            signature = seal.proof
    if signature is not None:
        check_signature(signature, claim, chain.chain_id, chain.hub.address)
    return Answer(
        id=asked.id,
        request=asked.request,
        output=decode_output(asked.manifest, log.output),
        output_bytes=log.output,
        operator=log.operator,
        claim=claim,
        seal=seal,
        signature=signature,
        assurance=standing.assurance,
        gap=gap,
        level=level,
        request_tx=asked.tx_hash,
        deliver_tx=first.tx_hash,
        settle_tx=last.tx_hash,
        gas=Gas(asked.gas, first.gas, last.gas),
        asked=asked,
        chain=handle,
    )


async def read_again(chain: Connection, answer: Answer, handle: Chain) -> Answer:
    """An answer as it stands now. Raises AnswerReplaced, and as `read_answer`."""
    standing = await read_standing(chain, answer.asked)
    if not standing.answered:
        return replace(answer, assurance=standing.assurance, gap=await read_gap(chain, standing))
    if standing.assurance.answer != tag_of(answer.claim):
        raise AnswerReplaced(answer.id, answer.claim.output_hash)
    return await read_answer(chain, answer.asked, standing, handle)


async def read_gap(chain: Connection, standing: Standing) -> TrustGap | None:
    """The trust gap; None where nothing was delivered before its proof."""
    assurance, gap, logs = standing.assurance, standing.gap, standing.logs
    if newest(logs, DeliveredLog) is None:
        return None
    closed_at: int | None = assurance.settled_at or None
    if assurance.status in (Status.REJECTED, Status.EXPIRED):
        end = newest(logs, RejectedLog) or newest(logs, ExpiredLog)
        closed_at = None if end is None else await chain.time(end.block_number)
    until = closed_at if closed_at is not None else await chain.now()
    challenged = newest(logs, ChallengedLog)
    return TrustGap(
        status=assurance.status,
        delivered_at=assurance.delivered_at,
        challenge_by=None if gap is None else gap.challenge_by or None,
        prove_by=None if gap is None else gap.prove_by or None,
        closed_at=closed_at,
        insured=0 if gap is None else gap.insured,
        challenger=None if challenged is None else challenged.challenger,
        seconds=max(0, until - assurance.delivered_at),
    )


def claim_of(asked: Asked, operator: str, output: bytes) -> Claim:
    """What the operator said with this output."""
    terms = asked.request
    return Claim(asked.id, terms.model_id, terms.input_hash, keccak(output), checksum(operator))


def tag_of(claim: Claim) -> bytes:
    """What the record keeps of an answer: 18 bytes of keccak256(abi.encode(id, operator, outputHash))."""
    return keccak(claim.request_id + to_bytes(claim.operator).rjust(32, b"\0") + claim.output_hash)[:18]


def provisional(asked: Asked, standing: Standing) -> DeliveredLog | None:
    """The answer whose gap is open. None: there is none, or the chain's node lags behind with its event."""
    log = _bringing(asked, standing)
    return log if isinstance(log, DeliveredLog) else None


@dataclass(frozen=True, slots=True)
class _Sent:
    """A transaction that brought an answer; all None if there is none. `brought`: None for one to a contract
    that this client does not know."""

    tx_hash: bytes | None = None
    gas: int | None = None
    brought: Brought | None = None


async def _sent(chain: Connection, request_id: bytes, log: TypedLog | None) -> _Sent:
    if log is None:
        return _Sent()
    transaction, receipt = await asyncio.gather(
        chain.rpc.call("eth_getTransactionByHash", log.tx_hash),
        chain.rpc.call("eth_getTransactionReceipt", log.tx_hash),
    )
    if transaction is None or receipt is None:
        raise UnknownRequest(request_id, chain.hub.address)
    brought = None
    # What another contract's calldata holds need not be what it passed on to the hub.
    if transaction["to"] is not None and checksum(transaction["to"]) == chain.hub.address:
        brought = find(to_bytes(transaction["input"]), request_id, chain.chain_id, chain.hub.address)
    return _Sent(log.tx_hash, Receipt.from_rpc(receipt).gas_used, brought)


def _bringing(asked: Asked, standing: Standing) -> DeliveredLog | SettledLog | None:
    """The event with the output that the record names."""
    if not standing.answered:
        return None
    log: DeliveredLog | SettledLog | None = newest(standing.logs, DeliveredLog)
    if standing.assurance.status is Status.SETTLED:
        log = newest(standing.logs, SettledLog)
    if log is None or tag_of(claim_of(asked, log.operator, log.output)) != standing.assurance.answer:
        return None
    return log
