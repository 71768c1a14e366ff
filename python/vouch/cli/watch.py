"""vouch watch: run the models again, and challenge what differs."""

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli.beliefs import Quorum, Trust
from vouch.cli.console import out
from vouch.cli.keys import load_key
from vouch.cli.options import Wei, asynchronous, deployments_option, key_option, rpc_option
from vouch.cli.service_options import (
    database_option,
    max_fee_option,
    onnx_option,
    start_options,
    status_options,
    text_option,
    ws_option,
)

if TYPE_CHECKING:
    from vouch.watcher.config import Believed, Budget, Models
    from vouch.watcher.finding import Finding

DATABASE = Path(".vouch/watch.sqlite")
STYLES = {
    "same": "green",
    "close": "yellow",
    "different": "bold red",
    "challenge": "bold magenta",
    "report": "bold magenta",
    "won": "bold green",
    "lost": "bold red",
    "trouble": "red",
}


@click.command(
    "watch",
    epilog="""
\b
Examples:
  vouch watch --onnx risk.onnx --dry-run              judge and say what would be done: no key, no money
  vouch watch --models ./models --key-file watcher.json --quorum 2:0xA...,0xB...,0xC...
  vouch watch --onnx risk.onnx --key-file watcher.json --quorum 2:0xA...,0xB...,0xC... \\
              --max-bond 0.05ether --max-at-risk 0.5ether --ask-nodes --status-port 8702

\b
Money: a challenge puts up the bond of the terms. If no proof comes, you get it back, and as much again from
the operator's stake; if one comes, it is the operator's. A "proof" that the operator can make itself proves
nothing and would keep your bond: only terms whose quorum (or other trust) you name are challenged, never
those on the route SIGN. What was lost counts towards --max-at-risk for ever, and after a lost challenge about
a model there are no more of them. Winnings are credit in the hub: vouch operator withdraw.
""",
)
@rpc_option
@ws_option
@deployments_option
@key_option
@onnx_option("An ONNX file to judge with; repeat for several.")
@click.option(
    "--models",
    "folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="DIR",
    help="A folder with .onnx files (and manifests, .json, of models that are not published).",
)
@text_option("A deterministic text model of the OpenAI-compatible server at URL (its key in OPENAI_API_KEY).")
@click.option(
    "--quorum",
    "quorums",
    type=Quorum(),
    multiple=True,
    metavar="M:ADDRESS,...",
    help="Challenge where these decide, M of them: you trust that they sign no lie.",
)
@click.option(
    "--believe",
    "trusts",
    type=Trust(),
    multiple=True,
    metavar="TRUST|any",
    help="The same for any other trust of the terms, 32 bytes of hex. 'any' hands your bonds to liars.",
)
@click.option(
    "--max-bond",
    type=Wei(),
    default="0.01ether",
    show_default=True,
    help="Most to put up for one request, native token.",
)
@click.option(
    "--max-at-risk",
    type=Wei(),
    default="0.1ether",
    show_default=True,
    help="Most for all open challenges together, and for what was lost by earlier ones.",
)
@click.option(
    "--token",
    "tokens",
    type=(str, click.IntRange(0), click.IntRange(0)),
    multiple=True,
    metavar="ADDRESS MAX_BOND MAX_AT_RISK",
    help="The same in an ERC-20 token, in its units; bonds are paid from credit in the hub.",
)
@max_fee_option
@click.option(
    "--slack",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Relative difference of tensors that is told and not challenged, if you run other hardware than the "
    "nodes and would rather be silent: a lie inside of it goes unchallenged. Only for models whose manifest "
    "states no tolerance; one that is stated decides alone.",
)
@click.option(
    "--settle", is_flag=True, help="Also settle what nobody challenged; costs gas and brings nothing."
)
@click.option(
    "--principled",
    is_flag=True,
    help="Challenge, reject and report even where the reward does not cover the gas. Without it, that is "
    "told and left to others.",
)
@click.option(
    "--ask-nodes",
    is_flag=True,
    help="After each delivery, ask the operator's registered node the same question: another signed answer "
    "is proof of fraud. Sends HTTP requests to addresses that operators choose.",
)
@click.option("--dry-run", is_flag=True, help="Judge and say what would be done; send nothing.")
@database_option(
    DATABASE, "SQLite file: signed outputs that were seen, own transactions, lost bonds, and where to go on."
)
@start_options("--from-block", "delivery")
@click.option(
    "--concurrency", type=click.IntRange(1), default=2, show_default=True, help="Models that run at a time."
)
@status_options
@asynchronous
async def command(
    rpc: str,
    ws: str | None,
    deployments: Path,
    key_file: Path | None,
    onnx_models: tuple[tuple[str | None, str], ...],
    folders: tuple[Path, ...],
    text_models: tuple[tuple[Path, str], ...],
    quorums: tuple[bytes, ...],
    trusts: tuple[bytes, ...],
    max_bond: int,
    max_at_risk: int,
    tokens: tuple[tuple[str, int, int], ...],
    max_fee: int,
    slack: float,
    settle: bool,
    principled: bool,
    ask_nodes: bool,
    dry_run: bool,
    database: Path,
    from_block: int | None,
    confirmations: int,
    concurrency: int,
    status_port: int | None,
    status_host: str,
) -> None:
    """Run the models again on what operators deliver, and challenge what differs.

    One line for every answer: same, close, different or unjudged, and why. What cannot be judged is never
    challenged. Also rejects proofs that are late, reports operators that signed two answers to one question,
    and gets its bonds back.
    """
    from vouch.chain.deployment import load
    from vouch.chain.rpc import Rpc
    from vouch.watcher.config import WatchConfig
    from vouch.watcher.service import serve

    models = _models(onnx_models, folders, text_models)
    key = None if dry_run else load_key(key_file, "to put up bonds with (or say --dry-run)")
    async with Rpc(rpc) as chain:
        deployment = await load(chain, deployments)
    database.parent.mkdir(parents=True, exist_ok=True)
    config = WatchConfig(
        rpc_url=rpc,
        hub=deployment.hub,
        database=database,
        models=models,
        ws_url=ws,
        start_block=deployment.block if from_block is None else from_block,
        confirmations=confirmations,
        budgets=_budgets(max_bond, max_at_risk, tokens),
        believed=_believed(quorums, trusts),
        max_fee=max_fee,
        slack=slack,
        settle=settle,
        principled=principled,
        ask_nodes=ask_nodes,
        dry_run=dry_run,
        concurrency=concurrency,
        status_host=status_host,
        status_port=status_port,
    )

    def announce(url: str | None) -> None:
        out.print(f"watching hub {deployment.hub} on chain {deployment.chain_id}")
        out.print(
            f"  {'dry run, nothing is sent' if key is None else f'putting up bonds from {key.address}'}"
        )
        if not config.believed.trusts and not config.believed.anyone:
            out.print(
                "  [yellow]nothing is challenged[/]: name whose proofs you believe with --quorum or --believe"
            )
        out.print(f"  status {url or 'not served (--status-port)'}")

    await serve(config, key, _print, ready=announce)


