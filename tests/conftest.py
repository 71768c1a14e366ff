"""Fixtures for everybody: one Anvil per test process, one deployment on it, and a clean chain for every test.

Made once per process (so one Anvil per xdist worker):
    anvil         running `Anvil`, mining at once; `anvil.http_url`, `anvil.ws_url`
    accounts      ten `LocalKey`s with 10,000 ether each; account 0 owns the deployment
    deployment    `Deployment` of all contracts

Per test, on a snapshot of the chain that is reverted afterwards:
    rpc           `Rpc` to the clean chain
    hub, nodes, models, router    typed views
    sender        `TxSender` of account 0
    sender_of     makes one for another account: `sender_of(accounts[2])`
    operator      account 1, registered in the node registry

Whoever asks for `rpc`, or for anything made from it, gets the clean chain and must not use the chain after
the test. A test that needs another block time, or kills or stops the chain's node, starts its own `Anvil`,
in a tenth of a second.

All async tests run on the session's one event loop; async fixtures of other modules say
`@pytest_asyncio.fixture(loop_scope="session")` to be on it too.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from vouch.chain.account import LocalKey
from vouch.chain.anvil import Anvil
from vouch.chain.contracts import Hub, ModelRegistry, NodeRegistry, VerifierRouter
from vouch.chain.deploy import deploy
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender

# The contracts that only tests deploy; also for the processes that tests start.
os.environ["VOUCH_ABI_PATH"] = str(Path(__file__).parent / "abi")

ENDPOINT = "http://127.0.0.1:9"
"""What `operator` registers: the discard port, where nobody listens."""


def pytest_configure() -> None:
    """Ctrl-C works in what the tests start, also where a shell started them in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_session_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if pytest_asyncio.is_async_test(item):
            item.add_marker(on_session_loop, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def anvil() -> AsyncIterator[Anvil]:
    async with Anvil() as running:
        yield running


@pytest.fixture(scope="session")
def accounts(anvil: Anvil) -> tuple[LocalKey, ...]:
    return anvil.accounts


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _session_rpc(anvil: Anvil) -> AsyncIterator[Rpc]:
    async with Rpc(anvil.http_url) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deployment(_session_rpc: Rpc, accounts: tuple[LocalKey, ...]) -> Deployment:
    return await deploy(_session_rpc, TxSender(_session_rpc, accounts[0]))


@pytest_asyncio.fixture(loop_scope="session")
async def rpc(_session_rpc: Rpc, deployment: Deployment) -> AsyncIterator[Rpc]:
    snapshot = await _session_rpc.call("evm_snapshot")
    yield _session_rpc
    assert await _session_rpc.call("evm_revert", snapshot), "the snapshot is gone: did the test revert it?"
    # Anvil reverts blocks and time, but not these.
    await _session_rpc.call("anvil_dropAllTransactions")
    await _session_rpc.call("evm_setAutomine", True)
    await _session_rpc.call("anvil_setNextBlockBaseFeePerGas", hex(10**9))


@pytest.fixture
def sender_of(rpc: Rpc) -> Callable[[LocalKey], TxSender]:
    return lambda key: TxSender(rpc, key)


@pytest.fixture
def sender(sender_of: Callable[[LocalKey], TxSender], accounts: tuple[LocalKey, ...]) -> TxSender:
    return sender_of(accounts[0])


@pytest.fixture
def hub(rpc: Rpc, deployment: Deployment) -> Hub:
    return Hub(rpc, deployment.hub)


@pytest.fixture
def nodes(rpc: Rpc, deployment: Deployment) -> NodeRegistry:
    return NodeRegistry(rpc, deployment.nodes)


@pytest.fixture
def models(rpc: Rpc, deployment: Deployment) -> ModelRegistry:
    return ModelRegistry(rpc, deployment.models)


@pytest.fixture
def router(rpc: Rpc, deployment: Deployment) -> VerifierRouter:
    return VerifierRouter(rpc, deployment.router)


@pytest_asyncio.fixture(loop_scope="session")
async def operator(
    nodes: NodeRegistry, sender_of: Callable[[LocalKey], TxSender], accounts: tuple[LocalKey, ...]
) -> LocalKey:
    await sender_of(accounts[1]).transact(nodes.register(ENDPOINT))
    return accounts[1]
