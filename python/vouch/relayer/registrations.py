"""Transactions that let enclaves' keys in, until they are signed."""

from collections.abc import Callable

from vouch.chain.errors import ChainError, GasOverCap, RpcError
from vouch.chain.reverts import Reverted
from vouch.relayer.errands import Registration
from vouch.relayer.job import TxKind
from vouch.relayer.lane import Lane
from vouch.relayer.store import Store


class Registrations:
    """A queue of them, one for each key."""

    def __init__(self, lane: Lane, store: Store) -> None:
        self._lane, self._store = lane, store
        self._waiting: dict[str, Registration] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, registration: Registration) -> None:
        """Takes one; an earlier one for the same key is forgotten."""
        self._waiting[registration.key] = registration

    @property
    def under_way(self) -> bool:
        """One is queued or sent, by this process or an earlier one."""
        return bool(self._waiting) or self._store.is_registering()

    async def send(self, free: Callable[[TxKind], bool]) -> None:
        """Sends them while the lane is `free` for them; raises the ChainErrors that hold everything up."""
        while self._waiting and free(TxKind.REGISTER):
            registration = next(iter(self._waiting.values()))
            try:
                call = registration.call
                # Documents are younger than the newest block of a chain that makes none until it is asked to.
                gas = await self._lane.estimate_ahead(call)
                await self._lane.send(TxKind.REGISTER, (), call, gas, simulate=False, wanted=lambda: True)
            # Too dear a registration holds nothing else up.
            except (Reverted, RpcError, GasOverCap) as refused:
                self._drop(registration)
                registration.refused(refused)
            except ChainError:
                if self._store.is_registering():
                    self._drop(registration)  # it is signed and stored, and offered again from there
                raise
            else:
                self._drop(registration)

    def _drop(self, registration: Registration) -> None:
        if self._waiting.get(registration.key) is registration:
            del self._waiting[registration.key]
