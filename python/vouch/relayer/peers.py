"""Servers with a node's HTTP interface: what they say they are, whether they answer, what they refuse."""

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self

import aiohttp
from eth_utils.address import to_checksum_address

from vouch.chain.hexes import to_bytes as from_hex
from vouch.chain.hexes import to_hex
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import Curve
from vouch.protocol.nesting import loads_bounded
from vouch.protocol.quorum import Policy, QuorumSeal, WrongSignature
from vouch.protocol.seal import SIGNED
from vouch.relayer.config import NodeEndpoint
from vouch.relayer.errors import NodeRefused, NodeUnavailable, WrongNodeAnswer
from vouch.relayer.job import Job

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EnclaveInfo:
    """The enclave that a node says it runs in: "nitro" or "dev", its key's id and curve, its image's id."""

    kind: str
    key: str
    curve: Curve
    image_id: bytes


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a node says it is: operator, model ids, names of the routes it answers on.

    cosigns: it puts its operator's name under others' answers.
    reproducible: the models whose outputs another run can confirm; of no other one can a quorum be had.
    enclave: what it runs in, if it does.
    """

    operator: str
    models: frozenset[bytes]
    routes: frozenset[bytes]
    cosigns: bool = False
    reproducible: frozenset[bytes] = frozenset()
    enclave: EnclaveInfo | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What all questions are about, and how long they may take, in seconds.

    timeout: for one answer; pause: for which a node that fails is left alone first.
    """

    chain_id: int
    hub: str
    timeout: float
    pause: float


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


class Peers:
    """Several nodes over one keep-alive session: `async with Peers(...) as peers`."""

    def __init__(self, endpoints: Sequence[NodeEndpoint], reach: Reach) -> None:
        self.nodes = tuple(Node(endpoint) for endpoint in endpoints)
        self._chain_id, self._hub, self._pause = reach.chain_id, reach.hub, reach.pause
        self._timeout = aiohttp.ClientTimeout(total=reach.timeout, sock_connect=min(reach.timeout, 5.0))
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
            info = _info(body)
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise self._unavailable(node, f"/vouch/v1/info makes no sense: {bad!r}") from bad
        node.info = info
        node.worked()

    def _question(self, job: Job) -> dict[str, Any]:
        """What every question about a request says."""
        return {
            "chainId": self._chain_id,
            "hub": self._hub,
            "terms": f"0x{job.packed.hex()}",
            "input": f"0x{job.input.hex()}",
        }

    async def _exchange(self, node: Node, method: str, path: str, message: Any) -> tuple[int, Any]:
        if self._session is None:
            raise RuntimeError(f"use {type(self).__name__} as an async context manager")
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

    def _raise_error(self, node: Node, status: int, body: Any) -> NoReturn:
        error = body.get("error") if isinstance(body, dict) else None
        error = error if isinstance(error, dict) else {}
        name, message = str(error.get("name", f"HTTP {status}")), str(error.get("message", "no reason given"))
        # A wrong bearer token is our mistake, not the request's: it can be put right before deliverBy.
        if error.get("retryable") is True or status >= 500 or status in (401, 403, 408, 425, 429):
            raise self._unavailable(node, f"{name}: {message}")
        raise NodeRefused(node.url, name, message)

    def _check_claim(self, node: Node, received: Any, claim: Claim) -> None:
        """Raises WrongNodeAnswer unless the node names this claim, field for field."""
        hashes = (claim.request_id, claim.model_id, claim.input_hash, claim.output_hash)
        expected = (*(to_hex(value) for value in hashes), claim.operator.lower())
        for name, value in zip(_CLAIM, expected, strict=True):
            try:
                told = str(received[name]).lower()
            except (KeyError, TypeError, IndexError) as bad:
                raise WrongNodeAnswer(node.url, "answer", repr(bad), "a claim with all its fields") from bad
            if told != value:
                raise WrongNodeAnswer(node.url, f"claim.{name}", told, value)

    def _check_signature(self, node: Node, signature: bytes, claim: Claim, signer: str) -> None:
        """Raises WrongNodeAnswer unless it is `signer`'s of this claim, in the form that contracts take."""
        if len(signature) != 65:
            raise WrongNodeAnswer(node.url, "the signature", f"{len(signature)} bytes long", "65 bytes long")
        alone = Policy(1, (signer,))
        try:
            QuorumSeal(alone, {signer: signature}).check(alone.trust, claim, self._chain_id, self._hub)
        except WrongSignature as wrong:
            raise WrongNodeAnswer(node.url, "the signature", f"{wrong.recovered}'s", f"{signer}'s") from wrong


_CLAIM = ("requestId", "modelId", "inputHash", "outputHash", "operator")


def _info(body: Any) -> NodeInfo:
    models = {from_hex(model["modelId"]): model for model in body["models"]}
    return NodeInfo(
        operator=to_checksum_address(body["operator"]),
        models=frozenset(models),
        routes=frozenset(route.encode() for route in body.get("routes", [SIGNED.decode()])),
        cosigns=body.get("cosigns") is True,
        reproducible=frozenset(i for i, model in models.items() if model.get("reproducible") is True),
        enclave=None if body.get("enclave") is None else _enclave(body["enclave"]),
    )


def _enclave(body: Any) -> EnclaveInfo:
    image_id = from_hex(body["imageId"])
    if len(image_id) != 32:
        raise ValueError(f"an image id has 32 bytes, not {len(image_id)}")
    curve = Curve[str(body["curve"]).upper()]
    return EnclaveInfo(str(body["kind"]), to_checksum_address(body["key"]), curve, image_id)
