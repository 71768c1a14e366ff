"""vouch node: run models and sign claims."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli.console import out
from vouch.cli.keys import load_secret
from vouch.cli.options import JOURNAL, asynchronous, key_option
from vouch.cli.service_options import listen_options, onnx_option, text_option

if TYPE_CHECKING:
    from vouch.attestation.source import Attester
    from vouch.node.enclave import Enclave
    from vouch.runtimes.base import Runtime

EPILOG = """
\b
Examples:
  vouch node --onnx risk.onnx                          one ONNX model, named "risk"
  vouch node --onnx risk=models/credit-v3.onnx         the same under another name
  vouch node --text chat.json http://127.0.0.1:8000    a text model on vLLM (or any OpenAI-compatible server),
                                                       described by the manifest `vouch model describe` wrote
  vouch node --circuit risk/                           a model whose answers can be proven (vouch zk compile)
  vouch node --onnx risk.onnx --cosign                 stand in other operators' quorums too
  vouch node --onnx risk.onnx --enclave nitro          in an AWS Nitro enclave: seal answers with its key
\b
Then:
  curl localhost:8700/v2/models/risk                                         Open Inference Protocol
  curl localhost:8700/v1/chat/completions -d '{"model": "chat", ...}'        OpenAI
  curl localhost:8700/vouch/v1/info                                          operator and model ids

