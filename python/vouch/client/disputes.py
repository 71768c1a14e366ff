"""What anyone can do about an answer whose trust gap is open: demand its proof, end it, show a fraud."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from vouch.chain.contracts import SignedOutput
from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Call, Receipt
from vouch.client.answer import Answer, Asked, NodeAnswer
from vouch.client.connection import Connection
from vouch.client.defaults import transact_late
from vouch.client.errors import (
    AlreadyChallenged,
    AnswerReplaced,
    InsufficientCredit,
    NoContradiction,
    NoGap,
    NoWindow,
    TooEarly,
    UnknownRequest,
    WindowPassed,
)
from vouch.client.gap import TrustGap
from vouch.client.settlement import provisional, read_gap, read_standing
from vouch.client.signature import check_signature
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.seal import Seal
from vouch.protocol.status import Status

PURPOSE = "to end the request with"


@dataclass(frozen=True, slots=True)
class _Target:
    """The answer that a call is about; the hub refuses it if another one is delivered."""

    id: bytes
    request: Request
    operator: str
    output: bytes

    @property
    def output_hash(self) -> bytes:
        return keccak(self.output)


class Disputes(ABC):
    """The part of `Client` for open trust gaps.

    An answer may be given as itself, which binds the call to the output that the caller saw, or as the id of
    its request, which means whatever is delivered now. All raise NoGap if nothing is delivered and open,
    AnswerReplaced if another answer is, NoAccount, and Reverted for what else the hub refuses.
    """

    @abstractmethod
    async def connection(self) -> Connection: ...

    @abstractmethod
    async def find(self, request_id: bytes | str) -> Asked: ...

    @abstractmethod
    async def _transact(self, call: Call, purpose: str) -> Receipt: ...

    async def gap(self, answer: Answer | Asked | bytes | str) -> TrustGap | None:
        """How a request's trust gap stands now, or went; None if there was none (yet).

        Raises UnknownRequest.
        """
        asked = await self._asked(answer)
        chain = await self.connection()
        return await read_gap(chain, await read_standing(chain, asked))

    async def challenge(self, answer: Answer | Asked | bytes | str) -> Receipt:
        """Demands the proof inside of the window; then `answer.settled()` tells how it ended.

        The bond of the terms goes along, or comes from credit if it is in an ERC-20 token. It comes back,
        with as much from the operator's stake, if no proof comes; otherwise it is the operator's.

        Raises NoWindow, WindowPassed, AlreadyChallenged, InsufficientFunds, InsufficientCredit.
        """
        hub, t = (await self.connection()).hub, await self._target(answer)
        call = hub.challenge(t.request, t.operator, t.output_hash)
        return await _named(t.id, t.output_hash, self._transact(call, "to challenge with"))

    async def reject(self, answer: Answer | Asked | bytes | str) -> Receipt:
        """Ends a request whose proof is late: fee and exposure become the beneficiary's credit.

        Raises TooEarly.
        """
        chain, t = await self.connection(), await self._target(answer)
        call = chain.hub.reject(t.request, t.operator, t.output_hash)
        return await _named(t.id, t.output_hash, transact_late(chain, call, PURPOSE))

    async def settle(self, answer: Answer | Asked | bytes | str, seal: Seal | None = None) -> Receipt:
        """Makes a delivered answer final: with a seal while it is not late, without one after a window in
        which nobody challenged. The operator is paid.

        Raises TooEarly, and Reverted as the verifier does.
        """
        chain, t = await self.connection(), await self._target(answer)
        call = chain.hub.settle(t.request, t.operator, t.output, b"" if seal is None else bytes(seal))
        return await _named(t.id, t.output_hash, transact_late(chain, call, PURPOSE))

    async def expire_delivered(self, answer: Answer | Asked | bytes | str) -> Receipt:
        """Ends a delivered request whose route was withdrawn: the fee comes back, nobody loses stake."""
        chain, t = await self.connection(), await self._target(answer)
        call = chain.hub.expire_delivered(t.request, t.operator, t.output_hash)
        return await _named(t.id, t.output_hash, transact_late(chain, call, PURPOSE))

    async def report_equivocation(self, first: Answer | NodeAnswer, second: Answer | NodeAnswer) -> Receipt:
        """Shows that one operator signed two outputs for one request that has not ended; costs it its stake.

        If one of them is delivered, the request is rejected; otherwise it goes on. Checked here first, so a
        mistake costs nothing.

        Raises NoContradiction, BadAnswer.
        """
        chain = await self.connection()
        claim, terms = first.claim, first.request
        pair = [_signed(chain, each) for each in (first, second)]
        if claim.request_id != second.claim.request_id:
            raise NoContradiction("the answers are about two requests")
        if claim.operator != second.claim.operator:
            raise NoContradiction(f"two operators answered, {claim.operator} and {second.claim.operator}")
        if pair[0].output_hash == pair[1].output_hash:
            raise NoContradiction("both answers are the same output")
        call = chain.hub.report_equivocation(terms, claim.operator, pair[0], pair[1])
        return await _named(claim.request_id, claim.output_hash, self._transact(call, "to report with"))

    async def _asked(self, answer: Answer | Asked | bytes | str) -> Asked:
        if isinstance(answer, Answer):
            return answer.asked
        return answer if isinstance(answer, Asked) else await self.find(answer)

    async def _target(self, answer: Answer | Asked | bytes | str) -> _Target:
        if isinstance(answer, Answer):
            return _Target(answer.id, answer.request, answer.operator, answer.output_bytes)
        asked, chain = await self._asked(answer), await self.connection()
        standing = await read_standing(chain, asked)
        if standing.gap is None:
            raise NoGap(asked.id, standing.assurance.status.name.lower())
        log = provisional(asked, standing)
        if log is None:
            raise UnknownRequest(asked.id, chain.hub.address)
        return _Target(asked.id, asked.request, log.operator, log.output)


def _signed(chain: Connection, answer: Answer | NodeAnswer) -> SignedOutput:
    claim, hub = answer.claim, chain.hub.address
    if claim.request_id != answer.request.id(chain.chain_id, hub):
        raise NoContradiction(
            f"an answer is about another chain than {chain.chain_id} or another hub than {hub}"
        )
    if answer.signature is None:
        raise NoContradiction(
            "the operator's signature of an answer is not known, since another contract passed it to the hub"
        )
    check_signature(answer.signature, claim, chain.chain_id, hub)
    return SignedOutput(claim.output_hash, answer.signature)


async def _named(request_id: bytes, output_hash: bytes, sending: Awaitable[Receipt]) -> Receipt:
    try:
        return await sending
    except Reverted as refused:
        error = _error(request_id, output_hash, refused)
        if error is None:
            raise
        raise error from refused


def _error(request_id: bytes, output_hash: bytes, refused: Reverted) -> VouchError | None:
    """The client's error for what the hub refused, where it can say more than the hub."""
    args: dict[str, Any] = dict(refused.error.args)
    match refused.error.name:
        case "WrongStatus" if args["status"] == Status.CHALLENGED:
            return AlreadyChallenged(request_id)
        case "WrongStatus":
            return NoGap(request_id, Status(args["status"]).name.lower())
        case "WrongAnswer":
            return AnswerReplaced(request_id, output_hash)
        case "NoWindow":
            return NoWindow(request_id)
        case "WindowPassed":
            return WindowPassed(request_id, args["challengeBy"], args["now_"])
        case "WindowNotPassed":
            return TooEarly(request_id, args["challengeBy"], args["now_"])
        case "ProveByNotPassed":
            return TooEarly(request_id, args["proveBy"], args["now_"])
        case "InsufficientCredit":
            return InsufficientCredit(args["token"], args["available"], args["wanted"])
    return None
