"""Attestation documents of Nitro enclaves: COSE_Sign1 (ES384) over a CBOR map, taken apart.

The rules are those of `contracts/attestation/CoseSign1.sol` and `NitroDocument.sol`, so that what is refused
there is refused here, by the same name. Sources: RFC 9052 sections 4.2 and 4.4, RFC 9053 section 2.1, and
`docs/attestation_process.md` of aws-nitro-enclaves-nsm-api.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from vouch.attestation.cbor import Major, Reader
from vouch.attestation.errors import NotADocument
from vouch.protocol.enclave import PCR_SIZE, image_id

SIGNATURE_SIZE: Final = 96
MAX_BUNDLE: Final = 8
"""Certificates before the leaf."""
MAX_FIELD: Final = 1024
MAX_PCRS: Final = 32
PCR_SIZES: Final = (32, 48, 64)

_TAG: Final = 0xD2
"""CBOR tag 18, COSE_Sign1; the Nitro Secure Module leaves it out."""
_PROTECTED: Final = bytes.fromhex("a1013822")
"""{1: -35}: the algorithm is ES384."""
_CONTEXT: Final = b"\x84\x6aSignature1\x44" + _PROTECTED + b"\x40"
"""Sig_structure up to the payload: an array of 4, the context, the protected header, no external data."""

_DIGEST: Final = b"SHA384"
_MANDATORY: Final = ("module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle")
_ALL: Final = (*_MANDATORY, "public_key", "user_data", "nonce")


@dataclass(frozen=True, slots=True)
class Document:
    """A document's parts, none of them verified. `certificates` are DER, root first, leaf last.

    `timestamp_ms` is in milliseconds since 1970. `public_key`, `user_data` and `nonce` are None where the
    enclave gave none.
    """

    raw: bytes
    payload: bytes
    to_be_signed: bytes
    signature: bytes
    module_id: str
    timestamp_ms: int
    digest: str
    pcrs: Mapping[int, bytes]
    certificates: tuple[bytes, ...]
    public_key: bytes | None
    user_data: bytes | None
    nonce: bytes | None

    @property
    def debug(self) -> bool:
        """Whether the enclave runs in debug mode: whoever owns the machine reads along (PCR 0 is zero)."""
        return 0 in self.pcrs and not any(self.pcrs[0])

    @property
    def image_id(self) -> bytes | None:
        """What a consumer has to trust, 32 bytes; None without PCRs 0, 1 and 2 of 48 bytes each."""
        measured = [self.pcrs.get(number, b"") for number in range(3)]
        return image_id(*measured) if all(len(pcr) == PCR_SIZE for pcr in measured) else None


def parse(raw: bytes) -> Document:
    """Takes a whole document apart.

    Raises:
        NotADocument: the contract would refuse its form; `name` and `values` are those of its error.
    """
    reader = Reader(raw)
    if reader.peek() == _TAG:
        reader.at += 1
    at = reader.at
    count = reader.head(Major.ARRAY)
    if count != 4:
        raise NotADocument("WrongArrayLength", at, count)
    protected = reader.byte_string()
    if protected != _PROTECTED:
        raise NotADocument("WrongProtectedHeader", protected)
    at = reader.at
    unprotected = reader.head(Major.MAP)
    if unprotected:
        raise NotADocument("UnprotectedHeaderNotEmpty", at, unprotected)
    start_of_head = reader.at
    payload = reader.byte_string()
    start = reader.at - len(payload)
    signature = reader.byte_string()
    if len(signature) != SIGNATURE_SIZE:
        raise NotADocument("WrongSignatureLength", len(signature))
    reader.finish()
    fields = _Fields.read(Reader(raw, start, start + len(payload)))
    return Document(
        raw=raw,
        payload=payload,
        to_be_signed=_CONTEXT + raw[start_of_head:start] + payload,
        signature=signature,
        module_id=fields.module_id,
        timestamp_ms=fields.timestamp,
        digest=_DIGEST.decode(),
        pcrs=MappingProxyType(fields.pcrs),
        certificates=(*fields.cabundle, fields.certificate),
        public_key=fields.public_key,
        user_data=fields.user_data,
        nonce=fields.nonce,
    )


@dataclass(slots=True)
class _Fields:
    """The payload while it is read."""

    module_id: str = ""
    timestamp: int = 0
    pcrs: dict[int, bytes] = field(default_factory=dict)
    certificate: bytes = b""
    cabundle: list[bytes] = field(default_factory=list)
    public_key: bytes | None = None
    user_data: bytes | None = None
    nonce: bytes | None = None

    @classmethod
    def read(cls, reader: Reader) -> "_Fields":
        """All of a payload, keys in any order."""
        made, seen = cls(), set[str]()
        count, read = reader.open_map(), 0
        while reader.more(count, read):
            at = reader.at
            key = reader.text()
            name = key.decode("ascii", "replace")
            if name not in _ALL:
                raise NotADocument("UnknownField", at, key)
            if name in seen:
                raise NotADocument("DuplicateField", at, key)
            seen.add(name)
            made.take(name, reader)
            read += 1
        reader.finish()
        for name in _MANDATORY:
            if name not in seen:
                raise NotADocument("MissingField", name.encode())
        return made

    def take(self, name: str, reader: Reader) -> None:
        """The value of one field."""
        match name:
            case "module_id":
                self.module_id = _module_id(reader)
            case "digest":
                at, digest = reader.at, reader.text()
                if digest != _DIGEST:
                    raise NotADocument("WrongDigest", at, digest)
            case "timestamp":
                at, self.timestamp = reader.at, reader.unsigned()
                if not self.timestamp:
                    raise NotADocument("ZeroTimestamp", at)
            case "pcrs":
                self.pcrs = _pcrs(reader)
            case "certificate":
                self.certificate = _sized(reader, 1)
            case "cabundle":
                self.cabundle = _bundle(reader)
            case "public_key":
                self.public_key = _optional(reader, 1)
            case "user_data":
                self.user_data = _optional(reader, 0)
            case "nonce":
                self.nonce = _optional(reader, 0)


def _module_id(reader: Reader) -> str:
    at, raw = reader.at, reader.text()
    if not 1 <= len(raw) <= MAX_FIELD:
        raise NotADocument("WrongLength", at, len(raw), 1, MAX_FIELD)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise NotADocument("NotUtf8", at) from None


def _pcrs(reader: Reader) -> dict[int, bytes]:
    at, count = reader.at, reader.head(Major.MAP)
    if not 1 <= count <= MAX_PCRS:
        raise NotADocument("WrongPcrCount", at, count)
    made: dict[int, bytes] = {}
    for _ in range(count):
        at, number = reader.at, reader.unsigned()
        if number >= MAX_PCRS:
            raise NotADocument("WrongPcrIndex", at, number)
        if number in made:
            raise NotADocument("DuplicatePcr", at, number)
        at, pcr = reader.at, reader.byte_string()
        if len(pcr) not in PCR_SIZES:
            raise NotADocument("WrongPcrLength", at, len(pcr))
        made[number] = pcr
    return made


def _bundle(reader: Reader) -> list[bytes]:
    at, count = reader.at, reader.head(Major.ARRAY)
    if not 1 <= count <= MAX_BUNDLE:
        raise NotADocument("WrongBundleLength", at, count)
    return [_sized(reader, 1) for _ in range(count)]


def _sized(reader: Reader, least: int) -> bytes:
    at, raw = reader.at, reader.byte_string()
    if not least <= len(raw) <= MAX_FIELD:
        raise NotADocument("WrongLength", at, len(raw), least, MAX_FIELD)
    return raw


def _optional(reader: Reader, least: int) -> bytes | None:
    if reader.at_null():
        return None
    return _sized(reader, least)
