"""Probes of `vouch check`: each tries one dependency for real."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vouch.chain.anvil import find
from vouch.chain.contracts import ModelRegistry, NodeRegistry
from vouch.chain.deployment import Deployment, load
from vouch.chain.hexes import to_hex
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.cli.console import describe, wei
from vouch.cli.keys import VARIABLE, load_key
from vouch.cli.node_probe import NodeInfo, node_info
from vouch.protocol.errors import VouchError
from vouch.prover.publish import DEV_NAME
from vouch.prover.service.client import ProverClient
from vouch.prover.srs import DEV
from vouch.relayer.store import Store

OLDEST_PYTHON = (3, 11)
LEAST_BALANCE = 10**16
WS_SECONDS = 10.0


class Outcome(StrEnum):
    """How a probe ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report."""

    name: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Target:
    """What to probe; None: not asked for."""

    rpc: str
    deployments: Path
    ws: str | None = None
    key_file: Path | None = None
    node: str | None = None
    database: Path | None = None
    prover: str | None = None


class ProbeFailed(VouchError):
    """A dependency is there but not as it should be."""


class Skipped(VouchError):
    """The probe has nothing to look at."""


class Probes:
    """The probes in order; later ones use what earlier ones found."""

    def __init__(self, target: Target, stack: AsyncExitStack) -> None:
        self._target, self._stack = target, stack
        self._rpc: Rpc | None = None
        self._deployment: Deployment | None = None
        self._node: NodeInfo | None = None

    def all(self) -> tuple[tuple[str, Callable[[], Awaitable[str]]], ...]:
        return (
            ("Python", self._python),
            ("Anvil", self._anvil),
            ("chain", self._chain),
            ("websocket", self._websocket),
            ("deployment", self._deployed),
            ("enclave root", self._enclaves),
            ("key and balance", self._balance),
            ("node", self._reachable),
            ("operator", self._operator),
            ("prices", self._prices),
            ("models", self._models),
            ("prover", self._prover),
            ("relayer database", self._database),
        )

    async def _python(self) -> str:
        found = sys.version_info[:3]
        if found < OLDEST_PYTHON:
            raise ProbeFailed(f"Python {'.'.join(map(str, found))} is too old: install 3.11 or newer")
        return ".".join(map(str, found))

    async def _anvil(self) -> str:
        return str(find())

    async def _chain(self) -> str:
        rpc = await self._stack.enter_async_context(Rpc(self._target.rpc))
        chain_id, block = int(await rpc.call("eth_chainId"), 16), int(await rpc.call("eth_blockNumber"), 16)
        self._rpc = rpc
        return f"id {chain_id}, block {block}"

    async def _websocket(self) -> str:
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        url = self._target.ws
        if url is None:
            raise Skipped("not asked for (--ws); without one the relayer polls")
        subscribe = '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'
        try:
            async with asyncio.timeout(WS_SECONDS), connect(url, compression=None) as socket:
                await socket.send(subscribe)
                reply = str(await socket.recv())
        except (OSError, WebSocketException, TimeoutError, ValueError) as error:
            raise ProbeFailed(
                f"{url} does not answer ({describe(error)}): check the address, or leave --ws out"
            ) from error
        if '"result"' not in reply:
            raise ProbeFailed(
                f"{url} announces no blocks ({reply[:200]}): use another one, or leave --ws out"
            )
        return "announces blocks"

    async def _deployed(self) -> str:
        self._deployment = await load(self._chain_rpc(), self._target.deployments)
        return (
            f"hub {self._deployment.hub}, as {self._target.deployments}/{self._deployment.chain_id}.json says"
        )

    async def _enclaves(self) -> str:
        from vouch.attestation.verify import AWS_ROOT
        from vouch.cli.attest_words import root_words
        from vouch.cli.enclave_chain import enclaves_of

        rpc, place = self._chain_rpc(), self._place()
        if not place.enclaves:
            raise Skipped("the deployment has no enclave route")
        enclaves = enclaves_of(rpc, place)
        if (used := await enclaves.keys.attestation()) != enclaves.attestation.address:
            raise ProbeFailed(
                f"EnclaveKeys uses NitroAttestation {used}, and the file of the deployment names "
                f"{enclaves.attestation.address}: deploy again, or restore the file"
            )
        root = await enclaves.attestation.root_fingerprint()
        if root != AWS_ROOT and "dev" not in place.name:
            raise ProbeFailed(
                f"{root_words(root)}, but the name {place.name!r} does not say dev: do not use it"
            )
        return root_words(root)

    async def _balance(self) -> str:
        if self._target.key_file is None and not os.environ.get(VARIABLE):
            raise Skipped("no key given (--key-file or VOUCH_KEY)")
        key, rpc = load_key(self._target.key_file, "to look at"), self._chain_rpc()
        balance = int(await rpc.call("eth_getBalance", key.address, "latest"), 16)
        if balance < LEAST_BALANCE:
            raise ProbeFailed(
                f"{key.address} has {wei(balance)}: send it at least {wei(LEAST_BALANCE)} for gas"
            )
        return f"{key.address} has {wei(balance)}"

    async def _reachable(self) -> str:
        if self._target.node is None:
            raise Skipped("not asked for (--node)")
        self._node = await node_info(self._target.node, os.environ.get("VOUCH_NODE_TOKEN") or None)
        return (
            f"{self._target.node} serves {', '.join(model.name for model in self._node.models) or 'nothing'}"
        )

    async def _operator(self) -> str:
        node, registry = self._served(), self._registry()
        if node.operator is None:
            raise ProbeFailed(
                "the node has no key: start it with --key-file, or nothing it says can be settled"
            )
        found = await registry.node_of(node.operator)
        if not found.since:
            raise ProbeFailed(
                f"{node.operator} is not registered: NodeRegistry.register({self._target.node!r})"
            )
        stake = await registry.stake_of(node.operator)
        return f"{node.operator} is registered at {found.endpoint}, stake {wei(stake.bonded)}"

    async def _prices(self) -> str:
        node, registry = self._served(), self._registry()
        if node.operator is None:
            raise Skipped("the node has no operator")
        missing, offers = [], []
        for model in node.models:
            price = await registry.price_of(node.operator, model.model_id)
            if price.offered:
                offers.append(
                    f"{model.name}: {wei(price.base)} + {wei(price.per_callback_gas)} per callback gas"
                )
            else:
                missing.append(f"{model.name} (NodeRegistry.setPrice(0x{model.model_id.hex()}, ...))")
        if missing:
            raise ProbeFailed(f"no price in the native token for {', '.join(missing)}")
        return "; ".join(offers)

    async def _models(self) -> str:
        node, place = self._served(), self._place()
        registry = ModelRegistry(self._chain_rpc(), place.models)
        for model in node.models:
            if not await registry.exists(model.model_id):
                raise ProbeFailed(
                    f"{model.name} (0x{model.model_id.hex()}) is not published: "
                    "`vouch model publish` it, or serve the file that was"
                )
            if model.problem is not None:
                raise ProbeFailed(f"{model.name}: {model.problem}")
        return "published, and the artefacts have the hashes that their manifests name"

    async def _prover(self) -> str:
        url = self._target.prover
        if url is None:
            raise Skipped("not asked for (--prover)")
        async with ProverClient(url, os.environ.get("VOUCH_PROVER_TOKEN") or None) as prover:
            info = await prover.info()
        place, registry = self._place(), ModelRegistry(self._chain_rpc(), self._place().models)
        if info.srs == DEV and DEV_NAME not in place.name:
            raise ProbeFailed(
                f"it proves with {DEV}, where anyone can prove anything, and the deployment is called "
                f"{place.name!r}: compile the circuits without --dev-srs"
            )
        circuits = [(model, circuit) for model, known in info.models.items() for circuit in known]
        for model, circuit in circuits:
            try:
                await registry.circuit_of(model, circuit)
            except Reverted as unknown:
                raise ProbeFailed(
                    f"no proof of circuit {to_hex(circuit)} would count ({unknown.error.name}): "
                    "`vouch zk publish` its folder"
                ) from unknown
        return f"{url} proves {len(circuits)} circuits over {info.srs}, all of them known to the chain"

    async def _database(self) -> str:
        path = self._target.database
        if path is None:
            raise Skipped("not asked for (--db)")
        if not path.exists():
            raise ProbeFailed(f"{path} does not exist: `vouch relayer` makes it when it starts")
        try:
            with Store(path, read_only=True) as store:
                counts = store.counts()
            with Store(path) as store:
                store.check_writable()
        except sqlite3.Error as error:
            raise ProbeFailed(f"{path} cannot be written ({error}): check its owner and the disk") from error
        return ", ".join(f"{count} {status}" for status, count in counts.items()) or "empty"

    def _chain_rpc(self) -> Rpc:
        if self._rpc is None:
            raise Skipped("needs the chain")
        return self._rpc

    def _place(self) -> Deployment:
        if self._deployment is None:
            raise Skipped("needs the deployment")
        return self._deployment

    def _registry(self) -> NodeRegistry:
        return NodeRegistry(self._chain_rpc(), self._place().nodes)

    def _served(self) -> NodeInfo:
        if self._node is None:
            raise Skipped("needs the node")
        return self._node


async def probe_all(target: Target) -> AsyncIterator[Result]:
    """Runs every probe; one that fails does not stop the others."""
    async with AsyncExitStack() as stack:
        for name, probe in Probes(target, stack).all():
            try:
                yield Result(name, Outcome.OK, await probe())
            except Skipped as skipped:
                yield Result(name, Outcome.SKIPPED, str(skipped))
            except (VouchError, OSError) as failed:
                yield Result(name, Outcome.FAILED, describe(failed))
