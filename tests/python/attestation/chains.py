"""Chains that no honest authority makes, signed properly: one thing about them is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from vouch.attestation.dev_machine import Secrets
from vouch.attestation.document import Document, parse
from vouch.attestation.issuing import Template, basic_constraints, issue, key_usage

AT: Final = 1_770_918_962
SIGN, CERT_SIGN = 1 << 0, 1 << 5

Extension = tuple[bytes, bool, bytes]


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate of the chain; `issuer` is another name than that of the one above."""

    name: str
    begin: int = AT - 100
    end: int = AT + 100
    ca: bool = True
    path_len: int | None = None
    usage: int = CERT_SIGN
    issuer: str | None = None
    forged: bool = False
    extra: Sequence[Extension] = field(default_factory=tuple)


ROOT: Final = Link("root")
UPPER: Final = Link("upper", path_len=1)
LOWER: Final = Link("lower", path_len=0)
LEAF: Final = Link("leaf", ca=False, usage=SIGN)
GOOD: Final = (ROOT, UPPER, LOWER, LEAF)


def changed(index: int, **changes: object) -> list[Link]:
    """GOOD with one certificate changed."""
    links = list(GOOD)
    links[index] = replace(links[index], **changes)  # type: ignore[arg-type]
    return links


Case = tuple[list[Link], str, tuple[int, ...]]

BROKEN: Final[Sequence[Case]] = (
    (changed(0, end=AT - 1), "CertificateExpired", (0, AT - 1)),
    (changed(1, end=AT - 1), "CertificateExpired", (1, AT - 1)),
    (changed(2, end=AT - 1), "CertificateExpired", (2, AT - 1)),
    (changed(3, end=AT - 1), "CertificateExpired", (3, AT - 1)),
    (changed(0, begin=AT + 1), "CertificateNotYetValid", (0, AT + 1)),
    (changed(2, begin=AT + 1), "CertificateNotYetValid", (2, AT + 1)),
    (changed(3, begin=AT + 1), "CertificateNotYetValid", (3, AT + 1)),
    (changed(1, issuer="another"), "WrongIssuer", (1,)),
    (changed(3, issuer="another"), "WrongIssuer", (3,)),
    (changed(1, forged=True), "WrongSignature", (1,)),
    (changed(3, forged=True), "WrongSignature", (3,)),
    (changed(0, ca=False), "NotAnAuthority", (0,)),
    (changed(2, ca=False, path_len=None), "NotAnAuthority", (2,)),
    (changed(0, usage=SIGN), "NotAnAuthority", (0,)),
    (changed(2, usage=0b1001111), "NotAnAuthority", (2,)),
    (changed(3, usage=0b1110), "NotASigner", (3,)),
    (changed(3, ca=True, usage=SIGN | CERT_SIGN), "PathTooLong", (3,)),
    ([ROOT, Link("leaf", usage=SIGN | CERT_SIGN)], "NotASigner", (1,)),
    (changed(0, path_len=0), "PathTooLong", (1,)),
    (changed(0, path_len=1), "PathTooLong", (2,)),
    (changed(1, path_len=0), "PathTooLong", (2,)),
    ([ROOT, Link("a", path_len=1), Link("b", path_len=9), Link("c"), LEAF], "PathTooLong", (3,)),
)
"""With the refusal's name and its first arguments."""

FINE: Final[Sequence[list[Link]]] = (
    changed(0, path_len=2),
    changed(2, path_len=None),
    [ROOT, Link("a", path_len=2), Link("b", path_len=9), Link("c"), LEAF],
    [ROOT, LEAF],
)
"""Path lengths that just do."""


def certificates(
    links: Sequence[Link], seed: bytes = b"chains"
) -> tuple[list[bytes], ec.EllipticCurvePrivateKey]:
    """DER, root first, and the last one's key."""
    drawn = Secrets(seed)
    parent_name, parent_key = links[0].name, drawn.key()
    own_key, made = parent_key, []
    for index, link in enumerate(links):
        own_key = parent_key if index == 0 else drawn.key()
        template = Template(
            drawn.bits(128),
            (("CN", link.name),),
            link.begin,
            link.end,
            (basic_constraints(link.ca, link.path_len), key_usage(link.usage, critical=True), *link.extra),
        )
        issuer = (("CN", link.issuer or parent_name),)
        signer = drawn.key() if link.forged else parent_key
        made.append(issue(template, own_key.public_key(), issuer, signer))
        parent_name, parent_key = link.name, own_key
    return made, own_key


def payload(chain: Sequence[bytes], **changes: object) -> bytes:
    """Of a document by the chain's last certificate."""
    fields: dict[str, object] = {
        "module_id": "i-1-enc1",
        "digest": "SHA384",
        "timestamp": 1000 * AT,
        "pcrs": {number: bytes([number + 1]) * 48 for number in range(3)},
        "certificate": chain[-1],
        "cabundle": list(chain[:-1]),
        "public_key": None,
        "user_data": b"",
        "nonce": b"n",
    }
    return cbor2.dumps(fields | changes)


def message(content: bytes, signature: bytes = bytes(96)) -> bytes:
    return b"\x84\x44\xa1\x01\x38\x22\xa0" + cbor2.dumps(content) + cbor2.dumps(signature)


def signed(links: Sequence[Link], **changes: object) -> Document:
    """A document under such a chain, signed by its last key."""
    chain, key = certificates(links)
    content = payload(chain, **changes)
    draft = parse(message(content))
    r, s = decode_dss_signature(key.sign(draft.to_be_signed, ec.ECDSA(SHA384(), deterministic_signing=True)))
    return parse(message(content, r.to_bytes(48, "big") + s.to_bytes(48, "big")))
