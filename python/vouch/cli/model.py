"""vouch model publish | list | describe."""

from dataclasses import replace
from pathlib import Path

import click

from vouch.cli.console import out, wei
from vouch.cli.keys import load_key
from vouch.cli.options import account_options, asynchronous, chain_options


@click.group("model")
def command() -> None:
    """Publish models to the registry, and look at what is published.

    A model id is the hash of a manifest: what the file's SHA-256 is, which tensors go in and out, how
    numbers become words. Nobody owns an id; names belong to the account that published them.
    """


@command.command(
    "publish",
    epilog="""
\b
Examples:
  vouch model publish risk.onnx                    name "risk", manifest read from the file
  vouch model publish credit-v3.onnx --name risk   move the name to a new version
  vouch model publish chat.json                    a manifest made by `vouch model describe`
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--name", help="Name under the publishing account; default: the file's name, or the manifest's."
)
@account_options
@asynchronous
async def publish(file: Path, name: str | None, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Publish a model: FILE is an .onnx file or a manifest (.json)."""
    from vouch.cli.sources import onnx_manifest, read_manifest
    from vouch.client import Client

    manifest = read_manifest(file) if file.suffix == ".json" else onnx_manifest(file, name)
    async with Client(rpc, load_key(key_file, "to publish with"), deployments=deployments) as client:
        published = await client.publish(manifest, name)
    if published.gas is None:
        out.print(f"[yellow]already published[/] as {published.name!r} by {published.publisher}")
    else:
        out.print(f"[green]published[/] {published.name!r} by {published.publisher}, {published.gas:,} gas")
    out.print(f"  model id  0x{published.model_id.hex()}")
    out.print(f"  reference {published.publisher}/{published.name}")


@command.command("list")
@chain_options
@asynchronous
async def list_models(rpc: str, deployments: Path) -> None:
    """List what is published, and who offers it at what price."""
    from vouch.client import Client

    async with Client(rpc, deployments=deployments) as client:
        models = await client.models()
        if not models:
            out.print("nothing is published yet: vouch model publish model.onnx")
        for model in models:
            kind = model.manifest.kind if model.manifest else "no manifest that this version reads"
            out.print(f"[bold]{model.name}[/] ({kind})")
            out.print(f"  model id   0x{model.model_id.hex()}")
            out.print(f"  publisher  {model.publisher}")
            offers = await client.offers(model.model_id)
            for offer in offers:
                price = f"{wei(offer.base)} + {wei(offer.per_callback_gas)} per unit of callback gas"
                out.print(f"  operator   {offer.operator} at {offer.endpoint}: {price}")
            if not offers:
                out.print("  operator   nobody offers it")


@command.command(
    "describe",
    epilog="""
\b
Examples:
  vouch model describe --onnx risk.onnx
  vouch model describe --onnx risk.onnx --tolerance 1e-5 -o risk.json   hardware may round differently
  vouch model describe --openai meta-llama/Llama-3.1-8B-Instruct --name chat -o chat.json
""",
)
@click.option(
    "--onnx", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Describe an ONNX file."
)
@click.option(
    "--openai", metavar="MODEL", help="Describe a text model, as its OpenAI-compatible server names it."
)
@click.option("--name", help="The model's name; default: the file's.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    help="Honest nodes may differ by this much per element of the output, in the model's own units (ONNX).",
)
@click.option(
    "--max-tokens", type=click.IntRange(1), default=128, show_default=True, help="Longest text answer."
)
@click.option(
    "--prompt",
    type=click.Choice(["text", "messages"]),
    default="text",
    show_default=True,
    help='Input of a text model: one user message, or JSON {"messages": [...]}.',
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print."
)
def describe(
    onnx: Path | None,
    openai: str | None,
    name: str | None,
    tolerance: float | None,
    max_tokens: int,
    prompt: str,
    output: Path | None,
) -> None:
    """Write the manifest of a model, without publishing it."""
    from vouch.cli.sources import onnx_manifest, text_manifest

    if (onnx is None) == (openai is None):
        raise click.UsageError("give either --onnx FILE or --openai MODEL")
    if onnx is not None:
        manifest = onnx_manifest(onnx, name)
        if tolerance is not None:
            manifest = replace(manifest, deterministic=False, tolerance=tolerance)
    elif tolerance is not None:
        raise click.UsageError("--tolerance is for tensors: texts are compared byte for byte")
    else:
        if name is None:
            raise click.UsageError("a text model needs a --name")
        sampling = {"temperature": 0, "seed": 0, "max_tokens": max_tokens}
        manifest = text_manifest(name, str(openai), sampling, prompt)
    if output is None:
        click.echo(bytes(manifest).decode())
    else:
        output.write_bytes(bytes(manifest) + b"\n")
        out.print(f"wrote {output}: model id 0x{manifest.model_id.hex()}")
