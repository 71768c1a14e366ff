"""vouch attest: documents and keys on chain (fetch | register | key | revoke | revoke-certificate)."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli.attest_input import DocumentFile, Hash, KeyId
from vouch.cli.console import Failed, out
from vouch.cli.keys import load_key
from vouch.cli.options import LOCAL_NODE, account_options, asynchronous, chain_options

if TYPE_CHECKING:
    from vouch.attestation.document import Document
    from vouch.chain.account import LocalKey
    from vouch.chain.rpc import Rpc
    from vouch.chain.transaction import Call


@click.command("fetch")
@click.option("--node", metavar="URL", default=LOCAL_NODE, show_default=True, help="Of an enclave.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the document, binary.",
)
@chain_options
@asynchronous
async def fetch(node: str, output: Path, rpc: str, deployments: Path) -> None:
    """Ask a node in an enclave for a fresh document, tied to a recent block of the chain.

    The bearer token of the node, if it wants one, comes from VOUCH_NODE_TOKEN.
    """
    from vouch.cli.attest_fetch import fetch as ask
    from vouch.cli.attest_words import moment
    from vouch.cli.enclave_chain import enclave_chain

    async with enclave_chain(rpc, deployments) as chain:
        document = await ask(chain, node, os.environ.get("VOUCH_NODE_TOKEN") or None)
        lasts = await chain.keys.max_age()
    await asyncio.to_thread(output.write_bytes, document.raw)
    made = document.timestamp_ms // 1000
    out.print(f"[green]fetched[/] {output}, {len(document.raw):,} bytes, made {moment(made)}")
    out.print(f"  register it before {moment(made + lasts)}: vouch attest register {output}")


@click.command("register")
@click.argument("document", metavar="FILE", type=DocumentFile())
@account_options
@click.option(
    "--step-by-step", is_flag=True, help="Certificate by certificate, each in a transaction of its own."
)
@click.option(
    "--most-gas",
    type=click.IntRange(1),
    help="For one transaction; what needs more is done step by step. Default: what the chain takes.",
)
@click.option(
    "--hints",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of hints: those that are there are used, those that are made are added.",
)
@asynchronous
async def register(
    document: "Document",
    rpc: str,
    deployments: Path,
    key_file: Path | None,
    step_by_step: bool,
    most_gas: int | None,
    hints: Path | None,
) -> None:
    """Let in the key that the document in FILE attests, or prolong it. Anybody may.

    All is checked here first, so a wrong document costs nothing. Certificates that the chain has verified
    before are not sent again: after an interruption, run it again, and it goes on where it was.
    """
    from vouch.chain.sender import TxSender
    from vouch.chain.transaction import MAX_TX_GAS
    from vouch.cli.attest_hints import HintBook
    from vouch.cli.attest_register import Registering
    from vouch.cli.attest_words import moment
    from vouch.cli.enclave_chain import enclave_chain

    def step(line: str) -> None:
        out.print(f"  {line}")

    key = load_key(key_file, "to pay for gas")
    async with enclave_chain(rpc, deployments) as chain:
        checked = await chain.check(document)
        step(f"checked off chain: it counts until {moment(checked.attestation.expiry)}")
        sender, book = TxSender(chain.rpc, key), HintBook.open(document, step, hints)
        work = Registering(chain, sender, book, step, most_gas or MAX_TX_GAS, step_by_step)
        await work.run(checked)
    out.print("[green]done[/]")


@click.command("key")
@click.argument("key", metavar="ID", type=KeyId())
@chain_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@asynchronous
async def show(key: str, rpc: str, deployments: Path, as_json: bool) -> None:
    """Say what the chain knows of the enclave's key ID. Exit code 1 if it was never registered."""
    from vouch.cli.attest_words import key_json, key_words
    from vouch.cli.enclave_chain import enclave_chain

    async with enclave_chain(rpc, deployments) as chain:
        known, now = await chain.keys.key_of(key), await chain.now()
    if as_json:
        out.print_json(data=key_json(key, known, now))
    elif known.known:
        for line in key_words(key, known, now):
            out.print(line, markup=False)
    if not known.known:
        raise Failed("\n".join(key_words(key, known, now)))


@click.command("revoke")
@click.argument("key", metavar="ID", type=KeyId())
@account_options
@asynchronous
async def revoke(key: str, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """End the enclave's key ID, for ever. Only the operator that it is bound to may."""
    from vouch.cli.enclave_chain import enclave_chain

    account = load_key(key_file, "of the operator")
    async with enclave_chain(rpc, deployments) as chain:
        known = await chain.keys.key_of(key)
        if not known.known:
            raise Failed(f"key {key} was never registered here\nthere is nothing to revoke")
        if known.revoked:
            raise Failed(f"key {key} is revoked already\nits seals do not count any more")
        if known.operator != account.address:
            raise Failed(
                f"key {key} is {known.operator}'s, not {account.address}'s\nuse that operator's --key-file"
            )
        await _send(chain.rpc, account, chain.keys.revoke(key), f"key {key} is revoked")


@click.command("revoke-certificate")
@click.argument("certificate", metavar="HASH", type=Hash())
@account_options
@asynchronous
async def revoke_certificate(certificate: bytes, rpc: str, deployments: Path, key_file: Path | None) -> None:
    """Refuse from now on all documents whose chain has the certificate of this HASH. The guard only.

    HASH is keccak256 of the certificate's DER, as `vouch attest explain --json` lists it. Keys that came with
    it can be ended by anybody after the revocation delay (EnclaveKeys.revokeByCertificate).
    """
    from vouch.cli.attest_words import moment
    from vouch.cli.enclave_chain import enclave_chain

    account = load_key(key_file, "of the guard")
    async with enclave_chain(rpc, deployments) as chain:
        if at := await chain.attestation.revoked_at(certificate):
            raise Failed(f"0x{certificate.hex()} was revoked at {moment(at)}\nthere is nothing left to do")
        if (guard := await chain.attestation.guard()) != account.address:
            raise Failed(f"the guard is {guard}, not {account.address}\nonly its key can revoke certificates")
        call = chain.attestation.revoke_certificate(certificate)
        await _send(chain.rpc, account, call, f"certificate 0x{certificate.hex()} is revoked")


commands = (fetch, register, show, revoke, revoke_certificate)


async def _send(rpc: "Rpc", account: "LocalKey", call: "Call", done: str) -> None:
    from vouch.chain.sender import TxSender

    receipt = await TxSender(rpc, account).transact(call)
    out.print(f"[green]done[/] {done}, {receipt.gas_used:,} gas")
