"""The clean chain with short words for what happens on it."""

from collections.abc import Callable

import pytest

from tests.support.world import World
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
