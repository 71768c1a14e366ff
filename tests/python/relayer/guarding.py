"""Everything that looks after results without seals, with a hub that says what a test tells it to."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.python.relayer.making import (
    CHAIN_ID,
    HUB,
    KEEP,
    OPERATOR,
    UNSEALED,
    block,
    delivered,
    requested,
    sent,
)
from vouch.chain.account import LocalKey
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub, NodeRegistry, VerifierRouter
from vouch.chain.rpc import Rpc
from vouch.protocol.quorum import QUORUM
from vouch.protocol.status import Gap, Status
from vouch.relayer.config import Limits, Patience
from vouch.relayer.cosigners import CosignerPool
from vouch.relayer.defence import Defence
from vouch.relayer.desk import Desk
from vouch.relayer.guard import Guard
from vouch.relayer.job import Job, TxKind
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import Reach
from vouch.relayer.plan import Plan
from vouch.relayer.prover import Prover, Provers
from vouch.relayer.quorum import Quorum
from vouch.relayer.quorum_prover import QuorumProver
from vouch.relayer.routes import Routes
from vouch.relayer.sender import Sender
from vouch.relayer.stakes import Stakes
from vouch.relayer.store import Store
from vouch.relayer.watch import Watch

NOWHERE = "http://127.0.0.1:1"
REACH = Reach(CHAIN_ID, HUB, timeout=1.0, pause=0.05)
PROVE_WITHIN = 50


class KnowingHub(Hub):
    """A hub whose `gapOf` says what a test tells it to; nothing else of it is asked."""

    def __init__(self) -> None:
        super().__init__(Rpc(NOWHERE), HUB)
        self.gap = Gap(Status.DELIVERED, 0, 0, 0, OPERATOR)
        self.meanwhile: Callable[[], None] = lambda: None

    async def gap_of(self, *_: Any, **__: Any) -> Gap:
        self.meanwhile()
        return self.gap


@dataclass
class Parts:
    store: Store
    sender: Sender
    clock: ChainClock
    desk: Desk
    hub: KnowingHub
    routes: Routes
    plan: Plan
    stakes: Stakes
    defence: Defence
    guard: Guard
    watches: dict[bytes, Watch]

    def delivered(self, *, seal: bytes | None = None, **terms: Any) -> Job:
        """A result of ours in block 3."""
        log = requested(block(2), **{"route": QUORUM, "prove_within": PROVE_WITHIN} | terms)
        self.store.advance([block(2)], [log], KEEP)
        tx = sent(self.store, log.id, kind=TxKind.DELIVER, answer=replace(UNSEALED, seal=seal))
        self.store.advance([block(3)], [delivered(block(3), log.id, tx.hash)], KEEP)
        return self.job(log.id)

    def job(self, request: bytes) -> Job:
        job = self.store.get(request)
        assert job is not None
        return job

    async def look(self, job: Job, watch: Watch | None = None) -> dict[TxKind, list[Job]]:
        """What goes to the sender."""
        self.watches[job.id] = watch or Watch()
        assert await self.defence.look(self.job(job.id), self.watches[job.id])
        kinds = (TxKind.SETTLE, TxKind.EXPIRE_DELIVERED)
        return {kind: queued for kind in kinds if (queued := self.sender.queued(kind))}


@asynccontextmanager
async def guarded(store: Store, provers: Mapping[bytes, Prover[Any]] | None = None) -> AsyncIterator[Parts]:
    """With the provers given, else with a quorum that nobody is in."""
    rpc, clock, hub, patience = Rpc(NOWHERE), ChainClock(), KnowingHub(), Patience(retry_first=0.01)
    key = LocalKey(b"\1" * 32)
    async with CosignerPool([], REACH) as cosigners, NodePool([], REACH) as pool:
        sender = Sender(
            rpc,
            key,
            hub,
            CHAIN_ID,
            store,
            clock,
            Limits(),
            patience,
            lambda _: None,
            unanswered=lambda _: None,
            registered=lambda _: None,
        )
        quorum = Quorum(None, cosigners, store)
        stakes = Stakes(NodeRegistry(rpc, HUB), store, 60.0, None)
        quorum_prover = QuorumProver(CHAIN_ID, HUB, store, quorum, pool, patience, 1)
        by_route = Provers(provers or {QUORUM: quorum_prover})
        plan = Plan(by_route, stakes, pool, sender, 60, 86_400)
        routes = Routes(VerifierRouter(rpc, HUB), QUORUM)
        desk = Desk(store, sender, clock, patience)
        watches: dict[bytes, Watch] = {}
        defence = Defence(desk, hub, plan, by_route, pool, routes, watches.get)
        guard = Guard(hub, desk, plan, by_route, pool, routes, 60.0)
        clock.observe(1_000)
        yield Parts(store, sender, clock, desk, hub, routes, plan, stakes, defence, guard, watches)
