"""vouch demo --zk: a model becomes a circuit, and its answers are proven."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from vouch.cli import zk_models
from vouch.cli.console import duration, out
from vouch.cli.gap_stage import Stage
from vouch.cli.screen import progress, report
from vouch.cli.zk_demand import on_demand
from vouch.cli.zk_lie import lie
from vouch.cli.zk_net import ZkNet, zk_net
from vouch.cli.zk_proofs import proven
from vouch.prover.audit import on_chain
from vouch.prover.publish import DEV_NAME
from vouch.prover.srs import DEV


async def run() -> None:
    """Plays it on a chain of its own. Raises Failed unless everything is as it should be, and without the
    programs of the zk route."""
    began = time.monotonic()
    step = progress(began)
    tools = zk_models.tools()
    with TemporaryDirectory(prefix="vouch-demo-") as folder:
        place = Path(folder)
        out.print("[bold]1. ONNX models become circuits[/]")
        out.print("  Nothing is prepared: what you see is `vouch zk compile` and `vouch zk publish`.")
        out.print(
            "  [bold red]INSECURE:[/] the reference string is [bold]dev-srs[/], whose secret everybody "
            "knows: anyone can forge these\n  proofs. It needs no network, and `vouch zk publish` takes it "
            "only to deployments whose name says dev."
        )
        circuits = await zk_models.compiled(place, tools, step)
        out.print()
        out.print(zk_models.table(circuits))
        out.print(
            "[dim]error: of the whole-number model, which the node serves and the circuit proves, against "
            f"onnxruntime,\non {zk_models.ROWS:,} rows; half of them chose the fixed point[/]\n"
        )
        async with zk_net(place, circuits, step) as net:
            out.print(f"  ready after {duration(time.monotonic() - began)}")
            stage = Stage[ZkNet](net, step)
            await _check_circuits(stage)
            answers = await proven(stage)
            await on_demand(stage)
            await lie(stage, answers)
    report(stage.checks)
    out.print(
        "\n[bold]Next[/]\n"
        "  docs/zk.md                      what a proof tells, what it does not, and the way of your model\n"
        "  vouch zk compile --help         a circuit and a verifier contract of an ONNX file\n"
        "  docs/zk-gallery.md              models, how right they are, and what each proof costs"
    )
    out.print(f"\n[green]demo complete[/] in {duration(time.monotonic() - began)}")


async def _check_circuits(stage: Stage[ZkNet]) -> None:
    """What the chain has of the circuits, and over which string."""
    net = stage.net
    findings = [
        finding
        for each in net.circuits.values()
        for finding in await on_chain(net.net.rpc, net.net.deployment, each.files)
    ]
    stage.check(
        "1: on the chain are just these manifests, verifiers and bindings, as `vouch zk check` sees them",
        len(findings) > 0 and all(finding.good for finding in findings),
    )
    stage.check(
        f"1: the error is below {zk_models.MAX_ERROR:g} on all rows",
        all(each.made.report.max_error < zk_models.MAX_ERROR for each in net.circuits.values()),
    )
    stage.check(
        "1: they are over dev-srs, and say so; the deployment's name says dev",
        all(each.files.srs == DEV for each in net.circuits.values()) and DEV_NAME in net.net.deployment.name,
    )
