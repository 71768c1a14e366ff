"""Deploy Vouch through ape: ape run deploy --network ethereum:local:foundry [--account ALIAS]

Writes deployments/<chainId>.json, the same file as `vouch deploy`, and reads it back against the chain.
"""

import asyncio
from pathlib import Path

import click
from ape import accounts, networks, project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractInstance

from vouch.chain.deploy import VERIFIERS
from vouch.chain.deployment import Deployment, folder_of, load
from vouch.chain.rpc import Rpc

WEEK = 7 * 24 * 3600


def deploy(owner: AccountAPI, chain_id: int, unbond_delay: int = WEEK) -> Deployment:
    """Router, model registry, hub (which creates the node registry) and the routes of VERIFIERS, owned
    by `owner`."""
    block = owner.provider.get_block("latest").number
    router: ContractInstance = owner.deploy(project.VerifierRouter, owner)
    models = owner.deploy(project.ModelRegistry)
    hub = owner.deploy(project.InferenceHub, router, models, unbond_delay)
    verifiers = {}
    for route, (contract, level) in VERIFIERS.items():
        verifier = owner.deploy(getattr(project, contract), hub)
        router.add(route, verifier, level, sender=owner)
        verifiers[route.decode()] = verifier.address
    return Deployment(
        chain_id=chain_id,
        hub=hub.address,
        router=router.address,
        models=models.address,
        nodes=hub.NODES(),
        verifiers=verifiers,
        publisher=owner.address,
        block=block,
        name="ape",
    )


async def read_back(url: str, folder: Path) -> Deployment:
    """The deployment as the file and the chain agree on it; raises StaleDeployment if they do not."""
    async with Rpc(url) as rpc:
        return await load(rpc, folder)


def sender(alias: str | None, provider: ProviderAPI) -> AccountAPI:
    """The account to deploy from: an ape alias, or on a local network the first test account."""
    if alias is not None:
        return accounts.load(alias)
    if provider.network.is_local:
        return accounts.test_accounts[0]
    raise click.UsageError("name the account to deploy from: --account ALIAS (`ape accounts list`)")


@click.command(cls=ConnectedProviderCommand)
@click.option("--account", help="Alias of an ape account; default on a local network: its first one.")
@click.option("--unbond-delay", default=WEEK, show_default=True, help="Seconds that stake stays at risk.")
@click.option(
    "--deployments",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the file; default: $VOUCH_DEPLOYMENTS or deployments/.",
)
def cli(account: str | None, unbond_delay: int, deployments: Path | None) -> None:
    """Deploy hub, registries, router and verifiers."""
    provider = networks.provider
    made = deploy(sender(account, provider), provider.chain_id, unbond_delay)
    folder = folder_of(deployments)
    path = made.save(folder)
    again = asyncio.run(read_back(provider.http_uri or provider.uri, folder))
    assert again == made, f"{path} does not say what was deployed"
    click.echo(f"deployed to chain {made.chain_id}: hub {made.hub}, written to {path} and read back")
