"""The nodes behind this relayer: what they serve, whether they answer, and one question over HTTP."""

import asyncio
import itertools
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from eth_utils.address import to_checksum_address

from vouch.chain.hexes import to_bytes as from_hex
from vouch.chain.hexes import to_hex
from vouch.protocol.claim import Claim
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.nesting import loads_bounded
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.relayer.config import NodeEndpoint
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job, NodeAnswer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a node says it is: operator, model ids, names of the routes it can seal for."""

    operator: str
    models: frozenset[bytes]
    routes: frozenset[bytes]


class Node:
    """One node. `info` is None until it answered once; `down_until` is on the monotonic clock."""

    def __init__(self, endpoint: NodeEndpoint) -> None:
        self.url = endpoint.url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}
        self.info: NodeInfo | None = None
        self.trouble = "not asked yet"
        self._failures, self._down_until, self._asked = 0, 0.0, -math.inf

    @property
    def operator(self) -> str:
        """The node's operator; empty while it is unknown."""
        return "" if self.info is None else self.info.operator

    @property
    def age(self) -> float:
        """Seconds since the node was last asked what it is."""
        return time.monotonic() - self._asked

    def asked(self) -> None:
        self._asked = time.monotonic()

    @property
    def down(self) -> bool:
        return time.monotonic() < self._down_until

    def failed(self, reason: str, pause: float) -> None:
        """Leaves the node alone for a while if others can be asked; longer after each failure in a row."""
        self._failures = min(self._failures + 1, 6)
        self._down_until = time.monotonic() + pause * 2.0**self._failures
        self.trouble = reason

    def worked(self) -> None:
        self._failures, self._down_until, self.trouble = 0, 0.0, ""


