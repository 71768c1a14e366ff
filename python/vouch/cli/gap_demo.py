"""vouch demo --gap: what happens between an answer and its proof."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from vouch.cli.console import duration, out
from vouch.cli.gap_lie import lie
from vouch.cli.gap_net import gap_net
from vouch.cli.gap_proofs import honest, unproven
from vouch.cli.gap_stage import Stage
from vouch.cli.screen import progress, report


async def run() -> None:
    """Plays the three scenes on a chain of their own. Raises Failed unless everything is as it should be."""
    began = time.monotonic()
    step = progress(began)
    with TemporaryDirectory(prefix="vouch-demo-") as folder:
        async with gap_net(Path(folder), step) as net:
            out.print(f"  ready after {duration(time.monotonic() - began)}")
            stage = Stage(net, step)
            for scene in (honest, unproven, lie):
                await scene(stage)
    report(stage.checks)
    out.print(
        "\n[bold]Next[/]\n"
        "  contracts/examples/InstantLoan.sol  acts at once; CreditLimit.sol beside it waits for the end\n"
        "  vouch watch --help                  watch a real chain, and earn bonds\n"
        "  vouch relayer --help                bring quorum seals with your own co-signers"
    )
    out.print(f"\n[green]demo complete[/] in {duration(time.monotonic() - began)}")
