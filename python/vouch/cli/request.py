"""vouch request: ask a model from the command line."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from vouch.cli.console import out, wei
from vouch.cli.keys import load_key
from vouch.cli.options import Bytes32, Wei, account_options, asynchronous
from vouch.protocol.nesting import loads_bounded

TRUST = Bytes32("hex", "trust")


class Route(click.ParamType[bytes]):
    """Four letters."""

    name = "name"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        data = value if isinstance(value, bytes) else str(value).encode()
        if len(data) != 4:
            self.fail(f"{value!r} is no route: its name has four letters, like SIGN or QRUM", param, ctx)
        return data


@click.command(
    "request",
    epilog="""
\b
Examples:
  vouch request risk '{"x": [0.55, 0.31, 0.2, 0.1, 0.7]}'
  vouch request chat "Is this a scam?"
  echo '{"x": [[0.5, 0.3, 0.2, 0.1, 0.7], [0.1, 0.9, 0.4, 0.0, 0.2]]}' | vouch request risk -
  vouch request 0xPublisher/risk @features.json --fee 0.001ether --within 60
  vouch request risk @features.json --route QRUM --trust 0x5af1... --prove-within 60 --exposure 0.1ether

\b
MODEL is a name of the deployment's publisher, 0xpublisher/name, or an id of 64 hex digits.
INPUT is JSON (arrays by tensor name), text for a text model, @FILE, or - for the standard input.


With --prove-within or --window the answer may come before its proof: it is shown at once, and how it ended.
""",
)
@click.argument("model")
@click.argument("input", metavar="INPUT")
@account_options
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
@click.option(
    "--route", type=Route(), help="Verifier of the seal: SIGN (default), QRUM, or what the chain has."
)
@click.option("--trust", type=TRUST, help="What the verifier must find in the seal, 64 hex digits.")
@click.option(
    "--prove-within",
    type=click.FloatRange(0),
    help="Seconds by which the proof may come after the answer (or after a challenge, with --window).",
)
@click.option(
    "--window",
    type=click.FloatRange(0),
    help="Seconds in which anyone may demand the proof; without a challenge there is none.",
)
@click.option(
    "--exposure", type=Wei(), help="What a bad answer may cost you: the operator's stake insures it."
)
@click.option("--bond", type=Wei(), help="What a challenger puts up, and wins if the proof does not come.")
@click.option(
    "--provisional", is_flag=True, help="Leave with an answer that is not proven yet, if that comes first."
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
    route: bytes | None,
    trust: bytes | None,
    prove_within: float | None,
    window: float | None,
    exposure: int | None,
    bond: int | None,
    provisional: bool,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Ask MODEL a question through the hub, and print the answer with its proof."""
    from vouch.cli.render import answer_json, print_answer, print_end, print_provisional
    from vouch.client import Client
    from vouch.client.terms import Options

    key = load_key(key_file, "to ask with")
    options: Options = {"deliver_within": within}
    given = {
        "fee": fee,
        "operator": operator,
        "route": route,
        "trust": trust,
        "prove_within": prove_within,
        "window": window,
        "exposure": exposure,
        "bond": bond,
    }
    options.update({name: value for name, value in given.items() if value is not None})  # type: ignore[typeddict-item] # names and types are those of Options
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
        early = answer.gap is not None and answer.gap.open
        if answer.gap is not None and early and not as_json:
            chain = await client.connection()
            live = await chain.router.can_verify(answer.request.route, answer.request.trust)
            print_provisional(answer, answer.gap, live, await chain.now())
        if early and not provisional:
            answer = await answer.settled()
    if as_json:
        click.echo(json.dumps(answer_json(answer)))
    elif not early:
        print_answer(answer)
    elif answer.gap is not None and not answer.gap.open:
        print_end(answer, answer.gap)


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
