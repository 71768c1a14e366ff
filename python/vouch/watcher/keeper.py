"""Silence has a default in every phase; this triggers those that pay us, or that we were told to trigger."""

import asyncio
import logging
import time

from vouch.chain.errors import ChainError, RpcUnavailable
from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Call
from vouch.protocol.status import Gap, Status
from vouch.watcher.bench import Bench
from vouch.watcher.case import Case
from vouch.watcher.errors import NotNow
from vouch.watcher.finding import Kind
from vouch.watcher.lane import RACES, Lane, Move
from vouch.watcher.policy import Duty, concerns, due, reward
from vouch.watcher.scene import Scene
from vouch.watcher.words import money, plain

_log = logging.getLogger(__name__)

KINDS = {Duty.REJECT: Kind.REJECT, Duty.EXPIRE: Kind.EXPIRE, Duty.SETTLE: Kind.SETTLE}
_EARLY = frozenset(
    {"ProveByNotPassed", "WindowNotPassed", "RouteIsLive", "RouteIsTombstoned", "UnknownRoute"}
)
"""Reverts that say: our clock or our knowledge of the route is ahead of the chain's, or behind."""


class Keeper:
    """`look` after every block; `run` does what is due, one case after the other."""

    def __init__(self, scene: Scene, bench: Bench) -> None:
        self._hub, self._docket, self._follower = scene.hub, scene.docket, scene.follower
        self._records, self._routes, self._policy = scene.records, scene.routes, scene.policy
        self._lane, self._account, self._teller = scene.lane, scene.account, scene.teller
        self._bench, self._rest = bench, scene.config.patience.rest
        self._gaps: dict[bytes, tuple[Case, Gap]] = {}
        self._resting: dict[bytes, tuple[int, float]] = {}
        self._news = asyncio.Event()
        self.trouble = ""
        """Why nothing can be done now; empty if all is well."""

    def look(self) -> None:
        """Time has passed, or something happened."""
        self._news.set()

    def tidy(self) -> None:
        """Forgets what the docket forgot."""
        self._gaps = {request: known for request, known in self._gaps.items() if request in self._docket}
        self._resting = {request: at for request, at in self._resting.items() if request in self._docket}

    async def run(self) -> None:
        """Keeps for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            self.trouble = ""
            for case in self._docket.cases():
                if not concerns(case, settle=self._policy.settle) or self._rests(case.id):
                    continue
                try:
                    await self._keep(case)
                except (ChainError, NotNow) as error:
                    # One request that cannot be helped now must not keep the others waiting.
                    self.trouble = str(error)
                    _log.warning("what is due for 0x%s waits: %s", case.id.hex(), error)
                    if isinstance(error, RpcUnavailable):
                        break

    async def _keep(self, case: Case) -> None:
        gap = await self._gap(case)
        live = await self._routes.is_live(case.terms.route, case.terms.trust)
        duty = due(gap, self._follower.clock.probably(), self._account, live=live, settle=self._policy.settle)
        if duty is None or (duty is Duty.SETTLE and not self._settles(case)):
            return
        if self._lane is not None and (self._lane.busy(case.id) or self._lane.gave_up(KINDS[duty], case.id)):
            return
        brings = reward(case.terms.bond, gap, duty, self._account)
        if (
            duty is Duty.REJECT
            and brings == 0
            and gap.status is Status.CHALLENGED
            and not self._policy.principled
        ):
            return  # its challenger is paid for that
        self._resting[case.id] = (self._follower.head, time.monotonic())
        if self._lane is None:
            self._teller.tell(KINDS[duty], case.id, f"would {_does(duty)}{_brings(brings, case)}")
            return
        await self._do(case, duty, brings, self._lane)

    async def _do(self, case: Case, duty: Duty, brings: int, lane: Lane) -> None:
        kind, answer, token = KINDS[duty], case.answer, case.terms.token
        assert answer is not None, "only open cases have duties"
        call = await self._call(case, duty)
        try:
            trial = await lane.try_out(call)
        except Reverted as refused:
            if refused.error.name in RACES:
                _log.info("%s of 0x%s: somebody was faster", kind, case.id.hex())
            elif refused.error.name not in _EARLY:
                self._teller.tell(Kind.TROUBLE, case.id, plain(f"{kind}: {refused.error}"))
            return
        if duty is not Duty.SETTLE and not self._policy.worth(brings, token, trial.cost):
            self._teller.tell(
                kind, case.id, self._policy.poor(f"to {_does(duty)}", brings, token, trial.cost)
            )
            return
        sent = await lane.send(Move(kind, case.id, answer.output_hash, call, token), trial.gas)
        self._teller.tell(kind, case.id, f"{_does(duty)} in 0x{sent.hex()}{_brings(brings, case)}")

    async def _call(self, case: Case, duty: Duty) -> Call:
        assert case.delivery is not None, "only open cases have duties"
        terms, answer = case.terms, case.delivery.answer
        match duty:
            case Duty.REJECT:
                return self._hub.reject(terms, answer.operator, answer.output_hash)
            case Duty.EXPIRE:
                return self._hub.expire_delivered(terms, answer.operator, answer.output_hash)
            case Duty.SETTLE:
                return self._hub.settle(terms, answer.operator, await self._records.output(case.delivery))

    def _settles(self, case: Case) -> bool:
        """A liar is not helped to its fee."""
        assert case.answer is not None, "only open cases have duties"
        verdict = self._bench.verdict(case.answer)
        return verdict is not None and verdict.kind is not Kind.DIFFERENT

    async def _gap(self, case: Case) -> Gap:
        known = self._gaps.get(case.id)
        if known is not None and known[0] == case:
            return known[1]
        gap = await self._hub.gap_of(case.terms)
        # The chain may be further than the logs that were read: then it is asked again.
        if gap.status is (Status.CHALLENGED if case.challenge is not None else Status.DELIVERED):
            self._gaps[case.id] = (case, gap)
        return gap

    def _rests(self, request: bytes) -> bool:
        """Whether it was tried on this very block a moment ago."""
        head, since = self._resting.get(request, (-1, 0.0))
        return head == self._follower.head and time.monotonic() - since < self._rest


def _does(duty: Duty) -> str:
    return {
        Duty.REJECT: "reject what was not proven in time",
        Duty.EXPIRE: "end what nobody can prove any more, since its route is dead",
        Duty.SETTLE: "settle what nobody challenged",
    }[duty]


def _brings(amount: int, case: Case) -> str:
    return f": brings {money(amount, case.terms.token)}" if amount else ""
