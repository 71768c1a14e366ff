"""vouch zk setup | compile | check | publish."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli.console import Failed, out
from vouch.cli.keys import load_key
from vouch.cli.options import Command, account_options, asynchronous, deployments_option

if TYPE_CHECKING:
    from vouch.prover.audit import Finding
    from vouch.prover.srs import ReferenceString
    from vouch.prover.toolchain import Toolchain

GATES = 65_000
"""How large circuits may be unless said otherwise: room for about 150,000 weights."""


@click.group("zk")
def command() -> None:
    """Make models whose answers are proven: circuits out of ONNX files.

    A circuit's id is the trust that a request on the route ZKUH names. docs/zk.md has the whole way.
    """


def home_option(command: Command) -> Command:
    """--home of the toolchain."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="VOUCH_ZK_HOME",
        show_envvar=True,
        help="Folder of the programs and reference strings; default: zk in the user's data folder.",
    )(command)


def dev_srs_option(command: Command) -> Command:
    """--dev-srs instead of the ceremony's string."""
    return click.option(
        "--dev-srs",
        is_flag=True,
        help="INSECURE: a reference string whose secret everybody knows, for tests and without a network.",
    )(command)


def folder_argument(command: Command) -> Command:
    """The circuit folder."""
    return click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))(command)


def say(line: str) -> None:
    """A line of progress."""
    out.print(f"  {line}", markup=False)


@command.command("setup")
@home_option
@dev_srs_option
@click.option(
    "--gates",
    type=click.IntRange(1, 1 << 20),
    default=GATES,
    show_default=True,
    help="How large circuits may be: a weight takes a third of a gate.",
)
@asynchronous
async def setup(home: Path | None, dev_srs: bool, gates: int) -> None:
    """Install the programs that make circuits and proofs, and the reference string.

    Needs npm's registry once. The string is the one of the ceremony "Ignition", fetched from its public
    mirrors and checked against hashes that ship with Vouch. Run it again for larger circuits.
    """
    import asyncio

    from vouch.prover import toolchain

    tools = await asyncio.to_thread(toolchain.install, home, say)
    string = await _string(tools, gates, dev_srs=dev_srs, fetch=True)
    note = " [bold red]INSECURE, for tests only[/]" if dev_srs else ""
    out.print(f"[green]ready[/] in {tools.home}: {string.points:,} points of {string.name}{note}")


async def _string(tools: "Toolchain", gates: int, *, dev_srs: bool, fetch: bool) -> "ReferenceString":
    import asyncio

    from vouch.prover import srs
    from vouch.prover.bb import points_for
    from vouch.prover.ignition import fetch_canonical

    if dev_srs:
        return await asyncio.to_thread(srs.ensure_dev, tools.home, points_for(gates), say)
    if fetch:
        return await fetch_canonical(tools.home, points_for(gates), say)
    return await asyncio.to_thread(srs.open, tools.home, srs.CANONICAL)


@command.command(
    "compile",
    epilog="""
\b
Examples:
  vouch zk compile risk.onnx --data loans.npy -o risk
  vouch zk compile digits.onnx --data images.npy --labels digits.npy -o digits --batch 16
  vouch zk compile risk.onnx --data loans.npy -o risk --secret      weights stay with the operator
""",
)
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Rows of real inputs, as the float model takes them: .npy, or .npz with one array for each input.",
)
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The true class of each row (.npy), for the accuracy before and after.",
)
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--name", help="The model's name in its manifest; default: the file's.")
@click.option("--batch", type=click.IntRange(2, 255), multiple=True, help="Also a circuit for N at once.")
@click.option("--secret", is_flag=True, help="Keep the weights out of everything that is published.")
@click.option(
    "--force", is_flag=True, help="Replace a folder with secret weights: its salt is lost, and its proofs."
)
@click.option("--max-error", type=click.FloatRange(0, min_open=True), default=1e-3, show_default=True)
@click.option(
    "--input-decimals",
    type=click.IntRange(0, 18),
    default=6,
    show_default=True,
    help="Of the words that a request carries: what is rounded away there is part of the error.",
)
@click.option("--output-decimals", type=click.IntRange(0, 18), default=6, show_default=True)
@click.option("--input-bits", type=click.IntRange(1, 64), help="Of an input word; default: from the data.")
@click.option(
    "--gates",
    type=click.IntRange(1, 1 << 20),
    default=GATES,
    show_default=True,
    help="How long a development string has to be.",
)
@home_option
@dev_srs_option
@asynchronous
async def compile_(
    model: Path,
    data: Path,
    labels: Path | None,
    output: Path,
    name: str | None,
    batch: tuple[int, ...],
    secret: bool,
    force: bool,
    max_error: float,
    input_decimals: int,
    output_decimals: int,
    input_bits: int | None,
    gates: int,
    home: Path | None,
    dev_srs: bool,
) -> None:
    """Make a circuit folder of MODEL, an ONNX file.

    The fewest bits that keep the error on the data below --max-error are searched; then the Noir program is
    written and compiled, and the verifier contract made. The folder has everything that `vouch zk publish`,
    `vouch node` and `vouch prover` need.
    """
    import asyncio

    from vouch.cli.zk_words import read_rows, report_lines
    from vouch.prover import toolchain
    from vouch.prover.build import build
    from vouch.prover.files import check_place
    from vouch.prover.lowering.quantise import quantise

    await asyncio.to_thread(check_place, output, force)
    tools = toolchain.find(home)
    string = await _string(tools, gates, dev_srs=dev_srs, fetch=False)
    rows, known = read_rows(data), None if labels is None else read_rows(labels)
    if isinstance(known, dict):
        raise click.UsageError("--labels is one array (.npy), not several")
    say(f"searching the smallest scales on {data.name}")
    made = await asyncio.to_thread(
        quantise,
        model,
        rows,
        max_error=max_error,
        labels=known,
        input_decimals=input_decimals,
        output_decimals=output_decimals,
        input_bits=input_bits,
        secret=secret,
    )
    for line in report_lines(made):
        say(line)
    files = await build(
        made,
        output,
        name=name or model.stem,
        srs=string,
        toolchain=tools,
        batches=(1, *batch),
        secret=secret,
        force=force,
        progress=say,
    )
    out.print(f"[green]compiled[/] into {output}: model id 0x{files.model_id.hex()}")
    for size, built in sorted(files.circuits.items()):
        out.print(f"  for {size:>3} at once: {built.gates:,} gates, circuit id 0x{built.circuit.id.hex()}")


