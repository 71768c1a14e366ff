"""vouch request: ask a model from the command line."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from vouch.cli.console import out, wei
from vouch.cli.keys import load_key
from vouch.cli.options import Wei, asynchronous, deployments_option, key_option, rpc_option
from vouch.protocol.nesting import loads_bounded


@click.command(
    "request",
    epilog="""
\b
Examples:
  vouch request risk '{"x": [0.55, 0.31, 0.2, 0.1, 0.7]}'
  vouch request chat "Is this a scam?"
  echo '{"x": [[0.5, 0.3, 0.2, 0.1, 0.7], [0.1, 0.9, 0.4, 0.0, 0.2]]}' | vouch request risk -
  vouch request 0xPublisher/risk @features.json --fee 0.001ether --within 60

\b
MODEL is a name of the deployment's publisher, 0xpublisher/name, or an id of 64 hex digits.
INPUT is JSON (arrays by tensor name), text for a text model, @FILE, or - for the standard input.
""",
)
@click.argument("model")
@click.argument("input", metavar="INPUT")
@rpc_option
@deployments_option
@key_option
@click.option(
    "--fee", type=Wei(), help="What to pay (1000, 20gwei, 0.01ether); default: what the operator asks."
)
@click.option("--operator", metavar="ADDRESS", help="Who shall answer; default: the cheapest operator.")
@click.option(
    "--within",
    type=click.FloatRange(1),
    default=300,
    show_default=True,
    help="Seconds; then the fee is back.",
)
@click.option("--no-wait", is_flag=True, help="Print the request's id and leave.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@asynchronous
async def command(
    model: str,
    input: str,  # noqa: A002 - the argument's name in the help
    rpc: str,
    deployments: Path,
    key_file: Path | None,
    fee: int | None,
    operator: str | None,
    within: float,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Ask MODEL a question through the hub, and print the answer with its proof."""
    from vouch.cli.render import answer_json, print_answer
    from vouch.client import Client
    from vouch.client.terms import Options

    key = load_key(key_file, "to ask with")
    options: Options = {"deliver_within": within}
    if fee is not None:
        options["fee"] = fee
    if operator is not None:
        options["operator"] = operator
    async with Client(rpc, key, deployments=deployments) as client:
        manifest = await client.manifest(model)
        question = _question(input, manifest.kind, manifest.prompt)
        asked = await client.request(model, question, **options)
        if not as_json:
            out.print(f"asked [bold]0x{asked.id.hex()}[/], fee {wei(asked.request.fee)}")
        if no_wait:
            if as_json:
                click.echo(json.dumps({"id": f"0x{asked.id.hex()}"}))
            else:
                out.print(f"  vouch status 0x{asked.id.hex()}")
            return
        answer = await client.wait(asked)
    if as_json:
        click.echo(json.dumps(answer_json(answer)))
    else:
        print_answer(answer)


def _question(text: str, kind: str, prompt: str) -> Any:
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        try:
            text = Path(text[1:]).read_text()
        except OSError as error:
            raise click.BadParameter(
                f"{text[1:]} cannot be read: {error.strerror}", param_hint="INPUT"
            ) from error
    if kind == "text" and prompt == "text":
        return text
    try:
        question = loads_bounded(text)
    except ValueError as error:
        if kind == "text":
            return text
        raise click.BadParameter(f"no JSON ({error})", param_hint="INPUT") from error
    if not isinstance(question, dict):
        raise click.BadParameter("an object is needed: arrays by tensor name", param_hint="INPUT")
    return question
