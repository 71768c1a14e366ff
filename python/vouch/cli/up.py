"""vouch up: a devnet that stays."""

import asyncio
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli.console import duration, out
from vouch.cli.options import asynchronous, deployments_option

if TYPE_CHECKING:
    from vouch.cli.devnet import Devnet


@click.command(
    "up",
    epilog="""
\b
Examples:
  vouch up
  vouch up --port 0 --node-port 0 --relayer-port 0       on free ports
  vouch up --block-time 2                                a block every two seconds, as on a real chain
  vouch model describe --openai my-model --name chat -o chat.json
  vouch up --text chat.json http://127.0.0.1:8000        with a language model behind vLLM, and ChatOracle
  vouch up --enclave                                     with the route of enclaves, attested for development
""",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8545, show_default=True, help="Port of the chain."
)
@click.option(
    "--node-port", type=click.IntRange(0, 65535), default=8700, show_default=True, help="Port of the node."
)
@click.option(
    "--relayer-port",
    type=click.IntRange(0, 65535),
    default=8701,
    show_default=True,
    help="Port of the relayer's status.",
)
@click.option(
    "--block-time",
    type=click.FloatRange(0.1),
    help="Seconds between blocks; default: a block per transaction.",
)
@click.option(
    "--text",
    type=(click.Path(exists=True, dir_okay=False, path_type=Path), str),
    metavar="MANIFEST URL",
    help="Serve a text model of an OpenAI-compatible server too.",
)
@click.option(
    "--enclave",
    is_flag=True,
    help="The node seals its answers with the key of a development enclave, and RiskGate asks for that.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".vouch/devnet"),
    show_default=True,
    help="Keys, logs and databases of the devnet; those of an earlier one are replaced.",
)
@deployments_option
@asynchronous
async def command(
    port: int,
    node_port: int,
    relayer_port: int,
    block_time: float | None,
    text: tuple[Path, str] | None,
    enclave: bool,
    folder: Path,
    deployments: Path,
) -> None:
    """Run a whole Vouch on this machine until Ctrl-C: chain, contracts, model, node, relayer, consumers.

    The chain is new each time. The accounts it prints are made for it and worth nothing anywhere else.
    """
    from vouch.cli.devnet import Plan, Text, clean, devnet

    began = time.monotonic()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    plan = Plan(
        folder=folder,
        deployments=deployments,
        rpc_port=port,
        node_port=node_port,
        relayer_port=relayer_port,
        block_time=block_time,
        text=None if text is None else Text(text[0], text[1]),
        enclave=enclave,
    )
    clean(plan.folder)
    async with devnet(
        plan, lambda step: out.print(f"  [dim]{time.monotonic() - began:5.2f} s[/]  {step}")
    ) as net:
        _describe(net, folder, time.monotonic() - began)
        await stop.wait()
        out.print("\nstopping ...")
    out.print("stopped")


def _describe(net: "Devnet", folder: Path, seconds: float) -> None:
    from vouch.chain.abi import function
    from vouch.protocol.request import NATIVE

    out.print(f"\n[bold green]up[/] after {duration(seconds)}; Ctrl-C stops everything\n")
    place = net.deployment
    rows = [
        ("chain", f"{net.anvil.http_url} (id {place.chain_id}), {net.anvil.ws_url}"),
        ("node", net.node_url),
        ("relayer", f"{net.relayer_url}/healthz"),
        ("hub", place.hub),
        ("router", place.router),
        ("models", place.models),
        ("nodes", place.nodes),
        *place.examples.items(),
        *((f"model {name}", f"0x{manifest.model_id.hex()}") for name, manifest in net.models.items()),
        *((f"{name}'s key", f"{folder / name}.key ({key.address})") for name, key in net.accounts.items()),
        *(("image", f"0x{image.hex()} of the node's enclave") for image in (net.image,) if image is not None),
        ("logs", f"{folder}/node.log, {folder}/relayer.log"),
    ]
    for label, value in rows:
        out.print(f"  {label:14} {value}")
    rpc = "" if net.anvil.port == 8545 else f" --rpc {net.anvil.http_url}"
    terms = "" if net.image is None else f" --route ENCL --trust 0x{net.image.hex()}"
    gate, operator = place.examples["RiskGate"], net.accounts["operator"].address
    model = net.models["risk"].model_id.hex()
    words = ",".join(str(round(value * 10**18)) for value in (62, 0.31, 1.4, 1, 7))
    quote = f"cast call {place.nodes} '{function('NodeRegistry', 'quote').signature}(uint256)'"
    out.print(
        "\n[bold]Ask from the command line[/]\n"
        f"  vouch request risk '{{\"x\": [62, 0.31, 1.4, 1, 7]}}'{rpc}{terms} --key-file {folder}/user.key\n"
        "\n[bold]Ask from a contract[/] (cast comes with Foundry)\n"
        f"  export ETH_RPC_URL={net.anvil.http_url}\n"
        f"  FEE=$({quote} {operator} 0x{model} {NATIVE} 60000 | cut -d' ' -f1)\n"
        f"  cast send {gate} 'ask(uint256,int256[],address)' 1 '[{words}]' {operator} \\\n"
        f"    --value $FEE --private-key $(cat {folder}/user.key)\n"
        f"  cast call {gate} 'decisions(uint256)(address,bool,bool,uint64)' 1\n"
        "\n[bold]Look[/]\n"
        f"  vouch status ID{rpc} --db {folder}/relayer.sqlite\n"
        f"  vouch check{rpc} --node {net.node_url} --db {folder}/relayer.sqlite\n"
        f"  curl {net.node_url}/v2/models/risk\n"
    )
