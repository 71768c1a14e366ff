"""A made-up machine of a made-up cloud, which attests as AWS's do: for `vouch.attestation.dev`."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha512
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from vouch.attestation.document import parse
from vouch.attestation.issuing import (
    Name,
    Template,
    authority_key_id,
    basic_constraints,
    crl_points,
    issue,
    key_usage,
    subject_key_id,
)
from vouch.attestation.p384.curve import N
from vouch.protocol.enclave import PCR_SIZE

LEAF_BEFORE: Final = 3
"""A leaf begins so many seconds before it is made, as AWS's do."""
LEAF_SECONDS: Final = 3 * 3600
"""And ends so many after."""
LEAF_MARGIN: Final = 15 * 60
"""A leaf with less than this left is replaced: a document is of use for as long as its leaf is."""
PCRS: Final = 16

_DAY, _HOUR = 86_400, 3600
_CERT_SIGN, _CRL_SIGN, _DIGITAL_SIGNATURE, _NON_REPUDIATION = 1 << 5, 1 << 6, 1 << 0, 1 << 1
AUTHORITY_USAGE: Final = _DIGITAL_SIGNATURE | _CERT_SIGN | _CRL_SIGN

_ORGANISATION: Final = (("O", "Nobody"), ("OU", "DEV"))
ROOT_NAME: Final[Name] = (("C", "ZZ"), *_ORGANISATION, ("CN", "dev.nitro-enclaves"))
_PLACE: Final = (("C", "ZZ"), ("ST", "Everywhere"), ("L", "Nowhere"), *_ORGANISATION)
_REGION: Final = "dev-loc-1"
"""As many letters as "us-east-1"; all names are as long as AWS's."""
_ROOT_CRL: Final = "http://dev-nitro-enclaves-crl.s3.local.invalid/crl/{}.crl"
_REGION_CRL: Final = f"http://crl-{_REGION}-dev-nitro-enclaves.s3.{_REGION}.local.invalid/crl/{{}}.crl"


class Variant(Enum):
    """How AWS's documents looked over time: key ids in the machine's certificate, payload map indefinite."""

    Y2022 = (False, False)
    Y2024 = (True, False)
    Y2026 = (True, True)

    @property
    def key_ids(self) -> bool:
        return self.value[0]

    @property
    def indefinite(self) -> bool:
        return self.value[1]


