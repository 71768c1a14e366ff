"""The parts of one relayer, put together."""

import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass

from vouch.chain.account import LocalKey
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub, ModelRegistry, NodeRegistry, VerifierRouter
from vouch.chain.enclave import EnclaveKeys, NitroAttestation
from vouch.chain.errors import WrongChain
from vouch.chain.events import HUB_EVENTS
from vouch.chain.follower import Follower
from vouch.chain.hexes import to_bytes
from vouch.chain.rpc import Rpc
from vouch.protocol.quorum import QUORUM
from vouch.protocol.zk import ZK
from vouch.prover.service.client import ProverClient
from vouch.relayer.config import RelayerConfig
from vouch.relayer.cosigners import CosignerPool
from vouch.relayer.desk import Desk
from vouch.relayer.enclave import Enclaves
from vouch.relayer.guard import Guard
from vouch.relayer.intake import Intake
from vouch.relayer.job import Job
from vouch.relayer.nodes import NodePool
from vouch.relayer.peers import Reach
from vouch.relayer.pipeline import Pipeline
from vouch.relayer.plan import Plan
from vouch.relayer.policy import Policy
from vouch.relayer.prices import Prices
from vouch.relayer.prover import Provers
from vouch.relayer.quorum import Quorum
from vouch.relayer.quorum_prover import QuorumProver
from vouch.relayer.refunds import Refunds
from vouch.relayer.routes import Routes
from vouch.relayer.seal_check import SealCheck
from vouch.relayer.sender import Sender
from vouch.relayer.stakes import Stakes
from vouch.relayer.store import Store
from vouch.relayer.zk import Circuits
from vouch.relayer.zk_prover import ZkProver

_log = logging.getLogger(__name__)

_DEFEND_WITHIN = 30
"""Seconds: two blocks of the slowest chains, and one that is missed."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs or is looked at."""

    store: Store
    follower: Follower
    intake: Intake
    pool: NodePool
    quorum: Quorum
    enclaves: Enclaves
    circuits: Circuits | None
    pipeline: Pipeline
    sender: Sender
    guard: Guard
    plan: Plan
    refunds: Refunds

    def take(self, jobs: list[Job]) -> None:
        """Gives each job to the part that it waits for."""
        for job in jobs:
            if job.status.in_gap or job.status.ended:
                self.guard.take([job])
            else:
                self.pipeline.take([job])


