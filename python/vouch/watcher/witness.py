"""Keeps what operators signed, and reports whoever signed two outputs for one request."""

import asyncio
import logging

from vouch.chain.contracts import NodeRegistry, SignedOutput
from vouch.chain.errors import Unfunded
from vouch.chain.hexes import checksum, to_bytes, to_hex
from vouch.chain.reverts import Reverted
from vouch.protocol.status import Status
from vouch.watcher.asking import Asking
from vouch.watcher.case import Answer, Case
from vouch.watcher.desk import Desk
from vouch.watcher.errors import NotNow
from vouch.watcher.finding import Kind
from vouch.watcher.lane import RACES, Lane, Move
from vouch.watcher.scene import Scene
from vouch.watcher.signed import Statement, contradiction, in_calldata, statement
from vouch.watcher.words import money, plain

_log = logging.getLogger(__name__)

_TRIES = 5
_WORKERS = 2


class Witness:
    """`look` at a request whenever it changed. Without `asking` no node is asked."""

    def __init__(self, scene: Scene, nodes: NodeRegistry, asking: Asking | None) -> None:
        self._hub, self._chain_id, self._docket = scene.hub, scene.chain_id, scene.docket
        self._records, self._store, self._policy = scene.records, scene.store, scene.policy
        self._lane, self._teller = scene.lane, scene.teller
        self._nodes, self._asking = nodes, asking
        patience = scene.config.patience
        self._read: set[bytes] = set()
        self.transactions: Desk[bytes] = Desk("reading calldata", self._read_calldata, _WORKERS, patience)
        self.questions: Desk[Answer] = Desk("asking nodes", self._ask, _WORKERS, patience)
        self.reports: Desk[tuple[bytes, str]] = Desk("reporting", self._report, 1, patience)

    async def run(self) -> None:
        """Reads, asks and reports for ever."""
        async with asyncio.TaskGroup() as tasks:
            for desk in (self.transactions, self.questions, self.reports):
                tasks.create_task(desk.run())

    def look(self, request: bytes) -> None:
        """A request changed: what was signed for it is read before a fork can take it away."""
        case = self._docket.get(request)
        if case is None:
            return
        for fact in (case.delivery, case.end):
            if fact is not None and fact.at.tx not in self._read:
                self._read.add(fact.at.tx)
                self.transactions.put(fact.at.tx)
                if self._asking is not None and case.answer is not None:
                    self.questions.put(case.answer)
        for operator in self._store.signers(request):
            self._check(request, operator)

    def tidy(self) -> None:
        """Forgets what the docket forgot."""
        for request in self._store.requests():
            if request not in self._docket:
                self._store.forget(request)
        kept = (fact for case in self._docket.cases() for fact in (case.delivery, case.end))
        self._read &= {fact.at.tx for fact in kept if fact is not None}

    def _keep(self, made: Statement) -> None:
        if self._store.add(made):
            self._check(made.request, made.operator)

    def _check(self, request: bytes, operator: str) -> None:
        if contradiction(self._store.statements(request, operator), None) is not None:
            self.reports.put((request, operator))

    async def _read_calldata(self, tx: bytes, attempt: int) -> None:
        raw = await self._hub.rpc.call("eth_getTransactionByHash", to_hex(tx))
        if raw is None:
            if attempt < _TRIES:
                raise NotNow(f"the chain's node does not have transaction {to_hex(tx)}")
            return
        # What a contract sends on is in no calldata that can be asked for.
        if raw.get("to") is not None and checksum(raw["to"]) == self._hub.address:
            data, source = to_bytes(raw["input"]), f"transaction {to_hex(tx)}"
            for made in in_calldata(data, self._chain_id, self._hub.address, source):
                self._keep(made)

    async def _ask(self, answer: Answer, attempt: int) -> None:
        case = self._docket.get(answer.request)
        if self._asking is None or case is None or case.answer != answer:
            return
        try:
            endpoint = (await self._nodes.node_of(answer.operator)).endpoint
            said = await self._asking.ask(endpoint, case.terms, await self._records.input(case))
        except NotNow as reason:
            if attempt < _TRIES:
                raise
            _log.info("operator %s was not asked: %s", answer.operator, plain(str(reason)))
            return
        if said is None:
            return
        where = plain(f"node {endpoint}")
        made = statement(case.terms, answer.operator, *said, self._chain_id, self._hub.address, where)
        if made is not None:
            self._keep(made)

    async def _report(self, key: tuple[bytes, str], _attempt: int) -> None:
        request, operator = key
        case = self._docket.get(request)
        if case is None or case.end is not None:
            return
        answer = case.answer
        delivered = answer.output_hash if answer is not None and answer.operator == operator else None
        pair = contradiction(self._store.statements(request, operator), delivered)
        if pair is None:
            return
        first, second = (each.signed for each in pair)
        text = (
            f"operator {operator} signed 0x{first.output_hash.hex()} ({pair[0].source}) and "
            f"0x{second.output_hash.hex()} ({pair[1].source})"
        )
        brings = await self._brings(case, operator, delivered in (first.output_hash, second.output_hash))
        if self._lane is None:
            self._teller.tell(
                Kind.REPORT, request, f"{text}: would report it, for {money(brings, case.terms.token)}"
            )
        elif not self._lane.busy(request, Kind.REPORT) and not self._lane.gave_up(Kind.REPORT, request):
            await self._send(case, operator, first, second, text, brings, self._lane)

    async def _send(
        self,
        case: Case,
        operator: str,
        first: SignedOutput,
        second: SignedOutput,
        text: str,
        brings: int,
        lane: Lane,
    ) -> None:
        token = case.terms.token
        call = self._hub.report_equivocation(case.terms, operator, first, second)
        try:
            trial = await lane.try_out(call)
            if not self._policy.worth(brings, token, trial.cost):
                left = self._policy.poor("reporting it", brings, token, trial.cost)
                self._teller.tell(Kind.REPORT, case.id, f"{text}: {left}")
                return
            what = first.output_hash + second.output_hash
            sent = await lane.send(Move(Kind.REPORT, case.id, what, call, token), trial.gas)
        except Reverted as refused:
            if refused.error.name in RACES:
                _log.info("report about 0x%s: %s", case.id.hex(), refused.error)
            else:
                self._teller.tell(Kind.TROUBLE, case.id, plain(f"{text}, not reported: {refused.error}"))
            return
        except Unfunded as poor:
            self._teller.tell(Kind.TROUBLE, case.id, plain(f"{text}, not reported: {poor}"))
            raise
        self._teller.tell(
            Kind.REPORT, case.id, f"{text}: reported in 0x{sent.hex()}, for {money(brings, token)}"
        )

    async def _brings(self, case: Case, operator: str, ends: bool) -> int:
        """Token units for us, our own bond included; `ends`: one of the outputs is the delivered one."""
        terms = case.terms
        if ends:
            gap = await self._hub.gap_of(terms)
            if gap.status is not Status.CHALLENGED:
                return terms.bond
            return 2 * terms.bond if self._lane is not None and gap.challenger == self._lane.account else 0
        stake = await self._nodes.stake_of(operator, terms.token)
        taken = min(stake.free + stake.unbonding, terms.exposure + terms.bond)
        return taken - min(taken, terms.exposure)
