"""Gas of the trust gap: every way through it, and a consumer that lives in it."""

from typing import Any

from scripts.gas_bench import CALLBACK_GAS, CHAIN_ID, FEE, MANIFEST, Bench, WrongMeasurement, question
from vouch.chain.contracts import (
    Call,
    Fulfilment,
    NodeRegistry,
    SignedOutput,
)
from vouch.chain.events import (
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    RejectedLog,
    SettledLog,
    UnchallengedLog,
    receipt_logs,
)
from vouch.chain.hexes import to_bytes
from vouch.chain.transaction import Receipt
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import SIGNED


async def gap(bench: Bench) -> None:
    """One question answered in two steps: delivered with exposure and bond locked, then proven."""
    nodes = NodeRegistry(bench.rpc, bench.address["NodeRegistry"])
    await bench.send(bench.relayer, nodes.stake(10 * FEE))

    async def ask(salt: int, **changes: Any) -> Fulfilment:
        common = {"callback_gas": CALLBACK_GAS, "salt": salt, "exposure": FEE, "bond": FEE}
        terms = await bench.terms(**common | changes)
        call = bench.call("WordKeeper", "ask", terms.to_abi(), question(salt), value=FEE)
        return bench.answer(await bench.ask(call), keccak(b"answer %d" % salt))

    async def step(call: Call, name: str, kinds: list[type]) -> Receipt:
        receipt = await bench.send(bench.relayer, call, name)
        logged = [type(log) for log in receipt_logs(receipt, bench.hub.address)]
        if logged != kinds:
            raise WrongMeasurement(f"{name} logged {logged}")
        return receipt

    def deliver(item: Fulfilment) -> Call:
        return bench.hub.deliver(item.request, item.operator, item.output, item.seal[4:])

    # Another result of the operator is open all the time, as it is when it works.
    await step(deliver(await ask(20, prove_within=10**6)), "gap.deliverFirst", [DeliveredLog])
    item = await ask(21, prove_within=3600)
    await step(deliver(item), "gap.deliver", [DeliveredLog])
    settle = bench.hub.settle(item.request, item.operator, item.output, item.seal)
    await step(settle, "gap.settle", [SettledLog])
    await bench.stored(item, "WordKeeper", "words")
    bench.figures["gap.deliverAndSettle"] = bench.figures["gap.deliver"] + bench.figures["gap.settle"]

    item = await ask(22, window=60, prove_within=60)
    await step(deliver(item), "gap.deliverOptimistic", [DeliveredLog])
    challenge = bench.hub.challenge(item.request, item.operator, keccak(item.output))
    await step(challenge, "gap.challenge", [ChallengedLog])
    settle = bench.hub.settle(item.request, item.operator, item.output, item.seal)
    await step(settle, "gap.settleChallenged", [SettledLog])

    item, lost = await ask(23, window=60), await ask(24, prove_within=60)
    await step(deliver(item), "gap.deliverOptimistic", [DeliveredLog])
    await step(deliver(lost), "gap.deliver", [DeliveredLog])
    now = int((await bench.rpc.call("eth_getBlockByNumber", "latest", False))["timestamp"], 16)
    await bench.rpc.call("evm_setNextBlockTimestamp", now + 120)
    settle = bench.hub.settle(item.request, item.operator, item.output)
    await step(settle, "gap.settleUnchallenged", [SettledLog, UnchallengedLog])
    reject = bench.hub.reject(lost.request, lost.operator, keccak(lost.output))
    await step(reject, "gap.reject", [RejectedLog])

    item = await ask(25, window=60)
    other = bench.sign(bench.operator, bench.claim(item.request, b"another"))
    pair = (
        SignedOutput(keccak(item.output), item.seal[4:]),
        SignedOutput(keccak(b"another"), bytes(other)[4:]),
    )
    await step(deliver(item), "gap.deliverOptimistic", [DeliveredLog])
    report = bench.hub.report_equivocation(item.request, item.operator, *pair)
    await step(report, "gap.reportEquivocation", [RejectedLog, EquivocatedLog])


async def lending(bench: Bench) -> None:
    """Two loans on provisional answers, one of which is never proven; the other examples are deployed."""
    own = bytes(12) + to_bytes(bench.operator.address)
    common = (bench.hub.address, keccak(MANIFEST), SIGNED, own, 10**17)
    pool = await bench.create("InstantLoan", *common, 60)
    await bench.create("CreditLimit", *common, 60, 60)
    await bench.create("RiskReader", *common)
    await bench.send(bench.owner, Call(pool, b"", 10 * FEE))
    features = [i * 10**17 + 1 for i in range(1, 6)]

    async def step(call: Call, name: str, kind: type) -> None:
        receipt = await bench.send(bench.relayer, call, f"examples.instantLoan.{name}")
        logged = [type(log) for log in receipt_logs(receipt, bench.hub.address)]
        if logged != [kind]:
            raise WrongMeasurement(f"examples.instantLoan.{name} logged {logged}")

    async def lent() -> Fulfilment:
        ask = bench.call("InstantLoan", "ask", FEE, features, NATIVE, value=FEE)
        terms = await bench.ask(ask, "examples.instantLoan.ask")
        item = bench.answer(terms, (5 * 10**16).to_bytes(32, "big"))
        deliver = bench.hub.deliver(terms, item.operator, item.output, item.seal[4:])
        await step(deliver, "deliver", DeliveredLog)
        draw = bench.call("InstantLoan", "draw", terms.id(CHAIN_ID, bench.hub.address))
        await bench.send(bench.owner, draw, "examples.instantLoan.draw")
        return item

    lost, item = await lent(), await lent()
    settle = bench.hub.settle(item.request, item.operator, item.output, item.seal)
    await step(settle, "settle", SettledLog)
    late = (await bench.hub.gap_of(lost.request)).prove_by + 1
    await bench.rpc.call("evm_setNextBlockTimestamp", late)
    reject = bench.hub.reject(lost.request, lost.operator, keccak(lost.output))
    await step(reject, "reject", RejectedLog)
    await bench.send(bench.stranger, bench.call("InstantLoan", "collect"), "examples.instantLoan.collect")
