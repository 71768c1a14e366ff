"""The clean chain with short words for what happens on it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.contracts.enclaves import SEED, Enclaves
from tests.support.world import World
from vouch.attestation.deploy import deploy_enclaves
from vouch.attestation.dev import DevAuthority
from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender


@pytest.fixture
def world(
    rpc: Rpc,
    deployment: Deployment,
    accounts: tuple[LocalKey, ...],
    sender_of: Callable[[LocalKey], TxSender],
    operator: LocalKey,
) -> World:
    return World(rpc, deployment, accounts, sender_of)


@pytest.fixture
def signers(accounts: tuple[LocalKey, ...]) -> list[LocalKey]:
    """Five accounts by ascending address; none of them is a registered operator."""
    return sorted(accounts[4:9], key=lambda key: bytes.fromhex(key.address[2:]))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def enclave_deployment(
    _session_rpc: Rpc, deployment: Deployment, accounts: tuple[LocalKey, ...]
) -> Deployment:
    """With the enclave route, under a development authority; made once, before any snapshot."""
    root = DevAuthority.create(seed=SEED).fingerprint
    sender = TxSender(_session_rpc, accounts[0])
    return await deploy_enclaves(_session_rpc, sender, replace(deployment, name="dev"), root=root)


@pytest.fixture
def enclaves(enclave_deployment: Deployment, world: World) -> Enclaves:
    return Enclaves(world, enclave_deployment)