class Secrets:
    """Keys and numbers, in a fixed order if there is a seed."""

    def __init__(self, seed: bytes | None) -> None:
        self._seed, self._drawn = secrets.token_bytes(32) if seed is None else seed, 0

    def bits(self, count: int) -> int:
        """At most 512 bits."""
        self._drawn += 1
        digest = sha512(self._drawn.to_bytes(8, "big") + self._seed).digest()
        return int.from_bytes(digest, "big") >> (512 - count)

    def key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.bits(512) % (N - 1) + 1, ec.SECP384R1())


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who may sign: name and key."""

    name: Name
    key: ec.EllipticCurvePrivateKey


class DevInstance:
    """A machine in a cloud: certificates of region, zone and machine, and a leaf when one is needed."""

    def __init__(self, root_der: bytes, root: Issuer, drawn: Secrets, at: int, variant: Variant) -> None:
        self.variant, self._secrets = variant, drawn
        region = self._authority(
            root, _region_name(self._id()), at - 4 * _DAY, 20 * _DAY + _HOUR, 2, _ROOT_CRL
        )
        zone = self._authority(region[1], _zone_name(self._id()), at - 12 * _HOUR, 6 * _DAY, 1, _REGION_CRL)
        self.number = f"i-0{self._secrets.bits(64):016x}"
        machine = self._machine(zone[1], at - _HOUR)
        self.bundle: Sequence[bytes] = (root_der, region[0], zone[0], machine[0])
        self._issuer = machine[1]
        self._begin, self._end = at - _HOUR, at - _HOUR + _DAY
        self.enclave = f"{at * 1000 << 16 | self._secrets.bits(16):016x}"
        self._leaf, self._leaf_key, self._leaf_end = b"", self._issuer.key, 0

    @property
    def module_id(self) -> str:
        return f"{self.number}-enc{self.enclave}"

    def lasts(self, at: int) -> bool:
        """Whether the machine's own certificate is valid and stays so for as long as a leaf."""
        return self._begin <= at <= self._end - LEAF_SECONDS

    def document(
        self,
        pcrs: Mapping[int, bytes],
        *,
        public_key: bytes | None = None,
        user_data: bytes | None = None,
        nonce: bytes | None = None,
        at_ms: int,
    ) -> bytes:
        """COSE_Sign1 at a time in milliseconds since 1970. Of 16 PCRs those not given are zero.

        Raises:
            NotADocument: no document may have such fields.
        """
        self._renew(at_ms // 1000)
        fields = {
            "module_id": self.module_id,
            "digest": "SHA384",
            "timestamp": at_ms,
            "pcrs": {number: pcrs.get(number, bytes(PCR_SIZE)) for number in sorted({*range(PCRS), *pcrs})},
            "certificate": self._leaf,
            "cabundle": list(self.bundle),
            "public_key": public_key,
            "user_data": user_data,
            "nonce": nonce,
        }
        payload = cbor2.dumps(fields)
        if self.variant.indefinite:
            payload = b"\xbf" + payload[1:] + b"\xff"
        raw = _message(payload, bytes(96))
        signature = self._leaf_key.sign(
            parse(raw).to_be_signed, ec.ECDSA(SHA384(), deterministic_signing=True)
        )
        r, s = decode_dss_signature(signature)
        return _message(payload, r.to_bytes(48, "big") + s.to_bytes(48, "big"))

    def _renew(self, at: int) -> None:
        """A new leaf, unless there is one that is still good for a while."""
        if self._leaf_end - LEAF_SECONDS - LEAF_BEFORE <= at <= self._leaf_end - LEAF_MARGIN:
            return
        key = self._secrets.key()
        subject = (*_PLACE, ("CN", f"{self.module_id}.{_REGION}.dev"))
        extensions = (
            basic_constraints(False),
            key_usage(_DIGITAL_SIGNATURE | _NON_REPUDIATION, critical=False),
        )
        self._leaf_key, self._leaf_end = key, at + LEAF_SECONDS
        template = Template(
            int(self.enclave, 16) << 64 | at, subject, at - LEAF_BEFORE, self._leaf_end, extensions
        )
        self._leaf = issue(template, key.public_key(), self._issuer.name, self._issuer.key)

    def _authority(
        self, issuer: Issuer, name: Name, begin: int, seconds: int, path_len: int, crl: str
    ) -> tuple[bytes, Issuer]:
        """Of a region or a zone."""
        key = self._secrets.key()
        extensions = (
            basic_constraints(True, path_len),
            authority_key_id(issuer.key.public_key()),
            subject_key_id(key.public_key()),
            key_usage(AUTHORITY_USAGE, critical=True),
            crl_points(crl.format(self._uuid())),
        )
        template = Template(self._secrets.bits(128), name, begin, begin + seconds, extensions)
        return issue(template, key.public_key(), issuer.name, issuer.key), Issuer(name, key)

    def _machine(self, issuer: Issuer, begin: int) -> tuple[bytes, Issuer]:
        key = self._secrets.key()
        name = (*_PLACE, ("CN", f"{self.number}.{_REGION}.dev.nitro-enclaves"))
        extensions = [basic_constraints(True, 0), key_usage(_CERT_SIGN, critical=True)]
        if self.variant.key_ids:
            extensions.append(subject_key_id(key.public_key()))
            extensions.append(authority_key_id(issuer.key.public_key()))
        template = Template(self._secrets.bits(160), name, begin, begin + _DAY, extensions)
        return issue(template, key.public_key(), issuer.name, issuer.key), Issuer(name, key)

    def _id(self) -> str:
        return f"{self._secrets.bits(64):016x}"

    def _uuid(self) -> str:
        digits = f"{self._secrets.bits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _region_name(number: str) -> Name:
    return (("C", "ZZ"), *_ORGANISATION, ("CN", f"{number}.{_REGION}.dev.nitro-enclaves"))


def _zone_name(number: str) -> Name:
    common = ("CN", f"{number}.zonal.{_REGION}.dev.nitro-enclaves")
    return (common, ("OU", "DEV"), ("O", "Nobody"), ("C", "ZZ"), ("ST", "NO"), ("L", "Nowhere"))


def _message(payload: bytes, signature: bytes) -> bytes:
    return b"\x84\x44\xa1\x01\x38\x22\xa0" + cbor2.dumps(payload) + cbor2.dumps(signature)