@command.command("check")
@folder_argument
@click.option("--rpc", metavar="URL", envvar="VOUCH_RPC", help="Also look at what this chain has of it.")
@deployments_option
@click.option("--no-rebuild", is_flag=True, help="Do not compile the circuit anew, which takes a while.")
@home_option
@asynchronous
async def check(
    folder: Path, rpc: str | None, deployments: Path, no_rebuild: bool, home: Path | None
) -> None:
    """Whether FOLDER is what it says: built anew from the integer model, and compared with the chain.

    A consumer needs FOLDER's model.circuit and no trust in who made the rest. Where the weights are secret
    only who has the whole FOLDER can check it.
    """
    import asyncio

    from vouch.chain.deployment import load
    from vouch.chain.rpc import Rpc
    from vouch.prover import audit, srs, toolchain
    from vouch.prover.files import CircuitFiles

    files = await asyncio.to_thread(CircuitFiles.load, folder)
    out.print(f"[bold]{files.manifest.name}[/] model id 0x{files.model_id.hex()}")
    findings: list[Finding] = []
    if not no_rebuild:
        tools = toolchain.find(home)
        kind = srs.DEV if files.srs == srs.DEV else srs.CANONICAL
        string = await asyncio.to_thread(srs.open, tools.home, kind)
        findings += await audit.rebuilt(files, srs=string, toolchain=tools, progress=say)
    if rpc is not None:
        async with Rpc(rpc) as chain:
            findings += await audit.on_chain(chain, await load(chain, deployments), files)
    for finding in findings:
        colour, word = ("green", "yes") if finding.good else ("red", "NO ")
        out.print(f"  [{colour}]{word}[/] {finding.what}: {finding.seen}")
    if files.srs == srs.DEV:
        out.print("  [bold red]dev-srs[/]: anyone can forge proofs for this circuit; for tests only")
    if bad := [finding.what for finding in findings if not finding.good]:
        raise Failed(f"not as it should be: {', '.join(bad)}")


@command.command("publish")
@folder_argument
@click.option("--name", help="Name under the publishing account; default: the manifest's.")
@account_options
@asynchronous
async def publish(folder: Path, name: str | None, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Put FOLDER's verifier contracts and manifest on a chain, and bind the circuits to them.

    What is there already is not sent again. Circuits over dev-srs go to deployments only whose name says dev.
    """
    import asyncio

    from vouch.chain.deployment import load
    from vouch.chain.rpc import Rpc
    from vouch.chain.sender import TxSender
    from vouch.prover.files import CircuitFiles
    from vouch.prover.publish import publish as put

    key = load_key(key_file, "to publish with")
    files = await asyncio.to_thread(CircuitFiles.load, folder)
    async with Rpc(rpc) as chain:
        deployment = await load(chain, deployments)
        made = await put(chain, TxSender(chain, key), deployment, files, name=name, progress=say)
    out.print(f"[green]published[/] {name or files.manifest.name!r}, model id 0x{files.model_id.hex()}")
    for each in made:
        out.print(f"  for {each.batch:>3} at once: trust 0x{each.circuit_id.hex()}, verifier {each.verifier}")
