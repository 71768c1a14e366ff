"""Whose seals count now, and what is said of the others: asked of the real contract."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.python.relayer import attesting
from tests.python.relayer.attesting import IMAGE, Bench
from tests.python.relayer.making import make_terms
from vouch.chain.account import LocalKey
from vouch.chain.clock import ChainClock
from vouch.chain.contracts import Hub
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.protocol.enclave import ENCLAVE
from vouch.relayer.config import EnclaveConfig, Limits, Patience
from vouch.relayer.enclave import Enclaves
from vouch.relayer.errors import NotYet, Refused
from vouch.relayer.sender import Sender
from vouch.relayer.store import Store

MARGIN = 10.0
TRUSTING = make_terms(route=ENCLAVE, trust=IMAGE)


@pytest_asyncio.fixture(loop_scope="session")
async def bench(
    rpc: Rpc,
    deployment: Deployment,
    accounts: tuple[LocalKey, ...],
    sender_of: Callable[[LocalKey], TxSender],
) -> AsyncIterator[Bench]:
    async with attesting.bench(rpc, deployment, accounts, sender_of) as made:
        yield made


@pytest.fixture
def make(
    bench: Bench, store: Store, hub: Hub, deployment: Deployment, accounts: tuple[LocalKey, ...]
) -> Callable[..., Enclaves]:
    """What a relayer has, whose sender does not run: `make(ahead=seconds, register=False)`."""

    def made(*, ahead: int = 0, register: bool = True) -> Enclaves:
        sender = Sender(
            bench.keys.rpc,
            accounts[2],
            hub,
            deployment.chain_id,
            store,
            ChainClock(),
            Limits(),
            Patience(),
            lambda _: None,
            unanswered=lambda _: None,
            registered=lambda _: None,
        )
        return Enclaves(
            EnclaveConfig(bench.keys.address, register),
            bench.keys,
            bench.registrar,
            bench.pool,
            sender,
            lambda: bench.now() + ahead,
            margin=MARGIN,
            ttl=60.0,
            pause=60.0,
        )

    return made


async def test_only_nodes_whose_keys_are_in_are_asked(bench: Bench, make: Callable[..., Enclaves]) -> None:
    await bench.register(1)
    assert await make().ready(TRUSTING, bench.nodes) == [bench.nodes[1]]


async def test_every_node_says_why_not(bench: Bench, make: Callable[..., Enclaves]) -> None:
    with pytest.raises(NotYet) as no:
        await make().ready(TRUSTING, bench.nodes)
    wanted = [
        f"node {node.url}: enclave key {source.key.id} is not registered yet"
        for node, source in zip(bench.nodes, bench.sources, strict=True)
    ]
    assert str(no.value) == "; ".join(wanted)
    with pytest.raises(NotYet, match=r"yet .its document is not sent from here: see `vouch attest`"):
        await make(register=False).ready(TRUSTING, bench.nodes)


@pytest.mark.parametrize(
    ("left", "said"), [(9, "expires in 9 s, before a seal is on chain"), (-5, "expired at 20")]
)
async def test_a_key_that_ends_before_its_seal_could_settle(
    bench: Bench, make: Callable[..., Enclaves], left: int, said: str
) -> None:
    ahead = (await bench.register()).expiry - bench.now() - left
    # A renewal is on its way.
    with pytest.raises(NotYet, match=said):
        await make(ahead=ahead).ready(TRUSTING, bench.nodes[:1])
    # Nobody here renews it.
    with pytest.raises(Refused, match=f"EnclaveKeyExpires: .* {said}"):
        await make(ahead=ahead, register=False).ready(TRUSTING, bench.nodes[:1])
    # The other's key may come yet.
    with pytest.raises(NotYet, match=said):
        await make(ahead=ahead, register=False).ready(TRUSTING, bench.nodes)
    enough = make(ahead=ahead - 60, register=False)
    assert await enough.ready(TRUSTING, bench.nodes) == [bench.nodes[0]]


async def test_another_operators_key(bench: Bench, make: Callable[..., Enclaves]) -> None:
    """The node changed hands and kept its enclave: the contract does not let the key in again."""
    await bench.register()
    before, bench.source.operator = bench.source.operator, "0x00000000000000000000000000000000000000eE"
    await bench.pool.refresh_all(0.0)
    with pytest.raises(NotYet, match=f"is registered for {before} .*, not for {bench.source.operator}"):
        await make().ready(TRUSTING, bench.nodes[:1])


async def test_what_the_chain_said_is_believed_for_a_while(
    bench: Bench, make: Callable[..., Enclaves]
) -> None:
    enclaves = make()
    with pytest.raises(NotYet):
        await enclaves.ready(TRUSTING, bench.nodes[:1])
    await bench.register()
    with pytest.raises(NotYet):
        await enclaves.ready(TRUSTING, bench.nodes[:1])
    enclaves.look_again()
    assert await enclaves.ready(TRUSTING, bench.nodes[:1]) == [bench.nodes[0]]
