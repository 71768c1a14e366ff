"""Delivered answers, judged in the order in which their windows close; what is wrong is challenged."""

import time

from vouch.chain.errors import FeeOverCap, RpcError
from vouch.chain.reverts import Reverted
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Gap, Status
from vouch.watcher.case import Answer, Case
from vouch.watcher.desk import Desk
from vouch.watcher.errors import NotNow
from vouch.watcher.finding import Kind
from vouch.watcher.judge import Judge, Verdict
from vouch.watcher.lane import RACES, Lane, Move, Trial
from vouch.watcher.policy import later_gas
from vouch.watcher.purse import Purse
from vouch.watcher.scene import Scene
from vouch.watcher.words import clock, money, plain

_LAST = 1e9
"""Urgency of what cannot be challenged: it is judged when there is nothing else to do."""


class Bench:
    """`look` at a request whenever it changed; `desk.run` does the work. Without a lane nothing is sent."""

    def __init__(self, scene: Scene, judge: Judge, purse: Purse) -> None:
        self._hub, self._docket, self._follower = scene.hub, scene.docket, scene.follower
        self._records, self._routes, self._policy = scene.records, scene.routes, scene.policy
        self._lane, self._teller, self._tries = scene.lane, scene.teller, scene.config.tries
        self._judge, self._purse = judge, purse
        self._verdicts: dict[Answer, Verdict] = {}
        self._heard: dict[bytes, Answer] = {}
        self.desk: Desk[bytes] = Desk("judging", self._hear, scene.config.concurrency, scene.config.patience)

    def look(self, request: bytes) -> None:
        """A request changed: a delivery is judged, one that a fork took back is dropped."""
        case = self._docket.get(request)
        heard, answer = self._heard.get(request), case.answer if case is not None else None
        if heard is not None and answer != heard and (case is None or case.end is None):
            del self._heard[request]
            self._teller.tell(Kind.GONE, request, "a fork took the judged delivery back: dropped")
            self._teller.forget(request)
        if case is not None and answer is not None and case.challenge is None:
            window = case.terms.window
            self.desk.put(request, time.monotonic() + window if window else _LAST)

    def verdict(self, answer: Answer) -> Verdict | None:
        """What was found, if it was judged."""
        return self._verdicts.get(answer)

    def tidy(self) -> None:
        """Forgets what the docket forgot."""
        self._verdicts = {a: v for a, v in self._verdicts.items() if a.request in self._docket}
        self._heard = {r: a for r, a in self._heard.items() if r in self._docket}

    async def _hear(self, request: bytes, attempt: int) -> None:
        case = self._open(request)
        if case is None or case.answer is None:
            return
        answer = case.answer
        verdict = self._verdicts.get(answer)
        if verdict is None:
            verdict = self._verdicts[answer] = await self._judged(case, attempt)
        case = self._open(request)
        if case is None or case.answer != answer:
            return  # it changed while the model ran, and is in the queue again if it has to be
        self._heard[request] = answer
        gap = await self._hub.gap_of(case.terms)
        if verdict.kind is Kind.DIFFERENT:
            await self._object(case, gap, verdict)
        else:
            self._teller.tell(verdict.kind, request, f"{_who(answer)}: {verdict.why}{_outlook(case, gap)}")

    def _open(self, request: bytes) -> Case | None:
        """The case, while it is delivered and not challenged."""
        case = self._docket.get(request)
        return case if case is not None and case.open and case.challenge is None else None

    async def _judged(self, case: Case, attempt: int) -> Verdict:
        assert case.delivery is not None, "only what was delivered is judged"
        try:
            given = await self._records.input(case)
            theirs = await self._records.output(case.delivery)
            return await self._judge.judge(case.terms.model_id, given, theirs)
        except NotNow as reason:
            if attempt < self._tries:
                raise
            return Verdict(Kind.UNJUDGED, plain(f"given up after {attempt} tries: {reason}"))

    async def _object(self, case: Case, gap: Gap, verdict: Verdict) -> None:
        """Challenges, or says why not. Raises NotNow for what may change while the window is open."""
        terms = case.terms
        if gap.status is not Status.DELIVERED:
            return  # its log comes
        never = (
            self._policy.objection(
                terms,
                gap,
                self._follower.clock.newest,
                live=await self._routes.is_live(terms.route, terms.trust),
            )
            or self._purse.refusal(terms.token, terms.bond)
            or self._doubt(case)
        )
        if never:
            self._leave(case, verdict, f"not challenged: {never}")
            return
        if self._lane is None:
            shortage = self._purse.shortage(case.id, terms.token, terms.bond)
            said = (
                f"it would not be challenged: {shortage}" if shortage else f"would challenge: {_stakes(case)}"
            )
            self._leave(case, verdict, said)
            return
        async with self._lane.lock:
            if self._lane.busy(case.id):
                return
            reason = self._purse.shortage(case.id, terms.token, terms.bond) or await self._challenge(
                case, verdict, self._lane
            )
        if reason:
            until = f"tried again until {clock(gap.challenge_by)}"
            self._leave(case, verdict, f"not challenged now, {until}: {plain(reason)}")
            raise NotNow(reason)

    def _doubt(self, case: Case) -> str:
        if self._purse.lost_on(case.terms.model_id):
            return (
                "an earlier challenge about this model was lost, so our copy or processor may be wrong: "
                "find out why, and start with a new database"
            )
        if self._lane is not None and self._lane.gave_up(Kind.CHALLENGE, case.id):
            return "its transactions failed"
        return ""

    async def _challenge(self, case: Case, verdict: Verdict, lane: Lane) -> str:
        """Why it was not challenged; empty if it was, by us or somebody faster."""
        terms = case.terms
        assert case.answer is not None, "an open case has one"
        try:
            move, trial = await self._tried(case, case.answer, lane)
            cost = trial.cost + later_gas(terms) * trial.cost // trial.gas
            if not self._policy.worth(terms.bond, terms.token, cost):
                return self._policy.poor("it", terms.bond, terms.token, cost)
            sent = await lane.send(move, trial.gas)
        except Reverted as refused:
            if refused.error.name in RACES:
                if (await self._hub.gap_of(terms)).challenger == lane.account:
                    return ""  # by ourselves, and its log comes
                self._teller.tell(Kind.BEATEN, case.id, "somebody else challenged it first, or it has ended")
                return ""
            return str(refused.error)
        except (RpcError, FeeOverCap) as refused:  # it cannot be paid, mostly
            return str(refused)
        text = f"{_who(case.answer)}: {verdict.why}; challenged in 0x{sent.hex()}: {_stakes(case)}"
        self._teller.tell(Kind.CHALLENGE, case.id, text)
        return ""

    async def _tried(self, case: Case, answer: Answer, lane: Lane) -> tuple[Move, Trial]:
        """The challenge, paid from our credit as far as that goes. Raises as Lane.try_out."""
        terms = case.terms

        async def attempt(value: int) -> tuple[Move, Trial]:
            call = self._hub.challenge(terms, answer.operator, answer.output_hash, value=value)
            move = Move(Kind.CHALLENGE, case.id, answer.output_hash, call, terms.token, terms.bond)
            return move, await lane.try_out(call)

        if terms.token != NATIVE:
            return await attempt(0)
        value = max(terms.bond - await self._hub.credit_of(lane.account), 0)
        try:
            return await attempt(value)
        except Reverted as refused:
            if refused.error.name != "InsufficientCredit" or value == terms.bond:
                raise
            return await attempt(terms.bond)  # a challenge on its way takes the credit

    def _leave(self, case: Case, verdict: Verdict, what: str) -> None:
        assert case.answer is not None, "an open case has one"
        self._teller.tell(Kind.DIFFERENT, case.id, f"{_who(case.answer)}: {verdict.why}; {what}")


def _who(answer: Answer) -> str:
    return f"operator {answer.operator}"


def _stakes(case: Case) -> str:
    """What a challenge puts up, wins and loses."""
    bond = money(case.terms.bond, case.terms.token)
    return (
        f"{bond} put up; to win {bond} and get that back if no proof comes within "
        f"{case.terms.prove_within} s, to lose it if one does"
    )


def _outlook(case: Case, gap: Gap) -> str:
    """How an answer that nobody minds goes on."""
    if gap.status is not Status.DELIVERED:
        return ""
    if case.terms.window:
        return f"; counts without a proof after {clock(gap.challenge_by)}"
    return f"; must be proven by {clock(gap.prove_by)}"
