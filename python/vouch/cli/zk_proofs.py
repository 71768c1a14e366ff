"""Two scenes of `vouch demo --zk`: a proof that comes later, and one that comes with the answer."""

import time
from dataclasses import dataclass

import numpy as np

from vouch.circuit.codec import run_bytes
from vouch.cli import instant_loan, loan
from vouch.cli.console import duration, wei
from vouch.cli.devnet import RISK
from vouch.cli.gap_net import PROVE_WITHIN, within
from vouch.cli.gap_stage import AMOUNT, Stage, risk
from vouch.cli.records import finished_record
from vouch.cli.zk_models import MAX_ERROR
from vouch.cli.zk_net import ZkNet
from vouch.cli.zk_seen import hooks
from vouch.client import Answer
from vouch.protocol.status import Status
from vouch.protocol.zk import Circuit, ZkSeal

FEATURES = np.array([[62, 0.31, 1.4, 1, 7]], np.float32)
"""A loan that the model finds safe: a default probability of 14 %."""
SAFE = 1
"""Its number at RiskGate."""


@dataclass(frozen=True, slots=True)
class Proven:
    """The answers of both scenes, which are to the same question."""

    later: Answer
    together: Answer


async def proven(stage: Stage[ZkNet]) -> Proven:
    """Plays both."""
    return Proven(await _later(stage), await _together(stage))


async def _later(stage: Stage[ZkNet]) -> Answer:
    """Delivered and acted on at once, settled when its proof is made."""
    net = stage.net
    async with stage.scene(
        "2. The answer now, its proof later",
        f"InstantLoan asks about a loan of {wei(AMOUNT)} on the route ZKUH, and acts on what the operator",
        f"says: that much of its stake insures it until the proof is there ({PROVE_WITHIN} s at the most).",
    ) as money:
        operator, model = net.net.accounts["operator"].address, net.manifest(RISK)
        gas = instant_loan.CALLBACKS * instant_loan.CALLBACK_GAS
        fee = await net.nodes.quote(operator, model.model_id, gas)
        ask = net.pool.ask(AMOUNT, loan.words(model, FEATURES), operator, fee)
        asked = await loan.send(net.net, ask)
        stage.step(f"asked: request 0x{asked.id.hex()[:16]}…, fee {wei(fee)}")
        answer = await within(net.client.wait(asked.id), "the operator's answer")
        delivered = time.monotonic()
        stage.step(
            f"[yellow]delivered[/] {_since(asked)} after the question, signed by the operator alone: a risk "
            f"of {risk(model, answer.output_bytes):.0%}; {wei(AMOUNT)} of its stake insure it"
        )
        await net.sender("user").transact(net.pool.draw(asked.id))
        stage.step(f"the borrower draws the {wei(AMOUNT)}; the prover, a process of its own, makes the proof")
        final = await within(answer.settled(), "the settlement with a proof")
        took = time.monotonic() - delivered
        assert final.gap is not None, "it was delivered before it was proven"
        called = await hooks(net.net.rpc, net.pool.address, final.deliver_tx, final.settle_tx)
        stage.step(
            f"[green]settled[/] {_since(asked)} after the question, {duration(took)} after the delivery: the "
            "chain has checked the proof"
        )
        await show_proof(stage, final)
        before = await net.hub.status_of(asked.id, block=called[-1].block - 1)
        gap = await net.hub.gap_of(answer.request, block=called[0].block)
        lent = await net.pool.loan(asked.id)
        stage.step(
            f"InstantLoan was called back: {', then '.join(hook.name for hook in called)}; the loan is "
            f"{lent.stage.name.lower()}, the stake free again"
        )
    truth = run_bytes(net.circuits[RISK].files.model, final.asked.input)
    far = abs(risk(model, truth) - risk(model, loan.directly(model, FEATURES)))
    stage.check("2: the proven output is bit for bit the whole-number model's", final.output_bytes == truth)
    stage.check(
        f"2: and {far:.0e} from what onnxruntime gives, where {MAX_ERROR:g} was allowed",
        far <= MAX_ERROR,
    )
    stage.check(
        "2: InstantLoan had the answer, insured, while the proof was still to come, and was called twice",
        [hook.name for hook in called] == ["_onProvisional", "_onSettled"]
        and called[0].block < called[1].block
        and (before, gap.insured) == (Status.DELIVERED, AMOUNT)
        and (lent.stage, lent.drawn) == (instant_loan.Stage.FINAL, True),
    )
    stage.check(
        "2: settled with a proof: assurance is Proven",
        final.proven and (final.level, final.status) == ("Proven", Status.SETTLED),
    )
    stage.check(
        "2: the operator earned the fee, the borrower has the loan; nobody else gained or lost a wei",
        money.gains == {"borrower": AMOUNT - asked.fee, "pool": -AMOUNT, "operator": asked.fee},
    )
    return final


