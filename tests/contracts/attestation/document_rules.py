"""The rules for documents once more, from the other side: what has no other form is what cbor2 writes again.

cbor2 reads more than the contracts take: numbers of more bytes than needed, bignums, strings in pieces, keys
that come twice. `lenient` reads a document as it does and looks at the values only; `strict` also wants that
cbor2 writes the same bytes for them. No rule about the form of heads is written down here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cbor2 import CBORDecodeError, dumps, loads

from tests.contracts.attestation.documents import PROTECTED, TAG

MANDATORY: Final = {"module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"}
OPTIONAL: Final = {"public_key", "user_data", "nonce"}


@dataclass(frozen=True, slots=True)
class Said:
    """What a document says. `pcrs` has an entry for each number up to the highest, or an empty one."""

    payload: bytes
    signature: bytes
    module_id: bytes
    timestamp: int
    pcrs: tuple[bytes, ...]
    certificate: bytes
    cabundle: tuple[bytes, ...]
    public_key: bytes | None
    user_data: bytes | None
    nonce: bytes | None


def lenient(raw: bytes) -> Said | None:
    """What it says to a reader that does not care for its form; None: nothing that would do."""
    body = raw[1:] if raw[:1] == TAG else raw
    try:
        message = loads(body)
        if not _is_message(message):
            return None
        values = loads(message[2])
    except CBORDecodeError:
        return None
    return _said(message, values) if _is_payload(values) else None


def strict(raw: bytes) -> Said | None:
    """The same of what cbor2 would write."""
    said = lenient(raw)
    if said is None:
        return None
    body = raw[1:] if raw[:1] == TAG else raw
    again = dumps([PROTECTED, {}, said.payload, said.signature])
    return said if body == again and said.payload in _forms(loads(said.payload)) else None


def to_be_signed(said: Said) -> bytes:
    """RFC 9052, 4.4."""
    return dumps(["Signature1", PROTECTED, b"", said.payload])


def _forms(values: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Payload of definite and of indefinite length."""
    pairs = b"".join(dumps(key) + dumps(value) for key, value in values.items())
    return dumps(values), b"\xbf" + pairs + b"\xff"


def _is_message(value: Any) -> bool:
    if type(value) is not list or len(value) != 4:
        return False
    protected, unprotected, payload, signature = value
    return (
        protected == PROTECTED
        and type(protected) is bytes
        and type(unprotected) is dict
        and not unprotected
        and type(payload) is bytes
        and _is_bytes(signature, 96, 96)
    )


def _is_payload(value: Any) -> bool:
    if type(value) is not dict or not MANDATORY <= set(value) <= MANDATORY | OPTIONAL:
        return False
    return (
        type(value["module_id"]) is str
        and 1 <= len(value["module_id"].encode()) <= 1024
        and value["digest"] == "SHA384"
        and _is_number(value["timestamp"], 1, 2**64 - 1)
        and type(value["pcrs"]) is dict
        and 1 <= len(value["pcrs"]) <= 32
        and all(_is_number(number, 0, 31) for number in value["pcrs"])
        and all(type(pcr) is bytes and len(pcr) in (32, 48, 64) for pcr in value["pcrs"].values())
        and _is_bytes(value["certificate"], 1, 1024)
        and type(value["cabundle"]) is list
        and 1 <= len(value["cabundle"]) <= 8
        and all(_is_bytes(certificate, 1, 1024) for certificate in value["cabundle"])
        and all(_is_optional(value.get(name), least) for name, least in _LEAST.items())
    )


_LEAST: Final = {"public_key": 1, "user_data": 0, "nonce": 0}


def _is_number(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_bytes(value: Any, least: int, most: int) -> bool:
    return type(value) is bytes and least <= len(value) <= most


def _is_optional(value: Any, least: int) -> bool:
    return value is None or _is_bytes(value, least, 1024)


def _said(message: Any, values: Any) -> Said:
    pcrs = values["pcrs"]
    return Said(
        payload=message[2],
        signature=message[3],
        module_id=values["module_id"].encode(),
        timestamp=values["timestamp"],
        pcrs=tuple(pcrs.get(number, b"") for number in range(max(pcrs) + 1)),
        certificate=values["certificate"],
        cabundle=tuple(values["cabundle"]),
        public_key=values.get("public_key"),
        user_data=values.get("user_data"),
        nonce=values.get("nonce"),
    )
