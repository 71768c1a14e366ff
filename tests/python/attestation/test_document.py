"""Documents are read as another CBOR reader reads them, and refused by the contract's names."""

from collections.abc import Callable

import cbor2
import pytest

from tests.contracts.attestation.documents import real
from tests.python.attestation.chains import AT, GOOD, certificates, message, payload
from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_machine import Variant
from vouch.attestation.document import parse
from vouch.attestation.errors import NotADocument
from vouch.protocol.enclave import image_id

CHAIN = certificates(GOOD)[0]


def check(raw: bytes) -> None:
    """Against cbor2's reading."""
    found = parse(raw)
    protected, unprotected, content, signature = cbor2.loads(raw.removeprefix(b"\xd2"))
    fields = cbor2.loads(content)
    assert (found.payload, found.signature, found.raw) == (content, signature, raw)
    assert unprotected == {}
    assert found.to_be_signed == cbor2.dumps(["Signature1", protected, b"", content])
    assert found.module_id == fields["module_id"]
    assert found.timestamp_ms == fields["timestamp"]
    assert found.digest == fields["digest"]
    assert dict(found.pcrs) == fields["pcrs"]
    assert found.certificates == (*fields["cabundle"], fields["certificate"])
    for name in ("public_key", "user_data", "nonce"):
        assert getattr(found, name) == fields.get(name)


def test_real_documents() -> None:
    for path in real("documents"):
        check(path.read_bytes())
        check(b"\xd2" + path.read_bytes())


@pytest.mark.parametrize("variant", Variant)
def test_documents_for_development(variant: Variant) -> None:
    authority = DevAuthority.create(seed=b"document")
    check(authority.document({}, at=AT, variant=variant))
    check(authority.document({0: b"\1" * 48}, public_key=b"k", user_data=b"", nonce=b"n" * 1024, at=AT))


def test_image_and_debug_mode() -> None:
    measured = {number: bytes([number + 1]) * 48 for number in range(3)}

    def with_pcrs(pcrs: dict[int, bytes]) -> tuple[bytes | None, bool]:
        found = parse(message(payload(CHAIN, pcrs=pcrs)))
        return found.image_id, found.debug

    assert with_pcrs(measured) == (image_id(*measured.values()), False)
    assert with_pcrs(measured | {0: bytes(48)}) == (image_id(bytes(48), measured[1], measured[2]), True)
    assert with_pcrs({1: bytes(48)}) == (None, False)
    assert with_pcrs(measured | {2: bytes(32)}) == (None, False)


def test_keys_in_any_order_and_optional_ones_left_out() -> None:
    fields = cbor2.loads(payload(CHAIN))
    turned = dict(reversed(fields.items()))
    assert parse(message(cbor2.dumps(turned))).pcrs == parse(message(cbor2.dumps(fields))).pcrs
    for name in ("public_key", "user_data", "nonce"):
        del fields[name]
    found = parse(message(cbor2.dumps(fields)))
    assert (found.public_key, found.user_data, found.nonce) == (None, None, None)


def without(name: str) -> bytes:
    fields = cbor2.loads(payload(CHAIN))
    del fields[name]
    return cbor2.dumps(fields)


