"""vouch relayer: carry requests from the chain to nodes, and answers back."""

import os
from pathlib import Path
from typing import Any

import click

from vouch.cli.console import out
from vouch.cli.keys import load_key
from vouch.cli.options import (
    LOCAL_NODE,
    RELAYER_DB,
    Wei,
    asynchronous,
    deployments_option,
    key_option,
    rpc_option,
)
from vouch.cli.service_options import (
    database_option,
    keep_days_option,
    max_fee_option,
    start_options,
    status_options,
    ws_option,
)


class Cosigner(click.ParamType[tuple[str | None, str]]):
    """[ADDRESS=]URL."""

    name = "[address=]url"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | None, str]:
        from eth_utils.address import is_address, to_checksum_address

        if isinstance(value, tuple):
            return value
        signer, equals, url = str(value).partition("=")
        if not equals or "://" in signer:  # an address may have a query
            signer, url = "", str(value)
        if signer and not is_address(signer):
            self.fail(f"{signer!r} is no address: write URL, or ADDRESS=URL", param, ctx)
        if not url.startswith(("http://", "https://")):
            self.fail(f"{url!r} is no address of a node: it starts with https:// (or http://)", param, ctx)
        return (to_checksum_address(signer) if signer else None), url


@click.command(
    "relayer",
    epilog="""
\b
Examples:
  vouch relayer --node http://127.0.0.1:8700 --key-file relayer.json
  vouch relayer --rpc https://rpc.example --ws wss://rpc.example \\
                --node http://10.0.0.1:8700 --node http://10.0.0.2:8700 --key-file relayer.json
  vouch relayer --node http://127.0.0.1:8700 --key-file relayer.json --threshold 2 \\
                --cosigner http://127.0.0.1:8700 --cosigner https://b.example --cosigner https://c.example
                                              the quorum route: any two of these three operators sign
  vouch relayer --node http://127.0.0.1:8700 --key-file relayer.json --prover http://127.0.0.1:8720
                                              the zk route: delivered first, settled with its proof later

The database is its memory: what was seen, asked, answered and sent, and why something was refused. It
survives kill -9; `vouch status ID --db FILE` shows one request of it.
""",
)
@rpc_option
@ws_option
@deployments_option
@click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="URL",
    default=(LOCAL_NODE,),
    show_default=True,
    help="A node to ask; repeat for several. The bearer token is taken from VOUCH_NODE_TOKEN.",
)
@key_option
@database_option(RELAYER_DB, "SQLite file.")
@start_options("--start-block", "request")
@keep_days_option("the database keeps inputs and outputs of finished requests")
@click.option(
    "--gas-floor",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Part of the expected gas cost that a fee must cover on top of the price.",
)
@max_fee_option
@click.option(
    "--cosigner",
    "cosigners",
    multiple=True,
    metavar="[ADDRESS=]URL",
    type=Cosigner(),
    help="A node whose operator is in the quorum; repeat for each. Your own operator counts only if its node "
    "is named too. The operator's ADDRESS is asked for unless it is given. The bearer token is taken from "
    "VOUCH_COSIGNER_TOKEN.",
)
@click.option("--threshold", type=click.IntRange(1), help="So many of the co-signers' operators make a seal.")
@click.option(
    "--prover",
    metavar="URL",
    envvar="VOUCH_PROVER",
    show_envvar=True,
    help="A prover service (vouch prover), for the zk route. Its bearer token is in VOUCH_PROVER_TOKEN.",
)
@click.option(
    "--min-prove-within",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    help="Seconds that terms must leave for the proof; below, the proof is brought together with the answer.",
)
@click.option(
    "--max-window",
    type=click.IntRange(0),
    default=86_400,
    show_default=True,
    help="Most seconds that terms may leave for challenges, with stake locked and the fee unpaid; above, the "
    "proof is brought together with the answer.",
)
@click.option(
    "--max-exposure",
    type=Wei(),
    help="Most of an operator's stake that is locked at a time, in units of each token; default: all of it.",
)
@click.option(
    "--enclave-registration/--no-enclave-registration",
    default=True,
    show_default=True,
    help="Register the keys of nodes that run in enclaves, and attest them anew before their certificates "
    "expire. Without it somebody else does that (vouch attest), and requests wait for it.",
)
@click.option(
    "--enclave-margin",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=1200.0,
    show_default=True,
    help="Time before the expiry of an enclave's key at which it is attested anew at the latest; a quarter "
    "of its certificates' life where that is more.",
)
@status_options
@asynchronous
async def command(
    rpc: str,
    ws: str | None,
    deployments: Path,
    nodes: tuple[str, ...],
    key_file: Path | None,
    database: Path,
    start_block: int | None,
    confirmations: int,
    keep_days: float,
    gas_floor: float,
    max_fee: int,
    cosigners: tuple[tuple[str | None, str], ...],
    threshold: int | None,
    prover: str | None,
    min_prove_within: int,
    max_window: int,
    max_exposure: int | None,
    enclave_registration: bool,
    enclave_margin: float,
    status_port: int | None,
    status_host: str,
) -> None:
    """Watch the hub, ask the nodes, and bring output and seal back in one transaction.

    The key (--key-file or VOUCH_KEY) only pays for gas: answers are signed by the nodes' operators.
    """
    from vouch.chain.deployment import load
    from vouch.chain.rpc import Rpc
    from vouch.prover.publish import DEV_NAME
    from vouch.relayer.config import (
        CosignerEndpoint,
        EnclaveConfig,
        NodeEndpoint,
        QuorumConfig,
        RelayerConfig,
        ZkConfig,
    )
    from vouch.relayer.service import serve

    if bool(cosigners) != (threshold is not None):
        raise click.UsageError("a quorum needs both: --cosigner for each member, and --threshold")
    quorum = None
    if threshold is not None:
        sesame = os.environ.get("VOUCH_COSIGNER_TOKEN") or None
        members = tuple(CosignerEndpoint(url, sesame, signer) for signer, url in cosigners)
        quorum = QuorumConfig(threshold, members)
    if prover is not None and not prover.startswith(("http://", "https://")):
        raise click.UsageError(f"--prover {prover!r} is no address: it starts with https:// (or http://)")
    key = load_key(key_file, "to send with")
    async with Rpc(rpc) as chain:
        deployment = await load(chain, deployments)
    database.parent.mkdir(parents=True, exist_ok=True)
    token = os.environ.get("VOUCH_NODE_TOKEN") or None
    enclaves = None
    if (keys := deployment.enclaves.get("EnclaveKeys")) is not None:
        enclaves = EnclaveConfig(keys, enclave_registration, enclave_margin)
    zk = None
    if prover is not None:
        zk = ZkConfig(prover, os.environ.get("VOUCH_PROVER_TOKEN") or None, dev=DEV_NAME in deployment.name)
    config = RelayerConfig(
        rpc_url=rpc,
        hub=deployment.hub,
        nodes=tuple(NodeEndpoint(url, token) for url in nodes),
        database=database,
        ws_url=ws,
        start_block=deployment.block if start_block is None else start_block,
        confirmations=confirmations,
        keep_days=keep_days,
        gas_floor=gas_floor,
        max_fee=max_fee,
        quorum=quorum,
        enclaves=enclaves,
        zk=zk,
        min_prove_within=min_prove_within,
        max_window=max_window,
        max_exposure=max_exposure,
        status_host=status_host,
        status_port=status_port,
    )

    def announce(url: str | None) -> None:
        out.print(f"relayer of hub {deployment.hub} on chain {deployment.chain_id}")
        out.print(f"  sending from {key.address}")
        out.print(f"  nodes {', '.join(nodes)}; status {url or 'not served (--status-port)'}")

    await serve(
        config,
        key,
        ready=announce,
        quorum=None if quorum is None else lambda line: out.print(f"  {line}"),
        enclaves=lambda line: out.print(f"  {line}"),
        prover=lambda line: out.print(f"  {line}"),
    )
