"""A scene of `vouch demo --zk`: a proof that is made because somebody demands it."""

import numpy as np

from vouch.cli import loan
from vouch.cli.console import wei
from vouch.cli.gap_lie import WINDOW
from vouch.cli.gap_net import PROVE_WITHIN, until, within
from vouch.cli.gap_stage import AMOUNT, BOND, Stage, risk
from vouch.cli.records import Record, read_record
from vouch.cli.zk_models import LARGE
from vouch.cli.zk_net import CHALLENGER, ZkNet
from vouch.cli.zk_proofs import show_proof
from vouch.client import Answer
from vouch.client.terms import Prepared
from vouch.protocol.status import Status
from vouch.protocol.zk import ZK
from vouch.relayer.job import JobStatus

FEATURES = np.array([[48, 0.42, 1.2, 2, 6, 1.5, 0.6, 1, 4, 3]], np.float32)
"""Those of RISK, and five more."""


async def on_demand(stage: Stage[ZkNet]) -> None:
    """An answer with a window: delivered and not proven, until a challenger puts up the bond."""
    net = stage.net
    async with stage.scene(
        "4. A proof on demand",
        f"The borrower asks the model of {net.circuits[LARGE].parameters:,} parameters. The terms have a",
        f"window: no proof is due unless somebody demands it within {WINDOW} s, with a bond of {wei(BOND)}.",
    ) as money:
        prepared = await _question(net)
        asked = await loan.send(net.net, net.hub.request(prepared.request, prepared.input))
        stage.step(f"asked: request 0x{asked.id.hex()[:16]}…, fee {wei(asked.fee)}")
        answer = await within(net.client.wait(asked.id), "the operator's answer")
        record = await _waiting(net, answer)
        task = net.task(answer)
        asked_before = await net.knows(task)
        says = risk(prepared.manifest, answer.output_bytes)
        stage.step(
            f"[yellow]delivered[/], not proven: a risk of {says:.0%}; the relayer waits, and the prover has "
            "heard nothing:"
        )
        stage.quote(record.job.reason)
        challenge = net.hub.challenge(answer.request, answer.operator, answer.claim.output_hash)
        receipt = await net.sender(CHALLENGER).transact(challenge)
        stage.step(
            f"[yellow]challenged[/]: somebody puts up {wei(BOND)} to see the proof ({receipt.gas_used:,} gas)"
        )
        final = await within(answer.settled(), "the settlement with the proof that was demanded")
        stage.step("[green]settled[/]: only now the proof was made, and the chain has checked it")
        await show_proof(stage, final)
        stage.step("the challenger was wrong, and its bond is the operator's")
    stage.check(
        "4: nobody asked the prover for anything before the challenge",
        not asked_before and record.job.status is JobStatus.DELIVERED and await net.knows(task),
    )
    stage.check(
        "4: challenged, then settled with a proof",
        final.proven
        and (answer.status, final.status) == (Status.DELIVERED, Status.SETTLED)
        and final.gap is not None
        and final.gap.challenger == net.parties[CHALLENGER],
    )
    stage.check(
        "4: the challenger's bond and the fee went to the operator, to the wei",
        money.gains == {"borrower": -asked.fee, "operator": asked.fee + BOND, "challenger": -BOND},
    )


async def _question(net: ZkNet) -> Prepared:
    """The borrower's own, without a contract in between. Raises as Client.prepare."""
    return await net.client.prepare(
        net.manifest(LARGE).model_id,
        {"x": FEATURES},
        net.net.accounts["user"].address,
        operator=net.net.accounts["operator"].address,
        route=ZK,
        trust=net.circuit(LARGE).id,
        window=WINDOW,
        prove_within=PROVE_WITHIN,
        exposure=AMOUNT,
        bond=BOND,
    )


async def _waiting(net: ZkNet, answer: Answer) -> Record:
    """The relayer's record once it has read its own delivery. Raises Overdue."""
    found: list[Record] = []

    async def there() -> bool:
        record = read_record(net.net.relayer_db, answer.id)
        if record is None or record.job.status is not JobStatus.DELIVERED:
            return False
        found[:] = [record]
        return "window" in record.job.reason

    await until(there, "the relayer reads its delivery, and waits for the window's end")
    return found[0]
