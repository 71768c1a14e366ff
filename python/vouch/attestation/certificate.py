"""Certificates of Nitro's chains: X.509 version 3 over P-384 with SHA-384, taken apart.

The rules, their order and the errors are those of `contracts/attestation/X509.sol`, which explains them.
Sources: RFC 5280 sections 4.1 and 4.2, RFC 5480 section 2, RFC 5758 section 3.2, RFC 3279 section 2.2.3.
"""

from dataclasses import dataclass
from typing import Final

from vouch.attestation.der import Cursor, Tag
from vouch.attestation.errors import NotACertificate

COORDINATE: Final = 48
"""Bytes of a coordinate, of r and of s."""
MAX_EXTENSIONS: Final = 16
MAX_PATH_LEN: Final = 254

DIGITAL_SIGNATURE: Final = 1 << 0
KEY_CERT_SIGN: Final = 1 << 5

ECDSA_WITH_SHA384: Final = bytes.fromhex("06082a8648ce3d040303")
"""Content of the AlgorithmIdentifier; the next one's too."""
EC_P384: Final = bytes.fromhex("06072a8648ce3d020106052b81040022")
KEY_USAGE: Final = bytes.fromhex("551d0f")
"""Object identifiers of extensions: id-ce, 2.5.29, and the extension's number."""
BASIC_CONSTRAINTS: Final = bytes.fromhex("551d13")
_NAME_CONSTRAINTS: Final = bytes.fromhex("551d1e")
_POLICY_CONSTRAINTS: Final = bytes.fromhex("551d24")
_EXTENDED_KEY_USAGE: Final = bytes.fromhex("551d25")
_INHIBIT_ANY_POLICY: Final = bytes.fromhex("551d36")
_RESTRICTING: Final = (_NAME_CONSTRAINTS, _POLICY_CONSTRAINTS, _EXTENDED_KEY_USAGE, _INHIBIT_ANY_POLICY)

