"""The keys of our nodes' enclaves: let in, attested anew in time, and looked at before they count.

What a key is worth is asked of the chain each time; nothing of it is kept, so a restart changes nothing.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vouch.chain.enclave import EnclaveKey, EnclaveKeys
from vouch.chain.errors import ChainError
from vouch.protocol.request import Request
from vouch.relayer.config import EnclaveConfig
from vouch.relayer.enclave_state import Standing, Watched, standing
from vouch.relayer.errands import Registration
from vouch.relayer.errors import (
    NodeRefused,
    NodeUnavailable,
    NothingNew,
    NotYet,
    Refused,
    UselessDocument,
    WrongNodeAnswer,
)
from vouch.relayer.job import Job, NodeAnswer
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import EnclaveInfo, Node
from vouch.relayer.renewal import Renewal
from vouch.relayer.sender import Sender

if TYPE_CHECKING:
    from vouch.relayer.registrar import Registrar

_log = logging.getLogger(__name__)


class Enclaves:
    """One watched key for each node in an enclave.

    now: the next block's time. margin: seconds that a key must still be good for when it seals. ttl: seconds
    for which what the chain says of a key is believed. pause: seconds between two looks at all keys.
    """

    def __init__(
        self,
        config: EnclaveConfig | None,
        keys: EnclaveKeys | None,
        registrar: "Registrar | None",
        pool: NodePool,
        sender: Sender,
        now: Callable[[], int],
        *,
        margin: float,
        ttl: float,
        pause: float,
    ) -> None:
        """Without `config`, `keys` and `registrar`, requests on the route are refused."""
        self._config, self._keys, self._registrar = config, keys, registrar
        self._pool, self._sender, self._now = pool, sender, now
        self._margin, self._ttl, self._pause = margin, ttl, pause
        self._watched: dict[str, Watched] = {}
        self._seen: dict[str, tuple[float, EnclaveKey]] = {}
        self._wake = asyncio.Event()
        self.told: Callable[[str], None] | None = None
        """Gets a line whenever something about a key changes."""

    async def run(self) -> None:
        """Looks after the keys until it is cancelled."""
        while True:
            self._wake.clear()
            soonest = min([await self._look_quietly(node) for node in self._pool.nodes], default=math.inf)
            try:
                async with asyncio.timeout(min(max(soonest - time.monotonic(), 0.0), self._pause)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def look_again(self) -> None:
        """The chain took blocks back, or a node may be another one now."""
        self._seen.clear()
        self._wake.set()

    def over(self, reason: str) -> None:
        """The transaction of a registration is over, in one way or another."""
        for watched in self._watched.values():
            if watched.sent:
                watched.sent, watched.over = False, reason
        self.look_again()

    # --- before a key counts ---

    async def ready(self, terms: Request, nodes: Sequence[Node]) -> list[Node]:
        """Those of the nodes whose enclave's seal the terms and the chain take now.

        Raises Refused(NoEnclaveKeys, UntrustedImage, EnclaveKeyExpires), NotYet, RpcError, RpcUnavailable.
        """
        if self._config is None:
            raise Refused("NoEnclaveKeys", "this deployment has no contract that lets enclaves' keys in")
        images = [(node, _enclave_of(node)) for node in nodes]
        trusted = [(node, info) for node, info in images if info and info.image_id == terms.trust]
        if not trusted:
            ours = ", ".join(sorted({f"0x{info.image_id.hex()}" for _, info in images if info})) or "none"
            raise Refused(
                "UntrustedImage", f"the terms trust the image 0x{terms.trust.hex()}, our nodes run {ours}"
            )
        found = [(node, await self._standing(info.key, terms.trust, node.operator)) for node, info in trusted]
        if good := [node for node, at in found if at.good]:
            return good
        reasons = "; ".join(f"node {node.url}: {at.reason}{self._trouble(node)}" for node, at in found)
        if not self._config.register and all(at.ends for _, at in found):
            raise Refused("EnclaveKeyExpires", reasons)
        raise NotYet(reasons)

    async def check(self, node: Node, job: Job, answer: NodeAnswer) -> None:
        """Whether the seal of a node's answer counts now.

        Raises NotYet, WrongNodeAnswer (the node has no other one, and this one never will), RpcError,
        RpcUnavailable.
        """
        key = self._pool.sealer_of(job, answer)
        at = await self._standing(key, job.terms.trust, answer.operator)
        if at.good:
            return
        # The node was started anew, most likely, and has another key than it had.
        await self._pool.refresh_all(max_age=0.0)
        self.look_again()
        now = _enclave_of(node)
        if (at.final or at.ends) and now is not None and now.key != key:
            # All that there is is the seal of an earlier enclave, which nobody attests any more.
            raise WrongNodeAnswer(node.url, "the seal's key", f"{key} ({at.reason})", now.key)
        raise NotYet(f"node {node.url}: {at.reason}")

    async def _standing(self, key: str, image_id: bytes, operator: str) -> Standing:
        known = await self._known(key, self._ttl)
        return standing(key, known, image_id, operator, self._now(), self._margin)

    async def _known(self, key: str, max_age: float) -> EnclaveKey:
        """What the chain says; raises RpcError, RpcUnavailable."""
        assert self._keys is not None, "only with a configuration"
        seen = self._seen.get(key)
        if seen is not None and time.monotonic() - seen[0] <= max_age:
            return seen[1]
        asked = time.monotonic()
        known = await self._keys.key_of(key)
        if len(self._seen) > 1_000:
            self._seen.clear()
        self._seen[key] = (asked, known)
        return known

    def _trouble(self, node: Node) -> str:
        watched = self._watched.get(node.url)
        if watched is not None and watched.trouble:
            return f" ({watched.trouble})"
        off = self._config is not None and not self._config.register
        return " (its document is not sent from here: see `vouch attest`)" if off else ""

    # --- letting keys in ---

    async def _look_quietly(self, node: Node) -> float:
        """When to look again, on the monotonic clock."""
        info, soonest = _enclave_of(node), math.inf
        if info is None or self._config is None:
            self._watched.pop(node.url, None)
            return soonest
        watched = self._watched.get(node.url)
        if watched is None or watched.info != info:
            config = self._config
            watched = self._watched[node.url] = Watched.of(info, config.retry_first, config.retry_most)
        try:
            soonest = await self._look(self._config, node, watched)
        except ChainError as error:
            _log.warning("how the enclave key %s stands is not known: %s", info.key, error)
            soonest = time.monotonic() + self._config.retry_first
        if (line := watched.line(node.url, self._config.register)) != watched.told:
            watched.told = line
            (_log.error if watched.trouble else _log.info)("%s", line)
            if self.told is not None:
                self.told(line)
        return soonest

    async def _look(self, config: EnclaveConfig, node: Node, watched: Watched) -> float:
        before, info = watched.known, watched.info
        watched.known = known = await self._known(info.key, 0.0)
        at = standing(info.key, known, info.image_id, node.operator, self._now(), self._margin)
        over, watched.over = watched.over, ""
        if at.final:
            watched.trouble = at.reason
            return math.inf
        watched.renews_at = Renewal(config.margin, config.fraction).due_at(known.expiry, watched.life)
        if known.known and self._now() < watched.renews_at:
            watched.worked()
            return math.inf
        if before is not None and known.expiry > before.expiry:
            watched.worked()  # for certificates that do not live long
        elif over:
            watched.failed(over)
        if not config.register:
            watched.trouble = at.reason if at.ends else ""
            return math.inf
        if self._sender.registering:
            return math.inf
        if time.monotonic() >= watched.backoff.until:
            await self._attempt(node, watched, known)
        return math.inf if watched.sent else watched.backoff.until

    async def _attempt(self, node: Node, watched: Watched, known: EnclaveKey) -> None:
        assert self._registrar is not None, "only with a configuration"
        try:
            evidence = await self._registrar.evidence(node, watched.info, known, self._now())
        except NothingNew as same:
            watched.life, watched.trouble = same.life, ""
            watched.backoff.later(time.monotonic(), self._until_news(same))
            return
        except (NodeUnavailable, NodeRefused, WrongNodeAnswer, UselessDocument, ChainError) as error:
            watched.failed(str(error))
            if isinstance(error, WrongNodeAnswer):
                await self._pool.refresh_all(max_age=self._ttl)
            return
        watched.life = evidence.life
        if (await self._known(watched.info.key, 0.0)).expiry >= evidence.expiry:
            self._wake.set()  # somebody else was faster
            return
        watched.sent = True

        def refused(why: ChainError) -> None:
            watched.sent = False
            watched.failed(str(why))
            self._wake.set()

        self._sender.register(Registration(watched.info.key, evidence.call, refused))

    def _until_news(self, same: NothingNew) -> float:
        assert self._config is not None, "only with a configuration"
        left = max(same.expiry - self._now(), 0)
        return min(max(left / 8, self._config.retry_first), self._config.retry_most)

    # --- for people ---

    @property
    def troubles(self) -> dict[str, str]:
        """By node, what is wrong with its enclave's key."""
        return {url: watched.trouble for url, watched in self._watched.items() if watched.trouble}

    def report(self) -> dict[str, dict[str, Any]] | None:
        """By node, JSON-ready; times in unix seconds."""
        if self._config is None:
            return None
        return {url: watched.report(self._config.register) for url, watched in self._watched.items()}


def _enclave_of(node: Node) -> EnclaveInfo | None:
    return None if node.info is None else node.info.enclave
