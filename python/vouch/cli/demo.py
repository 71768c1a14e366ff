"""vouch demo: one question, end to end."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from vouch.cli.console import duration, out, wei
from vouch.cli.options import asynchronous

if TYPE_CHECKING:
    from vouch.cli.devnet import Devnet
    from vouch.cli.loan import Asked, Decision
    from vouch.client import Answer

FEATURES = {
    "income": (62.0, "thousand a year"),
    "debt_ratio": (0.31, "of the monthly income"),
    "collateral_ratio": (1.4, "times the loan"),
    "late_payments": (1.0, "in two years"),
    "account_age": (7.0, "years"),
}
LOAN_ID = 1


@click.command(
    "demo",
    epilog="""
\b
What happens:
  1  a fresh local chain, with hub, registries and verifier; a risk model is published; an operator registers
  2  node and relayer start, as the same processes that an operator runs
  3  an account asks the contract RiskGate to decide on a loan with five features
  4  the relayer sees it, the node runs the ONNX model and signs, the relayer sends one transaction
  5  the hub checks the seal, pays the operator and calls RiskGate, which stores the decision
Everything is stopped and removed at the end; `vouch up` leaves it running.

\b
With --gap, on the route of a quorum (the operator and two others with nodes of their own; 2 of 3 must sign):
  1  a result is delivered and acted on at once, insured by the operator's stake; its proof comes later
  2  the same, but the two others are gone: no proof comes in time, and the insurance pays
  3  an operator lies where a proof is due only on demand: `vouch watch` finds out and demands it
Each scene shows who has what before and after. The chain's clock is moved where a deadline has to pass.

\b
With --enclave, on the route of enclaves (a development authority stands in for AWS, the checks are the same):
  1  the node makes a key; its enclave's document says which image it runs, and for which operator
  2  the relayer registers the key: the chain itself checks the document, its certificates and signatures
  3  RiskGate, which trusts that image, asks twice: each seal is checked by one ecrecover

\b
With --zk, on the route of zero-knowledge proofs (over a development string, which is insecure):
  1  two ONNX models become circuits, with a verifier contract each; a service proves what the node answers
  2  an answer is delivered and acted on at once; its proof comes later
  3  another one comes only with its proof
  4  nobody proves a third one, until somebody puts up a bond to see the proof
  5  a liar presents a real proof with another output, and somebody else's: the contracts refuse them