The journal remembers every claim the key has signed. Never delete it, and never run two nodes with one key
and two journals: two different answers to one request can cost the stake.
"""


@click.command("node", epilog=EPILOG)
@onnx_option("Serve an ONNX file.")
@click.option(
    "--onnx-as",
    "described_models",
    type=(
        click.Path(exists=True, dir_okay=False, path_type=Path),
        click.Path(exists=True, dir_okay=False, path_type=Path),
    ),
    multiple=True,
    metavar="MANIFEST FILE",
    help="Serve an ONNX file as a manifest describes it, with a tolerance for example.",
)
@click.option(
    "--circuit",
    "circuits",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Serve the model of a circuit folder (vouch zk compile): a prover can prove its answers (zk route).",
)
@text_option(
    "Serve a text model of the OpenAI-compatible server at URL (its key, if any, in OPENAI_API_KEY)."
)
@click.option(
    "--echo", "echo_models", multiple=True, metavar="NAME", help="Serve a model that repeats its input."
)
@key_option
@click.option(
    "--unsigned", is_flag=True, help="Run without a key: a plain inference server that signs nothing."
)
@click.option(
    "--cosign",
    is_flag=True,
    help="Off by default. With it this node's key also vouches for other operators' answers (quorum route), "
    "those that its own copy of the model reproduces: bit for bit, or within the manifest's tolerance. "
    "Whoever asks causes a run of the model, so think of --hub and VOUCH_NODE_TOKEN.",
)
@click.option(
    "--enclave",
    type=click.Choice(("dev", "nitro")),
    help="What this node runs in. It makes a key that never leaves its memory, seals answers with it "
    "(enclave route) and gives documents that attest it. nitro: an AWS Nitro enclave. dev: no enclave at "
    "all, but a process that an authority of your own attests, for trying things out.",
)
@click.option(
    "--dev-authority",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The authority's keys, for --enclave dev; deploy the contracts with the same.",
)
@click.option(
    "--enclave-curve",
    type=click.Choice(("secp256k1", "p256")),
    help="Of the enclave's key: secp256k1 (default), or p256 where the chain has P256VERIFY.",
)
@listen_options(8700)
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    default=JOURNAL,
    show_default=True,
    help="SQLite file of the claims that were signed.",
)
@click.option(
    "--hub",
    "hubs",
    type=(int, str),
    multiple=True,
    metavar="CHAINID ADDRESS",
    help="Sign for this hub only (repeat for several); default: for any.",
)
@click.option(
    "--concurrency", type=click.IntRange(1), default=64, show_default=True, help="Questions at a time."
)
@asynchronous
async def command(
    onnx_models: tuple[tuple[str | None, str], ...],
    described_models: tuple[tuple[Path, Path], ...],
    circuits: tuple[Path, ...],
    text_models: tuple[tuple[Path, str], ...],
    echo_models: tuple[str, ...],
    key_file: Path | None,
    unsigned: bool,
    cosign: bool,
    enclave: str | None,
    dev_authority: Path | None,
    enclave_curve: str | None,
    host: str,
    port: int,
    journal: Path,
    hubs: tuple[tuple[int, str], ...],
    concurrency: int,
) -> None:
    """Serve models over HTTP, and sign each answer with the operator's key.

    Tensors by the Open Inference Protocol v2, text by OpenAI's chat completions, and both with a signed
    claim for the relayer and the client. A bearer token in VOUCH_NODE_TOKEN closes the node to everyone else.
    """
    # models and web server take a second to import; --help should not
    import os

    from coincurve import PrivateKey

    from vouch.chain.hexes import checksum
    from vouch.cli.sources import circuit_runtime, echo_runtime, onnx_runtime, text_runtime
    from vouch.node.config import NodeConfig
    from vouch.node.service import serve

    if not any((onnx_models, described_models, circuits, text_models, echo_models)):
        raise click.UsageError(
            "no model to serve: give --onnx FILE, --circuit FOLDER, or --text MANIFEST URL"
        )
    if cosign and unsigned:
        raise click.UsageError("--cosign signs with a key: give one, or leave --unsigned out")
    if enclave is not None and unsigned:
        raise click.UsageError("--enclave binds its key to an operator: give a key, or leave --unsigned out")
    if (enclave == "dev") != (dev_authority is not None):
        raise click.UsageError("--enclave dev and --dev-authority FOLDER go together: give both or neither")
    if enclave is None and enclave_curve is not None:
        raise click.UsageError(
            "--enclave-curve is for the enclave's key: add --enclave dev or --enclave nitro"
        )
    models = [onnx_runtime(Path(path), name) for name, path in onnx_models]
    models += [_described(manifest, path) for manifest, path in described_models]
    models += [circuit_runtime(folder) for folder in circuits]
    models += [text_runtime(path, url, os.environ.get("OPENAI_API_KEY")) for path, url in text_models]
    models += [echo_runtime(name) for name in echo_models]
    secret = None if unsigned else load_secret(key_file, "to sign claims with (or say --unsigned)")
    journal.parent.mkdir(parents=True, exist_ok=True)
    config = NodeConfig(
        models=tuple(models),
        journal=journal,
        key=None if secret is None else PrivateKey(secret),
        host=host,
        port=port,
        hubs=tuple((chain_id, checksum(hub)) for chain_id, hub in hubs),
        cosign=cosign,
        enclave=None if enclave is None else await _enclave(enclave, dev_authority, enclave_curve),
        token=os.environ.get("VOUCH_NODE_TOKEN") or None,
        concurrency=concurrency,
    )

    def announce(url: str) -> None:
        out.print(f"node ready at {url}, operator {config.operator or 'none (unsigned)'}")
        if config.cosign:
            out.print("  co-signs other operators' answers that its own copy of the model reproduces")
        if (inside := config.enclave) is not None:
            out.print(f"  {inside.kind} enclave: key {inside.key.identity.id} ({inside.curve})")
            out.print(f"  {inside.kind} enclave: image 0x{inside.image_id.hex()}, the trust to ask for")
        for name, runtime in config.models:
            out.print(f"  {name}: model id 0x{runtime.manifest.model_id.hex()}")

    await serve(config, ready=announce)


async def _enclave(kind: str, dev_authority: Path | None, curve: str | None) -> "Enclave":
    from vouch.node.enclave import Enclave
    from vouch.node.enclave_key import EnclaveKind
    from vouch.protocol.enclave import Curve

    chosen = Curve[(curve or "secp256k1").upper()]
    return await Enclave.start(EnclaveKind(kind), chosen, _attester(dev_authority))


def _attester(dev_authority: Path | None) -> "Attester":
    if dev_authority is None:
        from vouch.attestation.nsm import NsmAttester

        return NsmAttester()

    from vouch.attestation.dev_attester import DevAttester
    from vouch.node.enclave import DEV_PCRS

    return DevAttester(dev_authority, DEV_PCRS)


def _described(manifest_file: Path, path: Path) -> "tuple[str, Runtime]":
    from vouch.cli.sources import read_manifest
    from vouch.runtimes.onnx import OnnxRuntime

    manifest = read_manifest(manifest_file)
    return manifest.name, OnnxRuntime(path, manifest)
