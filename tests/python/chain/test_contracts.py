from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from tests.python.chain.terms import MANIFEST, seal_of, terms_of
from vouch.chain.abi import function
from vouch.chain.account import LocalKey
from vouch.chain.contracts import (
    Fulfilment,
    Hub,
    ModelRegistry,
    NodeRegistry,
    SignedOutput,
    Stake,
    VerifierRouter,
)
from vouch.chain.deployment import Deployment
from vouch.chain.events import (
    ChainLog,
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    ExpiredLog,
    RejectedLog,
    RequestedLog,
    SettledLog,
    UnchallengedLog,
    get_logs,
    receipt_logs,
)
from vouch.chain.hexes import checksum
from vouch.chain.rpc import Rpc
from vouch.chain.sender import Reverted, TxSender
from vouch.chain.transaction import Call
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Gap, Status

A, B = checksum("0x" + "aa" * 20), checksum("0x" + "bb" * 20)
NOWHERE = checksum("0x" + "11" * 20)


async def test_request_to_settled(
    rpc: Rpc,
    hub: Hub,
    nodes: NodeRegistry,
    models: ModelRegistry,
    deployment: Deployment,
    sender: TxSender,
    sender_of: Callable[[LocalKey], TxSender],
    operator: LocalKey,
) -> None:
    relayer = sender_of(operator)
    await sender.transact(models.publish("m", MANIFEST))
    await relayer.transact(nodes.set_price(keccak(MANIFEST), 10**15, 0))
    terms = terms_of(sender.address, operator.address)
    assert await hub.estimate(terms) == 10**15
    start = int(await rpc.call("eth_blockNumber"), 16) + 1

    asked = await sender.transact(hub.request(terms, b"in"))
    request_id = terms.id(deployment.chain_id, deployment.hub)
    assert await hub.id_of(terms) == request_id
    assert await hub.status_of(request_id) == Status.REQUESTED
    (requested,) = receipt_logs(asked, deployment.hub)
    assert isinstance(requested, RequestedLog)
    assert (requested.request, requested.input, requested.id) == (terms, b"in", request_id)

    done = await relayer.transact(
        hub.fulfil(terms, operator.address, b"out", seal_of(operator, terms, b"out", deployment))
    )
    settled = (await get_logs(rpc, deployment.hub, start, done.block_number))[-1]
    assert isinstance(settled, SettledLog)
    assert (settled.output, settled.operator, settled.id) == (b"out", operator.address, request_id)
    assert (await hub.assurance_of(request_id)).status == Status.SETTLED
    assert await hub.is_answer(request_id, operator.address, keccak(b"out"))
    assert await hub.credit_of(operator.address) == 10**15


async def test_many(hub: Hub, deployment: Deployment, sender: TxSender, operator: LocalKey) -> None:
    items = []
    for salt in range(3):
        terms = terms_of(sender.address, operator.address, salt=salt)
        await sender.transact(hub.request(terms, b"in"))
        output = bytes([salt])
        items.append(
            Fulfilment(terms, operator.address, output, seal_of(operator, terms, output, deployment))
        )
    await sender.transact(hub.fulfil_many(items))
    assert await hub.credit_of(operator.address) == 3 * 10**15


async def test_revert_names_the_error(hub: Hub, sender: TxSender, operator: LocalKey) -> None:
    terms = terms_of(operator.address, operator.address)
    with pytest.raises(Reverted, match="NotConsumer") as caught:
        await sender.transact(hub.request(terms, b"in"))
    assert caught.value.error.args == {"caller": sender.address, "consumer": operator.address}
    assert caught.value.tx_hash is None