def _models(
    onnx: tuple[tuple[str | None, str], ...], folders: tuple[Path, ...], texts: tuple[tuple[Path, str], ...]
) -> "Models":
    from vouch.watcher.config import Models

    files = [(name, Path(path)) for name, path in onnx]
    manifests: list[Path] = []
    for folder in folders:
        found = sorted(folder.glob("*.onnx"))
        manifests += sorted(folder.glob("*.json"))
        if not found:
            raise click.UsageError(f"the folder {folder} has no .onnx file")
        files += [(None, path) for path in found]
    if not files and not texts:
        raise click.UsageError(
            "no model to judge with: give --onnx FILE, --models DIR, or --text MANIFEST URL"
        )
    api_key = os.environ.get("OPENAI_API_KEY")
    return Models(tuple(files), tuple(manifests), texts, api_key)


def _budgets(
    max_bond: int, max_at_risk: int, tokens: tuple[tuple[str, int, int], ...]
) -> "dict[str, Budget]":
    from vouch.chain.hexes import checksum
    from vouch.protocol.request import NATIVE
    from vouch.watcher.config import Budget

    budgets = {NATIVE: Budget(max_bond, max_at_risk)}
    for address, bond, total in tokens:
        try:
            budgets[checksum(address)] = Budget(bond, total)
        except ValueError as bad:
            raise click.UsageError(f"--token {address!r} is no address") from bad
    return budgets


def _believed(quorums: tuple[bytes, ...], trusts: tuple[bytes, ...]) -> "Believed":
    from vouch.watcher.config import Believed

    named = frozenset(trust for trust in (*quorums, *trusts) if trust)
    return Believed(named, anyone=b"" in trusts)


def _print(finding: "Finding") -> None:
    from rich.text import Text

    line = Text(f"{dt.datetime.now(dt.UTC):%H:%M:%S} ", style="dim")
    line.append(f"{finding.kind.value:10}", style=STYLES.get(finding.kind.value, ""))
    line.append(f"0x{finding.request.hex()} ", style="dim")
    line.append(finding.text)
    out.print(line)
