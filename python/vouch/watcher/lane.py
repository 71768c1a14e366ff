"""The one key of a watcher: tried on the newest state, signed, stored, broadcast, followed to its end."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from vouch.chain.account import LocalKey
from vouch.chain.contracts import Hub
from vouch.chain.errors import ChainError, NonceUsed, RpcError, RpcUnavailable, TransactionReplaced
from vouch.chain.fees import FeePolicy
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call, SentTx
from vouch.watcher.config import Patience
from vouch.watcher.finding import Kind, Teller
from vouch.watcher.store import Sent, Store
from vouch.watcher.words import money, plain

_log = logging.getLogger(__name__)

RACES = frozenset({"WrongStatus", "WrongAnswer", "UnknownRequest", "AlreadyReported", "NotChallenged"})
"""Reverts that say: somebody else did it, or a fork put another result in its place. The logs will tell."""


_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Move:
    """One thing to do about a request. `what` names the answer it is about, `bond` is what it puts up."""

    kind: Kind
    request: bytes
    what: bytes
    call: Call
    token: str
    bond: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a move takes: gas, and the most wei that this can cost."""

    gas: int
    cost: int


class Lane:
    """`try_out`, then `send`; `run` follows what was sent. `lock` keeps two moves from spending one budget.

    `again` gets a move that came to nothing and may be worth another try.
    """

    def __init__(
        self,
        key: LocalKey,
        hub: Hub,
        chain_id: int,
        store: Store,
        patience: Patience,
        max_fee: int,
        teller: Teller,
        again: Callable[[Move], None],
    ) -> None:
        self._store, self._teller, self._again = store, teller, again
        self._fees = FeePolicy(hub.rpc, cap=max_fee)
        self._sender = TxSender(
            hub.rpc,
            key,
            chain_id=chain_id,
            fees=self._fees,
            check_up=patience.check_up,
            replace_after=patience.replace,
            on_attempt=self._signed,
        )
        self.account = key.address
        self.lock = asyncio.Lock()
        self._signing = asyncio.Lock()
        self._loading: Move | None = None
        self._moves: dict[int, Move] = {}
        self._followed: set[int] = set()
        self._failures: dict[tuple[Kind, bytes], int] = {}
        self._tasks = asyncio.TaskGroup()

    async def run(self) -> None:
        """Takes up what was signed in an earlier life, then follows everything that is sent, for ever."""
        async with self._tasks:
            for sent in self._store.sent():
                if not sent.mined:
                    self._take_up(sent)
            await asyncio.Event().wait()

    def busy(self, request: bytes, *kinds: Kind) -> bool:
        """Whether a move of these kinds (any, without one) about the request is on its way."""
        return any(
            move.request == request and (not kinds or move.kind in kinds) for move in self._moves.values()
        )

    def gave_up(self, kind: Kind, request: bytes) -> bool:
        """Whether such a move failed on the chain so often that another one would only cost gas."""
        return self._failures.get((kind, request), 0) >= _FAILURES

    async def try_out(self, call: Call) -> Trial:
        """Raises Reverted, Unfunded, FeeOverCap, RpcError, RpcUnavailable; nothing is sent."""
        gas = await self._sender.simulate(call)
        await self._fees.check()
        return Trial(gas, gas * (await self._fees.current()).max_fee)

    async def send(self, move: Move, gas: int) -> bytes:
        """Broadcasts a move that was tried out; gives the transaction's hash.

        What was signed for the very same purpose before, and thrown back by a fork, goes out again as it was.

        Raises:
            RpcError: refused, nothing was sent.
            RpcUnavailable: it is signed and stored, and offered again until it is known what became of it.
        """
        for old in self._store.sent():
            if (old.kind, old.request, old.what) == (move.kind, move.request, move.what):
                self._take_up(old)
                return old.hash
        async with self._signing:
            self._loading = move
            try:
                sent = await self._sender.prepare(move.call, gas=gas, simulate=False)
            finally:
                self._loading = None
        try:
            await self._sender.broadcast(sent)
        except NonceUsed as taken:
            _log.warning("%s", taken)  # following it finds out by whom
        except RpcUnavailable:
            self._follow(sent)
            raise
        except RpcError:
            self._fees.forget()
            self._forget(sent.nonce)
            await self._sender.abandon(sent)
            raise
        self._follow(sent)
        return sent.hash

    def _signed(self, sent: SentTx) -> None:
        """The outbox: called with every signed transaction, replacements included, before it is broadcast."""
        move = self._moves.get(sent.nonce) or self._loading
        if move is None or not sent.transaction.call.data:
            return  # fills a gap between nonces
        self._moves[sent.nonce] = move
        self._store.sign(
            Sent(sent.hash, sent.nonce, move.kind, move.request, move.what, move.token, move.bond, sent.raw)
        )

    def _take_up(self, old: Sent) -> None:
        """Offers stored bytes again."""
        if old.nonce in self._followed:
            return
        # Replacements with higher fees compete for the nonce: any of them may be the one that was mined.
        *_, sent = [self._sender.adopt(each.raw) for each in self._store.sent() if each.nonce == old.nonce]
        call = sent.transaction.call
        self._moves[old.nonce] = Move(old.kind, old.request, old.what, call, old.token, old.bond)
        self._follow(sent, offer=True)

    def _follow(self, sent: SentTx, *, offer: bool = False) -> None:
        self._followed.add(sent.nonce)
        self._tasks.create_task(self._to_its_end(sent, offer=offer), name=f"follow nonce {sent.nonce}")

    async def _to_its_end(self, sent: SentTx, *, offer: bool) -> None:
        """Until a block has the transaction, or another one used its nonce."""
        move = self._moves[sent.nonce]
        try:
            if offer:
                await self._offer(sent)
            receipt = await self._sender.wait(sent, timeout=None)
        except TransactionReplaced as replaced:
            self._failed(move, sent.nonce, str(replaced))
            return
        finally:
            self._followed.discard(sent.nonce)
        if receipt.succeeded:
            self._moves.pop(sent.nonce)
            self._store.mined(sent.nonce)
            return  # the hub's log says the rest
        try:
            error = await self._sender.explain(sent, receipt)
        except ChainError as unknown:
            self._failed(move, sent.nonce, f"its transaction reverted, and why is not known: {unknown}")
            return
        if error.name in RACES:
            self._forget(sent.nonce)
            cost = money(receipt.gas_used * receipt.gas_price)
            text = f"{move.kind}: somebody was faster, which cost {cost} of gas ({error.name})"
            self._teller.tell(Kind.BEATEN, move.request, plain(text))
        else:
            self._failed(move, sent.nonce, f"its transaction reverted: {error}")

    async def _offer(self, sent: SentTx) -> None:
        try:
            await self._sender.broadcast(sent)
        except ChainError as refused:
            _log.warning("%s", refused)  # waiting for it finds out what became of it

    def _failed(self, move: Move, nonce: int, reason: str) -> None:
        self._forget(nonce)
        key = (move.kind, move.request)
        self._failures[key] = self._failures.get(key, 0) + 1
        end = "; given up" if self.gave_up(*key) else ""
        self._teller.tell(Kind.TROUBLE, move.request, plain(f"{move.kind}: {reason}{end}"))
        if not end:
            self._again(move)

    def _forget(self, nonce: int) -> None:
        self._moves.pop(nonce, None)
        self._store.drop(nonce)