def appended(*items: object) -> bytes:
    """The payload with more entries at its end."""
    content = payload(CHAIN)
    extra = b"".join(cbor2.dumps(item) for item in items)
    return bytes([content[0] + len(items) // 2]) + content[1:] + extra


def pcrs(raw: bytes) -> bytes:
    """The payload with these bytes as the map of PCRs."""
    content = payload(CHAIN)
    at = content.index(b"\x64pcrs") + 5
    old = cbor2.dumps(cbor2.loads(content)["pcrs"])
    return content[:at] + raw + content[at + len(old) :]


CONTENT = payload(CHAIN)
RAW = message(CONTENT)


@pytest.mark.parametrize(
    ("raw", "name", "values"),
    [
        (b"", "Truncated", (0,)),
        (b"\xd2", "Truncated", (1,)),
        (RAW[:-1], "Truncated", (len(RAW) - 96,)),
        (RAW + b"\0", "TrailingBytes", (len(RAW), len(RAW) + 1)),
        (b"\xd2\xd2" + RAW, "UnexpectedType", (1, 6, 4)),
        (b"\x83" + RAW[1:], "WrongArrayLength", (0, 3)),
        (b"\x9f" + RAW[1:] + b"\xff", "IndefiniteLength", (0,)),
        (b"\x9c" + RAW[1:], "ReservedInfo", (0, 28)),
        (b"\x98\x04" + RAW[1:], "NonMinimal", (0,)),
        (b"\x99\0\x18" + RAW[1:], "NonMinimal", (0,)),
        (b"\x84\x43\xa1\x01\x26" + RAW[6:], "WrongProtectedHeader", (b"\xa1\x01\x26",)),
        (RAW[:6] + b"\xa1\x04\x40" + RAW[7:], "UnprotectedHeaderNotEmpty", (6, 1)),
        (RAW[:6] + b"\xbf\xff" + RAW[7:], "IndefiniteLength", (6,)),
        (RAW[:6] + b"\xa0\xf6" + RAW[-98:], "UnexpectedType", (7, 7, 2)),
        (message(CONTENT, bytes(95)), "WrongSignatureLength", (95,)),
        (message(CONTENT, bytes(97)), "WrongSignatureLength", (97,)),
        (RAW[:7] + b"\x5b" + b"\xff" * 8 + RAW[10:], "Truncated", (16,)),
    ],
)
def test_messages_that_are_refused(raw: bytes, name: str, values: tuple[int | bytes, ...]) -> None:
    with pytest.raises(NotADocument) as caught:
        parse(raw)
    assert (caught.value.name, caught.value.values) == (name, values)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (CONTENT + b"\0", "TrailingBytes"),
        (CONTENT[:-1], "Truncated"),
        (b"\xbf" + CONTENT[1:], "Truncated"),
        (b"\xbf" + CONTENT[1:] + b"\xff\xff", "TrailingBytes"),
        (bytes([CONTENT[0] + 1]) + CONTENT[1:] + b"\xff", "UnexpectedType"),
        (b"\x80", "UnexpectedType"),
        (appended("more", 1), "UnknownField"),
        (appended(1, 1), "UnexpectedType"),
        (appended("nonce", None), "DuplicateField"),
        (appended("module_id", "i-2"), "DuplicateField"),
        (without("module_id"), "MissingField"),
        (without("digest"), "MissingField"),
        (without("timestamp"), "MissingField"),
        (without("pcrs"), "MissingField"),
        (without("certificate"), "MissingField"),
        (without("cabundle"), "MissingField"),
        (payload(CHAIN, module_id=""), "WrongLength"),
        (payload(CHAIN, module_id=b"i"), "UnexpectedType"),
        (CONTENT.replace(b"i-1-enc1", b"i-1-enc\xff"), "NotUtf8"),
        (payload(CHAIN, digest="SHA256"), "WrongDigest"),
        (payload(CHAIN, timestamp=0), "ZeroTimestamp"),
        (payload(CHAIN, timestamp=-1), "UnexpectedType"),
        (payload(CHAIN, timestamp=2**64), "UnexpectedType"),
        (payload(CHAIN, timestamp=1.5), "UnexpectedType"),
        (payload(CHAIN, pcrs={}), "WrongPcrCount"),
        (payload(CHAIN, pcrs={number: bytes(48) for number in range(33)}), "WrongPcrCount"),
        (payload(CHAIN, pcrs={32: bytes(48)}), "WrongPcrIndex"),
        (payload(CHAIN, pcrs={0: bytes(47)}), "WrongPcrLength"),
        (payload(CHAIN, pcrs={0: b""}), "WrongPcrLength"),
        (pcrs(b"\xa2" + (b"\x05\x58\x30" + bytes(48)) * 2), "DuplicatePcr"),
        (pcrs(b"\xbf\x05\x58\x30" + bytes(48) + b"\xff"), "IndefiniteLength"),
        (payload(CHAIN, cabundle=[]), "WrongBundleLength"),
        (payload(CHAIN, cabundle=[b"c"] * 9), "WrongBundleLength"),
        (payload(CHAIN, cabundle=[b""]), "WrongLength"),
        (payload(CHAIN, cabundle=[bytes(1025)]), "WrongLength"),
        (payload(CHAIN, cabundle=None), "UnexpectedType"),
        (payload(CHAIN, certificate=b""), "WrongLength"),
        (payload(CHAIN, certificate=bytes(1025)), "WrongLength"),
        (payload(CHAIN, certificate=None), "UnexpectedType"),
        (payload(CHAIN, public_key=b""), "WrongLength"),
        (payload(CHAIN, public_key=bytes(1025)), "WrongLength"),
        (payload(CHAIN, user_data=bytes(1025)), "WrongLength"),
        (payload(CHAIN, nonce=bytes(1025)), "WrongLength"),
        (payload(CHAIN, nonce="text"), "UnexpectedType"),
    ],
)
def test_payloads_that_are_refused(content: bytes, name: str) -> None:
    with pytest.raises(NotADocument) as caught:
        parse(message(content))
    assert caught.value.name == name


@pytest.mark.parametrize(
    "accepted",
    [
        lambda: payload(CHAIN, cabundle=[b"c"] * 8),
        lambda: payload(CHAIN, cabundle=[bytes(1024)], certificate=bytes(1024)),
        lambda: payload(CHAIN, pcrs={number: bytes(64) for number in range(32)}),
        lambda: payload(CHAIN, public_key=bytes(1024), user_data=bytes(1024), nonce=bytes(1024)),
        lambda: payload(CHAIN, timestamp=2**64 - 1),
        lambda: b"\xbf" + CONTENT[1:] + b"\xff",
    ],
)
def test_payloads_at_the_limits(accepted: Callable[[], bytes]) -> None:
    check(message(accepted()))


def test_offsets_count_from_the_beginning_of_the_document() -> None:
    with pytest.raises(NotADocument) as caught:
        parse(message(payload(CHAIN, digest="SHA256")))
    at = message(payload(CHAIN)).index(b"\x66SHA384")
    assert caught.value.values == (at, b"SHA256")
    with pytest.raises(NotADocument) as caught:
        parse(message(b"\x80"))
    assert caught.value.values == (len(bytes.fromhex("8444a1013822a041")), 4, 5)