async def assemble(config: RelayerConfig, key: LocalKey, stack: AsyncExitStack) -> Parts:
    """Opens what has to be open until the stack is closed, and checks that it fits together.

    Raises WrongChain, ForeignDatabase, RpcUnavailable, RpcError, SignersNotAscending.
    """
    patience = config.patience
    rpc = await stack.enter_async_context(Rpc(config.rpc_url))
    hub = Hub(rpc, config.hub)
    chain_id = await _check_chain(rpc, hub, key)
    registry = NodeRegistry(rpc, await hub.nodes())
    store = stack.enter_context(Store(config.database))
    store.bind(chain_id, hub.address, await _genesis(rpc))

    reach = Reach(chain_id, hub.address, patience.node_timeout, patience.retry_first)
    pool = await stack.enter_async_context(NodePool(config.nodes, reach))
    endpoints = () if config.quorum is None else config.quorum.cosigners
    cosigners = await stack.enter_async_context(CosignerPool(endpoints, reach))
    for peers in (pool, cosigners):
        await peers.refresh_all(max_age=0.0)
        for node in peers.unknown:
            _log.warning("node %s does not answer yet: %s", node.url, node.trouble)
    await _check_operators(registry, pool)
    quorum = Quorum(config.quorum, cosigners, store)
    quorum.learn()

    clock = ChainClock()
    sender = Sender(
        rpc,
        key,
        hub,
        chain_id,
        store,
        clock,
        config.limits,
        patience,
        lambda jobs: guard.look_again(jobs),
        unanswered=lambda job: pipeline.again(job),
        registered=lambda reason: enclaves.over(reason),
        max_fee=config.max_fee,
        simulate=config.simulate,
    )
    stakes = Stakes(registry, store, patience.stakes, config.max_exposure)
    questions = config.limits.dispatches
    provers = Provers({QUORUM: QuorumProver(chain_id, hub.address, store, quorum, pool, patience, questions)})
    circuits = None
    if config.zk is not None:
        client = ProverClient(config.zk.url, config.zk.token, config.zk.timeout)
        client = await stack.enter_async_context(client)
        circuits = Circuits(config.zk, client, ModelRegistry(rpc, await hub.models()))
        await circuits.refresh(max_age=0.0)
        seals = SealCheck(rpc, await hub.router())
        now, lane = clock.probably, sender.seconds_for
        zk = ZkProver(chain_id, hub.address, store, circuits, client, seals, now, lane, patience)
        provers.add(ZK, zk)
    plan = Plan(provers, stakes, pool, sender, config.min_prove_within, config.max_window)
    routes = Routes(VerifierRouter(rpc, await hub.router()), QUORUM, ZK)
    guard = Guard(hub, Desk(store, sender, clock, patience), plan, provers, pool, routes, patience.nodes)
    enclaves = await _enclaves(rpc, chain_id, pool, sender, clock, config)
    pipeline = Pipeline(
        store,
        Policy(
            config.limits.callback_gas,
            patience.margin,
            config.gas_floor,
            min(config.min_prove_within, _DEFEND_WITHIN),
        ),
        Prices(registry, patience.prices),
        pool,
        provers,
        enclaves,
        sender.fees,
        clock,
        patience,
        config.limits.dispatches,
        lambda job: sender.offer(job) if job.sealed else guard.take([job]),
    )
    intake = Intake(store, config.keep_blocks)
    follower = Follower(
        rpc,
        hub.address,
        HUB_EVENTS,
        intake,
        clock,
        start=config.start_block,
        confirmations=config.confirmations,
    )
    refunds = Refunds(store, sender, clock, patience.poll)
    return Parts(
        store, follower, intake, pool, quorum, enclaves, circuits, pipeline, sender, guard, plan, refunds
    )


async def _enclaves(
    rpc: Rpc, chain_id: int, pool: NodePool, sender: Sender, clock: ChainClock, config: RelayerConfig
) -> Enclaves:
    patience, keys, registrar = config.patience, None, None
    if config.enclaves is not None:
        from vouch.relayer.registrar import Registrar  # few relayers need it, and it takes a while to import

        keys = EnclaveKeys(rpc, config.enclaves.keys)
        attestation = NitroAttestation(rpc, await keys.attestation())
        registrar = Registrar(pool, keys, attestation, chain_id, config.enclaves.depth)
    times = {"margin": patience.margin, "ttl": patience.stakes, "pause": patience.nodes}
    return Enclaves(config.enclaves, keys, registrar, pool, sender, clock.probably, **times)


async def _check_chain(rpc: Rpc, hub: Hub, key: LocalKey) -> int:
    chain_id = int(await rpc.call("eth_chainId"), 16)
    if await rpc.call("eth_getCode", hub.address, "latest") in ("0x", None):
        raise WrongChain(f"code at {hub.address} on chain {chain_id}", "empty", "an InferenceHub")
    balance = int(await rpc.call("eth_getBalance", key.address, "latest"), 16)
    if balance == 0:
        _log.warning("%s has no native tokens to pay for gas: nothing can be sent until it has", key.address)
    return chain_id


async def _check_operators(registry: NodeRegistry, pool: NodePool) -> None:
    for operator in pool.operators:
        if not await registry.is_registered(operator):
            _log.warning("operator %s is not registered: its answers would be refused by the hub", operator)


async def _genesis(rpc: Rpc) -> bytes:
    return to_bytes((await rpc.call("eth_getBlockByNumber", "0x0", False))["hash"])