It compiles for real, which takes half a minute. `vouch zk setup --dev-srs` installs what that needs.
""",
)
@click.option(
    "--gap",
    is_flag=True,
    help="Show what happens between an answer and its proof: three scenes, with all money.",
)
@click.option(
    "--enclave",
    is_flag=True,
    help="Show how an enclave's key gets in by its attestation document, and what its seals cost.",
)
@click.option(
    "--zk",
    is_flag=True,
    help="Show how a model becomes a circuit, and its answers proven ones: later, at once, or on demand.",
)
@asynchronous
async def command(gap: bool, enclave: bool, zk: bool) -> None:
    """Ask a real ONNX model one question through a contract on a private chain, and show every step."""
    chosen = [name for name, wanted in (("--gap", gap), ("--enclave", enclave), ("--zk", zk)) if wanted]
    if len(chosen) > 1:
        raise click.UsageError(f"{chosen[0]} and {chosen[1]} are two demos: run one after the other")
    if zk:
        from vouch.cli import zk_demo

        await zk_demo.run()
    elif enclave:
        from vouch.cli import enclave_demo

        await enclave_demo.run()
    elif gap:
        from vouch.cli import gap_demo

        await gap_demo.run()
    else:
        await _one_question()


async def _one_question() -> None:
    import numpy as np

    from vouch.cli import loan
    from vouch.cli.devnet import RISK, Plan, devnet
    from vouch.cli.screen import progress, report

    began = time.monotonic()
    with TemporaryDirectory(prefix="vouch-demo-") as folder:
        plan = Plan(folder=Path(folder), deployments=Path(folder) / "deployments")
        async with devnet(plan, progress(began)) as net:
            out.print(f"  ready after {duration(time.monotonic() - began)}\n")
            features = np.array([value for value, _ in FEATURES.values()], dtype=np.float32)
            out.print("[bold]An account asks RiskGate for a loan decision:[/]")
            for name, (value, unit) in FEATURES.items():
                out.print(f"  {name:17} {value:g} {unit}")
            asked = await loan.ask(net, LOAN_ID, features)
            answer = await loan.answer(net, asked.id)
            received = time.time_ns()
            decision = await loan.decision(net, LOAN_ID)
            direct = loan.directly(net.models[RISK], features)
            await _show_timeline(net, asked, answer, received)
            _show_result(answer, decision)
            await _show_money(net, asked, answer)
            checks = await _checks(net, asked, answer, decision, direct)
    report(checks)
    out.print(
        "\n[bold]Next[/]\n"
        "  vouch demo --gap                what happens while the proof is still to come, or never does\n"
        "  vouch demo --enclave            an enclave's key gets in by its attestation document\n"
        "  vouch demo --zk                 a model becomes a circuit, and its answers are proven\n"
        "  vouch up                        the same, left running, with commands to copy\n"
        "  vouch request --help            ask from the command line; `import vouch` does it from Python\n"
        "  contracts/examples/RiskGate.sol a consumer to copy; it inherits InferenceConsumer\n"
        "  vouch node --help               serve your own .onnx file, or a language model behind vLLM"
    )
    out.print(f"\n[green]demo complete[/] in {duration(time.monotonic() - began)}")


async def _show_timeline(net: "Devnet", asked: "Asked", answer: "Answer", received: int) -> None:
    from vouch.cli.records import finished_record
    from vouch.cli.timeline import Moment, relayed, table

    record = await finished_record(net.relayer_db, answer.id)
    moments = [
        Moment(
            asked.mined,
            "question mined",
            "user",
            "tried first (mistakes get a name, for free)",
            asked.gas,
        ),
        *relayed(record.job, record.steps, answer.gas.fulfil),
        Moment(
            received, "answer read", "client", "polling the hub; output, claim and seal come from the chain"
        ),
    ]
    out.print("\n[bold]What happened[/]")
    out.print(table(asked.started, moments))
    out.print("[dim]Cold times: all was started a moment ago; `scripts/bench latency` has warm ones.[/]")


def _show_result(answer: "Answer", decision: "Decision") -> None:
    from vouch.cli.render import assurance_text

    verdict = "[green]approved[/]" if decision.approved else "[red]refused[/]"
    out.print("\n[bold]The answer[/]")
    out.print(f"  risk of default   {decision.risk / 1e18:.6%}, as the contract stored it: {decision.risk}")
    out.print(f"  loan {LOAN_ID}            {verdict} by RiskGate")
    out.print(
        f"  assurance         [bold]{answer.level}[/] ({assurance_text(answer.assurance)}): the operator's"
    )
    out.print(
        "                    own key stands behind it, with its stake; nothing more is proven on this route"
    )


async def _show_money(net: "Devnet", asked: "Asked", answer: "Answer") -> None:
    from vouch.chain.contracts import Hub
    from vouch.chain.transaction import Receipt

    earned = await Hub(net.rpc, net.deployment.hub).credit_of(answer.operator)
    receipt = Receipt.from_rpc(await net.rpc.call("eth_getTransactionReceipt", answer.fulfil_tx))
    out.print("\n[bold]The money[/]")
    out.print(f"  user              paid the fee of {wei(asked.fee)}")
    out.print(f"  operator          {answer.operator} has {wei(earned)} of credit in the hub")
    out.print(f"  relayer           paid {wei(receipt.gas_used * receipt.gas_price)} for gas")


async def _checks(
    net: "Devnet", asked: "Asked", answer: "Answer", decision: "Decision", direct: bytes
) -> dict[str, bool]:
    """What has to be true at the end, and whether it is."""
    from vouch.chain.contracts import Hub
    from vouch.protocol.status import Status

    earned = await Hub(net.rpc, net.deployment.hub).credit_of(answer.operator)
    stored = int.from_bytes(answer.output_bytes, "big", signed=True)
    return {
        "output is bit for bit what onnxruntime gives when called directly": answer.output_bytes == direct,
        "the seal is the registered operator's signature of this very claim": answer.seal is not None
        and answer.operator == net.accounts["operator"].address,
        "the contract decided, on the number that was delivered": decision.decided
        and decision.risk == stored,
        "the hub settled the request, and the callback worked": answer.status is Status.SETTLED
        and not answer.assurance.callback_failed,
        "assurance is Signed": answer.level == "Signed",
        "the operator has the whole fee": earned == asked.fee,
    }
