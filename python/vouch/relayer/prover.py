"""Who makes or collects the seals of a route whose seals do not come with the answers."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from vouch.protocol.request import Request
from vouch.protocol.zk import ZK
from vouch.relayer.errors import Refused
from vouch.relayer.gas import SIGNATURE_SEAL
from vouch.relayer.job import Job, NodeAnswer
from vouch.relayer.store import Store


class Proof(Protocol):
    """The seal of one answer, as far as it is here; its text says how far that is, and why not further."""

    @property
    def job(self) -> Job: ...

    @property
    def patient(self) -> bool:
        """What may yet change is waited for, because stake is locked for the answer."""

    @property
    def seal(self) -> bytes | None:
        """The whole seal; None while something of it is missing."""

    @property
    def hopeless(self) -> bool:
        """Whatever is still tried, it will not come."""


P = TypeVar("P", bound=Proof)
Told = Callable[[Proof], None]


class Prover(ABC, Generic[P]):
    """The seals of one route. What is needed to go on after a kill is in the store, or with those it asks."""

    NOUN: ClassVar[str] = "proof"
    """What there is none of when it fails."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @abstractmethod
    async def check(self, job: Job, now: int) -> None:
        """Before a node is asked; `now` in unix seconds.

        Raises Refused (never ours to prove), NotYet, RpcError, RpcUnavailable.
        """

    @abstractmethod
    def seal_size(self, terms: Request) -> int:
        """Bytes that a seal will have, or a little more."""

    @abstractmethod
    async def why_proof_first(self, job: Job, answer: NodeAnswer) -> str:
        """Why the answer is better not delivered before its seal is here; empty if it may be."""

    @abstractmethod
    def why_foreign(self, terms: Request) -> str:
        """Why there is nothing to `open` for these terms."""

    @abstractmethod
    def open(self, job: Job, *, patient: bool) -> P | None:
        """What is there for the job's answer already; None: its terms trust what was never ours.

        `patient`: what may yet change is waited for.
        """

    @abstractmethod
    def _work(self, found: P, wake: asyncio.Event, told: Told) -> Iterable[Coroutine[Any, Any, None]]:
        """What is done at the same time to get the seal; sets `wake` when it is whole or cannot be had."""

    async def drop(self, job: Job) -> None:
        """Nobody needs the job's seal any more."""

    async def prove(self, job: Job, wake: asyncio.Event, told: Told, *, patient: bool) -> P | None:
        """Goes on until the seal is stored, none can be had, or somebody else sets `wake`.

        What it came to, as `open` gives it; `told` is called whenever something changes, whatever it is.
        """
        found = self.open(job, patient=patient)
        if found is not None:
            await self.fill(found, wake, told)
            self.keep(found, wake)
        return found

    async def fill(self, found: P, wake: asyncio.Event, told: Told) -> None:
        """The same for what was opened, without storing the seal."""
        if found.seal is not None or (found.hopeless and not found.patient):
            return
        told(found)
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(work) for work in self._work(found, wake, told)]
            await wake.wait()
            for task in working:
                task.cancel()

    def keep(self, found: P, wake: asyncio.Event) -> None:
        """Stores the seal if it is whole, and has the job looked at again."""
        if (seal := found.seal) is not None:
            self._store.sealed(found.job, seal)
            wake.set()


class Provers:
    """Every prover by its route. The seals of all other routes come with the answers."""

    def __init__(self, provers: Mapping[bytes, Prover[Any]]) -> None:
        self._provers = dict(provers)

    def add(self, route: bytes, prover: Prover[Any]) -> None:
        """From now on, for this route."""
        self._provers[route] = prover

    def of(self, route: bytes) -> Prover[Any] | None:
        """None: whoever answers on the route makes the whole seal."""
        return self._provers.get(route)

    async def check(self, job: Job, now: int) -> None:
        """As the route's prover; nothing to check where the seals come with the answers."""
        if (prover := self.of(job.terms.route)) is not None:
            await prover.check(job, now)
        elif job.terms.route == ZK:
            raise Refused("NoProver", "this relayer has no prover service (--prover)")

    async def drop(self, job: Job) -> None:
        """Nobody needs the job's seal any more; harmless if nobody ever did."""
        if (prover := self.of(job.terms.route)) is not None and not job.sealed:
            await prover.drop(job)

    def seal_size(self, terms: Request) -> int:
        """Bytes that a seal will have, or a little more."""
        prover = self.of(terms.route)
        return SIGNATURE_SEAL if prover is None else prover.seal_size(terms)
