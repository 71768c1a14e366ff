"""What a key is worth, by what the chain says of it, and the words for that."""

from dataclasses import replace

import pytest
from eth_utils.address import to_checksum_address

from vouch.chain.enclave import EnclaveKey
from vouch.protocol.enclave import Curve
from vouch.relayer.enclave_state import Standing, Watched, standing
from vouch.relayer.peers import EnclaveInfo

KEY, OPERATOR, OTHER = (str(to_checksum_address(f"0x{n:040x}")) for n in (0xE1, 0xDD, 0xEE))
IMAGE = b"\7" * 32
GOOD = EnclaveKey(IMAGE, OPERATOR, 1_000, Curve.SECP256K1, revoked=False)
NOBODY = EnclaveKey(bytes(32), "0x" + "00" * 20, 0, Curve.SECP256K1, revoked=False)
URL = "http://127.0.0.1:8700"


def at(now: int, known: EnclaveKey = GOOD) -> Standing:
    return standing(KEY, known, IMAGE, OPERATOR, now, margin=10)


def test_a_good_key() -> None:
    assert at(500).good
    assert at(990).good, "exactly the margin is left"


@pytest.mark.parametrize(
    ("now", "known", "reason"),
    [
        (500, NOBODY, "is not registered yet"),
        (500, replace(GOOD, revoked=True), "was revoked, and never counts again: restart the node"),
        (500, replace(GOOD, operator=OTHER), f"is registered for {OTHER} .*, not for {OPERATOR}"),
        (500, replace(GOOD, image_id=b"\1" * 32), "the image 0x0101.*, not for .* the image 0x0707"),
        (1_001, GOOD, "expired at 1970-01-01 00:16:40 UTC"),
        (991, GOOD, "expires in 9 s, before a seal is on chain"),
    ],
)
def test_a_key_that_does_not_count(now: int, known: EnclaveKey, reason: str) -> None:
    found = at(now, known)
    assert not found.good
    assert found.reason.startswith(f"enclave key {KEY} ")
    with pytest.raises(ValueError, match=reason):
        raise ValueError(found.reason)


def test_what_can_be_cured() -> None:
    """A revocation and another owner cannot, an expiry can."""
    cures = {
        "new": at(500, NOBODY),
        "revoked": at(500, replace(GOOD, revoked=True)),
        "taken": at(500, replace(GOOD, operator=OTHER)),
        "expired": at(1_001),
        "expires": at(995),
    }
    assert {name for name, found in cures.items() if found.final} == {"revoked", "taken"}
    assert {name for name, found in cures.items() if found.ends} == {"expired", "expires"}


def watched(known: EnclaveKey | None) -> Watched:
    made = Watched.of(EnclaveInfo("dev", KEY, Curve.P256, IMAGE), 1.0, 10.0)
    made.known, made.renews_at = known, 700
    return made


def test_lines_for_people() -> None:
    name = f"enclave key {KEY} (dev, p256) of {URL}"
    assert watched(None).line(URL, registers=True) == f"{name} is not registered yet"
    assert watched(NOBODY).line(URL, registers=True) == f"{name} is not registered yet"
    good = watched(GOOD).line(URL, registers=True)
    until = f"{name}, image 0x{IMAGE.hex()}, is registered until 1970-01-01 00:16:40 UTC"
    assert good == f"{until}, attested anew from 1970-01-01 00:11:40 UTC"
    assert watched(GOOD).line(URL, registers=False) == until
    failing = watched(GOOD)
    failing.failed("no gas")
    assert failing.line(URL, registers=True) == f"{good}: no gas"
    failing.worked()
    assert failing.line(URL, registers=True) == good
    assert watched(replace(GOOD, revoked=True)).line(URL, registers=True) == f"{name} is revoked"


def test_a_report_for_programs() -> None:
    about = {"kind": "dev", "key": KEY, "curve": "p256", "imageId": f"0x{IMAGE.hex()}"}
    none = {"registered": False, "revoked": False, "expiry": None, "renewal": None, "trouble": ""}
    assert watched(None).report(registers=True) == about | none
    assert watched(NOBODY).report(registers=True) == about | none
    good = none | {"registered": True, "expiry": 1_000}
    assert watched(GOOD).report(registers=True) == about | good | {"renewal": 700}
    assert watched(GOOD).report(registers=False) == about | good
    assert watched(replace(GOOD, revoked=True)).report(registers=False) == about | good | {"revoked": True}
