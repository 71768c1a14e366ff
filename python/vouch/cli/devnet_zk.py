"""What a devnet with circuits has more: their contracts, and the service that proves."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from vouch.chain.account import LocalKey
from vouch.chain.deployment import Deployment
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.cli.balances import transactions
from vouch.cli.children import Child
from vouch.protocol.manifest import Manifest
from vouch.protocol.zk import ZK

PROVER = "prover"
"""Its name in the crew."""

# What proves is imported where it is used: a devnet without circuits starts without it.


async def publish(
    rpc: Rpc,
    owner: LocalKey,
    deployment: Deployment,
    folders: Sequence[Path],
    progress: Callable[[str], None],
) -> list[Manifest]:
    """Puts the circuits' verifiers and manifests on the chain, as `vouch zk publish` does.

    Raises as `vouch.prover.publish.publish`, and BadCircuitFiles.
    """
    from vouch.prover.files import CircuitFiles
    from vouch.prover.publish import publish as put

    made = []
    for folder in folders:
        files, first = await asyncio.to_thread(CircuitFiles.load, folder), await _head(rpc) + 1
        await put(rpc, TxSender(rpc, owner), deployment, files)
        sent = await transactions(rpc, first, await _head(rpc), ("ModelRegistry",))
        built = files.of(1)
        progress(
            f"  {files.manifest.name}: its verifier has {len(built.verifier.runtime):,} bytes of code; gas: "
            + ", ".join(f"{tx.does or 'deploy the verifier'} {tx.gas:,}" for tx in sent)
        )
        made.append(files.manifest)
    return made


def terms_of(manifest: Manifest) -> tuple[bytes, bytes]:
    """Route and trust that ask for a proof of each inference of the model."""
    return ZK, manifest.zk[0]


def prover(folders: Sequence[Path], folder: Path, url: str) -> Child:
    """The service, with its queue in `folder`."""
    arguments = ["prover", "start", "--port", url.rpartition(":")[2]]
    arguments += ["--database", str(folder / "prover.sqlite")]
    for each in folders:
        arguments += ["--circuit", str(each)]
    return Child(PROVER, arguments, {}, folder / "prover.log")


async def _head(rpc: Rpc) -> int:
    return int(await rpc.call("eth_blockNumber"), 16)
