"""vouch deploy: put Vouch on a chain."""

from pathlib import Path

import click

from vouch.cli.console import Failed, out
from vouch.cli.keys import load_key
from vouch.cli.options import account_options, asynchronous

DEV = "dev"
"""In the name of every deployment whose enclaves anybody can attest who has the authority's folder."""


@click.command(
    "deploy",
    epilog="""
\b
Examples:
  vouch deploy --key-file owner.json                                  to a local chain
  vouch deploy --rpc https://rpc.example --key-file owner.json        to any other
  vouch deploy --dev-authority ./authority --key-file owner.json      with enclaves that are none
""",
)
@account_options
@click.option(
    "--unbond-delay",
    type=click.IntRange(0, 2**32),
    default=7 * 24 * 3600,
    show_default=True,
    help="Seconds that an operator's stake stays at risk after it was asked back.",
)
@click.option("--name", default="vouch", show_default=True, help="Name of the deployment, for people.")
@click.option("--no-enclaves", is_flag=True, help="Without the enclave route (ENCL).")
@click.option(
    "--dev-authority",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Trust this development authority, made there if there is none, and not AWS's root. The name "
    "of the deployment says so: it gets -dev at its end.",
)
@click.option("--force", is_flag=True, help="Deploy again although the chain has a deployment that works.")
@asynchronous
async def command(
    rpc: str,
    deployments: Path,
    key_file: Path | None,
    unbond_delay: int,
    name: str,
    no_enclaves: bool,
    dev_authority: Path | None,
    force: bool,
) -> None:
    """Deploy hub, registries, router and verifiers, and write deployments/<chainId>.json.

    The key becomes the router's owner, which may add and withdraw verifiers, and nothing else. Its names for
    models are the ones that need no prefix. On the enclave route it becomes the guard, who may revoke
    certificates, and nothing else.
    """
    from vouch.attestation.deploy import deploy_enclaves
    from vouch.attestation.verify import AWS_ROOT
    from vouch.chain.deploy import deploy
    from vouch.chain.deployment import Deployment, NoDeployment, StaleDeployment, load
    from vouch.chain.rpc import Rpc
    from vouch.chain.sender import TxSender
    from vouch.cli.attest_words import root_words
    from vouch.cli.authority import opened

    if no_enclaves and dev_authority is not None:
        raise click.UsageError("--dev-authority is for the enclave route: leave --no-enclaves out")
    key = load_key(key_file, "to deploy with")
    root = AWS_ROOT if dev_authority is None else opened(dev_authority).fingerprint
    if dev_authority is not None and DEV not in name:
        name = f"{name}-{DEV}"
    async with Rpc(rpc) as chain:
        if not force:
            try:
                there = await load(chain, deployments)
            except (NoDeployment, StaleDeployment):
                pass
            else:
                raise Failed(
                    f"chain {there.chain_id} has a deployment that works (hub {there.hub})\n"
                    "use it, or deploy another one with --force"
                )
        sender = TxSender(chain, key)
        with out.status("deploying ..."):
            made = await deploy(chain, sender, unbond_delay=unbond_delay, name=name)
            if not no_enclaves:
                made = await deploy_enclaves(chain, sender, made, root=root)
        path = made.save(deployments)
        await Deployment.load(made.chain_id, deployments).verify(chain)
    out.print(f"[green]deployed[/] to chain {made.chain_id}, written to {path}")
    out.print(f"  {'name':16} {made.name}")
    for label, address in (
        ("hub", made.hub),
        ("router", made.router),
        ("models", made.models),
        ("nodes", made.nodes),
        *((f"verifier {route}", verifier) for route, verifier in made.verifiers.items()),
        *made.enclaves.items(),
        ("owner", key.address),
    ):
        out.print(f"  {label:16} {address}")
    if made.enclaves:
        out.print(f"  {'enclave root':16} {root_words(root)}", markup=False)
