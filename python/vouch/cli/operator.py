"""vouch operator register | price | drop | stake | unbond | withdraw | retire | show."""

from datetime import UTC, datetime
from pathlib import Path

import click

from vouch.cli.console import Failed, out, wei
from vouch.cli.options import Wei, account_options, asynchronous, chain_options


@click.group(
    "operator",
    epilog="""
\b
From nothing to paid work:
  vouch model publish risk.onnx --key-file operator.json      unless somebody has published it
  vouch operator register https://node.example --key-file operator.json
  vouch operator price risk 0.0002ether --key-file operator.json
  vouch operator stake 1ether --key-file operator.json
  vouch node --onnx risk.onnx --key-file operator.json
  vouch relayer --key-file relayer.json                       another key: it only pays for gas
  vouch operator withdraw --key-file operator.json            what was earned
""",
)
def command() -> None:
    """Register as an operator, set prices and stake, take out what was earned."""


@command.command("register")
@click.argument("endpoint")
@account_options
@asynchronous
async def register(endpoint: str, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Register the key's account as an operator whose node is at ENDPOINT, or move its endpoint."""
    if not endpoint.startswith(("http://", "https://")):
        raise click.UsageError(f"{endpoint!r} is no address of a node: it starts with https:// (or http://)")
    from vouch.cli.account import operating

    async with operating(rpc, deployments, key_file) as o:
        await o.do(o.nodes.register(endpoint), f"{o.account} is registered at {endpoint}")


@command.command("price")
@click.argument("model")
@click.argument("base", type=Wei())
@click.option("--per-callback-gas", type=Wei(), default=0, help="On top, for each unit of callback gas.")
@account_options
@asynchronous
async def price(
    model: str,
    base: int,
    per_callback_gas: int,
    rpc: str,
    deployments: Path,
    key_file: Path | None,
) -> None:
    """Offer MODEL (a name, publisher/name or model id) at BASE per request."""
    from vouch.cli.account import operating

    async with operating(rpc, deployments, key_file) as o:
        model_id = await o.client.resolve(model)
        call = o.nodes.set_price(model_id, base, per_callback_gas)
        await o.do(call, f"{model} costs {wei(base)} + {wei(per_callback_gas)} per unit of callback gas")


@command.command("drop")
@click.argument("model")
@account_options
@asynchronous
async def drop(model: str, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Stop offering MODEL."""
    from vouch.cli.account import operating

    async with operating(rpc, deployments, key_file) as o:
        await o.do(o.nodes.remove_price(await o.client.resolve(model)), f"{model} is not offered any more")


@command.command("stake")
@click.argument("amount", type=Wei())
@account_options
@asynchronous
async def stake(amount: int, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Add AMOUNT of the native token to the operator's stake."""
    from vouch.cli.account import operating

    async with operating(rpc, deployments, key_file) as o:
        await o.do(o.nodes.stake(amount), f"{wei(amount)} more stand behind the answers")


@command.command("unbond")
@click.argument("amount", type=Wei())
@account_options
@asynchronous
async def unbond(amount: int, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Start taking AMOUNT of stake out, of what no open answer locks; `withdraw` pays it after the delay.

    A second call adds to the amount and restarts the delay.
    """
    from vouch.cli.account import operating

    async with operating(rpc, deployments, key_file) as o:
        delay = await o.nodes.unbond_delay()
        await o.do(o.nodes.unbond(amount), f"{wei(amount)} can be withdrawn in {delay:,} seconds")


@command.command("retire")
@account_options
@asynchronous
async def retire(rpc: str, deployments: Path, key_file: Path | None) -> None:
    """End the registration. Open requests can still expire; stake and credit stay the operator's."""
    from vouch.cli.account import operating

    async with operating(rpc, deployments, key_file) as o:
        await o.do(o.nodes.retire(), f"{o.account} is no operator any more")


@command.command("withdraw")
@click.option("--to", help="Who gets the money; default: the key's own account.")
@account_options
@asynchronous
async def withdraw(to: str | None, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Take out everything that is free: credit in the hub, and stake whose delay is over.

    Works for any account, so for refunds too.
    """
    from vouch.cli.account import operating

    async with operating(rpc, deployments, key_file) as o:
        account = o.account
        credit = await o.hub.credit_of(account)
        held = await o.nodes.stake_of(account)
        released = held.unbonding if held.release_at <= await o.connection.time() else 0
        if not credit and not released:
            raise Failed(f"{account} has no credit in the hub and no released stake: nothing to withdraw")
        if credit:
            await o.do(o.hub.withdraw(credit, to or account), f"{wei(credit)} of credit")
        if released:
            await o.do(o.nodes.withdraw_stake(to or account), f"{wei(released)} of stake")


@command.command("show")
@click.argument("operator")
@chain_options
@asynchronous
async def show(operator: str, rpc: str, deployments: Path) -> None:
    """Show registration, stake, credit and offers of OPERATOR (an address)."""
    from vouch.chain.contracts import NodeRegistry
    from vouch.client import Client

    async with Client(rpc, deployments=deployments) as client:
        c = await client.connection()
        nodes = NodeRegistry(c.rpc, c.deployment.nodes)
        node, held = await nodes.node_of(operator), await nodes.stake_of(operator)
        since = datetime.fromtimestamp(node.since, UTC).isoformat(sep=" ") if node.since else "not registered"
        out.print(f"[bold]{operator}[/]")
        out.print(f"  registered {since}")
        out.print(f"  endpoint   {node.endpoint or '-'}")
        out.print(f"  stake      {wei(held.bonded)}, {wei(held.unbonding)} on the way out")
        out.print(f"  locked     {wei(held.exposed)} of it, for answers that wait for their proof")
        out.print(f"  credit     {wei(await c.hub.credit_of(operator))}")
        for model in await client.models():
            for offer in await client.offers(model.model_id):
                if offer.operator == operator:
                    price_ = f"{wei(offer.base)} + {wei(offer.per_callback_gas)} per unit of callback gas"
                    out.print(f"  offers     {model.name}: {price_}")
