"""Two scenes of `vouch demo --gap`: a proof that comes, and one that does not."""

import asyncio
import time

import numpy as np

from vouch.cli import instant_loan, loan
from vouch.cli.console import duration, wei
from vouch.cli.devnet import RISK
from vouch.cli.gap_net import COSIGNERS, PROVE_WITHIN, WATCHER, GapNet, within
from vouch.cli.gap_stage import AMOUNT, BOND, Stage, risk
from vouch.client import Answer
from vouch.client.errors import RequestRejected
from vouch.protocol.errors import VouchError
from vouch.protocol.quorum import QuorumSeal
from vouch.protocol.status import Status

FEATURES = np.array([62, 0.31, 1.4, 1, 7], np.float32)
"""A loan that the model finds safe: a default probability of 14 %."""
PAUSE = 2.0
"""Seconds for which the co-signers are held up in the first scene, so that there is a gap to look at."""


class SettledAnyway(VouchError):
    """The hub takes for final what nobody has proven."""

    def __init__(self) -> None:
        super().__init__("an answer was settled whose proof never came")


async def honest(stage: Stage[GapNet]) -> None:
    """Delivered and acted on at once, settled when the quorum has signed."""
    net = stage.net
    async with stage.scene(
        "1. The proof comes later",
        f"InstantLoan asks about a loan of {wei(AMOUNT)} on the route QRUM, and acts on what the operator",
        f"says: that much of its stake insures it, until 2 of 3 have signed ({PROVE_WITHIN} s at the most).",
    ) as money:
        for line in net.lines:
            line.hold()
        stage.step(f"the lines to the co-signing nodes are held up for {PAUSE:g} s: a gap to look at")
        asked, answer = await _lent(stage)
        stake, gap = await net.nodes.stake_of(answer.operator), await net.hub.gap_of(answer.request)
        stage.step("the watcher runs the model as well:")
        stage.quote(await net.watcher_says("same", asked.id))
        await asyncio.sleep(PAUSE)
        for line in net.lines:
            line.release()
        stage.step("the lines are free: the co-signing nodes run the model, agree, and sign")
        final = await within(answer.settled(), "the settlement, with a quorum's seal")
        assert final.gap is not None, "it was delivered before it was proven"
        assert final.seal is not None, "the relayer sends its transactions to the hub itself"
        seal, lent = QuorumSeal.parse(final.seal), await net.pool.loan(asked.id)
        stage.step(
            f"[green]settled[/] {_since(asked)} after the question, proven by {len(seal.signatures)} of "
            f"{len(seal.policy.signers)}: [bold]a trust gap of {final.gap.seconds} s[/], insured all along"
        )
        stage.step(f"InstantLoan was called back: {lent.stage.name.lower()}; the stake is free again")
    truth = loan.directly(net.net.models[RISK], FEATURES)
    stage.check("1: the output is bit for bit what onnxruntime gives", final.output_bytes == truth)
    stage.check(
        "1: the loan was paid out before the proof was there, insured to the wei",
        lent.drawn
        and (answer.status, gap.insured, stake.exposed) == (Status.DELIVERED, AMOUNT, AMOUNT + BOND)
        and final.gap.seconds > 0,
    )
    stage.check(
        "1: settled with the signatures of 2 of the 3, and InstantLoan knows",
        final.proven and seal.policy == net.net.quorum and lent.stage is instant_loan.Stage.FINAL,
    )
    stage.check(
        "1: the operator earned the fee, the borrower has the loan; nobody else gained or lost a wei",
        money.gains == {"borrower": AMOUNT - asked.fee, "pool": -AMOUNT, "operator": asked.fee},
    )


