"""vouch attest: documents of enclaves, off chain (explain | verify | hints | image | dev-authority)."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vouch.cli import attest_chain
from vouch.cli.attest_input import DocumentFile, Root, image_of
from vouch.cli.console import Failed, out
from vouch.cli.options import asynchronous

if TYPE_CHECKING:
    from vouch.attestation.document import Document

json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")
document_argument = click.argument("document", metavar="FILE", type=DocumentFile())


@click.group(
    "attest",
    epilog="""
\b
FILE is an attestation document: binary, hex, base64 or a node's reply; - reads it from standard input.

\b
Examples: from an enclave to a key that counts (the relayer does all of this by itself)
  vouch attest fetch --node http://127.0.0.1:8700 -o enclave.doc
  vouch attest explain enclave.doc                        what it says, in words
  vouch attest verify enclave.doc                         whether it is true
  vouch attest register enclave.doc --key-file me.json    anybody may send it
  vouch attest key 0x7f3c...                              what the chain knows of the key
\b
Examples: for a consumer's terms
  vouch attest image enclave.doc                          the trust: image id of what was measured
\b
Examples: for trying things out without an enclave
  vouch attest dev-authority ./authority
  vouch deploy --dev-authority ./authority --key-file owner.json
  vouch node --onnx risk.onnx --enclave dev --dev-authority ./authority --key-file operator.json
""",
)
def command() -> None:
    """Read, check and register the attestation documents of enclaves."""


@command.command("explain")
@document_argument
@json_option
def explain(document: "Document", as_json: bool) -> None:
    """Say what the document in FILE states, in words.

    Its signatures are checked from its own root on, at its own time: it says whose that root is. Whether to
    trust it is what `vouch attest verify` says.
    """
    from vouch.attestation.explain import explain
    from vouch.cli.attest_words import document_json, outcome_of, root_of, root_words

    root = root_of(document)
    outcome = outcome_of(document, root, document.timestamp_ms // 1000)
    if as_json:
        out.print_json(data=document_json(document, outcome))
        return
    for line in explain(document, outcome):
        out.print(line, markup=False)
    out.print(f"Its root is {root_words(root)}", markup=False)


@command.command("verify")
@document_argument
@click.option(
    "--at",
    type=click.Choice(("now", "document")),
    default="now",
    show_default=True,
    help="Time at which the certificates have to be valid: this machine's, or that of the document.",
)
@click.option(
    "--root",
    type=Root(),
    metavar="ROOT",
    default="aws",
    show_default=True,
    help="Whom to trust: aws, dev:FOLDER (a development authority), or a root's SHA-256 fingerprint.",
)
@json_option
def verify(document: "Document", at: str, root: bytes, as_json: bool) -> None:
    """Check the document in FILE off chain, as the contracts would: form, certificates, signatures.

    Exit code 0: it is true, and not of an enclave in debug mode. Exit code 1: it is not; the last lines say
    why, by the name of the contracts' error, and what to do.
    """
    from vouch.attestation.errors import Refused
    from vouch.attestation.explain import explain
    from vouch.cli.attest_words import document_json, outcome_of

    outcome = outcome_of(document, root, int(time.time()) if at == "now" else document.timestamp_ms // 1000)
    good = not isinstance(outcome, Refused) and not document.debug
    if as_json:
        out.print_json(data=document_json(document, outcome))
    elif good:
        for line in explain(document, outcome):
            out.print(line, markup=False)
    if not good:
        # The refusal is what counts; `explain` tells the rest.
        raise Failed("\n".join(explain(None, outcome) if isinstance(outcome, Refused) else _DEBUG))


@command.command("hints")
@document_argument
@click.option(
    "-o",
    "--output",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the hints. Those of an earlier run that fit the document's signatures are kept.",
)
@asynchronous
async def hints(document: "Document", output: Path) -> None:
    """Make the hints with which the chain checks the signatures of the document in FILE.

    `vouch attest register` makes them by itself; with --hints it takes those of this file.
    """
    from vouch.cli.attest_hints import HintBook

    book = HintBook.open(document, lambda line: out.print(f"  {line}"), output)
    made = await book.hints()
    out.print(f"[green]done[/] {len(made)} hints, {sum(map(len, made)):,} bytes, in {output}")


@command.command("image")
@click.argument("measured", metavar="FILE | PCR0 PCR1 PCR2", nargs=-1, required=True)
def image(measured: tuple[str, ...]) -> None:
    """Print the image id, which consumers put into their terms as trust: keccak256(PCR0 ‖ PCR1 ‖ PCR2).

    FILE is a document, or what `nitro-cli build-enclave` or `nitro-cli describe-eif` printed. A document only
    says what it says: build the image yourself, and compare.
    """
    from vouch.chain.hexes import to_hex

    out.print(to_hex(image_of(measured)))


@command.command("dev-authority")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def dev_authority(folder: Path) -> None:
    """Make a development authority in FOLDER, which attests processes that are no enclaves.

    Whoever has the folder can attest anything, so no deployment that trusts it is worth anything to others.
    """
    from vouch.attestation.dev import DevAuthority
    from vouch.chain.hexes import to_hex

    made = DevAuthority.create(folder=folder)
    out.print(f"[green]made[/] a development authority in {folder}")
    out.print(f"  root {to_hex(made.fingerprint)}")
    out.print(f"  next: vouch deploy --dev-authority {folder}")
    out.print(f"        vouch node --enclave dev --dev-authority {folder}")


_DEBUG = (
    "the enclave runs in debug mode: its document is signed, and proves nothing",
    "run it without --debug-mode; EnclaveKeys refuses this one",
)

for further in attest_chain.commands:
    command.add_command(further)
