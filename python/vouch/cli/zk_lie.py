"""The last scene of `vouch demo --zk`: what a liar with a real proof tries, and what the contracts say."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Call
from vouch.circuit.codec import run_bytes
from vouch.cli import loan
from vouch.cli.console import wei
from vouch.cli.devnet import RISK, max_risk
from vouch.cli.gap_stage import Stage, risk
from vouch.cli.zk_net import LIAR, ZkNet
from vouch.cli.zk_proofs import Proven
from vouch.cli.zk_seen import hooks, refusal
from vouch.client.answer import Answer, Asked
from vouch.protocol.manifest import Manifest
from vouch.protocol.seal import Seal
from vouch.protocol.status import Status
from vouch.protocol.zk import Circuit, ZkSeal
from vouch.prover.service.client import Item, ProverRefused

FEATURES = np.array([[24, 0.55, 0.7, 4, 1]], np.float32)
"""A loan that the model finds reckless: a default probability of 95 %."""
RECKLESS = 2
"""Its number at RiskGate."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is presented to the hub, right after a block (None: now), and the error that has to answer it."""

    what: str
    call: Call
    block: int | None
    expected: str


async def lie(stage: Stage[ZkNet], before: Proven) -> None:
    """A proof of the truth, presented with everything else that a liar would like it to prove."""
    net, gate = stage.net, stage.net.net.deployment.examples["RiskGate"]
    async with stage.scene(
        "5. A lie",
        "The borrower asks RiskGate about a reckless loan, and names another operator, a liar. Its answer",
        "has to come with a proof, and that is all that counts: no stake, no signature, no name.",
    ) as money:
        asked, manifest = await _ask(net), net.manifest(RISK)
        stage.step(f"asked: request 0x{asked.id.hex()[:16]}…, fee {wei(asked.request.fee)}")
        truth, lies = run_bytes(net.circuits[RISK].files.model, asked.input), before.later.output_bytes
        liar = net.parties[LIAR]
        refused = await _refused_to_prove(net, manifest, Item(asked.id, asked.input, lies))
        stage.step(
            f"the model says [red]{risk(manifest, truth):.0%}[/]; the liar would rather say "
            f"{risk(manifest, lies):.0%}, as of the safe loan, and asks the prover to prove that:"
        )
        stage.quote(refused)
        seal = await net.prove(net.task_of(manifest, liar, Item(asked.id, asked.input, truth)))
        stage.step("so it has a real proof made, of the true output; what the hub says to it:")
        refusals = []
        for attempt in _attempts(net, asked, seal, lies, before):
            said = await refusal(net.net.rpc, attempt.call, liar, attempt.block)
            verdict = "[red]taken[/]" if said is None else "[green]refused[/]"
            stage.step(f"  {attempt.what}: {verdict}")
            stage.quote("it is proven, then" if said is None else str(said))
            refusals.append((attempt.expected, "" if said is None else said.error.name))
        own, untouched = await _own_seal(net, before.together), await net.hub.status_of(asked.id)
        receipt = await net.sender(LIAR).transact(net.hub.fulfil(asked.request, liar, truth, seal))
        called, decision = (
            await hooks(net.net.rpc, gate, receipt.tx_hash),
            await loan.decision(net.net, RECKLESS),
        )
        stage.step(
            f"[green]settled[/] with the truth and the same proof ({receipt.gas_used:,} gas): RiskGate was "
            f"called back, {', '.join(hook.name for hook in called)}; the loan is "
            f"{'approved' if decision.approved else 'refused'}"
        )
    stage.check(
        "5: RiskGate would have granted the loan on the lie, and does not on the truth",
        int.from_bytes(lies, "big") <= max_risk(manifest) < int.from_bytes(truth, "big") == decision.risk
        and (decision.decided, decision.approved) == (True, False),
    )
    stage.check("5: the prover service makes no proof of a lie", refused.startswith("OutputMismatch: "))
    stage.check(
        "5: each lie was refused by the contracts, with the error that says why",
        len(refusals) == 4 and all(expected == name for expected, name in refusals),
    )
    stage.check(
        "5: where scene 2's seal was refused for the request of scene 3, that of scene 3 is taken",
        own is None,
    )
    stage.check(
        "5: the lies left the request as it was, and the same proof is good for the truth",
        (untouched, await net.hub.status_of(asked.id)) == (Status.REQUESTED, Status.SETTLED)
        and (await net.hub.assurance_of(asked.id)).proven,
    )
    stage.check(
        "5: the fee is the liar's, who has told the truth after all",
        money.gains == {"borrower": -asked.request.fee, "liar": asked.request.fee},
    )


async def _ask(net: ZkNet) -> Asked:
    """RiskGate's question to the liar. Raises as TxSender.transact."""
    asked = await loan.ask(net.net, RECKLESS, FEATURES, operator=LIAR)
    return await net.client.find(asked.id)


async def _refused_to_prove(net: ZkNet, manifest: Manifest, item: Item) -> str:
    """What the prover service says to a false output."""
    try:
        await net.prover.submit(net.task_of(manifest, net.parties[LIAR], item))
    except ProverRefused as refused:
        return f"{refused.name}: {refused.message}"
    return "it is being proven"


def _attempts(net: ZkNet, asked: Asked, seal: bytes, lies: bytes, before: Proven) -> Iterator[Attempt]:
    liar, terms, circuit = net.parties[LIAR], asked.request, net.circuit(RISK)
    yield Attempt(
        "the lie, with the proof as it is",
        net.hub.fulfil(terms, liar, lies, seal),
        None,
        "OutputMismatch",
    )
    yield Attempt(
        "the lie, written over the truth in the seal",
        net.hub.fulfil(terms, liar, lies, rewritten(seal, circuit, lies)),
        None,
        "SumcheckFailed",
    )
    yield Attempt(
        "the seal of scene 2, a good proof of just this output",
        net.hub.fulfil(terms, liar, lies, bytes(before.later.seal or b"")),
        None,
        "InputMismatch",
    )
    copied = before.together
    yield Attempt(
        "the seal of scene 2 for the request of scene 3, which asks the same of the same operator",
        net.hub.fulfil(copied.request, copied.operator, copied.output_bytes, bytes(before.later.seal or b"")),
        copied.asked.block,
        "SumcheckFailed",
    )


async def _own_seal(net: ZkNet, answer: Answer) -> Reverted | None:
    """What the hub says to an answer's own seal, right after it was asked for. Raises as `refusal`."""
    call = net.hub.fulfil(answer.request, answer.operator, answer.output_bytes, bytes(answer.seal or b""))
    return await refusal(net.net.rpc, call, answer.operator, answer.asked.block)


def rewritten(seal: bytes, circuit: Circuit, output: bytes) -> bytes:
    """The seal, with another output in the place of its own."""
    parts = ZkSeal.parse(Seal(seal[:4], seal[4:]), circuit)
    row = replace(parts.row, output=circuit.output.words(output))
    return bytes(replace(parts, row=row).seal)