def test_builders_of_the_gap() -> None:
    """Each names its function and puts every argument in its place; nobody is asked."""
    hub = Hub(Rpc("http://127.0.0.1:9"), NOWHERE)
    terms = replace(terms_of(A, B), bond=7, exposure=9)
    first, second = SignedOutput(b"1" * 32, b"one"), SignedOutput(b"2" * 32, b"two")
    result = (terms.to_abi(), B, b"h" * 32)
    built: dict[str, tuple[Call, tuple[object, ...]]] = {
        "deliver": (hub.deliver(terms, B, b"out", b"sig"), (terms.to_abi(), B, b"out", b"sig")),
        "settle": (hub.settle(terms, B, b"out", b"seal"), (terms.to_abi(), B, b"out", b"seal")),
        "challenge": (hub.challenge(terms, B, b"h" * 32), result),
        "reject": (hub.reject(terms, B, b"h" * 32), result),
        "expireDelivered": (hub.expire_delivered(terms, B, b"h" * 32), result),
        "reportEquivocation": (
            hub.report_equivocation(terms, B, first, second),
            (terms.to_abi(), B, (b"1" * 32, b"one"), (b"2" * 32, b"two")),
        ),
    }
    for name, (call, args) in built.items():
        assert function("InferenceHub", name).decode_input(call.data) == args
        assert (call.to, call.value) == (NOWHERE, 7 if name == "challenge" else 0)
    assert function("InferenceHub", "settle").decode_input(hub.settle(terms, B, b"out").data)[3] == b""


def test_a_bond_goes_along_only_in_native_tokens() -> None:
    hub = Hub(Rpc("http://127.0.0.1:9"), NOWHERE)
    native = replace(terms_of(A, B), bond=7)
    token = replace(native, token=B)
    values = [
        hub.challenge(native, B, b"h" * 32).value,
        hub.challenge(token, B, b"h" * 32).value,
        hub.challenge(native, B, b"h" * 32, value=0).value,
        hub.challenge(native, B, b"h" * 32, value=9).value,
    ]
    assert values == [7, 0, 0, 9]


def test_free_stake() -> None:
    assert Stake(10, 3, 2, 1).free == 7


@dataclass(frozen=True, slots=True)
class Scene:
    """A hub with an operator that has staked 12, on terms that lock 12 and give a window of 60 seconds."""

    hub: Hub
    nodes: NodeRegistry
    rpc: Rpc
    deployment: Deployment
    sender: TxSender
    operator: LocalKey

    def terms(self, salt: int) -> Request:
        plain = terms_of(self.sender.address, self.operator.address, salt=salt)
        return replace(plain, exposure=9, bond=3, window=60, prove_within=30)

    def id(self, terms: Request) -> bytes:
        return terms.id(self.deployment.chain_id, self.deployment.hub)

    def seal(self, terms: Request, output: bytes = b"out") -> bytes:
        return seal_of(self.operator, terms, output, self.deployment)

    async def act(self, call: Call) -> list[ChainLog]:
        return list(receipt_logs(await self.sender.transact(call), self.deployment.hub))

    async def act_after(self, time: int, call: Call) -> list[ChainLog]:
        await self.rpc.call("evm_setNextBlockTimestamp", time + 1)
        receipt = await self.sender.transact(call, gas=10**6, simulate=False)
        return list(receipt_logs(receipt, self.deployment.hub))

    async def deliver(self, salt: int) -> tuple[Request, list[ChainLog]]:
        terms = self.terms(salt)
        await self.sender.transact(self.hub.request(terms, b"in"))
        signature = self.seal(terms)[4:]
        return terms, await self.act(self.hub.deliver(terms, self.operator.address, b"out", signature))

    def result(self, terms: Request) -> tuple[Request, str, bytes]:
        return terms, self.operator.address, keccak(b"out")


@pytest_asyncio.fixture(loop_scope="session")
async def scene(
    hub: Hub,
    nodes: NodeRegistry,
    rpc: Rpc,
    deployment: Deployment,
    sender: TxSender,
    sender_of: Callable[[LocalKey], TxSender],
    operator: LocalKey,
) -> Scene:
    await sender_of(operator).transact(nodes.stake(12))
    return Scene(hub, nodes, rpc, deployment, sender, operator)


def same(log: ChainLog, kind: type[ChainLog], **fields: object) -> None:
    assert isinstance(log, kind)
    assert {name: getattr(log, name) for name in fields} == fields