async def _together(stage: Stage[ZkNet]) -> Answer:
    """Nothing before the proof: one transaction brings both."""
    net = stage.net
    async with stage.scene(
        "3. Nothing before the proof",
        "RiskGate asks the same, with the gate OnSettlement and no gap in its terms: it hears nothing until",
        "the proof is there. No stake is locked, since nobody acts on anything unproven.",
    ) as money:
        asked = await loan.ask(net.net, SAFE, FEATURES)
        stage.step(f"asked: request 0x{asked.id.hex()[:16]}…, fee {wei(asked.fee)}")
        final = await within(net.client.wait(asked.id), "the answer with its proof")
        assert final.settle_tx is not None, "no gap was allowed"
        gate = net.net.deployment.examples["RiskGate"]
        called = await hooks(net.net.rpc, gate, final.deliver_tx, final.settle_tx)
        record = await finished_record(net.net.relayer_db, asked.id)
        before = await net.hub.status_of(asked.id, block=called[0].block - 1)
        stage.step(f"up to the very last block the hub said: {before.name.lower()}; the relayer noted:")
        stage.quote(next((step.reason for step in record.steps if "proof" in step.reason), ""))
        stage.step(
            f"[green]settled[/] {_since(asked)} after the question: output and proof in one transaction"
        )
        await show_proof(stage, final)
        decision = await loan.decision(net.net, SAFE)
        stage.step(
            f"RiskGate was called back: {', '.join(hook.name for hook in called)}; the loan is "
            f"{'approved' if decision.approved else 'refused'}"
        )
    stage.check(
        "3: RiskGate heard nothing before the proof, and then all in one transaction",
        (final.deliver_tx, final.gap, before) == (None, None, Status.REQUESTED)
        and [hook.name for hook in called] == ["_onSettled"]
        and final.proven
        and decision.approved,
    )
    stage.check(
        "3: the operator earned the fee, and no stake was ever locked",
        money.gains == {"borrower": -asked.fee, "operator": asked.fee}
        and final.request.exposure + final.request.bond == 0,
    )
    return final


async def show_proof(stage: Stage[ZkNet], answer: Answer) -> None:
    """What the proof took, and what it is."""
    took = await stage.net.prover.get(stage.net.task(answer).id)
    seal = sealed(answer, stage.net.circuit(answer.asked.manifest.name))
    gas = answer.gas.settle or 0
    stage.step(
        f"the proof took [bold]{took.cpu_seconds:.2f} s of CPU[/] and {took.peak_bytes / 1e6:.0f} MB; it has "
        f"[bold]{len(seal.proof):,} bytes[/], its transaction cost [bold]{gas:,} gas[/]"
    )
    if answer.gap is not None:
        stage.step(f"a trust gap of {answer.gap.seconds} s by the blocks' clocks")


def sealed(answer: Answer, circuit: Circuit) -> ZkSeal:
    """The seal of a settled answer, in parts."""
    assert answer.seal is not None, "the relayer sends its transactions to the hub itself"
    return ZkSeal.parse(answer.seal, circuit)


def _since(asked: loan.Asked) -> str:
    return duration((time.time_ns() - asked.started) / 1e9)