_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_VERSION_3: Final = 2
_MAX_SERIAL: Final = 2**160 - 1
_KEY_USAGES: Final = 0x1FF
_UNCOMPRESSED: Final = 4
_COMMON_NAME: Final = bytes.fromhex("550403")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says, not whether it is true.

    `tbs` is what is signed; `issuer` and `subject` are whole DER Names, to be compared byte for byte. `key`
    is x ‖ y and `signature` r ‖ s, 96 bytes each. Times are in seconds since 1970, both inclusive. Bit i of
    `key_usage` is the one that RFC 5280 numbers i. `path_len` is None for any number of authorities below.
    """

    der: bytes
    tbs: bytes
    issuer: bytes
    subject: bytes
    key: bytes
    not_before: int
    not_after: int
    ca: bool
    path_len: int | None
    key_usage: int
    signature: bytes

    @property
    def authority(self) -> bool:
        """Whether it may sign certificates."""
        return self.ca and bool(self.key_usage & KEY_CERT_SIGN)

    @property
    def signer(self) -> bool:
        """Whether it may sign documents."""
        return not self.ca and bool(self.key_usage & DIGITAL_SIGNATURE)


def parse(der: bytes) -> Certificate:
    """Takes a whole certificate apart.

    Raises:
        NotACertificate: the contract would refuse its form; `name` and `values` are those of its error.
    """
    reader = Cursor(der)
    outer = reader.enter(Tag.SEQUENCE)
    start = outer.at
    tbs = outer.enter(Tag.SEQUENCE)
    signed = outer.since(start)

    _check_version(tbs.enter(_VERSION))
    serial = tbs.number(32)
    if not 0 < serial <= _MAX_SERIAL:
        raise NotACertificate("WrongSerial", serial)
    _check_signature_algorithm(tbs)
    issuer = _name(tbs)
    validity = tbs.enter(Tag.SEQUENCE)
    not_before, not_after = validity.time(), validity.time()
    validity.close()
    subject = _name(tbs)
    key = _key(tbs.enter(Tag.SEQUENCE))
    ca, path_len, key_usage = _extensions(tbs.enter(_EXTENSIONS))
    tbs.close()

    _check_signature_algorithm(outer)
    signature = _signature(outer)
    outer.close()
    reader.close()
    return Certificate(
        der, signed, issuer, subject, key, not_before, not_after, ca, path_len, key_usage, signature
    )


def common_name(name: bytes) -> str:
    """The last common name in the DER Name of a certificate that was parsed; empty where it has none."""
    found = b""
    parts = Cursor(name).enter(Tag.SEQUENCE)
    while not parts.done():
        attribute = parts.enter(Tag.SET).enter(Tag.SEQUENCE)
        kind, value = attribute.oid(), attribute.next().rest
        if kind == _COMMON_NAME:
            found = value
    return found.decode("utf-8", "backslashreplace")


def _check_version(wrapper: Cursor) -> None:
    version = wrapper.number(1)
    if version != _VERSION_3:
        raise NotACertificate("WrongVersion", version)
    wrapper.close()


def _check_signature_algorithm(parent: Cursor) -> None:
    algorithm = parent.enter(Tag.SEQUENCE).rest
    if algorithm != ECDSA_WITH_SHA384:
        raise NotACertificate("WrongSignatureAlgorithm", algorithm)


def _name(tbs: Cursor) -> bytes:
    """The whole Name."""
    start = tbs.at
    name = tbs.enter(Tag.SEQUENCE)
    if name.done():
        raise NotACertificate("EmptyName", start)
    while not name.done():
        relative = name.enter(Tag.SET)
        attribute = relative.enter(Tag.SEQUENCE)
        attribute.oid()
        attribute.next()
        attribute.close()
        relative.close()
    return tbs.since(start)


def _key(info: Cursor) -> bytes:
    """x ‖ y of a SubjectPublicKeyInfo."""
    algorithm = info.enter(Tag.SEQUENCE).rest
    if algorithm != EC_P384:
        raise NotACertificate("WrongKeyAlgorithm", algorithm)
    point = info.octet_string().rest
    info.close()
    if point[0] != _UNCOMPRESSED:
        raise NotACertificate("CompressedKey", point[0])
    if len(point) != 1 + 2 * COORDINATE:
        raise NotACertificate("WrongKeySize", len(point))
    return point[1:]


def _extensions(wrapper: Cursor) -> tuple[bool, int | None, int]:
    """cA, pathLenConstraint and keyUsage."""
    extensions = wrapper.enter(Tag.SEQUENCE)
    seen: list[bytes] = []
    ca, path_len, key_usage = False, None, 0
    while not extensions.done():
        if len(seen) == MAX_EXTENSIONS:
            raise NotACertificate("TooManyExtensions", MAX_EXTENSIONS)
        extension = extensions.enter(Tag.SEQUENCE)
        oid = extension.oid()
        critical = extension.flag()
        value = extension.enter(Tag.OCTET_STRING)
        if oid in seen:
            raise NotACertificate("DuplicateExtension", oid)
        seen.append(oid)
        if oid == KEY_USAGE:
            key_usage = _key_usage(value)
        elif oid == BASIC_CONSTRAINTS:
            ca, path_len = _basic_constraints(value)
        elif oid in _RESTRICTING:
            raise NotACertificate("RestrictingExtension", oid)
        elif critical:
            raise NotACertificate("UnknownCriticalExtension", oid)
        extension.close()
    wrapper.close()
    if not key_usage:
        raise NotACertificate("MissingKeyUsage")
    return ca, path_len, key_usage


def _key_usage(value: Cursor) -> int:
    usage = value.named_bits()
    if not 0 < usage <= _KEY_USAGES:
        raise NotACertificate("WrongKeyUsage", usage)
    value.close()
    return usage


def _basic_constraints(value: Cursor) -> tuple[bool, int | None]:
    constraints = value.enter(Tag.SEQUENCE)
    ca, path_len = constraints.flag(), None
    if not constraints.done():
        if not ca:
            raise NotACertificate("PathLenWithoutCa", constraints.at)
        path_len = constraints.number(32)
        if path_len > MAX_PATH_LEN:
            raise NotACertificate("PathLenTooLong", path_len, MAX_PATH_LEN)
    constraints.close()
    value.close()
    return ca, path_len


def _signature(outer: Cursor) -> bytes:
    """r ‖ s of an ECDSA-Sig-Value."""
    content = outer.octet_string()
    pair = content.enter(Tag.SEQUENCE)
    r, s = pair.integer(COORDINATE), pair.integer(COORDINATE)
    pair.close()
    content.close()
    return r.rjust(COORDINATE, b"\0") + s.rjust(COORDINATE, b"\0")