class NodePool:
    """All nodes over one keep-alive session: `async with NodePool(...) as pool`."""

    def __init__(
        self, endpoints: Sequence[NodeEndpoint], *, chain_id: int, hub: str, timeout: float, pause: float
    ) -> None:
        self.nodes = tuple(Node(endpoint) for endpoint in endpoints)
        self._chain_id, self._hub, self._pause = chain_id, hub, pause
        self._turn = itertools.count()
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 5.0))
        self._session: aiohttp.ClientSession | None = None
        self._refreshing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    @property
    def operators(self) -> list[str]:
        """Operators of the nodes that were reached at least once."""
        return list(dict.fromkeys(node.operator for node in self.nodes if node.info is not None))

    @property
    def unknown(self) -> list[Node]:
        """Nodes that were never reached, so that nobody knows what they serve."""
        return [node for node in self.nodes if node.info is None]

    def serving(self, model_id: bytes, route: bytes) -> list[Node]:
        """Nodes that say they have the model and can seal for the route."""
        return [n for n in self.nodes if n.info and model_id in n.info.models and route in n.info.routes]

    def pick(self, among: Sequence[Node]) -> Node:
        """The next in turn among those that are not down, else among all."""
        up = [node for node in among if not node.down] or among
        return up[next(self._turn) % len(up)]

    async def refresh_all(self, max_age: float) -> None:
        """Asks every node what it is, unless that was done in the last `max_age` seconds."""
        async with self._refreshing:
            stale = [node for node in self.nodes if node.age > max_age]
            await asyncio.gather(*(self._refresh_quietly(node) for node in stale))

    async def _refresh_quietly(self, node: Node) -> None:
        try:
            await self.refresh(node)
        except NodeUnavailable as down:
            _log.warning("%s", down)

    async def refresh(self, node: Node) -> None:
        """Asks a node what it is; raises NodeUnavailable if it gives no answer, or none that makes sense."""
        node.asked()
        status, body = await self._exchange(node, "GET", "/vouch/v1/info", None)
        if status != 200:
            raise self._unavailable(node, f"/vouch/v1/info answers with HTTP {status}")
        try:
            info = NodeInfo(
                operator=to_checksum_address(body["operator"]),
                models=frozenset(from_hex(model["modelId"]) for model in body["models"]),
                routes=frozenset(route.encode() for route in body.get("routes", [SIGNED.decode()])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise self._unavailable(node, f"/vouch/v1/info makes no sense: {bad!r}") from bad
        node.info = info
        node.worked()

    async def ask(self, node: Node, job: Job) -> NodeAnswer:
        """One question to one node; the answer is checked against the terms before it is returned.

        Raises NodeUnavailable (no answer this time), NodeRefused (never one from this node), WrongNodeAnswer
        (it is another request's, or nobody's).
        """
        message = {
            "chainId": self._chain_id,
            "hub": self._hub,
            "terms": f"0x{job.packed.hex()}",
            "input": f"0x{job.input.hex()}",
        }
        started = time.perf_counter_ns()
        status, body = await self._exchange(node, "POST", "/vouch/v1/answers", message)
        elapsed = time.perf_counter_ns() - started
        if status != 200:
            self._raise_error(node, status, body)
        answer = self._checked(node, job, body, elapsed)
        node.worked()
        return answer

    async def _exchange(self, node: Node, method: str, path: str, message: Any) -> tuple[int, Any]:
        if self._session is None:
            raise RuntimeError("use NodePool as an async context manager")
        try:
            async with self._session.request(
                method, node.url + path, json=message, headers=node.headers
            ) as reply:
                raw = await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as down:
            raise self._unavailable(node, f"{type(down).__name__} {down}".rstrip()) from down
        try:
            return reply.status, loads_bounded(raw)
        except ValueError as bad:
            raise self._unavailable(node, f"HTTP {reply.status} without JSON: {bad}") from bad

    def _unavailable(self, node: Node, reason: str) -> NodeUnavailable:
        node.failed(reason, self._pause)
        return NodeUnavailable(node.url, reason)

    def _raise_error(self, node: Node, status: int, body: Any) -> None:
        error = body.get("error") if isinstance(body, dict) else None
        error = error if isinstance(error, dict) else {}
        name, message = str(error.get("name", f"HTTP {status}")), str(error.get("message", "no reason given"))
        # A wrong bearer token is our mistake, not the request's: it can be put right before deliverBy.
        if error.get("retryable") is True or status >= 500 or status in (401, 403, 408, 425, 429):
            raise self._unavailable(node, f"{name}: {message}")
        raise NodeRefused(node.url, name, message)

    def _checked(self, node: Node, job: Job, body: Any, elapsed: int) -> NodeAnswer:
        try:
            output, seal = from_hex(body["output"]), from_hex(body["seal"])
            operator = to_checksum_address(body["operator"])
            taken = int(float(body.get("elapsedMs", 0.0)) * 1e6)
            received = {name: str(body["claim"][name]).lower() for name in _CLAIM}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as bad:
            raise WrongNodeAnswer(node.url, "answer", repr(bad), "output, operator, claim and seal") from bad
        terms = job.terms
        claim = Claim(job.id, terms.model_id, terms.input_hash, keccak(output), operator)
        hashes = (claim.request_id, claim.model_id, claim.input_hash, claim.output_hash)
        expected = (*(to_hex(value) for value in hashes), operator.lower())
        for name, value in zip(_CLAIM, expected, strict=True):
            if received[name] != value:
                raise WrongNodeAnswer(node.url, f"claim.{name}", received[name], value)
        if operator != node.operator:
            raise WrongNodeAnswer(node.url, "operator", operator, node.operator)
        if seal[:4] != terms.route:
            raise WrongNodeAnswer(node.url, "the seal's route", to_hex(seal[:4]), to_hex(terms.route))
        if terms.route == SIGNED:
            self._check_signer(node, seal, claim)
        return NodeAnswer(operator, output, seal, node.url, min(taken, elapsed) or elapsed)

    def _check_signer(self, node: Node, seal: bytes, claim: Claim) -> None:
        try:
            signer = recover_signer(Seal.parse(seal), claim, self._chain_id, self._hub)
        except (VouchError, ValueError) as bad:
            raise WrongNodeAnswer(node.url, "the seal", f"{to_hex(seal)} ({bad})", "a signature") from bad
        if signer != claim.operator:
            raise WrongNodeAnswer(node.url, "the seal's signer", signer, claim.operator)


_CLAIM = ("requestId", "modelId", "inputHash", "outputHash", "operator")
