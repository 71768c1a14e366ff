"""What `vouch attest` is given: documents in any form in which they are passed around, roots, image ids."""

import base64
import binascii
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vouch.protocol.errors import VouchError

if TYPE_CHECKING:
    from vouch.attestation.document import Document

STDIN = "-"
_BINARY = (0x84, 0xD2)
"""First byte of COSE_Sign1, without and with its tag; neither is text."""
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_NO_IMAGE = (
    "give an attestation document, what `nitro-cli build-enclave` or `nitro-cli describe-eif` printed, or "
    "PCR0 PCR1 PCR2 of 96 hex digits each"
)


class Unreadable(VouchError):
    """There is no document in the input."""

    def __init__(self, where: str, *why: str) -> None:
        super().__init__("\n".join((f"{where} is no attestation document", *why)))


class NoImage(VouchError):
    """The input does not say what was measured."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} names no image ({why}): {_NO_IMAGE}")


class DocumentFile(click.ParamType["Document"]):
    """A path, or - for standard input: binary, hex, base64, or the reply of a node."""

    name = "file"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002 - click's signature
    ) -> "Document":
        return document_of(read(value), value) if isinstance(value, str) else value


class Hash(click.ParamType[bytes]):
    """32 bytes of hex."""

    name = "hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        found = value if isinstance(value, bytes) else unhex(str(value))
        if found is None or len(found) != 32:
            self.fail(f"{value!r} is no hash of 32 bytes (64 hex digits)", param, ctx)
        return found


class KeyId(click.ParamType[str]):
    """Id of an enclave's key: an address."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from vouch.chain.hexes import checksum

        found = unhex(str(value))
        if found is None or len(found) != 20:
            self.fail(f"{value!r} is no key's id (an address, 40 hex digits)", param, ctx)
        return checksum(found)


class Root(click.ParamType[bytes]):
    """SHA-256 of a root certificate: aws, 64 hex digits, or dev:FOLDER."""

    name = "root"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        kind, _, folder = str(value).partition(":")
        if kind == "dev" and folder:
            from vouch.attestation.dev import DevAuthority

            return DevAuthority.open(Path(folder)).fingerprint
        if value == "aws":
            from vouch.attestation.verify import AWS_ROOT

            return AWS_ROOT
        found = unhex(str(value).replace(":", ""))
        if found is None or len(found) != 32:
            self.fail(f"{value!r} is no root: write aws, dev:FOLDER or a SHA-256 fingerprint", param, ctx)
        return found


def read(where: str) -> bytes:
    """A file's bytes, or those of standard input. Raises click.BadParameter."""
    try:
        return sys.stdin.buffer.read() if where == STDIN else Path(where).read_bytes()
    except OSError as failure:
        raise click.BadParameter(f"{where} cannot be read ({failure.strerror or failure})") from failure


def document_of(raw: bytes, where: str) -> "Document":
    """The document in the bytes, whatever they are written in. Raises Unreadable."""
    from vouch.attestation.document import parse
    from vouch.attestation.errors import NotADocument
    from vouch.attestation.explain import explain

    try:
        return parse(_binary(raw, where))
    except NotADocument as refusal:
        raise Unreadable(where, *explain(None, refusal)) from refusal


def image_of(words: Sequence[str]) -> bytes:
    """Image id of what was measured: three PCRs, or a file that has them. Raises NoImage, Unreadable."""
    from vouch.protocol.enclave import PCR_SIZE, image_id

    where = "the command line" if len(words) > 1 else words[0]
    if len(words) == 3:
        pcrs = [unhex(word) for word in words]
    elif len(words) == 1:
        pcrs = _pcrs(read(where), where)
    else:
        raise NoImage(where, f"it has {len(words)} values, not 1 or 3")
    found = [pcr for pcr in pcrs if pcr is not None and len(pcr) == PCR_SIZE]
    if len(found) != 3:
        raise NoImage(where, f"PCRs 0, 1 and 2 have {PCR_SIZE} bytes each")
    if not any(found[0]):
        raise NoImage(where, "PCR 0 is zero: debug mode, in which nothing is measured")
    return image_id(*found)


def unhex(text: str) -> bytes | None:
    """Bytes of hex digits, with or without 0x; None if there is anything else."""
    digits = text.removeprefix("0x")
    return bytes.fromhex(digits) if re.fullmatch(r"(?:[0-9a-fA-F]{2})*", digits) else None


def _binary(raw: bytes, where: str) -> bytes:
    if not raw:
        raise Unreadable(where, "it is empty: let the node make one, with `vouch attest fetch`")
    if raw[0] in _BINARY:
        return raw
    text = re.sub(rb"\s", b"", raw)
    if (reply := _json(raw)) is not None:
        text = str(reply.get("document", "")).encode()
    if not text.isascii():
        return raw  # the parser says what is wrong with it
    try:
        found = unhex(text.decode()) or base64.b64decode(text.translate(_URL_SAFE), validate=True)
    except binascii.Error:
        found = b""
    if not found:
        raise Unreadable(where, "give it as the module made it (binary), or as hex or base64")
    return found


def _pcrs(raw: bytes, where: str) -> list[bytes | None]:
    # nitro-cli may say how it goes on before it gives the JSON.
    measured = (_json(raw[max(raw.find(b"{"), 0) :]) or {}).get("Measurements")
    if isinstance(measured, dict):
        return [unhex(str(measured.get(f"PCR{number}", ""))) for number in range(3)]
    document = document_of(raw, where)
    return [document.pcrs.get(number) for number in range(3)]


def _json(raw: bytes) -> Mapping[str, Any] | None:
    """An object, or None."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