async def unproven(stage: Stage[GapNet]) -> None:
    """Delivered and acted on, but the quorum is gone: the deadline passes."""
    net = stage.net
    async with stage.scene(
        "2. The proof never comes",
        "The same question and the same, right result. But the co-signers are gone, and without a proof",
        "nobody can know that it is right: the terms name what happens then, and anyone may see to it.",
    ) as money:
        for line in net.lines:
            line.hold()
        for name in COSIGNERS:
            await net.net.crew.kill(name)
        stage.step("the co-signing nodes are killed, kill -9; their lines are kept open for now, since")
        stage.step("  a relayer that knew would not put stake at risk: it would bring the proof first")
        asked, answer = await _lent(stage)
        for line in net.lines:
            line.release()
        gap = await net.hub.gap_of(answer.request)
        skipped = await net.move_clock(gap.prove_by + 1)
        stage.step(
            f"[yellow]the chain's clock is moved on by {skipped} s[/]: the proof is late by one second"
        )
        end = await _rejection(answer)
        standing, lent = await net.hub.assurance_of(asked.id), await net.pool.loan(asked.id)
        stage.step("[red]rejected[/]: the watcher was first, since that earns the bond")
        stage.quote(await net.watcher_says("reject", asked.id))
        credit = await net.hub.credit_of(net.pool.address)
        stage.step("a client that awaits answer.settled() hears of it:")
        stage.quote(str(end))
        stage.step(f"InstantLoan was called back: {lent.stage.name.lower()}, the loan is due at once")
        lender = net.sender("owner")
        await lender.transact(net.pool.refund(asked.id))
        await lender.transact(net.pool.collect())
        stage.step("the lender makes the pool whole with the exposure, and gives the borrower the fee back")
    stage.check(
        "2: rejected, it is no answer any more, and InstantLoan has called the loan",
        standing.status is Status.REJECTED
        and not standing.callback_failed
        and not await net.hub.is_answer(asked.id, answer.operator, answer.claim.output_hash)
        and lent.stage is instant_loan.Stage.CALLED,
    )
    stage.check(
        "2: fee and exposure were InstantLoan's at once, the bond the watcher's",
        credit == asked.fee + AMOUNT == end.credited
        and (end.beneficiary, end.rewarded) == (net.pool.address, net.parties[WATCHER]),
    )
    stage.check(
        "2: the operator's stake paid for it, to the wei; the pool has lent the loan and lost nothing",
        money.gains == {"borrower": AMOUNT, "operator": -AMOUNT - BOND, "watcher": BOND},
    )


async def _lent(stage: Stage[GapNet]) -> tuple[loan.Asked, Answer]:
    """InstantLoan asks, the result is delivered, and the borrower draws the loan."""
    net = stage.net
    operator, model = net.net.accounts["operator"].address, net.net.models[RISK]
    gas = instant_loan.CALLBACKS * instant_loan.CALLBACK_GAS
    fee = await net.nodes.quote(operator, model.model_id, gas)
    asked = await loan.send(net.net, net.pool.ask(AMOUNT, loan.words(model, FEATURES), operator, fee))
    stage.step(f"asked: request 0x{asked.id.hex()[:16]}…, fee {wei(fee)}")
    answer = await within(net.client.wait(asked.id), "the operator's answer")
    granted = await net.pool.loan(asked.id)
    stage.step(
        f"[yellow]delivered[/] {_since(asked)} after the question, signed by the operator alone: a risk of "
        f"{risk(model, answer.output_bytes):.0%}"
    )
    await net.sender("user").transact(net.pool.draw(asked.id))
    gap = await net.hub.gap_of(answer.request)
    stage.step(
        f"InstantLoan was called back: {granted.stage.name.lower()}; the borrower draws the {wei(AMOUNT)}"
    )
    stage.step(
        f"the hub says: {answer.status.name.lower()}, {wei(gap.insured)} insured, proof due within "
        f"{gap.prove_by - await net.now()} s"
    )
    return asked, answer


async def _rejection(answer: Answer) -> RequestRejected:
    """How the request ended, as a client hears it that waits for the proof."""
    try:
        await within(answer.settled(), "the rejection by the watcher")
    except RequestRejected as rejected:
        return rejected
    raise SettledAnyway


def _since(asked: loan.Asked) -> str:
    return duration((time.time_ns() - asked.started) / 1e9)
