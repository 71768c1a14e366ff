"""Documents and keys for people, and for programs."""

import datetime as dt
from hashlib import sha256
from typing import Any

from vouch.attestation.document import Document
from vouch.attestation.errors import NotACertificate, Refused
from vouch.attestation.verify import AWS_ROOT, Attestation, verify
from vouch.chain.enclave import EnclaveKey
from vouch.chain.hexes import to_hex
from vouch.protocol.enclave import (
    EnclaveIdentity,
    NotAKey,
    WrongNonce,
    WrongUserData,
    parse_nonce,
    parse_user_data,
)
from vouch.protocol.keccak import keccak


def moment(at: int) -> str:
    """Unix seconds, for people."""
    try:
        return dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):  # later than any calendar
        return f"{at} s after 1970"


def root_words(fingerprint: bytes) -> str:
    """Whose a root is."""
    if fingerprint == AWS_ROOT:
        return f"AWS's, {to_hex(fingerprint)}"
    return f"not AWS's, {to_hex(fingerprint)}: for development, since whoever has its key attests anything"


def root_of(document: Document) -> bytes:
    """Fingerprint of the root that a document comes with."""
    return sha256(document.certificates[0]).digest()


def outcome_of(document: Document, root: bytes, at: int) -> Attestation | Refused:
    """Whether the document follows from a root, at a time in unix seconds."""
    try:
        return verify(document, root_fingerprint=root, at=at)
    except Refused as refusal:
        return refusal


def document_json(document: Document, outcome: Attestation | Refused) -> dict[str, Any]:
    """All that a document says, and whether it is true; bytes are 0x hex, times unix seconds."""
    root = root_of(document)
    return {
        "moduleId": document.module_id,
        "timestampMs": document.timestamp_ms,
        "debug": document.debug,
        "imageId": _hex(document.image_id),
        "pcrs": {str(number): to_hex(pcr) for number, pcr in document.pcrs.items()},
        "key": _key(document.public_key),
        "binding": _binding(document.user_data),
        "block": _block(document.nonce),
        "publicKey": _hex(document.public_key),
        "userData": _hex(document.user_data),
        "nonce": _hex(document.nonce),
        "certificates": [to_hex(keccak(der)) for der in document.certificates],
        "root": {"fingerprint": to_hex(root), "aws": root == AWS_ROOT},
        **_outcome(outcome),
    }


def key_json(key: str, known: EnclaveKey, now: int) -> dict[str, Any]:
    """What the chain knows of a key."""
    return {
        "key": key,
        "known": known.known,
        "counts": known.known and not known.revoked and now <= known.expiry,
        "imageId": to_hex(known.image_id),
        "operator": known.operator,
        "expiry": known.expiry,
        "curve": known.curve.name.lower(),
        "revoked": known.revoked,
    }


def key_words(key: str, known: EnclaveKey, now: int) -> list[str]:
    """The same, for people."""
    if not known.known:
        return [f"key {key} was never registered here: `vouch attest register` does that with its document"]
    if known.revoked:
        state = "revoked: its seals do not count, and never will again"
    elif known.expiry < now:
        state = f"expired at {moment(known.expiry)}: register a new document of the same enclave"
    else:
        left = dt.timedelta(seconds=known.expiry - now)
        state = f"counts until {moment(known.expiry)}, for {left} more"
    return [
        f"key {key}, on {known.curve.name.lower()}",
        f"  {state}",
        f"  image     {to_hex(known.image_id)} (the trust of requests that it may answer)",
        f"  operator  {known.operator}",
    ]


def _outcome(outcome: Attestation | Refused) -> dict[str, Any]:
    if isinstance(outcome, Attestation):
        return {"verified": True, "expiry": outcome.expiry, "refusal": None}
    index = outcome.index if isinstance(outcome, NotACertificate) else None
    refusal = {"name": outcome.name, "message": str(outcome), "certificate": index}
    return {"verified": False, "expiry": None, "refusal": refusal}


def _key(spki: bytes | None) -> dict[str, str] | None:
    try:
        identity = EnclaveIdentity.from_spki(spki or b"")
    except NotAKey:
        return None
    return {"id": identity.id, "curve": identity.curve.name.lower()}


def _binding(raw: bytes | None) -> dict[str, Any] | None:
    try:
        bound = parse_user_data(raw or b"")
    except WrongUserData:
        return None
    return {
        "chainId": bound.chain_id,
        "keys": bound.keys,
        "operator": bound.operator,
        "extra": to_hex(bound.extra),
    }


def _block(raw: bytes | None) -> dict[str, Any] | None:
    try:
        named = parse_nonce(raw or b"")
    except WrongNonce:
        return None
    return {"number": named.block_number, "hash": to_hex(named.block_hash)}


def _hex(data: bytes | None) -> str | None:
    return None if data is None else to_hex(data)