async def test_delivered_challenged_proven(scene: Scene) -> None:
    terms, (delivered,) = await scene.deliver(1)
    operator, me, request_id = scene.operator.address, scene.sender.address, scene.id(terms)
    same(delivered, DeliveredLog, id=request_id, operator=operator, output=b"out")
    assert await scene.nodes.stake_of(operator) == Stake(12, 12, 0, 0)
    assert await scene.nodes.free_stake_of(operator) == 0
    assurance = await scene.hub.assurance_of(request_id)
    assert (assurance.status, assurance.proven) == (Status.DELIVERED, False)
    assert assurance.status.open
    at = assurance.delivered_at
    assert await scene.hub.gap_of(terms) == Gap(Status.DELIVERED, at + 60, 0, 9, NATIVE)

    (challenged,) = await scene.act(scene.hub.challenge(*scene.result(terms)))
    same(challenged, ChallengedLog, id=request_id, challenger=me)
    gap = await scene.hub.gap_of(terms)
    assert (gap.status, gap.challenge_by, gap.insured, gap.challenger) == (Status.CHALLENGED, 0, 9, me)
    assert at + 30 <= gap.prove_by <= at + 90
    at_delivery = await scene.hub.gap_of(terms, block=delivered.block_number)
    assert at_delivery.status == Status.DELIVERED

    (settled,) = await scene.act(scene.hub.settle(terms, operator, b"out", scene.seal(terms)))
    same(settled, SettledLog, id=request_id, operator=operator, output=b"out")
    assert (await scene.hub.assurance_of(request_id)).proven
    assert await scene.hub.gap_of(terms) == Gap(Status.SETTLED, 0, 0, 0, NATIVE)


async def test_unchallenged(scene: Scene) -> None:
    terms, _ = await scene.deliver(1)
    gap = await scene.hub.gap_of(terms)
    call = scene.hub.settle(terms, scene.operator.address, b"out")
    settled, unchallenged = await scene.act_after(gap.challenge_by, call)
    same(settled, SettledLog, id=scene.id(terms))
    same(unchallenged, UnchallengedLog, id=scene.id(terms))
    assurance = await scene.hub.assurance_of(scene.id(terms))
    assert (assurance.status, assurance.proven) == (Status.SETTLED, False)


async def test_rejected(scene: Scene) -> None:
    terms, _ = await scene.deliver(1)
    await scene.act(scene.hub.challenge(*scene.result(terms)))
    gap = await scene.hub.gap_of(terms)
    (rejected,) = await scene.act_after(gap.prove_by, scene.hub.reject(*scene.result(terms)))
    operator, me = scene.operator.address, scene.sender.address
    same(rejected, RejectedLog, id=scene.id(terms), operator=operator, rewarded=me)
    assert not await scene.hub.is_answer(scene.id(terms), operator, keccak(b"out"))


async def test_equivocated(scene: Scene) -> None:
    terms, _ = await scene.deliver(1)
    one, two = (SignedOutput(keccak(output), scene.seal(terms, output)[4:]) for output in (b"out", b"2"))
    operator, me, request_id = scene.operator.address, scene.sender.address, scene.id(terms)
    call = scene.hub.report_equivocation(terms, operator, one, two)
    rejected, equivocated = await scene.act(call)
    same(rejected, RejectedLog, id=request_id, operator=operator, rewarded=me)
    same(equivocated, EquivocatedLog, id=request_id, operator=operator, rewarded=me, slashed=12)


async def test_expired_after_a_delivery(scene: Scene, router: VerifierRouter) -> None:
    terms, _ = await scene.deliver(1)
    await scene.sender.transact(router.tombstone(terms.route))
    (expired,) = await scene.act(scene.hub.expire_delivered(*scene.result(terms)))
    same(expired, ExpiredLog, id=scene.id(terms))


async def test_all_logs_of_a_gap_are_found_in_order(scene: Scene) -> None:
    start = int(await scene.rpc.call("eth_blockNumber"), 16) + 1
    terms, _ = await scene.deliver(1)
    gap = await scene.hub.gap_of(terms)
    await scene.act_after(gap.challenge_by, scene.hub.settle(terms, scene.operator.address, b"out"))
    end = int(await scene.rpc.call("eth_blockNumber"), 16)
    found = await get_logs(scene.rpc, scene.deployment.hub, start, end)
    assert [type(log) for log in found] == [RequestedLog, DeliveredLog, SettledLog, UnchallengedLog]
